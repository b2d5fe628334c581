"""Signal quality: QRS complexes that stand out, second by second."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from ecgbeat._recordings import as_recording
from ecgbeat._validation import check_fs, check_positive
from ecgbeat.signal._qrs import (
    Bands,
    block_length,
    block_means,
    block_tops,
    decimation_step,
    find_candidates,
    level_block_length,
    odd_width,
    qrs_band,
    running_median,
    slow_power,
    windows_around,
)
from ecgbeat.signal._r_peaks import decimate_scaled, stretches

_RATE_HZ = 120.0  # of the analysis: the quantities depend on it
_LOWEST_RATE_HZ = 40.0  # of leads that are interpolated

_REACH_S = 3.0  # complexes this close to the middle of a second count for it
_LONGEST_PAUSE_S = 7.0  # between complexes; in a longer one, there is no ECG
_BESIDE_S = 1.0  # of a complex, a second does not belong to a pause

_FLOOR_S = 5.0
_SLOW_S = 1.0
_PEAK_S = 0.06  # half a QRS complex
_SHAPE_S = 0.15
_N_NEIGHBORS = 8  # complexes before, and as many after
_RANK = 3  # correlations with this many neighbors are at least as high
_N_HEIGHTS = 9
_FAINT = 0.0025  # weight: complexes of a twentieth of the height of a beat are noise
_N_BLOCKS = 9  # of 1.5 s: two of them hold a beat at 10 beats per minute
_CLIPPED = 0.03  # of all samples, at each limit: more than the peaks of noiseless beats
_ROUNDING = 1e-13  # of the range of a signal: rounding error of a constant signal
_TINY = 1e-10  # smallest ratio

QUANTITIES = ("prominence", "slow deviation", "unevenness", "agreement", "close agreement")
# larger and smaller values make no difference; noise hardly reaches an agreement of 3.3
LIMITS = np.array([[0.0, 3.5], [-0.5, 1.5], [0.0, 1.5], [0.5, 5.0], [3.3, 4.3]])
# Positive for beats: a logistic regression (examples/benchmarks/signal_quality.py --fit), rounded.
# The last weight and the intercept were chosen for rapid wide complexes and for beats in noise.
WEIGHTS = np.array([2.0, -2.0, -2.8, 1.0, 3.0])
INTERCEPT = -13.7
_FLAT = (0.1, 0.4)  # prominence at which waves do not stand out at all, and do


def signal_quality(recording: ArrayLike, fs: float) -> np.ndarray:
    """Rate each second of a recording by the clarity of its QRS complexes.

    Parameters
    ----------
    recording : array-like of shape (n_times,) or (n_leads, n_times)
        Recording, in any unit and of any length. NaN marks missing samples.
    fs : float
        Sampling rate in Hz, from 0.001 to 1e6; 100 to 2000 is recommended.

    Returns
    -------
    ndarray of shape (n_seconds,), float64
        Quality of each second in the best lead, from 0 (no ECG can be recognized) to 1 (clear
        ECG). The last second may be shorter.

    Raises
    ------
    TypeError
        If ``fs`` is not a number, or ``recording`` does not hold real numbers.
    ValueError
        If ``recording`` has another number of axes, more leads than samples or infinite values,
        or ``fs`` is out of range.

    See Also
    --------
    unreadable_stretches : Samples in which no ECG can be recognized.
    detect_r_peaks : R peaks of a recording.

    Notes
    -----
    Candidates for QRS complexes are the maxima of the band of the QRS complex in each lead, at
    120 Hz, as in `detect_r_peaks`. Each is rated by a logistic function of four quantities,
    known as signal quality indices, with fixed weights:

    - prominence: the height above the median of 5 s around, in the band of the QRS complex. Like
      the kurtosis [1]_, it is large for short waves on a quiet line, and small for noise.
    - slow deviation: the power of waves of 1 to 10 Hz, as of electrode motion, over that of the
      complex: the relative power of QRS complex and baseline [1]_, [2]_.
    - agreement: the third highest correlation of its shape with those of eight complexes before
      and eight after, similar to template matching [3]_, but without assuming a single shape.
      Noise hardly correlates by more than 0.96, so higher correlations count four times as much.
    - unevenness: the deviation of its height from the median of nine complexes.

    The quality of a second is the mean rating of the complexes within 3 s of its middle, weighted
    by their power. In pauses, more than 1 s from any complex, it is at most the rating of the
    complexes before and after, and 0 if these are more than 7 s apart. It is 0 where half of a
    second is missing, or most of the signal is clipped. Gain, offset and polarity do not matter.

    The quality says whether beats can be found, not whether their P or T waves are clear. A
    regular wave of another origin is not distinguished from a rapid rhythm with wide complexes,
    and in ventricular fibrillation, without QRS complexes, the quality is low.

    References
    ----------
    .. [1] Q. Li, R. G. Mark, G. D. Clifford (2008). Robust heart rate estimation from multiple
       asynchronous noisy sources using signal quality indices and a Kalman filter. Physiological
       Measurement 29(1), 15-32. doi:10.1088/0967-3334/29/1/002
    .. [2] J. Behar, J. Oster, Q. Li, G. D. Clifford (2013). ECG signal quality during arrhythmia
       and its application to false alarm reduction. IEEE Trans. Biomedical Engineering 60(6),
       1660-1666. doi:10.1109/TBME.2013.2240452
    .. [3] C. Orphanidou, T. Bonnici, P. Charlton, D. Clifton, D. Vallance, L. Tarassenko (2015).
       Signal-quality indices for the electrocardiogram and photoplethysmogram: derivation and
       applications to wireless monitoring. IEEE J. Biomedical and Health Informatics 19(3),
       832-838. doi:10.1109/JBHI.2014.2338351

    Examples
    --------
    The electrode falls off after 10 s:

    >>> import numpy as np
    >>> from ecgbeat.datasets import make_recording
    >>> from ecgbeat.signal import signal_quality
    >>> recording = make_recording(20, random_state=0).signal
    >>> recording[3600:] = np.random.default_rng(0).normal(scale=0.01, size=3600)
    >>> signal_quality(recording, fs=360)[[5, 18]].round(1)
    array([1. , 0.2])
    """
    return _best_quality(recording, fs)[0]


def unreadable_stretches(
    recording: ArrayLike, fs: float, *, min_quality: float = 0.5
) -> np.ndarray:
    """Find the stretches of a recording in which no ECG can be recognized.

    Parameters
    ----------
    recording : array-like of shape (n_times,) or (n_leads, n_times)
        Recording, as in `signal_quality`.
    fs : float
        Sampling rate in Hz.
    min_quality : float, default=0.5
        Smallest quality of a readable second, from 0 to 1.

    Returns
    -------
    ndarray of shape (n_stretches, 2)
        First sample of each stretch and the sample after its last one, int64, ascending. They
        consist of whole seconds and do not touch. The shape is (0, 2) if there are none.

    Raises
    ------
    TypeError
        If ``fs`` or ``min_quality`` is not a number, or ``recording`` does not hold real numbers.
    ValueError
        If ``recording`` or ``fs`` is invalid, as in `signal_quality`, or ``min_quality`` is not
        from 0 to 1.

    See Also
    --------
    signal_quality : Quality of each second, and its definition.

    Notes
    -----
    A pause of up to 6 s between beats is readable, even if the signal is constant: in asystole,
    too, there is no wave. With the default, 0.03 % of the annotated beats of DS1 of MIT-BIH [1]_
    are in unreadable stretches, and 91 % of electrode motion without ECG is.

    References
    ----------
    .. [1] G. B. Moody, R. G. Mark (2001). The impact of the MIT-BIH Arrhythmia Database. IEEE
       Engineering in Medicine and Biology Magazine 20(3), 45-50. doi:10.1109/51.932724

    Examples
    --------
    >>> import numpy as np
    >>> from ecgbeat.datasets import make_recording
    >>> from ecgbeat.signal import unreadable_stretches
    >>> recording = make_recording(60, random_state=0).signal
    >>> recording[7200:14400] = np.nan  # 20 to 40 s
    >>> unreadable_stretches(recording, fs=360) / 360
    array([[20., 40.]])
    """
    min_quality = check_positive("min_quality", min_quality, strict=False)
    if min_quality > 1:
        raise ValueError(f"min_quality must be from 0 to 1, got {min_quality!r}.")
    quality, bounds = _best_quality(recording, fs, enough=min_quality)
    edges = np.flatnonzero(np.diff(quality < min_quality, prepend=False, append=False))
    return bounds[edges].reshape(-1, 2)


def _best_quality(
    recording: ArrayLike, fs: float, enough: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return the quality of each second, and the first sample of each with the number of samples.

    Further leads are not read if all seconds have a quality of at least ``enough``.
    """
    fs = check_fs(fs)
    given = np.atleast_2d(as_recording(recording, gaps=None))
    leads = as_recording(given, gaps="linear")
    step, n_times = decimation_step(fs), leads.shape[1]
    starts = np.round(np.arange(np.ceil(n_times / fs)) * fs).astype(np.int64)
    bounds = np.append(starts[starts < n_times], n_times)
    quality = np.zeros(len(bounds) - 1)
    for row, lead in zip(given, leads, strict=True):
        if n_times < step or (quality >= enough).all():
            break
        of_lead = _mean_over_complexes(*_rate_complexes(lead, step, fs / step), bounds / fs)
        if leads is not given:  # gaps were filled
            of_lead[2 * _count_missing(row, bounds) >= np.diff(bounds)] = 0.0
        np.maximum(quality, of_lead, out=quality)
    return quality, bounds


