"""Standardization of signals."""

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple
from numpy.typing import ArrayLike

from ecgbeat._rows import as_rows, row_chunks


def zscore(
    x: ArrayLike,
    axis: int | tuple[int, ...] = -1,
    *,
    with_std: bool = True,
    mean: ArrayLike | None = None,
    scale: ArrayLike | None = None,
) -> np.ndarray:
    """Remove the mean and scale to unit standard deviation.

    Parameters
    ----------
    x : array-like
        Signals, finite, such as beats of shape (n_beats, n_times).
    axis : int or tuple of int, default=-1
        Axes over which mean and standard deviation are computed. By default, each row is
        scaled independently.
    with_std : bool, default=True
        Whether to divide by the standard deviation.
    mean, scale : array-like that broadcasts against ``x``, or None, default=None
        Values to use instead of those of ``x``, such as from `mean_and_scale`. With ``mean``
        alone, the result is not divided.

    Returns
    -------
    ndarray of the shape of ``x``
        float32 if ``x`` is float32, else float64. Zeros where ``x`` is constant.

    Raises
    ------
    TypeError
        If ``x`` does not hold real numbers.
    ValueError
        If ``x`` is not finite, or ``scale`` is given without ``mean``.

    See Also
    --------
    mean_and_scale : Mean and standard deviation for scaling.

    Notes
    -----
    Means and standard deviations are computed in float64, on scaled values, which avoids
    overflow and underflow. The standard deviation is that of the population (divided by n), as
    in scikit-learn's ``StandardScaler``.

    Examples
    --------
    >>> from ecgbeat.signal import zscore
    >>> zscore([[1.0, 2.0, 3.0, 2.0], [0.1, 0.1, 0.1, 0.1]]).round(3)
    array([[-1.414,  0.   ,  1.414,  0.   ],
           [ 0.   ,  0.   ,  0.   ,  0.   ]])
    """
    x = as_rows(x, "zscore")
    result = np.empty_like(x)
    if mean is None and scale is not None:
        raise ValueError(f"scale={scale!r} requires a mean: pass one, such as mean=0.0.")
    if x.size == 0:
        return result
    given = None
    if mean is not None:
        divisor = 1.0 if scale is None or not with_std else scale
        given = np.broadcast_to(mean, x.shape), np.broadcast_to(divisor, x.shape)
    elif 0 in normalize_axis_tuple(axis, x.ndim):
        center, width = mean_and_scale(x, axis)
        given = np.broadcast_to(center, x.shape), np.broadcast_to(width, x.shape)
    for chunk in row_chunks(len(x), x[0].size):
        if given is None:
            center, width = mean_and_scale(x[chunk], axis)
        else:
            center, width = given[0][chunk], given[1][chunk]
        result[chunk] = _standardize(x[chunk], center, width if with_std else 1.0)
    return result


def mean_and_scale(x: ArrayLike, axis: int | tuple[int, ...] = -1) -> tuple[np.ndarray, np.ndarray]:
    """Compute the mean and the standard deviation for scaling.

    Parameters
    ----------
    x : array-like
        Signals, finite, at least one sample.
    axis : int or tuple of int, default=-1
        Axes over which both are computed.

    Returns
    -------
    mean, scale : ndarray
        float64, of the shape of ``x`` with ``axis`` of length 1. The scale is the standard
        deviation, or 1 where ``x`` is constant up to rounding error.

    Raises
    ------
    TypeError
        If ``x`` does not hold real numbers.
    ValueError
        If ``x`` is empty or not finite.

    Examples
    --------
    >>> from ecgbeat.signal import mean_and_scale
    >>> mean_and_scale([[1.0, 3.0], [7.0, 7.0]])
    (array([[2.],
           [7.]]), array([[1.],
           [1.]]))
    """
    x = as_rows(x, "mean_and_scale")
    if x.size == 0:
        raise ValueError(f"x of shape {x.shape} has no samples; pass at least one.")
    axes = normalize_axis_tuple(axis, x.ndim)
    largest = np.maximum(
        x.max(axis=axes, keepdims=True), -x.min(axis=axes, keepdims=True), dtype=np.float64
    )
    largest[largest == 0] = 1.0
    # the first sample is subtracted before the mean, so that the mean of a constant is exact
    first = x[tuple(slice(0, 1) if i in axes else slice(None) for i in range(x.ndim))] / largest

    def average(power: int, center: np.ndarray) -> np.ndarray:
        """Average a power of the distance from ``center``, in chunks along a reduced axis."""
        chunks = row_chunks(len(x), x[0].size) if 0 in axes else [slice(None)]
        sums = [
            ((x[chunk] / largest - center) ** power).sum(axis=axes, keepdims=True)
            for chunk in chunks
        ]
        return np.sum(sums, axis=0) / n_samples

    n_samples = x.size // first.size
    mean = first + average(1, first)
    deviation = np.sqrt(average(2, mean))
    rounding = n_samples * np.finfo(np.float64).eps * np.abs(mean)
    width = deviation * largest  # may be zero for the smallest numbers
    scale = np.where((deviation > rounding) & (width > 0), width, 1.0)
    return mean * largest, scale


def _standardize(x: np.ndarray, mean: np.ndarray, scale: np.ndarray | float) -> np.ndarray:
    """Compute ``(x - mean) / scale``, halved first to avoid overflow of the difference."""
    limit = np.finfo(x.dtype).max
    with np.errstate(over="ignore"):  # clipped
        return np.clip((x * 0.5 - mean * 0.5) / scale * 2.0, -limit, limit)
