"""Probability of ectopic beats from the rhythm alone."""

from functools import cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage, special

from ecgbeat._recordings import as_sample_numbers, check_ascending
from ecgbeat._validation import check_fs
from ecgbeat.signal._rr import _LONGEST_S, _TYPICAL_S, _past_percentile

_SHORTEST_S = 0.2  # 300 beats per minute: intervals are clipped
_WINDOW_BEATS = 121  # of the percentiles to which intervals are compared
_PERCENTILES = (10, 50, 90)
_SEEN_S = 1.25  # after a beat, in which the next one is seen with ``future=False``
_SCALE, _LIMIT = 3.0, 4.0  # inputs are of the order of 1, and bounded
NEXT_ROWS = (4, 8)  # of the input of the causal network: the next interval, and if it is known
_PRODUCT_ROWS = 256  # of matrix products
_WEIGHTS = "_ectopy_weights.npz"  # written by examples/benchmarks/fit_ectopy.py

Future = bool | Literal["none"]


def ectopic_probability(r_peaks: ArrayLike, fs: float, *, future: Future = True) -> np.ndarray:
    """Estimate from RR intervals alone whether each beat is normal or ectopic.

    A convolutional network reads the intervals of about 60 beats before and after each beat, or
    of about 120 beats before it. It was trained on the annotated rhythms of 91 patients over 24
    hours, far more patients than databases with signals have, and none of MIT-BIH.

    Parameters
    ----------
    r_peaks : array-like of int of shape (n_beats,)
        Sample numbers of all R peaks of the recording, strictly ascending.
    fs : float
        Sampling rate in Hz.
    future : True, False or "none", default=True
        Whether the probabilities of a beat may depend on later beats. If False, they depend on
        the beat itself, on earlier beats and on the next one if it comes within 1.25 s, which
        shows whether a pause follows. If ``"none"``, they depend on the beat itself and on earlier
        beats. Then later beats do not change them in any digit.

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
        If ``r_peaks`` are not strictly ascending, ``fs`` is out of range, or ``future`` is
        another value.

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

    Each interval is compared to percentiles of 121 intervals, those around it or, unless
    ``future=True``, the last ones. In a live signal, the last 250 R peaks are therefore enough,
    up to rounding errors. The first beat has no interval before it: unless ``future=True``, its
    probabilities are always the same.

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

    It is also recognized without the pause after it:

    >>> normal = ectopic_probability(r_peaks[:35], fs=360, future="none")[:, 0]
    >>> np.flatnonzero(normal < 0.5)
    array([34])
    """
    fs = check_fs(fs)
    future = check_future(future)
    r_peaks = as_sample_numbers(r_peaks, "r_peaks")
    check_ascending(r_peaks, "r_peaks", strict=True)
    if len(r_peaks) == 0:
        return np.empty((0, 3))
    weights = _weights("centered" if future is True else "causal")
    return class_probability(weights, np.diff(r_peaks) / fs, future)


def check_future(future: Any) -> Future:
    """Return True, False or "none"; raise ValueError for all else."""
    if not isinstance(future, (bool, np.bool_, str)) or future not in (True, False, "none"):
        raise ValueError(f"future must be True, False or 'none', got {future!r}.")
    return "none" if isinstance(future, str) else bool(future)


def class_probability(
    weights: dict[str, np.ndarray], intervals: np.ndarray, future: Future
) -> np.ndarray:
    """Return the probabilities of the classes, (n_beats, 3), from the intervals between beats."""
    x = network_input(intervals, future)
    logits = _apply(weights, x, causal=future is not True).astype(np.float64)
    return special.softmax(logits, axis=1)


def network_input(intervals: np.ndarray, future: Future) -> np.ndarray:
    """Describe each beat by 8 logarithms of ratios of intervals in s, (8, n_beats), float32.

    Unless ``future`` is True, all but the ratio of the next interval depend on the past alone, and
    a ninth row is 1 where the next interval is known. The first beat, which has no interval before
    it, is described by zeros.
    """
    clipped = np.clip(intervals, _SHORTEST_S, _LONGEST_S)
    if future is True:
        clipped = np.append(clipped[0] if len(clipped) else _TYPICAL_S, clipped)
        percentiles = [
            ndimage.percentile_filter(clipped, q, size=_WINDOW_BEATS, mode="mirror")
            for q in _PERCENTILES
        ]
        return _ratios(clipped, *percentiles)
    percentiles = [_past_percentile(clipped, q, _WINDOW_BEATS) for q in _PERCENTILES]
    x = np.zeros((9, len(clipped) + 1), np.float32)
    x[:-1, 1:] = _ratios(clipped, *percentiles, is_seen_late=False)
    x[-1, 1:-1] = 1.0
    if future == "none":
        x[list(NEXT_ROWS)] = 0.0
    return x


