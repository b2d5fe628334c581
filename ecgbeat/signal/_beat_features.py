"""Features of each beat relative to the beats around it, for any number of leads."""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ecgbeat._recordings import as_recording, as_sample_numbers, check_ascending
from ecgbeat._validation import check_fs
from ecgbeat.signal._beats import cut_beats
from ecgbeat.signal._ectopy import (
    _SHORTEST_S,
    Future,
    check_future,
    ectopic_probability,
    expected_next,
)
from ecgbeat.signal._rr import _LONGEST_S, _TYPICAL_S

_BEFORE_S, _AFTER_S, _N_TIMES = 0.35, 0.45, 96  # 120 Hz
_N_LOCAL = 17  # intervals of the neighborhood of a beat
_MARGIN = 150  # beats before and after a block that belong to its context
_BLOCK = 128  # successive beats that share one context
_PAST, _PAST_BLOCK = 300, 32  # the same without later beats
_FIRST_BEATS = 16  # each has a context of its own, all beats up to it
_MAX_TEMPLATE = 100  # beats of a template
_SHAPE = ("width", "duration", "amplitude", "p_wave")  # of each beat and lead
_N_BLOCKS = 8  # compared at once: as many as fit the cache
_N_DESCRIBED = 1024  # beats that are described at once
_ALIKE = 0.85  # correlation of QRS complexes of one form
_LESS_AGREEMENT = 0.1  # of neighboring QRS complexes, in a lead that is not used
_SIDE = 64  # beats on each side of a change
_FIRST_SAMPLE, _STEP = 8, 3  # 40 Hz, from the P wave on
_SAME_WAVE = 0.9  # likeness of waves of the same form and size
_ACROSS, _FEWEST_ALIKE = 0.02, 0.05  # alike pairs: share across a change, and least share of a side
_TINY = 1e-6


def _window(start_s: float, stop_s: float) -> slice:
    """Return the samples of a beat between two times relative to the R peak."""
    per_s = _N_TIMES / (_BEFORE_S + _AFTER_S)
    return slice(round((_BEFORE_S + start_s) * per_s), round((_BEFORE_S + stop_s) * per_s))


_P_WAVE, _QRS = _window(-0.27, -0.06), _window(-0.12, 0.2)


