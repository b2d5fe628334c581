"""Features of the beats of a signal that is still arriving, one beat at a time."""

from functools import cache

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
    _agreement,
    _Beats,
    _compare,
    _describe_waves,
    _local_rhythm,
    _Norms,
    _norms,
    beat_feature_names,
)
from ecgbeat.signal._beats import cut_beats
from ecgbeat.signal._ectopy import (
    _PERCENTILES,
    _SHORTEST_S,
    _WINDOW_BEATS,
    NEXT_ROWS,
    Future,
    _ratios,
    _weights,
)
from ecgbeat.signal._rr import _LONGEST_S, _TYPICAL_S

_NEIGHBORS = (-2, -1)


class PastBeatFeatures:
    """`beat_features` without later beats, for one beat after the other.

    Equal to ``beat_features(recording, r_peaks, fs, future=future)`` up to rounding errors. Some
    hundred beats are remembered, and no signal.
    """

    def __init__(self, fs: float, future: Future) -> None:
        self._fs, self._future = fs, future
        self._n_beats = 0
        self._r_peak = 0  # the last one
        self._intervals = np.empty(0)  # the last ones between R peaks, clipped, s
        self._history = [np.zeros(shape, np.float32) for shape in _history_shapes()]
        self._beats: _Beats | None = None  # the last ones
        self._norms: _Norms | None = None  # of the present block of beats

    def append(
        self, recording: np.ndarray, position: int, r_peak: int, next_r_peak: int
    ) -> np.ndarray:
        """Return the features of the next beat, (n_features,), float32.

        ``position`` is its sample in ``recording``, (n_leads, n_times), filtered, of some seconds.
        ``r_peak`` and ``next_r_peak`` are counted from the beginning of the signal; with
        ``future="none"``, the next one is not used.
        """
        if self._n_beats:
            interval = self._clipped(r_peak - self._r_peak)
            self._intervals = np.append(self._intervals[-_WINDOW_BEATS:], interval)
        self._r_peak = r_peak
        next_interval = self._clipped(next_r_peak - r_peak)
        self._beats = self._remember(recording, position, next_interval)
        own = len(self._beats.rr) - 1
        if self._n_beats < _FIRST_BEATS:
            self._norms = _norms(self._beats, slice(0, own + 1))
        elif self._n_beats == _FIRST_BEATS or self._n_beats % _PAST_BLOCK == 0:
            self._norms = _norms(self._beats, slice(max(0, own - _PAST), own))
        assert self._norms is not None
        self._n_beats += 1
        columns = self._rhythm(next_interval)
        columns |= _compare(self._beats, slice(own, own + 1), [self._norms], _NEIGHBORS)
        names = beat_feature_names(future=self._future)
        return np.array([columns[name][-1] for name in names], np.float32)

    def _clipped(self, n_times: int) -> float:
        """Return an interval in s."""
        return min(max(n_times / self._fs, _SHORTEST_S), _LONGEST_S)

    def _remember(self, recording: np.ndarray, position: int, next_interval: float) -> _Beats:
        """Return the last beats, with the one at ``position`` at their end."""
        rr = self._intervals[-1:] if len(self._intervals) else np.array([_TYPICAL_S])
        r_peaks = np.array([position])
        wave = cut_beats(recording, r_peaks, self._fs, _BEFORE_S, _AFTER_S, n_times=_N_TIMES)
        described = _describe_waves(wave)
        direction = described[3]
        if self._beats is not None:
            direction = np.concatenate([self._beats.qrs_direction[-2:], direction])
        of_leads = (*described, _agreement(direction, _NEIGHBORS)[-1:])
        beat = _Beats(rr, np.array([next_interval]), *of_leads)
        if self._beats is None:
            return beat
        n_kept = _PAST + _PAST_BLOCK
        pairs = zip(self._beats, beat, strict=True)
        return _Beats(*(np.concatenate([past[-n_kept:], own]) for past, own in pairs))

    def _rhythm(self, next_interval: float) -> dict[str, np.ndarray]:
        """Return the columns that depend on R peaks alone, of the last beats."""
        assert self._beats is not None
        rows = [_describe_interval(self._intervals, next_interval, self._future)]
        if self._n_beats > 1:  # the next interval of the beat before is known now
            before, own = self._intervals[:-1], self._intervals[-1]
            rows.insert(0, _describe_interval(before, own, self._future))
        logits, self._history = _apply_to_last(np.stack(rows), self._history)
        names = ("ectopy_normal", "ectopy_supraventricular", "ectopy_ventricular")
        columns = dict(zip(names, softmax(logits.astype(np.float64))[:, np.newaxis], strict=True))
        local = self._beats.rr[-_N_LOCAL:], self._beats.next_rr[-_N_LOCAL:]
        return columns | _local_rhythm(*local, self._future)


# --- network of `ectopic_probability`, from beat to beat ------------------------------


def _describe_interval(intervals: np.ndarray, following: float, future: Future) -> np.ndarray:
    """Return the last column of `network_input`, (9,), from the intervals up to a beat."""
    row = np.zeros(9, np.float32)
    if len(intervals) == 0:
        return row
    ordered = np.sort(intervals[-_WINDOW_BEATS:])
    percentiles = [np.full(3, ordered[int(len(ordered) * q / 100)]) for q in _PERCENTILES]
    around = np.array([intervals[-2:][0], intervals[-1], following])
    row[:-1] = _ratios(around, *percentiles)[:, 1]
    row[-1] = 1.0
    if future == "none":
        row[list(NEXT_ROWS)] = 0.0
    return row


def _apply_to_last(
    rows: np.ndarray, history: list[np.ndarray]
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the logits of the last of one or two rows, (3,), and the history of the next beat.

    The history is the input of each block of the network for the beats before. It is continued by
    the first of two rows, since the last one is not final: its next interval is estimated.
    """
    first, *blocks, last = _matrices()
    x, continued = _affine(rows, first), []
    for block, past in enumerate(history):
        padded = np.concatenate([past, x])
        continued.append(padded[len(rows) - 1 :][: len(past)])
        reach = np.arange(0, len(past) + 1, 2**block)
        taps = padded[np.arange(len(rows))[:, np.newaxis] + reach].reshape(len(rows), -1)
        hidden = np.maximum(_affine(taps, blocks[2 * block]), 0)
        x = x + _affine(hidden, blocks[2 * block + 1])
    return _affine(np.maximum(x[-1:], 0), last)[0], continued


def _affine(x: np.ndarray, layer: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Multiply rows by the matrix of a layer, and add its bias."""
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
