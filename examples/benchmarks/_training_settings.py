"""Parameters of ecgbeat's rows, and its default training recipe for other training loops."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from ecgbeat import ECGCNNClassifier
from ecgbeat.classifiers import _heuristics

# best documented parameters of a single ECGCNNClassifier on the Kaggle set
BEST = {
    "n_filters": 30,
    "max_epochs": 24,
    "weight_decay": 0.3,
    "augment_amplitude": 0.1,
    "optimizer": torch.optim.AdamW,
}


class Recipe(NamedTuple):
    """Settings of a training loop."""

    module: nn.Module  # untrained
    criterion: nn.Module
    epochs: int
    batch_size: int
    lr: float  # maximum of the one-cycle schedule
    weight_decay: float


def default_recipe(n_beats: int, n_classes: int, **parameters: Any) -> Recipe:
    """Return the training recipe of `ECGCNNClassifier` with AdamW for a number of beats."""
    net = ECGCNNClassifier(classes=np.arange(n_classes), **parameters)
    net.initialize()
    group = net.optimizer_.param_groups[0]
    return Recipe(
        net.module_,
        net.criterion_,
        _heuristics.epochs_for(n_beats) if net.max_epochs == "auto" else net.max_epochs,
        _heuristics.batch_size_for(n_beats) if net.batch_size == "auto" else net.batch_size,
        group["lr"],
        group["weight_decay"],
    )
