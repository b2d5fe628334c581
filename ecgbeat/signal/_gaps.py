"""Gaps of a recording, bridged (layer 1)."""

from typing import Any

import numpy as np

from ecgbeat._validation import check_finite, sum_is_finite

GAP_METHODS = ("hold", "linear", "raise")


def bridge_gaps(x: Any, method: str = "linear") -> np.ndarray:
    """Fill samples that are missing.

    Parameters
    ----------
    x : array-like of shape (..., n_times)
        Signal; NaN marks missing samples.
    method : {"linear", "hold", "raise"}, default="linear"
        A straight line from the sample before a gap to the one after it; the sample
        before it; or an error if there is a gap. At the ends, the nearest sample is
        repeated. A lead without any sample becomes zeros.

    Returns
    -------
    ndarray of shape (..., n_times)
        float32 if ``x`` is, else float64; ``x`` itself if it is such an array without gaps.

    Raises
    ------
    TypeError
        If ``x`` is not made of real numbers.
    ValueError
        If ``x`` is infinite somewhere or a single number, ``method`` is unknown, or there
        is a gap and ``method`` is "raise".

    Examples
    --------
    >>> import numpy as np
    >>> from ecgbeat.signal import bridge_gaps
    >>> bridge_gaps([np.nan, 1.0, np.nan, 3.0])
    array([1., 1., 2., 3.])
    >>> bridge_gaps([np.nan, 1.0, np.nan, 3.0], "hold")
    array([1., 1., 1., 3.])
    """
    check_gap_method(method, "bridge_gaps", "method")
    return fill_gaps(as_real(x, "bridge_gaps", "x"), method, "bridge_gaps", "x")


def check_gap_method(method: Any, owner: str, name: str) -> None:
    """Raise unless the method is known."""
    if method not in GAP_METHODS:
        raise ValueError(f"{owner}: {name} must be one of {GAP_METHODS}, got {method!r}.")


def as_real(x: Any, owner: str, name: str) -> np.ndarray:
    """Return an array of real numbers, float32 as it is, all else as float64."""
    x = np.asarray(x)
    if x.dtype.kind not in "fiub":
        raise TypeError(f"{owner}: {name} must be made of real numbers, got dtype {x.dtype}.")
    if x.ndim == 0:
        raise ValueError(f"{owner}: {name} must be an array of samples, got {x.item()!r}.")
    return x if x.dtype == np.float32 else x.astype(np.float64, copy=False)


def fill_gaps(x: np.ndarray, method: str, owner: str, name: str) -> np.ndarray:
    """Fill the gaps of an array of real numbers, as `bridge_gaps` does."""
    if sum_is_finite(x):
        return x
    is_missing = np.isnan(x)
    if not is_missing.any() or method == "raise":
        check_finite(x, owner, name)
        return x
    check_finite(np.where(is_missing, 0, x), owner, name)
    filled = x.copy()
    for row, missing in zip(
        filled.reshape(-1, x.shape[-1]), is_missing.reshape(-1, x.shape[-1]), strict=True
    ):
        _fill_row(row, missing, hold=method == "hold")
    return filled


def _fill_row(row: np.ndarray, is_missing: np.ndarray, *, hold: bool) -> None:
    """Fill one row in place."""
    known = np.flatnonzero(~is_missing)
    if len(known) == 0:
        row[:] = 0
        return
    missing = np.flatnonzero(is_missing)
    if not hold:
        row[missing] = np.interp(missing, known, row[known])
        return
    previous = np.searchsorted(known, missing) - 1
    row[missing] = row[known[np.maximum(previous, 0)]]
