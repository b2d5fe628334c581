"""The layouts of three kinds of public notebook, rebuilt from a description in words.

None of their code was at hand. What the description names (class weights, dropout, Adam at 1e-3,
batches of 64, 60 epochs, SMOTE before training, checkpoints) is as it says; what it leaves open
(layers and their widths, 10 epochs in the layouts 1 and 3) is the common choice. Batches are
slices of tensors, which is faster than the ``DataLoader`` that notebooks use.
"""

import copy
from functools import partial

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from sklearn.utils.class_weight import compute_class_weight
from torch import nn

BATCH_SIZE = 64
LR = 1e-3


def train_plainly(module, X, y, *, epochs, device, weighted=False, balanced=False, held_out=0.0):
    """Train a module with Adam at a constant rate, and return it.

    `weighted`: the loss weighs classes by inverse frequency. `balanced`: each epoch draws the
    classes equally often. `held_out`: share of the rows by whose loss the best epoch is kept.
    """
    kept = None
    if held_out:
        X, X_kept, y, y_kept = train_test_split(
            X, y, test_size=held_out, stratify=y, random_state=0
        )
        kept = as_tensors(X_kept, y_kept, device)
    frequency = compute_class_weight("balanced", classes=np.unique(y), y=y).astype(np.float32)
    weights = torch.from_numpy(frequency).to(device)
    X, y = as_tensors(X, y, device)
    module = module.to(device)
    criterion = nn.CrossEntropyLoss(weights if weighted else None)
    optimizer = torch.optim.Adam(module.parameters(), lr=LR)
    best, lowest = module, float("inf")
    for _ in range(epochs):
        order = torch.multinomial(weights[y], len(y), True) if balanced else torch.randperm(len(y))
        run_epoch(module, X, y, order.to(device).split(BATCH_SIZE), criterion, optimizer)
        if kept and (loss := mean_loss(module, *kept, criterion)) < lowest:
            best, lowest = copy.deepcopy(module), loss
    return best


def as_tensors(X, y, device):
    """Copy rows and codes to where the network is."""
    return torch.from_numpy(X).to(device), torch.from_numpy(y).to(device)


def run_epoch(module, X, y, batches, criterion, optimizer):
    """Take one step for every batch of row numbers."""
    module.train()
    for rows in batches:
        optimizer.zero_grad()
        criterion(module(X[rows]), y[rows]).backward()
        optimizer.step()


@torch.inference_mode()
def mean_loss(module, X, y, criterion):
    """Return the loss of held-out rows, a checkpoint's measure."""
    module.eval()
    losses = [
        criterion(module(rows), codes)
        for rows, codes in zip(X.split(256), y.split(256), strict=True)
    ]
    return float(torch.stack(losses).mean())


def convolution(n_in, n_out, *, batch_norm=False, dropout=0.0):
    """Convolution, ReLU and pooling by two, with what a layout adds to them."""
    return [
        nn.Conv1d(n_in, n_out, 5, padding=2),
        *([nn.BatchNorm1d(n_out)] if batch_norm else []),
        nn.ReLU(),
        nn.MaxPool1d(2),
        *([nn.Dropout(dropout)] if dropout else []),
    ]


def stacked(n_times, n_classes, *, batch_norm=False, dropout=0.0):
    """Three convolutions, then a dense layer over all that is left."""
    options = {"batch_norm": batch_norm, "dropout": dropout}
    return nn.Sequential(
        nn.Unflatten(1, (1, n_times)),
        *convolution(1, 32, **options),
        *convolution(32, 64, **options),
        *convolution(64, 128, **options),
        nn.Flatten(),
        nn.Linear(128 * (n_times // 8), 128),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(128, n_classes),
    )


class ConvolutionsThenLSTM(nn.Module):
    """Two convolutions, an LSTM over time, and a dense layer on its last output."""

    def __init__(self, n_times, n_classes):
        super().__init__()
        self.front = nn.Sequential(
            nn.Unflatten(1, (1, n_times)), *convolution(1, 32), *convolution(32, 64)
        )
        self.lstm = nn.LSTM(64, 64, batch_first=True)
        self.head = nn.Linear(64, n_classes)

    def forward(self, rows):
        states, _ = self.lstm(self.front(rows).transpose(1, 2))
        return self.head(states[:, -1])


# name: what builds the module of n_times and n_classes, its epochs, and how it is trained
PROJECTS = {
    "project-1": (stacked, 10, {"weighted": True, "held_out": 0.1}),
    "project-2-cnn": (stacked, 60, {"balanced": True}),
    "project-2-lstm": (ConvolutionsThenLSTM, 60, {"balanced": True}),
    "project-3": (partial(stacked, batch_norm=True, dropout=0.2), 10, {}),
}


def train_project(name, X, y, device, *, epochs_scale=1.0):
    """Build and train the module of a project, for a share of its epochs, one at least."""
    build, epochs, how = PROJECTS[name]
    module = build(X.shape[1], len(np.unique(y)))
    epochs = max(round(epochs_scale * epochs), 1)
    return train_plainly(module, X, y, epochs=epochs, device=device, **how)
