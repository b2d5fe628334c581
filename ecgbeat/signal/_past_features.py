"""Features of the beats of signals that are still arriving, one beat of each at a time."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.special import softmax

from ecgbeat.signal._beat_features import (
    _AFTER_S,
    _BEFORE_S,
    _FIRST_BEATS,
    _N_LOCAL,
    _N_TIMES,
    _PAST,
    _PAST_BLOCK,
    _Beats,
    _describe_waves,
    _dot,
    _Norms,
    _norms,
    _select,
    beat_feature_names,
    compare,
    describe_local_rhythm,
)
from ecgbeat.signal._beats import _cut, _resample_by_matrix, window_samples
from ecgbeat.signal._ectopy import (
    _PERCENTILES,
    _SHORTEST_S,
    _WINDOW_BEATS,
    NEXT_ROWS,
    Future,
    _weights,
    expected_next,
    interval_ratios,
)
from ecgbeat.signal._rr import _LONGEST_S, _TYPICAL_S


class NextBeat(NamedTuple):
    """Beat whose features are computed next."""

    recording: np.ndarray  # (n_leads, n_times), filtered, of some seconds
    position: int  # sample of the R peak in the recording
    r_peak: int  # the same, counted from the beginning of the signal, as the next one
    next_r_peak: int | None  # None if it is not yet seen; not used with future="none"


class PastBeatFeatures:
    """`beat_features` without later beats, for one beat after the other.

    Equal to ``beat_features(recording, r_peaks, fs, future=future)`` up to rounding errors. Some
    hundred beats are remembered, and no signal. Attributes are replaced, not modified, so that a
    shallow copy is a copy.
    """

    def __init__(self, fs: float, future: Future) -> None:
        self.fs, self.future = fs, future
        self.n_beats = 0
        self.intervals = np.empty(0)  # the last ones between R peaks, clipped, s
        self.history = tuple(np.zeros(shape, np.float32) for shape in _history_shapes())
        self.beats: _Beats | None = None  # the last ones
        self.norms: _Norms | None = None  # of the present block of beats
        self._next_norms: _Norms | None = None  # of the next block
        self._r_peak = 0  # the last one

    def append(self, beat: NextBeat) -> np.ndarray:
        """Return the features of the next beat, (n_features,), float32."""
        return append_to_each([self], [beat])[0]

    def add_interval(self, r_peak: int) -> float:
        """Remember the interval to the next R peak, and return it in s."""
        interval = _TYPICAL_S
        if self.n_beats:
            interval = self.clipped(r_peak - self._r_peak)
            self.intervals = np.append(self.intervals[-_WINDOW_BEATS:], interval)
        self._r_peak = r_peak
        return interval

    def interval_after(self, beat: NextBeat) -> float:
        """Return the interval to the R peak after a beat in s."""
        if beat.next_r_peak is None:
            return _LONGEST_S
        return self.clipped(beat.next_r_peak - beat.r_peak)

    def clipped(self, n_times: int) -> float:
        """Return an interval in s."""
        return min(max(n_times / self.fs, _SHORTEST_S), _LONGEST_S)

    def remember(self, beat: _Beats) -> None:
        """Append the next beat to the last ones, and compute norms where a block begins."""
        if self.beats is not None:
            n_kept = _PAST + _PAST_BLOCK
            pairs = zip(self.beats, beat, strict=True)
            beat = _Beats(*(np.concatenate([past[-n_kept:], own]) for past, own in pairs))
        self.beats = beat
        n_beats = len(beat.rr)
        if self.n_beats < _FIRST_BEATS:
            self.norms = _norms(beat, slice(0, n_beats))
        elif self._begins_block():
            self.norms = self._next_norms or _norms(
                beat, slice(max(0, n_beats - 1 - _PAST), n_beats - 1)
            )
        self._next_norms = None
        self.n_beats += 1

    def prepare(self) -> None:
        """Compute the norms of the next beat now if a block begins with it.

        This makes the next `append` faster.
        """
        if self.beats is not None and self._begins_block():
            n_beats = len(self.beats.rr)
            self._next_norms = _norms(self.beats, slice(max(0, n_beats - _PAST), n_beats))

    def _begins_block(self) -> bool:
        """Return whether the next beat begins a block, which is compared with the beats before."""
        return self.n_beats == _FIRST_BEATS or (
            self.n_beats > _FIRST_BEATS and self.n_beats % _PAST_BLOCK == 0
        )


def append_to_each(pasts: Sequence[PastBeatFeatures], beats: Sequence[NextBeat]) -> np.ndarray:
    """Append a beat to each of several signals, and return its features.

    All must have the same sampling rate and ``future``. For many signals, this takes far less time
    than `PastBeatFeatures.append`, with the same features in every digit.

    Returns
    -------
    ndarray of shape (n_signals, n_features), float32
    """
    names = beat_feature_names(future=pasts[0].future)
    features = np.empty((len(pasts), len(names)), np.float32)
    kinds = [
        (len(beat.recording), past.n_beats == 0) for past, beat in zip(pasts, beats, strict=True)
    ]
    for rows in indices_of_equal(kinds):
        group, own = [pasts[k] for k in rows], [beats[k] for k in rows]
        columns = _rhythm(group, _remember(group, own))
        for part in indices_of_equal([past.norms.leads.tobytes() for past in group if past.norms]):
            of_part = {name: column[part] for name, column in columns.items()}
            of_part |= _compare_last([group[k] for k in part])
            features[[rows[k] for k in part]] = np.stack([of_part[name] for name in names], axis=1)
    return features


def indices_of_equal(keys: Iterable[Hashable]) -> Iterable[list[int]]:
    """Return the indices of equal keys, in the order of the first ones."""
    found = defaultdict(list)
    for k, key in enumerate(keys):
        found[key].append(k)
    return found.values()


def _remember(pasts: Sequence[PastBeatFeatures], beats: Sequence[NextBeat]) -> np.ndarray:
    """Append beats with the same number of leads, and return the intervals after them, in s."""
    pairs = list(zip(pasts, beats, strict=True))
    rr = np.array([past.add_interval(beat.r_peak) for past, beat in pairs])
    next_rr = expected_next(rr, np.array([past.interval_after(beat) for past, beat in pairs]))
    n_before, n_after = window_samples(pasts[0].fs, _BEFORE_S, _AFTER_S)
    windows = [
        _cut(beat.recording, np.array([beat.position]), n_before, n_before + n_after)
        for beat in beats
    ]
    described = _describe_waves(_resample_by_matrix(np.concatenate(windows), _N_TIMES))
    columns = (rr, next_rr, *described, _agreement_with_last(pasts, described[3]))
    for k, past in enumerate(pasts):
        past.remember(_Beats(*(column[k : k + 1] for column in columns)))
    return next_rr


def _agreement_with_last(pasts: Sequence[PastBeatFeatures], direction: np.ndarray) -> np.ndarray:
    """Return the highest correlation of each beat with the last two, in each lead, or -1."""
    highest = np.full(direction.shape[:2], -1.0, direction.dtype)
    for distance in (1, 2):
        rows = [k for k, past in enumerate(pasts) if past.n_beats >= distance]
        if rows:
            last = np.stack([pasts[k].beats.qrs_direction[-distance] for k in rows])  # type: ignore[union-attr]
            highest[rows] = np.maximum(highest[rows], _dot(direction[rows], last))
    return highest


def _rhythm(pasts: Sequence[PastBeatFeatures], next_rr: np.ndarray) -> dict[str, np.ndarray]:
    """Return the columns of the last beats that depend on R peaks alone.

    The beats are either all the first of their signals, or all later ones.
    """
    rows = []
    for past, following in zip(pasts, next_rr.tolist(), strict=True):
        if past.n_beats > 1:  # the next interval of the beat before is known now
            rows.append((past.intervals[:-1], past.intervals[-1]))
        rows.append((past.intervals, following))
    described = _describe_intervals(rows, pasts[0].future).reshape(len(pasts), -1, 9)
    histories = [np.stack(block) for block in zip(*(past.history for past in pasts), strict=True)]
    logits, continued = _apply_to_last(described, histories)
    for k, past in enumerate(pasts):
        past.history = tuple(block[k].copy() for block in continued)
    names = ("ectopy_normal", "ectopy_supraventricular", "ectopy_ventricular")
    columns = dict(zip(names, softmax(logits.astype(np.float64), axis=1).T, strict=True))
    rr = [past.beats.rr[-_N_LOCAL:] for past in pasts if past.beats]
    local = np.stack([np.concatenate([np.repeat(r[:1], _N_LOCAL - len(r)), r]) for r in rr])
    return columns | describe_local_rhythm(local, local[:, -1], local[:, -2], next_rr)


def _compare_last(pasts: Sequence[PastBeatFeatures]) -> dict[str, np.ndarray]:
    """Return the columns of the last beats that are relative to their norms, of equal leads."""
    norms = [past.norms for past in pasts if past.norms]
    beats = [past.beats for past in pasts if past.beats]
    leads = norms[0].leads
    selected = [_select(of_past, slice(-3, None), leads) for of_past in beats]
    own = _Beats(*(np.stack([v[-1:] for v in values]) for values in zip(*selected, strict=True)))
    similarity = {}
    for name, column in (("qrs", "qrs_direction"), ("p_wave", "p_direction")):
        directions = [getattr(of_past, column) for of_past in selected]
        last = np.stack([d[-1] for d in directions])
        for distance in (2, 1):
            # of the first beats, which have none before them, with the first one
            before = np.stack([d[max(len(d) - 1 - distance, 0)] for d in directions])
            similarity[f"{name}_to_beat_{-distance}"] = _dot(last, before).mean(axis=-1)
    return compare(own, norms, similarity)


# --- network of `ectopic_probability`, from beat to beat ------------------------------


def _describe_intervals(rows: Sequence[tuple[np.ndarray, float]], future: Future) -> np.ndarray:
    """Return columns of `network_input`, (n_rows, 9), from intervals up to beats and the next."""
    described = np.zeros((len(rows), 9), np.float32)
    known = [k for k, (intervals, _) in enumerate(rows) if len(intervals)]
    if known:
        around = []
        for intervals, following in (rows[k] for k in known):
            ordered = np.sort(intervals[-_WINDOW_BEATS:])
            percentiles = [ordered[int(len(ordered) * q / 100)] for q in _PERCENTILES]
            around.append([intervals[-2:][0], intervals[-1], following, *percentiles])
        before, last, after, *levels = np.array(around).T
        ratios = interval_ratios(np.stack([before, last, expected_next(last, after), *levels]))
        described[known, :-1] = ratios.T
        described[known, -1] = 1.0
    if future == "none":
        described[:, list(NEXT_ROWS)] = 0.0
    return described


def _apply_to_last(
    rows: np.ndarray, history: Sequence[np.ndarray]
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the logits of the last row of each signal, (n_signals, 3), and the next history.

    ``rows`` is (n_signals, n_rows, 9), with one or two rows. The history is the input of each block
    of the network for the beats before, (n_signals, n_beats, n_channels). It is continued by the
    first of two rows, since the last one is not final: its next interval is estimated.
    """
    first, *blocks, last = _matrices()
    n_signals, n_rows, _ = rows.shape
    x, continued = _affine(rows, first), []
    for block, past in enumerate(history):
        n_past = past.shape[1]
        padded = np.concatenate([past, x], axis=1)
        continued.append(padded[:, n_rows - 1 :][:, :n_past])
        reach = np.arange(0, n_past + 1, 2**block)
        taps = padded[:, np.arange(n_rows)[:, np.newaxis] + reach].reshape(n_signals, n_rows, -1)
        hidden = np.maximum(_affine(taps, blocks[2 * block]), 0)
        x = x + _affine(hidden, blocks[2 * block + 1])
    return _affine(np.maximum(x[:, -1:], 0), last)[:, 0], continued


def _affine(x: np.ndarray, layer: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Multiply rows by the matrix of a layer, and add its bias; a product for each signal."""
    matrix, bias = layer
    return x @ matrix + bias


@cache
def _matrices() -> list[tuple[np.ndarray, np.ndarray]]:
    """Return matrix and bias of each layer in their order; the taps of a kernel are joined."""
    weights = _weights("causal")
    n_blocks = sum(name.endswith(".wide.weight") for name in weights)
    parts = [f"blocks.{block}.{part}" for block in range(n_blocks) for part in ("wide", "mix")]
    layers = []
    for name in ("first", *parts, "last"):
        kernel = weights[f"{name}.weight"]
        matrix = np.ascontiguousarray(kernel.transpose(2, 1, 0).reshape(-1, len(kernel)))
        layers.append((matrix, weights[f"{name}.bias"]))
    return layers


def _history_shapes() -> list[tuple[int, int]]:
    """Return number of beats and channels of the history of each block."""
    n_channels = len(_matrices()[0][1])
    wide = _matrices()[1:-1:2]
    n_taps = [len(matrix) // n_channels for matrix, _ in wide]
    return [((n - 1) * 2**block, n_channels) for block, n in enumerate(n_taps)]