def beat_features(
    recording: ArrayLike, r_peaks: ArrayLike, fs: float, *, future: Future = True
) -> np.ndarray:
    """Describe rhythm and shape of each beat relative to the beats around it.

    For classifiers of patients that were not seen in training. All columns are relative to some
    minutes around the beat, and independent of the number, names, gain and polarity of the leads.

    Parameters
    ----------
    recording : array-like of shape (n_times,) or (n_leads, n_times)
        Filtered recording, such as by `bandpass`. NaN marks gaps, which are interpolated
        linearly.
    r_peaks : array-like of int of shape (n_beats,)
        Sample numbers of all R peaks of the recording, strictly ascending.
    fs : float
        Sampling rate in Hz.
    future : True, False or "none", default=True
        Whether the features of a beat may depend on later beats. If False, they depend on
        earlier beats, the beat itself and the position of the next R peak if it comes within
        1.25 s; a later one is supposed to come after as long an interval as the last one. With
        ``"none"``, not on the next R peak either.

    Returns
    -------
    ndarray of shape (n_beats, n_features), float32
        Always finite. The columns are named by `beat_feature_names`.

    Raises
    ------
    TypeError
        If ``r_peaks`` are not integers, ``fs`` is not a number, or the recording does not hold
        real numbers.
    ValueError
        If ``r_peaks`` are not strictly ascending or lie outside of the recording, or ``fs``,
        ``future`` or the recording is invalid.

    See Also
    --------
    ectopic_probability : The first three columns.
    rr_features : Fewer features, of the rhythm alone.
    ecgbeat.annotation.make_inter_patient_annotator : Annotator that uses these features.

    Notes
    -----
    *Context.* A block of 128 beats is compared with itself and the 150 beats before and after it,
    some minutes. Without later beats, a beat is compared with up to 300 beats before it.

    *Changes.* The context and the rhythm end where the wave changes for long, as in a recording
    that is joined of several patients, or if electrodes are moved: where many pairs of the 64
    beats on either side are alike in form and size, but less than 2 % as many pairs across. There
    are at least 128 beats between changes. Without later beats, changes are not recognized.

    *Leads.* A lead whose QRS complexes agree with those of neighboring beats much less than in the
    best lead (by 0.1 in the median correlation over the context) is not used.

    *Rhythm.* Columns ``ectopy_*`` are the probabilities of `ectopic_probability`. The other
    columns are the intervals to the previous and the next R peak, and their ratios to the
    intervals of the neighborhood and to quantiles of those of the context.

    *Normal beat.* Ectopic beats may be the majority of a context, so its median is no norm. The
    slowest tenth of the beats are nearly always sinus beats. Sinus-like beats are those whose P
    wave and QRS complex correlate with the median of the slowest tenth by more than 0.6 and
    0.85, and that are not much later than the beat before. Their median interval is the sinus
    interval of the columns ``rr_to_sinus`` and ``next_to_sinus``, and their median wave the
    normal beat of the columns ``*_to_normal``. Columns ``*_to_median`` are relative to the
    median wave of the context.

    *Mixture.* Where some beats of the context differ from the normal beat, the most frequent form
    among them is the aberrant beat. Each QRS complex is fitted by a sum of both, with weights
    ``normal_share`` and ``aberrant_share``: a fusion beat has some of both.

    Columns that end in ``_mean``, ``_max`` and ``_min`` are taken over the leads. Width is the
    standard deviation in time of the squared slope of the QRS complex. Intervals before the first
    and after the last beat repeat the nearest one.

    The comparison with the typical beat of the recording follows de Chazal et al. [1]_, the
    description by intervals relative to several norms Llamedo and Martinez [2]_. The sinus-like
    beats, the aberrant beat and the mixture were developed on the 22 training records of the
    MIT-BIH database.

    References
    ----------
    .. [1] P. de Chazal, M. O'Dwyer, R. B. Reilly (2004). Automatic classification of
       heartbeats using ECG morphology and heartbeat interval features. IEEE Trans. Biomed.
       Eng. 51(7). doi:10.1109/TBME.2004.827359
    .. [2] M. Llamedo, J. P. Martinez (2011). Heartbeat classification using feature selection
       driven by database generalization criteria. IEEE Trans. Biomed. Eng. 58(3).
       doi:10.1109/TBME.2010.2068048

    Examples
    --------
    >>> from ecgbeat.datasets import make_recording
    >>> from ecgbeat.signal import bandpass, beat_feature_names, beat_features
    >>> ecg = make_recording(duration=60, fs=250, random_state=0)
    >>> features = beat_features(bandpass(ecg.signal, 250), ecg.annotation.sample, 250)
    >>> features.shape == (len(ecg.annotation.sample), len(beat_feature_names()))
    True
    """
    fs, future = check_fs(fs), check_future(future)
    recording = np.atleast_2d(as_recording(recording))
    r_peaks = as_sample_numbers(r_peaks, "r_peaks")
    check_ascending(r_peaks, "r_peaks", strict=True)
    if len(r_peaks) == 0:
        return np.empty((0, len(beat_feature_names(future=future))), np.float32)
    wave = cut_beats(recording, r_peaks, fs, _BEFORE_S, _AFTER_S, n_times=_N_TIMES)
    stretches = _stretches(wave, future)
    parts = [_columns(wave[beats], r_peaks[beats], fs, future).values() for beats in stretches]
    return np.concatenate([np.stack(list(part), axis=1).astype(np.float32) for part in parts])


@cache
def beat_feature_names(*, future: Future = True) -> tuple[str, ...]:
    """Return the names of the columns of `beat_features`.

    Parameters
    ----------
    future : True, False or "none", default=True
        As in `beat_features`.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> from ecgbeat.signal import beat_feature_names
    >>> beat_feature_names()[:3]
    ('ectopy_normal', 'ectopy_supraventricular', 'ectopy_ventricular')
    """
    wave = np.zeros((2, 1, _N_TIMES), np.float32)
    return tuple(_columns(wave, np.array([50, 60]), 100.0, check_future(future)))


