"""Reimplementation of three types of public notebooks from their descriptions.

The code of the notebooks was not available. The following settings are given in the descriptions:
class weights, dropout, Adam with a learning rate of 1e-3, batches of 64, 60 epochs, SMOTE before
training, and checkpoints. The other settings are common choices: the layers and their widths, and
10 epochs in projects 1 and 3. Batches are slices of tensors, which is faster than the
``DataLoader`` used in notebooks.
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


def train_with_adam(module, X, y, *, epochs, device, weighted=False, balanced=False, held_out=0.0):
    """Train a module with Adam and a constant learning rate, and return it.

    With ``weighted``, the loss weights classes by inverse frequency. With ``balanced``, each epoch
    samples all classes equally often. With ``held_out``, the epoch with the lowest loss on this
    fraction of the rows is returned.
    """
    validation = None
    if held_out:
        X, X_valid, y, y_valid = train_test_split(
            X, y, test_size=held_out, stratify=y, random_state=0
        )
        validation = as_tensors(X_valid, y_valid, device)
    class_weights = compute_class_weight("balanced", classes=np.unique(y), y=y).astype(np.float32)
    weights = torch.from_numpy(class_weights).to(device)
    X, y = as_tensors(X, y, device)
    module = module.to(device)
    criterion = nn.CrossEntropyLoss(weights if weighted else None)
    optimizer = torch.optim.Adam(module.parameters(), lr=LR)
    best, lowest = module, float("inf")
    for _ in range(epochs):
        order = torch.multinomial(weights[y], len(y), True) if balanced else torch.randperm(len(y))
        run_epoch(module, X, y, order.to(device).split(BATCH_SIZE), criterion, optimizer)
        if validation and (loss := mean_loss(module, *validation, criterion)) < lowest:
            best, lowest = copy.deepcopy(module), loss
    return best


def as_tensors(X, y, device):
    """Return rows and codes as tensors on the device."""
    return torch.from_numpy(X).to(device), torch.from_numpy(y).to(device)


def run_epoch(module, X, y, batches, criterion, optimizer):
    """Perform one optimization step per batch of row numbers."""
    module.train()
    for rows in batches:
        optimizer.zero_grad()
        criterion(module(X[rows]), y[rows]).backward()
        optimizer.step()


@torch.inference_mode()
def mean_loss(module, X, y, criterion):
    """Return the mean validation loss."""
    module.eval()
    losses = [
        criterion(module(rows), codes)
        for rows, codes in zip(X.split(256), y.split(256), strict=True)
    ]
    return float(torch.stack(losses).mean())


def convolution(n_in, n_out, *, batch_norm=False, dropout=0.0):
    """Return the layers of a convolution with ReLU, pooling and optional batch norm and dropout."""
    return [
        nn.Conv1d(n_in, n_out, 5, padding=2),
        *([nn.BatchNorm1d(n_out)] if batch_norm else []),
        nn.ReLU(),
        nn.MaxPool1d(2),
        *([nn.Dropout(dropout)] if dropout else []),
    ]


def make_cnn(n_times, n_classes, *, batch_norm=False, dropout=0.0):
    """Return a network with three convolutions and two dense layers."""
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
    """Network with two convolutions, an LSTM over time, and a dense layer on its last output."""

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


# name: (function that returns the module, number of epochs, training options)
PROJECTS = {
    "project-1": (make_cnn, 10, {"weighted": True, "held_out": 0.1}),
    "project-2-cnn": (make_cnn, 60, {"balanced": True}),
    "project-2-lstm": (ConvolutionsThenLSTM, 60, {"balanced": True}),
    "project-3": (partial(make_cnn, batch_norm=True, dropout=0.2), 10, {}),
}


def train_project(name, X, y, device, *, epochs_scale=1.0):
    """Build and train the module of a project for a fraction of its epochs, at least one."""
    build, epochs, options = PROJECTS[name]
    module = build(X.shape[1], len(np.unique(y)))
    epochs = max(round(epochs_scale * epochs), 1)
    return train_with_adam(module, X, y, epochs=epochs, device=device, **options)
