"""Work on the rows of large arrays in pieces (layer 1)."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ecgbeat._validation import check_finite

# 2 MiB of float64: as fast as any larger piece (measured), and it bounds the temporary memory
_CHUNK_SAMPLES = 2**18

# beyond this, sums and differences of float64 rows may overflow
_HUGE = 1e290
_SHRINK = 2.0**-64


def as_signal(x: Any, owner: str, name: str = "x") -> np.ndarray:
    """Return a finite array of at least one axis: float32 as it is, all else as float64."""
    x = np.asarray(x)
    if np.iscomplexobj(x):
        raise TypeError(f"{owner}: {name} must be real, got {x.dtype}. Pass {name}.real.")
    if x.dtype != np.float32:
        x = x.astype(np.float64, copy=False)
    if x.ndim == 0:
        raise ValueError(f"{owner}: {name} must be an array of samples, got {x.item()!r}.")
    check_finite(x, owner, name)
    return x


def as_r_peaks(r_peaks: Any) -> np.ndarray:
    """Return sample numbers as a 1-D array of int64, in the order given."""
    r_peaks = np.asarray(r_peaks)
    if r_peaks.size == 0:
        return np.empty(0, np.int64)
    if r_peaks.ndim != 1 or not np.issubdtype(r_peaks.dtype, np.integer):
        raise TypeError(
            f"r_peaks must be a 1-D array of sample numbers (int), got {r_peaks.dtype} of shape "
            f"{r_peaks.shape}. Seconds become samples by np.round(seconds * fs).astype(int)."
        )
    return r_peaks.astype(np.int64)


def row_chunks(n_rows: int, n_samples: int) -> Iterator[slice]:
    """Divide rows of ``n_samples`` samples into slices of about 2 MiB of float64."""
    step = max(1, _CHUNK_SAMPLES // max(1, n_samples))
    for start in range(0, n_rows, step):
        yield slice(start, start + step)


def map_rows(
    function: Callable[[np.ndarray], np.ndarray], x: np.ndarray, n_times: int
) -> np.ndarray:
    """Apply a linear function to the last axis, in float64, chunk by chunk.

    Parameters
    ----------
    function : callable
        Takes ``(n_rows, n)`` float64, which it may overwrite, and returns
        ``(n_rows, n_times)``. Each row by itself.
    x : ndarray of shape (..., n)
        float32 or float64.
    n_times : int
        Length of the result's rows.

    Returns
    -------
    ndarray of shape (..., n_times)
        Of the dtype of ``x``. Values beyond its range become its largest number.
    """
    result = np.zeros((*x.shape[:-1], n_times), x.dtype)
    if x.size == 0:
        return result
    rows = x.reshape(-1, x.shape[-1])
    flat = result.reshape(-1, n_times)
    limit = np.finfo(x.dtype).max
    for chunk in row_chunks(*rows.shape):
        block = rows[chunk].astype(np.float64, order="C")
        largest = np.maximum(block.max(axis=1), -block.min(axis=1))
        factor = np.where(largest > _HUGE, _SHRINK, 1.0)[:, None]
        block *= factor
        with np.errstate(over="ignore"):  # what overflows is clipped
            flat[chunk] = np.clip(function(block) / factor, -limit, limit)
    return result
