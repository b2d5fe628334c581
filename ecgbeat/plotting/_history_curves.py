"""The curves in a skorch history (layer 3)."""

from collections.abc import Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

_NO_SCORES = {"epoch", "dur", "batches"}
_NO_SCORE_ENDINGS = ("_best", "_batch_count")
_TRAIN, _VALID = "train", "valid"
_TITLES = {"loss": "Loss", "acc": "Accuracy"}


class Curve(NamedTuple):
    """One column of a history."""

    column: str
    metric: str  # the column without train_ or valid_
    is_train: bool
    epochs: np.ndarray
    values: np.ndarray  # NaN where an epoch has none


def check_history(name: str, history: Any) -> list[dict[str, Any]]:
    """Return the rows of a history, or say why it is none."""
    if history is None or len(history) == 0:
        raise ValueError(
            f"the history of {name} is empty: there is nothing to draw before an epoch of "
            "training (nor after trim_for_prediction)."
        )
    rows = list(history)
    if not all(hasattr(row, "keys") and "epoch" in row for row in rows):
        raise TypeError(
            f"the history of {name} must be that of a skorch net, a list with one dict for each "
            f"epoch, got {type(history).__name__} of {type(rows[0]).__name__}."
        )
    return rows


def find_curves(rows: list[dict[str, Any]]) -> list[Curve]:
    """Return every loss and score of a history: loss first, training before validation."""
    columns = {column for row in rows for column in row if _is_score(column, row[column])}
    epochs = np.array([row["epoch"] for row in rows])
    curves = []
    for column in columns:
        values = np.array([row.get(column, np.nan) for row in rows], dtype=float)
        prefix, _, rest = column.partition("_")
        has_prefix = prefix in (_TRAIN, _VALID) and rest != ""
        metric = rest if has_prefix else column
        curves.append(Curve(column, metric, prefix == _TRAIN and has_prefix, epochs, values))
    return sorted(curves, key=lambda c: (c.metric != "loss", c.metric, not c.is_train, c.column))


def _is_score(column: str, value: Any) -> bool:
    return (
        column not in _NO_SCORES
        and not column.endswith(_NO_SCORE_ENDINGS)
        and not column.startswith("event_")
        and isinstance(value, Real)
        and not isinstance(value, (bool, np.bool_))
    )


def choose_metrics(curves: Sequence[Curve], metrics: Sequence[str] | None) -> list[str]:
    """Return the metrics to draw, or say that there is no such one."""
    present = list(dict.fromkeys(curve.metric for curve in curves))
    if not present:
        raise ValueError("the history has no loss and no score.")
    if metrics is None:
        return sorted(present, key=lambda metric: (metric != "loss", metric))
    wanted = [metrics] if isinstance(metrics, str) else list(metrics)
    unknown = [metric for metric in wanted if metric not in present]
    if unknown or not wanted:
        raise ValueError(f"metrics={metrics!r}: the history has no {unknown}; it has {present}.")
    return wanted


def best_epoch(rows: list[dict[str, Any]], monitor: str | None) -> tuple[str, int] | None:
    """Return the column that tells the best epoch, and that epoch.

    Parameters
    ----------
    rows : list of dict
        A history.
    monitor : str or None
        A column. None takes the validation loss, or else the first score of validation.

    Returns
    -------
    (column, epoch) or None
        None if nothing was validated and ``monitor`` is None.

    Raises
    ------
    ValueError
        If there is no such column.
    """
    curves = {curve.column: curve for curve in find_curves(rows)}
    if monitor is None:
        validated = [column for column, curve in curves.items() if not curve.is_train]
        if not validated:
            return None
        monitor = validated[0]
    if monitor not in curves:
        raise ValueError(f"monitor={monitor!r} is no column of the history; it has {list(curves)}.")
    curve = curves[monitor]
    # skorch knows whether lower or higher is better, and says so with each epoch
    marked = [row["epoch"] for row in rows if row.get(f"{monitor}_best")]
    if marked:
        return monitor, int(marked[-1])
    if np.isnan(curve.values).all():
        return None
    is_loss = curve.metric.endswith("loss")
    row = np.nanargmin(curve.values) if is_loss else np.nanargmax(curve.values)
    return monitor, int(curve.epochs[row])


def title_of(metric: str) -> str:
    """Return what to write at the axis of a metric."""
    name = metric.replace("_", " ")
    return _TITLES.get(metric, name[:1].upper() + name[1:])