def expected_next(rr: np.ndarray, next_rr: np.ndarray) -> np.ndarray:
    """Return the intervals to the next beat as they are known 1.25 s after a beat.

    A beat that is not seen by then is expected after as long an interval as the last one.
    """
    return np.where(next_rr <= _SEEN_S, next_rr, np.maximum(_SEEN_S, rr))


def _ratios(
    intervals: np.ndarray,
    low: np.ndarray,
    median: np.ndarray,
    high: np.ndarray,
    *,
    is_seen_late: bool = True,
) -> np.ndarray:
    """Relate intervals to their percentiles and their neighbors, (8, n_intervals), float32."""
    before, after = (
        np.append(intervals[:1], intervals[:-1]),
        np.append(intervals[1:], intervals[-1:]),
    )
    if not is_seen_late:
        after = expected_next(intervals, after)
    return interval_ratios(np.stack([before, intervals, after, low, median, high]))


def interval_ratios(intervals: np.ndarray) -> np.ndarray:
    """Relate intervals to those before and after them and to percentiles.

    ``intervals`` is (6, n_beats): the interval before, the interval, the one after, and low, median
    and high percentile, in s. The result is (8, n_beats), float32.
    """
    before, log, after, low, median, high = np.log(intervals)
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
def _weights(network: str) -> dict[str, np.ndarray]:
    """Return the weights of a network by the names of torch's layers."""
    with (
        files("ecgbeat.signal").joinpath(_WEIGHTS).open("rb") as file,
        np.load(file, allow_pickle=False) as arrays,
    ):
        return {
            name.removeprefix(f"{network}."): arrays[name].astype(np.float32)
            for name in arrays.files
            if name.startswith(f"{network}.")
        }


def _apply(weights: dict[str, np.ndarray], x: np.ndarray, *, causal: bool) -> np.ndarray:
    """Return the logits, (n_beats, 3): residual blocks of dilated convolutions."""
    x = _convolve(x.T, weights, "first")
    n_blocks = sum(name.endswith(".wide.weight") for name in weights)
    for block in range(n_blocks):
        hidden = _convolve(x, weights, f"blocks.{block}.wide", dilation=2**block, causal=causal)
        x = x + _convolve(np.maximum(hidden, 0), weights, f"blocks.{block}.mix")
    return _convolve(np.maximum(x, 0), weights, "last")


def _convolve(
    x: np.ndarray,
    weights: dict[str, np.ndarray],
    layer: str,
    dilation: int = 1,
    *,
    causal: bool = False,
) -> np.ndarray:
    """Convolve over time, (n_times, n_channels), with zeros beyond both ends.

    Products are of fixed shape, because a matrix product may round a row differently if rows are
    added below it: a beat must not depend on how many beats follow.
    """
    kernel, bias = weights[f"{layer}.weight"], weights[f"{layer}.bias"]
    n_channels, size, n_times = kernel.shape[1], kernel.shape[2], len(x)
    n_rows = -(-n_times // _PRODUCT_ROWS) * _PRODUCT_ROWS
    reach = dilation * (size - 1)
    padded = np.zeros((n_rows + reach, n_channels), np.float32)
    first = reach if causal else reach // 2
    padded[first : first + n_times] = x
    result = np.broadcast_to(bias, (n_rows // _PRODUCT_ROWS, _PRODUCT_ROWS, len(bias))).copy()
    for tap in range(size):
        rows = padded[tap * dilation : tap * dilation + n_rows]
        matrix = np.ascontiguousarray(kernel[:, :, tap].T)
        result += rows.reshape(-1, _PRODUCT_ROWS, n_channels) @ matrix
    return result.reshape(n_rows, len(bias))[:n_times]
