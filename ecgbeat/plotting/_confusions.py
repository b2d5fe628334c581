"""Names and colours for beats that were classified rightly and wrongly (layer 3)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ecgbeat._validation import Integral
from ecgbeat.plotting._arrays import check_classes, check_labels
from ecgbeat.plotting._style import BLUE, VERMILLION


def label_confusions(
    y_true: Any, y_pred: Any, classes: Sequence[Any] | None, max_panels: int
) -> tuple[np.ndarray, list[str], dict[str, str]]:
    """Name each beat after what it is and what it was taken for.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_beats,)
        Labels.
    classes : sequence or None
        The true classes that count; None takes all.
    max_panels : int
        Number of names to draw at most.

    Returns
    -------
    names : ndarray of shape (n_beats,) of str
        ``"N right"`` or ``"N as V"``.
    order : list of str
        The names to draw: right ones by class, then errors, the most frequent first.
    colors : dict of str
        By name.
    """
    true = np.asarray(y_true)
    true = check_labels("y_true", y_true, true.shape[0] if true.ndim else 0)
    predicted = check_labels("y_pred", y_pred, len(true))
    if not isinstance(max_panels, Integral) or max_panels < 1:
        raise ValueError(f"max_panels must be a whole number from 1, got {max_panels!r}.")
    right, names = true == predicted, np.empty(len(true), dtype=object)
    for row, pair in enumerate(zip(true.tolist(), predicted.tolist(), strict=True)):
        names[row] = f"{pair[0]} right" if right[row] else f"{pair[0]} as {pair[1]}"
    wanted = check_classes(classes, true)
    order = [f"{label} right" for label in wanted if (right & (true == label)).any()]
    errors = ~right & np.isin(true, wanted)
    kinds, counts = np.unique(names[errors].astype(str), return_counts=True)
    order += kinds[np.argsort(-counts, kind="stable")].tolist()
    colors = {name: BLUE if name.endswith(" right") else VERMILLION for name in order}
    return names.astype(str), order[:max_panels], colors