def _columns(
    wave: np.ndarray, r_peaks: np.ndarray, fs: float, future: Future
) -> dict[str, np.ndarray]:
    """Return all columns by name."""
    probability = ectopic_probability(r_peaks, fs, future=future)
    names = ("ectopy_normal", "ectopy_supraventricular", "ectopy_ventricular")
    columns = dict(zip(names, probability.T, strict=True))
    rr, next_rr = _intervals(r_peaks, fs, future)
    columns |= _local_rhythm(rr, next_rr, future)
    neighbors = (-2, -1, 1, 2) if future is True else (-2, -1)
    beats = _describe(wave, rr, next_rr, neighbors)
    groups = _groups(beats, future)
    parts = [_compare_blocks(beats, rows, norms, neighbors) for rows, norms in groups]
    columns |= {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    if future == "none":
        columns = {name: column for name, column in columns.items() if "next" not in name}
    return columns


def _intervals(r_peaks: np.ndarray, fs: float, future: Future) -> tuple[np.ndarray, np.ndarray]:
    """Return the intervals to the previous and to the next beat in s, clipped."""
    intervals = np.clip(np.diff(r_peaks) / fs, _SHORTEST_S, _LONGEST_S)
    first = intervals[:1] if future is True and len(intervals) else [_TYPICAL_S]
    last = intervals[-1:] if len(intervals) else [_TYPICAL_S]
    rr, next_rr = np.concatenate([first, intervals]), np.concatenate([intervals, last])
    return rr, next_rr if future is True else expected_next(rr, next_rr)


def _contexts(n_beats: int, future: Future) -> Iterator[tuple[slice, slice]]:
    """Yield blocks of beats, and the context with which each is compared."""
    if future is True:
        for start in range(0, n_beats, _BLOCK):
            stop = min(start + _BLOCK, n_beats)
            yield slice(start, stop), slice(max(0, start - _MARGIN), min(n_beats, stop + _MARGIN))
        return
    start = 0
    while start < n_beats:
        if start < _FIRST_BEATS:
            stop, context = start + 1, slice(0, start + 1)
        else:
            stop = min((start // _PAST_BLOCK + 1) * _PAST_BLOCK, n_beats)
            context = slice(max(0, start - _PAST), start)
        yield slice(start, stop), context
        start = stop


# --- abrupt changes -------------------------------------------------------------------


def _stretches(wave: np.ndarray, future: Future) -> list[slice]:
    """Return the beats between lasting changes of the wave, as of patient or electrodes.

    Many of the 64 beats before a change are alike, many of the 64 beats after it as well, but
    hardly any pair across. Changes are at least 128 beats apart, longer than most runs of ectopic
    beats, and are not known without later beats.
    """
    n_beats, starts = len(wave), [0]
    if future is True and n_beats >= 2 * _BLOCK:
        first, second = (np.append(0, np.cumsum(count)) for count in _count_alike(wave))
        inside = (second[_SIDE:] - first[:-_SIDE]) / (_SIDE**2 / 2)  # share of alike pairs
        across = (first - second)[_SIDE:-_SIDE] / (_SIDE**2 / 2)
        usual = np.sqrt(inside[:-_SIDE] * inside[_SIDE:])
        share = np.where(usual > _FEWEST_ALIKE, across / np.maximum(usual, _FEWEST_ALIKE), 1.0)
        share = share[_BLOCK - _SIDE : n_beats - _BLOCK - _SIDE + 1]
        while share.min() < _ACROSS:
            change = int(share.argmin())
            starts.append(change + _BLOCK)
            share[max(0, change - _BLOCK + 1) : change + _BLOCK] = 1.0
    return [slice(*bounds) for bounds in pairwise([*sorted(starts), n_beats])]


def _count_alike(wave: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Count for each beat the beats like it among the next 64, and among the 64 before it.

    Waves a and b of all leads are alike if 2 a b / (a a + b b), which includes their size, exceeds
    0.9.
    """
    wave = wave[..., _FIRST_SAMPLE::_STEP]
    wave = (wave - wave.mean(axis=-1, keepdims=True)).reshape(len(wave), -1).astype(np.float32)
    limit = 0.5 * _SAME_WAVE * (_dot(wave, wave) + _TINY)
    among_next, among_last = np.zeros((2, len(wave)), np.int64)
    distance = np.arange(2 * _SIDE) - np.arange(_SIDE)[:, None]
    is_near = (distance > 0) & (distance <= _SIDE)
    for start in range(0, len(wave), _SIDE):
        rows, others = slice(start, start + _SIDE), slice(start, start + 2 * _SIDE)
        alike = wave[rows] @ wave[others].T > limit[rows, None] + limit[others]
        alike &= is_near[: alike.shape[0], : alike.shape[1]]
        among_next[rows] = alike.sum(axis=1)
        among_last[others] += alike.sum(axis=0)
    return among_next, among_last


# --- each beat by itself --------------------------------------------------------------


class _Beats(NamedTuple):
    """Beats of a recording, or of blocks of equal length: (n_blocks, n_beats of a block, ...)."""

    rr: np.ndarray  # (n_beats,), interval to the previous beat, s
    next_rr: np.ndarray  # (n_beats,), interval to the next beat, s
    p_wave: np.ndarray  # (n_beats, n_leads, n_times), mean 0, in mV, as the next
    qrs: np.ndarray
    p_direction: np.ndarray  # the same scaled to length 1
    qrs_direction: np.ndarray
    shape: np.ndarray  # (n_beats, n_leads, n_shape), float64, in the order of _SHAPE
    agreement: np.ndarray  # highest correlation of the QRS complex with those of neighbors


def _describe(
    wave: np.ndarray, rr: np.ndarray, next_rr: np.ndarray, neighbors: tuple[int, ...]
) -> _Beats:
    """Return the beats of a recording, described once for all contexts."""
    n_p, n_qrs = _P_WAVE.stop - _P_WAVE.start, _QRS.stop - _QRS.start
    of_leads = [np.empty((*wave.shape[:2], n), wave.dtype) for n in (n_p, n_qrs, n_p, n_qrs)]
    of_leads.append(np.empty((*wave.shape[:2], len(_SHAPE))))
    for start in range(0, len(wave), _N_DESCRIBED):
        chunk = slice(start, start + _N_DESCRIBED)
        for values, of_chunk in zip(of_leads, _describe_waves(wave[chunk]), strict=True):
            values[chunk] = of_chunk
    of_leads.append(_agreement(of_leads[3], neighbors))
    return _Beats(rr, next_rr, *of_leads)


def _describe_waves(wave: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the columns of `_Beats` that describe leads."""
    parts = wave[..., _P_WAVE], wave[..., _QRS]
    p_wave, qrs = (part - part.mean(axis=-1, keepdims=True) for part in parts)
    slope = np.diff(qrs, axis=-1)
    energy = slope**2
    energy /= energy.sum(axis=-1, keepdims=True) + _TINY
    time = np.arange(slope.shape[-1], dtype=wave.dtype) * ((_BEFORE_S + _AFTER_S) / _N_TIMES)
    baseline = _median(np.moveaxis(wave[..., ::2], -1, 0))
    height = np.abs(wave[..., _QRS] - baseline[..., None])
    amplitude = np.ptp(qrs, axis=-1) + _TINY
    shape = {
        "width": np.sqrt(np.maximum(energy @ time**2 - (energy @ time) ** 2, 0)),
        "duration": np.mean(height > 0.5 * height.max(axis=-1, keepdims=True), axis=-1),
        "amplitude": np.log(amplitude),
        "p_wave": p_wave.std(axis=-1) / amplitude,
    }
    in_order = np.stack([shape[name] for name in _SHAPE], axis=-1)
    return p_wave, qrs, _normalize(p_wave), _normalize(qrs), in_order


def _agreement(direction: np.ndarray, neighbors: tuple[int, ...]) -> np.ndarray:
    """Return the highest correlation of each beat with its neighbors, in each lead.

    A beat that has none counts as unlike in all leads.
    """
    highest = np.full(direction.shape[:2], -1.0, direction.dtype)
    products = {n: _dot(direction[n:], direction[:-n]) for n in set(map(abs, neighbors))}
    for distance in neighbors:
        n = abs(distance)
        rows = slice(n, None) if distance < 0 else slice(-n)
        highest[rows] = np.maximum(highest[rows], products[n])
    return highest


def _local_rhythm(rr: np.ndarray, next_rr: np.ndarray, future: Future) -> dict[str, np.ndarray]:
    """Return the columns of the intervals of 17 beats around each beat."""
    n_before = _N_LOCAL // 2 if future is True else _N_LOCAL - 1
    before, after = np.repeat(rr[:1], n_before), np.repeat(rr[-1:], _N_LOCAL - 1 - n_before)
    padded = np.concatenate([before, rr, after])
    local = np.lib.stride_tricks.sliding_window_view(padded, _N_LOCAL)
    return describe_local_rhythm(local, rr, np.append(rr[:1], rr[:-1]), next_rr)


def describe_local_rhythm(
    local: np.ndarray, rr: np.ndarray, previous_rr: np.ndarray, next_rr: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the columns of the intervals around beats, ``local`` of shape (n_beats, 17)."""
    ordered = np.sort(local, axis=1)
    median = ordered[:, _N_LOCAL // 2]
    steps = np.abs(np.diff(local, axis=1))
    return {
        "rr": rr,
        "rr_to_previous": rr / previous_rr,
        "next_to_rr": next_rr / rr,
        "rr_to_local": rr / median,
        "next_to_local": next_rr / median,
        "rr_to_local_upper": rr / ordered[:, 3 * _N_LOCAL // 4 + 1],
        "local_variation": _median(steps.T) / median,
        "local_mean_variation": steps.mean(axis=1) / median,
    }


# --- norms of a context ---------------------------------------------------------------


class _Norms(NamedTuple):
    """Norms of a context, or of several: (n_blocks, 1, ...)."""

    leads: np.ndarray  # (n_leads of the recording,) bool, whether the lead is used
    intervals: np.ndarray  # in the order of `_interval_norms`, s
    usual: np.ndarray  # (n_leads, n_shape), of the slowest beats
    normal_p_wave: np.ndarray  # (n_leads, n_times), in mV, as the next
    normal_qrs: np.ndarray
    median_p_wave: np.ndarray
    median_qrs: np.ndarray
    aberrant_qrs: np.ndarray  # zeros without aberrant beats
    aberrant_share: np.ndarray | float  # of the beats


def _groups(beats: _Beats, future: Future) -> Iterator[tuple[slice, list[_Norms]]]:
    """Yield successive blocks of equal length and equal leads as one, and the norms of each."""
    contexts = _contexts(len(beats.rr), future)
    blocks = [(block, _norms(beats, context)) for block, context in contexts]

    def kind(number: int) -> tuple[int, int, bytes]:
        block, norms = blocks[number]
        return number // _N_BLOCKS, block.stop - block.start, norms.leads.tobytes()

    for _, numbers in groupby(range(len(blocks)), kind):
        group = [blocks[number] for number in numbers]
        yield slice(group[0][0].start, group[-1][0].stop), [norms for _, norms in group]


def _norms(beats: _Beats, context: slice) -> _Norms:
    """Return the norms of a context."""
    leads = _clear_leads(beats, context)
    around = _select(beats, context, leads)
    slowest = np.argsort(-around.rr, kind="stable")[: max(len(around.rr) // 10, 5)]
    sinus = _is_sinus_like(around, slowest)
    alike = np.flatnonzero(sinus)[:_MAX_TEMPLATE]
    normal = alike if len(alike) >= 5 else slowest
    normal_qrs = _median(around.qrs[normal])
    every = slice(None, None, max(1, len(around.rr) // _MAX_TEMPLATE))
    return _Norms(
        leads,
        _interval_norms(around.rr, sinus),
        _median(around.shape[slowest]),
        _median(around.p_wave[normal]),
        normal_qrs,
        _median(around.p_wave[every]),
        _median(around.qrs[every]),
        *_aberrant_qrs(around, normal_qrs),
    )


def _clear_leads(beats: _Beats, context: slice) -> np.ndarray:
    """Return which leads have a signal in a context, with beats that are alike as in the best."""
    amplitude = _median(beats.shape[context, :, _SHAPE.index("amplitude")])
    is_clear = amplitude > amplitude.max() + np.log(0.01)
    agreement = _median(beats.agreement[context])
    return is_clear & (agreement > agreement[is_clear].max() - _LESS_AGREEMENT)


def _select(beats: _Beats, rows: slice, leads: np.ndarray) -> _Beats:
    """Return some of the beats, in some of the leads."""
    rr, next_rr, *of_leads = beats
    chosen = slice(None) if leads.all() else leads  # a slice does not copy
    return _Beats(rr[rows], next_rr[rows], *(values[rows][:, chosen] for values in of_leads))


def _is_sinus_like(beats: _Beats, slowest: np.ndarray) -> np.ndarray:
    """Return which beats resemble the median of the slowest, and are not late themselves."""
    p_wave, qrs = (
        _dot(direction, _normalize(_median(wave[slowest]))).mean(axis=1)
        for wave, direction in (
            (beats.p_wave, beats.p_direction),
            (beats.qrs, beats.qrs_direction),
        )
    )
    late = beats.rr / np.append(beats.rr[:1], beats.rr[:-1])
    return (p_wave > 0.6) & (qrs > _ALIKE) & (late < 1.25)


def _interval_norms(rr: np.ndarray, sinus: np.ndarray) -> np.ndarray:
    """Return five quantiles, median of the sinus-like beats and of the steps, and two shares."""
    position = np.array([0.1, 0.25, 0.5, 0.75, 0.9]) * (len(rr) - 1)
    quantiles = np.interp(position, np.arange(len(rr)), np.sort(rr))
    sinus_share = np.mean(sinus)
    norm = _median(rr[sinus]) if sinus_share > 0.03 else quantiles[2]
    steps = np.abs(np.diff(rr)) if len(rr) > 1 else np.zeros(1)
    return np.array([*quantiles, norm, _median(steps), np.mean(steps > 0.1), sinus_share])


def _aberrant_qrs(around: _Beats, normal: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the most frequent form of QRS unlike the normal one, and its share of the beats."""
    directions = around.qrs_direction
    unlike = np.flatnonzero(_dot(directions, _normalize(normal)).mean(axis=1) < 0.8)
    if len(unlike) < 2:
        return np.zeros_like(normal), 0.0
    vectors = directions[unlike].reshape(len(unlike), -1) / np.sqrt(directions.shape[1])
    alike = vectors @ vectors.T > _ALIKE
    members = unlike[alike[alike.sum(axis=1).argmax()]]
    if len(members) < 2:
        return np.zeros_like(normal), 0.0
    return _median(around.qrs[members[:_MAX_TEMPLATE]]), len(members) / len(directions)


# --- comparison with the norms --------------------------------------------------------


def _compare_blocks(
    beats: _Beats, rows: slice, norms: Sequence[_Norms], neighbors: tuple[int, ...]
) -> dict[str, np.ndarray]:
    """Return the columns of blocks of equal length that are relative to the norms of each."""
    leads = norms[0].leads
    own = _select(beats, rows, leads)
    own = _Beats(*(values.reshape(len(norms), -1, *values.shape[1:]) for values in own))
    return compare(own, norms, _similarity(beats, rows, leads, neighbors))


def compare(
    own: _Beats, norms: Sequence[_Norms], similarity: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return the columns of blocks of beats relative to the norms of each, with ``similarity``."""
    norm = _Norms(*(np.stack(values)[:, None] for values in zip(*norms, strict=True)))
    columns = _relative_intervals(own, norm) | similarity
    for name in ("width", "duration", "p_wave"):
        columns |= _mean_and_max(name, own.shape[..., _SHAPE.index(name)])
    deviation = own.shape - norm.usual
    for name in ("width", "duration", "amplitude"):
        columns |= _mean_and_max(f"{name}_to_usual", deviation[..., _SHAPE.index(name)])
    columns |= _difference(own, norm.normal_p_wave, norm.normal_qrs, "normal")
    columns |= _difference(own, norm.median_p_wave, norm.median_qrs, "median")
    columns |= _mixture(own, norm)
    return {name: column.ravel() for name, column in columns.items()}


def _relative_intervals(own: _Beats, norm: _Norms) -> dict[str, np.ndarray]:
    """Return the columns of intervals relative to those of the context."""
    rr, next_rr = own.rr, own.next_rr
    low, quarter, median, upper, high, sinus, step, large_steps, sinus_share = np.moveaxis(
        norm.intervals, -1, 0
    )
    spread = upper - quarter + 0.02
    columns = {
        "rr_to_low": rr / low,
        "rr_to_quarter": rr / quarter,
        "rr_to_median": rr / median,
        "rr_to_upper": rr / upper,
        "rr_to_high": rr / high,
        "next_to_median": next_rr / median,
        "next_to_upper": next_rr / upper,
        "rr_deviation": (rr - median) / spread,
        "next_deviation": (next_rr - median) / spread,
        "rr_to_sinus": rr / sinus,
        "next_to_sinus": next_rr / sinus,
    }
    of_block = {
        "quarter_to_median": quarter / median,
        "high_to_median": high / median,
        "median_interval": median,
        "variation": step / median,
        "share_of_large_steps": large_steps,
        "sinus_to_median": sinus / median,
        "sinus_share": sinus_share,
    }
    return columns | {name: np.broadcast_to(c, rr.shape) for name, c in of_block.items()}


def _similarity(
    beats: _Beats, rows: slice, leads: np.ndarray, neighbors: tuple[int, ...]
) -> dict[str, np.ndarray]:
    """Return the mean correlation of beats with those before and after them."""
    reach, n_beats = max(map(abs, neighbors)), rows.stop - rows.start
    around = np.arange(rows.start - reach, rows.stop + reach)
    around = np.clip(around, 0, len(beats.rr) - 1)
    columns = {}
    for name, direction in (("qrs", beats.qrs_direction), ("p_wave", beats.p_direction)):
        near = direction[around][:, leads]
        products = {
            distance: _dot(near[distance:], near[:-distance]).mean(axis=1)
            for distance in set(map(abs, neighbors))
        }
        for distance in neighbors:
            first = reach + min(distance, 0)
            product = products[abs(distance)][first : first + n_beats]
            columns[f"{name}_to_beat_{distance:+d}"] = product
    return columns


def _mean_and_max(name: str, of_lead: np.ndarray) -> dict[str, np.ndarray]:
    """Return the mean and the maximum over the leads."""
    return {f"{name}_mean": of_lead.mean(axis=-1), f"{name}_max": of_lead.max(axis=-1)}


def _difference(
    own: _Beats, p_wave: np.ndarray, qrs: np.ndarray, name: str
) -> dict[str, np.ndarray]:
    """Return correlation and distance of P wave and QRS complex and those of a template."""
    height = 1.1 * np.ptp(qrs, axis=-1) + _TINY
    columns = {}
    for part, wave, direction, template in (
        ("p_wave", own.p_wave, own.p_direction, p_wave),
        ("qrs", own.qrs, own.qrs_direction, qrs),
    ):
        alike = _dot(direction, _normalize(template))
        rest = wave - template
        distance = np.sqrt(_dot(rest, rest) / rest.shape[-1]) / height
        columns[f"{part}_to_{name}_mean"] = alike.mean(axis=-1)
        columns[f"{part}_to_{name}_min"] = alike.min(axis=-1)
        columns |= _mean_and_max(f"{part}_distance_to_{name}", distance)
    return columns


def _mixture(own: _Beats, norm: _Norms) -> dict[str, np.ndarray]:
    """Return the weights of the normal and the aberrant beat in each QRS complex."""
    height = np.ptp(norm.normal_qrs, axis=-1)[..., None] + _TINY  # each lead counts the same
    qrs, of_normal, of_aberrant = (
        (wave / height).reshape(*wave.shape[:2], -1)
        for wave in (own.qrs, norm.normal_qrs, norm.aberrant_qrs)
    )
    energy = _dot(qrs, qrs) + _TINY
    basis = np.stack([of_normal, of_aberrant], axis=-2)  # (n_blocks, 1, 2, n_leads * n_times)
    gram = basis @ basis.swapaxes(-1, -2)
    ridge = 5e-4 * np.trace(gram, axis1=-2, axis2=-1) + _TINY
    gram += ridge[..., None, None] * np.eye(2)
    weights = _dot(qrs[..., None, :], np.linalg.inv(gram) @ basis)
    rest = qrs - weights[..., :1] * of_normal - weights[..., 1:] * of_aberrant
    length = np.sqrt(energy * (_dot(of_aberrant, of_aberrant) + _TINY))
    return {
        "normal_share": weights[..., 0],
        "aberrant_share": weights[..., 1],
        "rest_of_mixture": _dot(rest, rest) / energy,
        "qrs_to_aberrant": _dot(qrs, of_aberrant) / length,
        "smaller_share": weights.min(axis=-1),
        "aberrant_beats": np.broadcast_to(norm.aberrant_share, energy.shape),
    }


def _median(values: np.ndarray) -> np.ndarray:
    """Return the median along the first axis, five times as fast as ``np.median`` (measured)."""
    ordered = np.sort(values, axis=0)
    return (ordered[(len(values) - 1) // 2] + ordered[len(values) // 2]) / 2


def _normalize(wave: np.ndarray) -> np.ndarray:
    """Scale waves of mean 0 to length 1, along the last axis."""
    return wave / np.sqrt((wave * wave).sum(axis=-1, keepdims=True) + _TINY**2)


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the products of waves along the last axis."""
    return np.einsum("...t,...t->...", a, b)
