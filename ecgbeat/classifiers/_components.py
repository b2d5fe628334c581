"""What each part of the skorch net is given, besides what the user writes for it.

skorch builds loss, optimizer and iterators of ``criterion__name``, ``optimizer__name`` and so
on. Here is what the classifiers' own parameters add to that; what is written for a part by
name takes precedence.
"""

import functools
import inspect
from typing import Any

import torch
from torch.utils.data import DataLoader

from ecgbeat.classifiers._batches import batch_loader, collate

# ten times torch's: more macro-F1 by beat, less log loss by patient (training_study.py)
ADAMW_DECAY = 0.1


def takes(factory: Any, name: str) -> bool:
    """Tell whether a class or function has an argument of this name that is still free.

    A class that takes any argument takes those of the classes that it inherits from.
    """
    if isinstance(factory, functools.partial) and name in factory.keywords:
        return False
    return _argument(factory, name) is not None


def _argument(factory: Any, name: str) -> inspect.Parameter | None:
    """Return an argument of a class or function, or of a class that it hands it on to."""
    arguments = inspect.signature(factory).parameters
    if name in arguments:
        return arguments[name]
    hands_on = any(argument.kind is argument.VAR_KEYWORD for argument in arguments.values())
    bases = inspect.getmro(factory)[1:-1] if hands_on and inspect.isclass(factory) else ()
    found = (inspect.signature(base).parameters.get(name) for base in bases)
    return next((argument for argument in found if argument is not None), None)


def criterion_params(net: Any) -> dict[str, Any]:
    """Return weights of classes and label smoothing."""
    params = {}
    if net.__dict__.get("_class_weights") is not None:
        params["weight"] = torch.as_tensor(net._class_weights, dtype=torch.float32)
    if net.label_smoothing and takes(net.criterion, "label_smoothing"):
        params["label_smoothing"] = net.label_smoothing
    return params


def check_label_smoothing(net: Any) -> None:
    """Raise ValueError if label smoothing is wanted of a loss that has none.

    Or of an instance, which skorch would build anew without what the user put into it.
    """
    if (
        net.label_smoothing
        and not hasattr(net, "criterion__label_smoothing")
        and not takes(net.criterion, "label_smoothing")
    ):
        raise ValueError(
            f"label_smoothing={net.label_smoothing!r} needs a criterion that takes it, such as the "
            "classes torch.nn.CrossEntropyLoss and ecgbeat.networks.FocalLoss, got "
            f"criterion={net.criterion!r}. Give one of those or set label_smoothing=0."
        )


def optimizer_params(net: Any) -> dict[str, Any]:
    """Return the weight decay, for optimizers that have one, and the fastest kind of step."""
    params: dict[str, Any] = {}
    if takes(net.optimizer, "weight_decay"):
        params["weight_decay"] = weight_decay_for(net.optimizer, net.weight_decay)
    if net.optimizer is torch.optim.AdamW and not hasattr(net, "optimizer__foreach"):
        params["fused"] = True  # one kernel for all weights: twice as fast on small nets
    return params


def weight_decay_for(optimizer: Any, asked: float | str) -> float:
    """Return a number for ``"auto"``: ours for AdamW, for any other optimizer its own."""
    if asked != "auto":
        return float(asked)
    bare = optimizer.func if isinstance(optimizer, functools.partial) else optimizer
    if inspect.isclass(bare) and issubclass(bare, torch.optim.AdamW):
        return ADAMW_DECAY
    argument = _argument(optimizer, "weight_decay")
    return 0.0 if argument is None else float(argument.default)


def set_weight_decay(net: Any, _: str, value: float | str) -> None:
    """Set the weight decay of a net whose optimizer is there already, as skorch does with lr."""
    net.weight_decay = value
    if takes(net.optimizer, "weight_decay") and not hasattr(net, "optimizer__weight_decay"):
        for group in net.optimizer_.param_groups:
            group["weight_decay"] = weight_decay_for(net.optimizer, value)


def iterator_params(net: Any, prefix: str) -> dict[str, Any]:
    """Return how batches are made for training or for all else."""
    iterator = getattr(net, prefix)
    if iterator is batch_loader and prefix == "iterator_train":
        return {"shuffle": True}
    if iterator is DataLoader:
        return {"collate_fn": collate}  # else scorers would get lists of strings
    return {}
