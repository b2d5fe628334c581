"""Rows to and from the classifier of beats (layer 3)."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np


def classify(
    classifier: Any, classes: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the label of each row, and the probability of each class if there are any."""
    if not hasattr(classifier, "predict_proba"):
        return np.asarray(classifier.predict(rows)), None
    probability = classifier.predict_proba(rows)
    if _predicts_most_probable(classifier):
        return classes[probability.argmax(axis=1)], probability
    return np.asarray(classifier.predict(rows)), probability


def in_batches(pieces: Iterable[np.ndarray], n_rows: int) -> Iterator[np.ndarray]:
    """Join pieces of rows to batches of at least ``n_rows`` rows, save the last.

    A classifier may take as long for a few rows as for a thousand, and a recording may have
    but a few.
    """
    waiting: list[np.ndarray] = []
    n_waiting = 0
    for piece in pieces:
        waiting.append(piece)
        n_waiting += len(piece)
        if n_waiting >= n_rows:
            yield waiting[0] if len(waiting) == 1 else np.concatenate(waiting)
            waiting, n_waiting = [], 0
    if waiting:
        yield np.concatenate(waiting)


def fit_with_groups(classifier: Any, rows: Any, labels: Any, groups: Any) -> None:
    """Fit; ``groups`` go to what is trained in the end, the last step of a pipeline."""
    steps = []
    last = classifier
    while hasattr(last, "steps"):
        name, last = last.steps[-1]
        steps.append(name)
    classifier.fit(rows, labels, **{"__".join([*steps, "groups"]): groups})


def _predicts_most_probable(classifier: Any) -> bool:
    """Tell whether ``predict`` is known to be the largest of ``predict_proba``.

    True of this package's classifiers: they need not compute everything twice. Others may
    decide by a threshold of their own.
    """
    while hasattr(classifier, "steps"):  # pipelines
        classifier = classifier.steps[-1][1]
    predict = getattr(type(classifier), "predict", None)
    return getattr(predict, "__module__", "").startswith("ecgbeat.classifiers.")
