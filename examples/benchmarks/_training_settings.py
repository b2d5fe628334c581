"""The settings of ecgbeat's own rows, and the recipe that peers share with its defaults."""

from typing import Any, NamedTuple

import numpy as np
from torch import nn

from ecgbeat import ECGCNNClassifier
from ecgbeat.classifiers import _heuristics

# the best documented setting of one ECGCNNClassifier on the Kaggle set
BEST = {"n_filters": 30, "max_epochs": 24, "weight_decay": 0.3, "augment_amplitude": 0.1}


class Recipe(NamedTuple):
    """What a training loop is told."""

    module: nn.Module  # not trained yet
    criterion: nn.Module
    epochs: int
    batch_size: int
    lr: float  # the peak of the one cycle
    weight_decay: float


def default_recipe(n_beats: int, n_classes: int, **parameters: Any) -> Recipe:
    """Read off an `ECGCNNClassifier` what it would do with so many beats."""
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
