"""Probability of ectopic beats from the rhythm alone."""

from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from ecgbeat._recordings import as_sample_numbers, check_ascending
from ecgbeat._validation import check_fs
from ecgbeat.signal._rr import _LONGEST_S, _TYPICAL_S

_SHORTEST_S = 0.2  # 300 beats per minute: intervals are clipped
_WINDOW_BEATS = 121  # of the percentiles to which intervals are compared
_PERCENTILES = (10, 50, 90)
_SCALE, _LIMIT = 3.0, 4.0  # inputs are of the order of 1, and bounded
_WEIGHTS = "_ectopy_weights.npz"  # written by examples/benchmarks/fit_ectopy.py


def ectopic_probability(r_peaks: ArrayLike, fs: float) -> np.ndarray:
    """Estimate from RR intervals alone whether each beat is normal or ectopic.

    A convolutional network reads the intervals of about 60 beats before and after each beat. It
    was trained on the annotated rhythms of 91 patients over 24 hours, far more patients than
    databases with signals have, and none of MIT-BIH.

    Parameters
    ----------
    r_peaks : array-like of int of shape (n_beats,)
        Sample numbers of all R peaks of the recording, strictly ascending.
    fs : float
        Sampling rate in Hz.

    Returns
    -------
    ndarray of shape (n_beats, 3), float64
        Probability of a normal beat, a supraventricular ectopic beat and a ventricular ectopic
        beat. Each row sums to 1.

    Raises
    ------
    TypeError
        If ``r_peaks`` are not integers, or ``fs`` is not a number.
    ValueError
        If ``r_peaks`` are not strictly ascending, or ``fs`` is out of range.

    See Also
    --------
    rr_features : The rhythm around each beat in numbers.

    Notes
    -----
    Premature atrial and ventricular beats are equally early, so the last two columns are best
    added: the shape of the QRS complex separates the two classes, this function both from normal
    beats. In contrast to features relative to the median interval of a recording, it recognizes
    ectopic beats that are the majority, as in runs of atrial tachycardia: the network was trained
    also on simulated runs.

    The training data are the annotations of the Long-Term AF Database [1]_ and of the MIT-BIH
    Long-Term Database, available from PhysioNet under the Open Data Commons Attribution License.

    References
    ----------
    .. [1] S. Petrutiu, A. V. Sahakian, S. Swiryn (2007). Abrupt changes in fibrillatory wave
       characteristics at the termination of paroxysmal atrial fibrillation in humans. Europace
       9(7). doi:10.1093/europace/eum096

    Examples
    --------
    The last beat but five comes early:

    >>> import numpy as np
    >>> from ecgbeat.signal import ectopic_probability
    >>> r_peaks = np.arange(1, 41) * 300
    >>> r_peaks[34] -= 110
    >>> normal, supraventricular, ventricular = ectopic_probability(r_peaks, fs=360).T
    >>> np.flatnonzero(normal < 0.5)
    array([34])
    """
    fs = check_fs(fs)
    r_peaks = as_sample_numbers(r_peaks, "r_peaks")
    check_ascending(r_peaks, "r_peaks", strict=True)
    if len(r_peaks) == 0:
        return np.empty((0, 3))
    intervals = np.diff(r_peaks) / fs
    previous = np.append(intervals[0] if len(intervals) else _TYPICAL_S, intervals)
    return class_probability(_weights(), previous)


def class_probability(weights: dict[str, np.ndarray], intervals: np.ndarray) -> np.ndarray:
    """Return the probabilities of the classes, (n_beats, 3), from the interval before each beat."""
    logits = _apply(weights, network_input(intervals)).astype(np.float64)
    odds = np.exp(logits - logits.max(axis=0))
    return (odds / odds.sum(axis=0)).T


def network_input(intervals: np.ndarray) -> np.ndarray:
    """Describe each interval (the one before each beat, in s) by 8 logarithms of ratios.

    Shape (8, n_beats), float32.
    """
    clipped = np.clip(intervals, _SHORTEST_S, _LONGEST_S)
    low, median, high = (
        np.log(ndimage.percentile_filter(clipped, q, size=_WINDOW_BEATS, mode="mirror"))
        for q in _PERCENTILES
    )
    log = np.log(clipped)
    before, after = np.append(log[:1], log[:-1]), np.append(log[1:], log[-1:])
    ratios = [
        log - median,
        log - high,
        log - low,
        log - before,
        after - log,
        median - np.log(_TYPICAL_S),
        high - median,
        median - low,
    ]
    return np.clip(_SCALE * np.stack(ratios), -_LIMIT, _LIMIT).astype(np.float32)


@cache
def _weights() -> dict[str, np.ndarray]:
    """Return the weights of the network by the names of torch's layers."""
    with (
        files("ecgbeat.signal").joinpath(_WEIGHTS).open("rb") as file,
        np.load(file, allow_pickle=False) as arrays,
    ):
        return {name: arrays[name].astype(np.float32) for name in arrays.files}


def _apply(weights: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """Return the logits, (3, n_beats): residual blocks of dilated convolutions."""
    x = _convolve(x, weights, "first")
    n_blocks = sum(name.endswith(".wide.weight") for name in weights)
    for block in range(n_blocks):
        hidden = _convolve(x, weights, f"blocks.{block}.wide", dilation=2**block)
        x = x + _convolve(np.maximum(hidden, 0), weights, f"blocks.{block}.mix")
    return _convolve(np.maximum(x, 0), weights, "last")


def _convolve(
    x: np.ndarray, weights: dict[str, np.ndarray], layer: str, dilation: int = 1
) -> np.ndarray:
    """Convolve channels over time, (n_channels, n_times), with zeros beyond both ends."""
    kernel, bias = weights[f"{layer}.weight"], weights[f"{layer}.bias"]
    size, n_times = kernel.shape[2], x.shape[1]
    margin = dilation * (size // 2)
    padded = np.pad(x, ((0, 0), (margin, margin)))
    result = np.repeat(bias[:, None], n_times, axis=1)
    for tap in range(size):
        result += kernel[:, :, tap] @ padded[:, tap * dilation : tap * dilation + n_times]
    return result
