"""From the user's labels to codes and back."""

from typing import Any

import numpy as np
import torch
from sklearn.utils.class_weight import compute_class_weight
from skorch.utils import data_from_dataset, to_numpy
from torch import Tensor


def distinct_classes(y: np.ndarray, owner: str, given: Any = None) -> np.ndarray:
    """Return the sorted classes of a training set.

    Parameters
    ----------
    y : ndarray of shape (n_beats,)
        Labels.
    owner : str
        Who asks, for the message.
    given : array-like or None, default=None
        Classes that the user names, among them some that ``y`` may lack.

    Returns
    -------
    ndarray of shape (n_classes,)

    Raises
    ------
    ValueError
        If there are fewer than two, or if ``y`` holds others than the ones given.
    """
    found = np.unique(y)
    classes = found if given is None else np.unique(np.asarray(given))
    unknown = np.setdiff1d(found, classes)
    if len(unknown):
        raise ValueError(
            f"{owner}: y holds the labels {unknown.tolist()}, which are not among the classes "
            f"{classes.tolist()}. Name every class in `classes`."
        )
    if len(classes) < 2:
        raise ValueError(
            f"{owner} needs at least 2 classes, but y holds 1 class only: {classes.tolist()}."
        )
    return classes


def encode(y: Any, classes: np.ndarray) -> Tensor:
    """Return the number of every label's class.

    Parameters
    ----------
    y : Tensor, ndarray or sequence of shape (n_beats,)
        The user's labels.
    classes : ndarray of shape (n_classes,)
        Sorted classes.

    Returns
    -------
    Tensor of shape (n_beats,)
        Codes 0 to n_classes - 1, int64, on the CPU or where ``y`` was.

    Raises
    ------
    ValueError
        If a label is none of the classes.
    """
    labels = to_numpy(y) if isinstance(y, Tensor) else np.asarray(y)
    codes = np.searchsorted(classes, labels)
    known = classes[np.minimum(codes, len(classes) - 1)] == labels
    if not np.all(known):
        raise ValueError(
            f"The labels {np.unique(labels[~known]).tolist()} are not among the classes "
            f"{classes.tolist()} that the classifier was fitted with."
        )
    result = torch.from_numpy(codes.astype(np.int64, copy=False))
    return result.to(y.device) if isinstance(y, Tensor) else result


def weights_of_classes(
    class_weight: str | dict[Any, float] | None, classes: np.ndarray, y: np.ndarray
) -> np.ndarray | None:
    """Return one weight a class as scikit-learn computes it, or None for equal weights.

    "sqrt_balanced" is the square root of "balanced", such that the beats of ``y`` weigh 1
    on average, as they do with "balanced". A class that ``y`` lacks (possible in
    ``partial_fit``) weighs 1.
    """
    if class_weight is None:
        return None
    if isinstance(class_weight, dict):
        unknown = [label for label in class_weight if label not in classes]
        if unknown:
            raise ValueError(
                f"class_weight names the labels {unknown!r}, which are not among the classes "
                f"{classes.tolist()}."
            )
    present, counts = np.unique(y, return_counts=True)
    softened = isinstance(class_weight, str) and class_weight == "sqrt_balanced"
    found = compute_class_weight("balanced" if softened else class_weight, classes=present, y=y)
    if softened:
        found = np.sqrt(found)
        found *= counts.sum() / (counts @ found)
    weights = np.ones(len(classes))
    weights[np.searchsorted(classes, present)] = found
    return weights


def labels_of_dataset(dataset: Any) -> np.ndarray | None:
    """Return the targets of a dataset, or None where they cannot be known.

    Read from its attributes as skorch does, else by looking at every item once.
    """
    try:
        _, y = data_from_dataset(dataset)
        return None if y is None else np.asarray(to_numpy(y))
    except (AttributeError, TypeError):
        pass
    if not hasattr(dataset, "__len__"):
        return None
    return np.asarray([np.asarray(dataset[i][1]).item() for i in range(len(dataset))])
