"""Standard scores (layer 1)."""

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ecgbeat.signal._rows import as_signal, row_chunks


def zscore(
    x: Any,
    axis: int | tuple[int, ...] = -1,
    *,
    with_std: bool = True,
    mean: Any = None,
    scale: Any = None,
) -> np.ndarray:
    """Shift to mean 0 and scale to standard deviation 1.

    Parameters
    ----------
    x : array-like
        Signals, finite, such as beats of shape (n_beats, n_times).
    axis : int or tuple of int, default=-1
        Axes over which mean and deviation are taken: by default each row by itself.
    with_std : bool, default=True
        Whether to divide by the standard deviation.
    mean, scale : array-like that broadcasts against ``x``, or None, default=None
        Use these, which `mean_and_scale` found elsewhere, instead of those of ``x``.
        Given ``mean`` alone, nothing is divided.

    Returns
    -------
    ndarray of the shape of ``x``
        float32 if ``x`` is, else float64. Where ``x`` is constant, zeros.

    Raises
    ------
    TypeError
        If ``x`` is complex.
    ValueError
        If ``x`` is not finite, or ``scale`` comes without ``mean``.

    See Also
    --------
    mean_and_scale : The two numbers by themselves.

    Notes
    -----
    Means and deviations are computed in float64, on values that were scaled first:
    neither 1e-300 nor 1e300 mV is lost. The deviation is that of the population
    (divided by n), as in scikit-learn's ``StandardScaler``.

    Examples
    --------
    >>> from ecgbeat.signal import zscore
    >>> zscore([[1.0, 2.0, 3.0, 2.0], [0.1, 0.1, 0.1, 0.1]]).round(3)
    array([[-1.414,  0.   ,  1.414,  0.   ],
           [ 0.   ,  0.   ,  0.   ,  0.   ]])
    """
    x = as_signal(x, "zscore")
    result = np.empty_like(x)
    if mean is None and scale is not None:
        raise ValueError(
            f"scale={scale!r} needs the mean that goes with it: pass mean=0.0 or more."
        )
    if x.size == 0:
        return result
    if mean is not None:
        mean = np.broadcast_to(mean, x.shape)
        scale = np.broadcast_to(1.0 if scale is None or not with_std else scale, x.shape)
    elif 0 in normalize_axis_tuple(axis, x.ndim):
        mean, scale = (np.broadcast_to(a, x.shape) for a in mean_and_scale(x, axis))
    for chunk in row_chunks(len(x), x[0].size):
        if mean is None:
            centre, width = mean_and_scale(x[chunk], axis)
        else:
            centre, width = mean[chunk], scale[chunk]
        result[chunk] = _standardise(x[chunk], centre, width if with_std else 1.0)
    return result


def mean_and_scale(x: Any, axis: int | tuple[int, ...] = -1) -> tuple[np.ndarray, np.ndarray]:
    """Take the mean, and the standard deviation to divide by.

    Parameters
    ----------
    x : array-like
        Signals, finite, at least one sample.
    axis : int or tuple of int, default=-1
        Axes over which both are taken.

    Returns
    -------
    mean, scale : ndarray
        float64, of the shape of ``x`` with ``axis`` of length 1. The scale is the
        standard deviation; 1 where that is no more than rounding error, that is
        where ``x`` is constant.

    Raises
    ------
    TypeError
        If ``x`` is complex.
    ValueError
        If ``x`` is not finite or empty.

    Examples
    --------
    >>> from ecgbeat.signal import mean_and_scale
    >>> mean_and_scale([[1.0, 3.0], [7.0, 7.0]])
    (array([[2.],
           [7.]]), array([[1.],
           [1.]]))
    """
    x = as_signal(x, "mean_and_scale")
    if x.size == 0:
        raise ValueError(f"x of shape {x.shape} has no samples to take a mean of.")
    axes = normalize_axis_tuple(axis, x.ndim)
    largest = np.maximum(
        x.max(axis=axes, keepdims=True), -x.min(axis=axes, keepdims=True), dtype=np.float64
    )
    largest[largest == 0] = 1.0
    # the first sample is taken off before the mean, so that a constant's mean is exact
    first = x[tuple(slice(0, 1) if i in axes else slice(None) for i in range(x.ndim))] / largest

    def average(power: int, centre: np.ndarray) -> np.ndarray:
        """Average a power of the distance from ``centre``, in pieces along a reduced axis."""
        chunks = row_chunks(len(x), x[0].size) if 0 in axes else [slice(None)]
        sums = [
            ((x[chunk] / largest - centre) ** power).sum(axis=axes, keepdims=True)
            for chunk in chunks
        ]
        return np.sum(sums, axis=0) / n_samples

    n_samples = x.size // first.size
    mean = first + average(1, first)
    deviation = np.sqrt(average(2, mean))
    rounding = n_samples * np.finfo(np.float64).eps * np.abs(mean)
    width = deviation * largest  # of the smallest numbers that there are this may be zero
    scale = np.where((deviation > rounding) & (width > 0), width, 1.0)
    return mean * largest, scale


def _standardise(x: np.ndarray, mean: np.ndarray, scale: np.ndarray | float) -> np.ndarray:
    """Compute ``(x - mean) / scale``, where halving keeps the difference from overflowing."""
    limit = np.finfo(x.dtype).max
    with np.errstate(over="ignore"):  # what overflows is clipped
        return np.clip((x * 0.5 - mean * 0.5) / scale * 2.0, -limit, limit)
