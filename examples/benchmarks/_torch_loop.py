"""Training loop in plain torch with in-memory tensors and a one-cycle schedule."""

import math

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin

PREDICTION_BATCH = 1024  # fastest batch size for this network


def train(recipe, X, y, device="cpu"):
    """Train the module of a `Recipe` and return it."""
    module = recipe.module.to(device).train()
    criterion = recipe.criterion.to(device)
    X, y = (torch.from_numpy(array).to(device) for array in (X, y))
    optimizer = torch.optim.AdamW(
        module.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay, fused=True
    )
    n_batches = math.ceil(len(X) / recipe.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.lr, total_steps=recipe.epochs * n_batches
    )
    for _ in range(recipe.epochs):
        # batches of equal size: a last batch of two beats would distort the batch norm statistics
        for rows in torch.randperm(len(X), device=device).tensor_split(n_batches):
            optimizer.zero_grad()
            criterion(module(X[rows]), y[rows]).backward()
            optimizer.step()
            schedule.step()
    return module


@torch.inference_mode()
def logits(module, X, batch_size=PREDICTION_BATCH, device="cpu"):
    """Return the output of a module for the rows of an array, computed in batches."""
    module.eval()
    batches = torch.from_numpy(X).split(batch_size)
    return torch.cat([module(batch.to(device)).cpu() for batch in batches]).numpy()


class TorchClassifier(ClassifierMixin, BaseEstimator):
    """Classifier around a function ``train(X, y, device)`` that returns a trained module.

    Labels are integers from 0. The input is not validated.
    """

    def __init__(self, train, seed=0, device="cpu"):
        self.train = train
        self.seed = seed
        self.device = device

    def fit(self, X, y):
        torch.manual_seed(self.seed)
        self.classes_ = np.unique(y)
        self.module_ = self.train(X, y, self.device)
        return self

    def predict_proba(self, X):
        found = torch.from_numpy(logits(self.module_, X, device=self.device))
        return torch.softmax(found, dim=1).numpy()

    def predict(self, X):
        return self.predict_proba(X).argmax(axis=1)