def _count_missing(row: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Return the number of missing samples of each second, hour by hour to bound the memory."""
    hours = (bounds[k : k + 3601] for k in range(0, len(bounds) - 1, 3600))
    return np.concatenate(
        [
            np.add.reduceat(np.isnan(row[hour[0] : hour[-1]]), hour[:-1] - hour[0], dtype=np.int64)
            for hour in hours
        ]
    )


def _rate_complexes(
    lead: np.ndarray, step: int, fs: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return time in s, weight and rating, from 0 to 1, of the complexes of a lead.

    The lead is averaged down to ``fs`` in stretches, and interpolated at 120 Hz.
    """
    parts = []
    for start, stop, first, last in stretches(len(lead) // step, fs):
        x = decimate_scaled(lead[np.newaxis, start * step : stop * step], step)[0]
        rate = _RATE_HZ if fs >= _LOWEST_RATE_HZ else fs
        if rate != fs:
            x = np.interp(np.arange(0, len(x) - 0.5, fs / rate), np.arange(len(x)), x)
        positions, weights, quantities = quantities_of_complexes(x, rate)
        ratings = np.where(_is_clipped(x, positions, rate), 0.0, _rating(quantities))
        positions = (positions * (fs / rate)).astype(np.int64)
        kept = (positions + start >= first) & (positions + start < last)
        times = (positions[kept] + start + 0.5) / fs
        parts.append((times, weights[kept], ratings[kept]))
    times, weights, ratings = (np.concatenate(part) for part in zip(*parts, strict=True))
    return times, weights, ratings


def _rating(quantities: np.ndarray) -> np.ndarray:
    """Return the probability of a beat, reduced where waves do not stand out."""
    score = np.clip(quantities, *LIMITS.T) @ WEIGHTS + INTERCEPT
    flat, clear = _FLAT
    return np.clip((quantities[:, 0] - flat) / (clear - flat), 0, 1) / (1 + np.exp(-score))


def quantities_of_complexes(x: np.ndarray, fs: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return position, weight and quantities of the complexes of a lead at about 120 Hz.

    One row per complex, in the order of ``QUANTITIES``, independent of gain and offset.
    """
    n_block, none = block_length(fs), np.empty(0)
    qrs = qrs_band(np.diff(x), fs)[None]
    bands = Bands(fs, qrs, none, none, n_block, _ROUNDING * np.ptp(x), x[None])
    positions, heights, _, _, energy = find_candidates(bands)
    weights = _weights(positions, heights, energy, fs)
    positions, heights, weights = (v[weights > _FAINT] for v in (positions, heights, weights))
    if len(positions) == 0:
        return positions, weights, np.empty((0, len(QUANTITIES)))
    rate = fs / n_block
    floor = ndimage.median_filter(np.sqrt(energy[::n_block]), odd_width(_FLOOR_S, rate))
    slow = ndimage.uniform_filter1d(slow_power(x, fs), odd_width(_SLOW_S, rate))
    blocks, log_heights = positions // n_block, np.log(heights)
    agreement = -np.log(np.maximum(1 - _agreement(bands.qrs[0], positions, fs), _TINY))
    quantities = np.column_stack(
        [
            -np.log(np.maximum(floor[blocks] / heights, _TINY)),
            0.5 * np.log(np.maximum(slow[blocks] / np.square(heights), _TINY)),
            np.abs(log_heights - running_median(log_heights, _N_HEIGHTS)),
            agreement,
            agreement,
        ]
    )
    return positions, weights, quantities


def _weights(
    positions: np.ndarray, heights: np.ndarray, energy: np.ndarray, fs: float
) -> np.ndarray:
    """Return the power of complexes relative to the highest ones around, at most 1.

    Noise between beats hardly counts, and a single artifact no more than a beat.
    """
    tops = np.sqrt(block_tops(energy, fs))
    high = ndimage.rank_filter(tops, -min(2, len(tops)), size=min(_N_BLOCKS, len(tops)))
    high = high[positions // level_block_length(fs)]
    return (heights / np.maximum(high, heights)) ** 2


def _is_clipped(x: np.ndarray, positions: np.ndarray, fs: float) -> np.ndarray:
    """Return for each complex whether most samples around are at the limits of the amplifier.

    These are the extremes of the signal, if many samples are at both of them.
    """
    at_limits = [x == x.max(), x == x.min()]
    if min(at_limit.mean() for at_limit in at_limits) < _CLIPPED:
        return np.zeros(len(positions), dtype=bool)
    n_block = block_length(fs)
    share = ndimage.uniform_filter1d(
        block_means((at_limits[0] | at_limits[1]).astype(np.float64), n_block),
        odd_width(2 * _REACH_S, fs / n_block),
    )
    return share[positions // n_block] > 0.5


def _agreement(qrs: np.ndarray, positions: np.ndarray, fs: float) -> np.ndarray:
    """Return the third highest correlation of each complex with its neighbors, 0 for a single one.

    In bigeminy and trigeminy, too, several of the 16 neighbors have the same shape.
    """
    windows, first = windows_around(qrs, positions, round(_PEAK_S * fs))
    peaks = first + np.abs(windows).argmax(axis=1)
    half = round(_SHAPE_S * fs)
    shapes, _ = windows_around(np.pad(qrs, half), peaks + half, half)
    shapes = shapes / (np.linalg.norm(shapes, axis=1, keepdims=True) + np.finfo(np.float64).tiny)
    n = len(shapes)
    if n == 1:
        return np.zeros(1)
    correlations = np.full((2 * _N_NEIGHBORS, n), -1.0)
    for k in range(1, min(_N_NEIGHBORS, n - 1) + 1):
        product = np.einsum("ij,ij->i", shapes[k:], shapes[:-k])
        correlations[k - 1, :-k] = product
        correlations[-k, k:] = product
    rank = min(_RANK, n - 1)
    return np.partition(correlations, -rank, axis=0)[-rank]


def _mean_over_complexes(
    times: np.ndarray, weights: np.ndarray, ratings: np.ndarray, bounds: np.ndarray
) -> np.ndarray:
    """Return the weighted mean of the ratings around each second.

    In pauses, it is at most that of the complexes before and after, and 0 in long ones. ``bounds``
    are those of the seconds. The first and the last complex are repeated just beyond the ends.
    """
    if len(times) == 0:
        return np.zeros(len(bounds) - 1)
    times = np.concatenate([[-_BESIDE_S], times, [bounds[-1] + _BESIDE_S]])
    weights, ratings = (np.concatenate([v[:1], v, v[-1:]]) for v in (weights, ratings))
    middles = (bounds[:-1] + bounds[1:]) / 2
    after = np.clip(np.searchsorted(times, middles), 1, len(times) - 1)
    to_before, to_after = middles - times[after - 1], times[after] - middles
    first = np.minimum(np.searchsorted(times, middles - _REACH_S), after - 1)
    stop = np.maximum(np.searchsorted(times, middles + _REACH_S, side="right"), after + 1)
    sums, totals = (np.cumsum(np.append(0.0, v)) for v in (weights * ratings, weights))
    mean = (sums[stop] - sums[first]) / (totals[stop] - totals[first])
    mean = np.clip(mean, 0.0, 1.0)
    is_in_pause = np.minimum(to_before, to_after) > _BESIDE_S
    is_long = to_before + to_after > _LONGEST_PAUSE_S
    worse = np.where(is_long, 0.0, np.minimum(ratings[after - 1], ratings[after]))
    return np.where(is_in_pause, np.minimum(mean, worse), mean)
