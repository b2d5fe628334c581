"""The part of the training data that early stopping looks at."""

from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold


def holdout_rows(
    y: np.ndarray, fraction: float, random_state: int, groups: Any = None
) -> tuple[np.ndarray, np.ndarray]:
    """Divide rows into training and validation, stratified by class.

    Every class keeps at least one row for training, which scikit-learn's stratified
    splitters do not grant: they refuse classes of one row.

    Parameters
    ----------
    y : ndarray of shape (n_beats,)
        Labels.
    fraction : float
        Share of every class that goes to validation, rounded.
    random_state : int
        Seed.
    groups : array-like of shape (n_beats,), default=None
        Patients. If given, no patient is on both sides, and the share is only roughly met.

    Returns
    -------
    training, validation : ndarray of int
        Row numbers.

    Raises
    ------
    ValueError
        If not a single row, or not a single patient, can be spared.
    """
    if groups is not None:
        return _by_group(y, fraction, random_state, np.asarray(groups))
    order = np.random.default_rng(random_state).permutation(len(y))
    _, codes, counts = np.unique(y[order], return_inverse=True, return_counts=True)
    quota = np.minimum(np.rint(fraction * counts), counts - 1).astype(int)
    if quota.sum() == 0:
        quota[counts.argmax()] = min(1, counts.max() - 1)
    if quota.sum() == 0:
        raise ValueError(
            f"early_stopping=True needs a row to validate on, but X has {len(y)} rows of "
            f"{len(counts)} classes, one each. Give more rows or set early_stopping=False."
        )
    # rank of every row within its class, in the shuffled order
    by_class = np.argsort(codes, kind="stable")
    rank = np.empty(len(y), dtype=int)
    rank[by_class] = np.arange(len(y)) - np.repeat(np.cumsum(counts) - counts, counts)
    validates = rank < quota[codes]
    return np.sort(order[~validates]), np.sort(order[validates])


def _by_group(
    y: np.ndarray, fraction: float, random_state: int, groups: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Divide whole patients."""
    if groups.shape != y.shape:
        raise ValueError(
            f"groups must hold one patient for each of the {len(y)} rows of X, "
            f"got shape {groups.shape}."
        )
    n_groups = len(np.unique(groups))
    if n_groups < 2:
        raise ValueError(
            f"early_stopping=True with groups needs 2 patients at least, got {n_groups}."
        )
    n_splits = int(np.clip(round(1 / fraction), 2, n_groups))
    splitter = StratifiedGroupKFold(n_splits, shuffle=True, random_state=random_state)
    for training, validation in splitter.split(y, y, groups):
        if len(validation) and len(np.unique(y[training])) == len(np.unique(y)):
            return training, validation
    raise ValueError(
        "early_stopping=True with groups: every split leaves a class without training rows, "
        "since some class occurs in one patient only. Leave groups out or drop that class."
    )
