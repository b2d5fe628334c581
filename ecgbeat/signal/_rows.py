"""Row-wise processing of large arrays in chunks."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike

from ecgbeat._recordings import as_signals
from ecgbeat._validation import check_finite

# 2 MiB of float64: as fast as larger chunks (measured), with bounded temporary memory
_CHUNK_SAMPLES = 2**18

# sums and differences of larger float64 values may overflow
_HUGE = 1e290
_SHRINK = 2.0**-64


def as_rows(x: ArrayLike, caller: str, name: str = "x") -> np.ndarray:
    """Return finite signals along the last axis; float32 is kept, all else becomes float64."""
    x = as_signals(x, name)
    check_finite(x, caller, name)
    return x


def row_chunks(n_rows: int, n_samples: int) -> Iterator[slice]:
    """Yield slices of rows of ``n_samples`` samples, of about 2 MiB of float64 each."""
    step = max(1, _CHUNK_SAMPLES // max(1, n_samples))
    for start in range(0, n_rows, step):
        yield slice(start, start + step)


def map_rows(
    function: Callable[[np.ndarray], np.ndarray], x: np.ndarray, n_times: int
) -> np.ndarray:
    """Apply a linear function to the last axis, in float64, chunk by chunk.

    ``function`` takes ``(n_rows, n)``, which it may overwrite, and returns ``(n_rows, n_times)``,
    each row by itself. Values beyond the range of the dtype of ``x`` become its largest number.
    """
    result = np.zeros((*x.shape[:-1], n_times), x.dtype)
    if x.size == 0:
        return result
    rows = x.reshape(-1, x.shape[-1])
    flat = result.reshape(-1, n_times)
    limit = np.finfo(x.dtype).max
    for chunk in row_chunks(*rows.shape):
        factor = row_factors(rows[chunk])
        block = rows[chunk].astype(np.float64, order="C")
        block *= factor
        with np.errstate(over="ignore"):  # clipped below
            flat[chunk] = np.clip(function(block) / factor, -limit, limit)
    return result


def row_factors(rows: np.ndarray) -> np.ndarray:
    """Return a factor for each row, ``(n_rows, 1)``, that avoids overflow of its sums."""
    largest = np.maximum(rows.max(axis=1), -rows.min(axis=1), dtype=np.float64)
    return np.where(largest > _HUGE, _SHRINK, 1.0)[:, None]
