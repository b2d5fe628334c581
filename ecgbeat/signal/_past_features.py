"""Features of the beats of a signal that is still arriving, one beat at a time."""

import numpy as np

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
from ecgbeat.signal._ectopy import _SHORTEST_S, Future, ectopic_probability
from ecgbeat.signal._rr import _LONGEST_S, _TYPICAL_S

_N_RHYTHM = 250  # R peaks on which the probability of an ectopic beat depends
_NEIGHBORS = (-2, -1)


class PastBeatFeatures:
    """`beat_features` without later beats, for one beat after the other.

    Equal to ``beat_features(recording, r_peaks, fs, future=future)`` up to rounding errors. Some
    hundred beats are remembered, and no signal.
    """

    def __init__(self, fs: float, future: Future) -> None:
        self._fs, self._future = fs, future
        self._n_beats = 0
        self._r_peaks = np.empty(0, np.int64)
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
        self._r_peaks = np.append(self._r_peaks, r_peak)[-_N_RHYTHM:]
        self._beats = self._remember(recording, position, next_r_peak - r_peak)
        own = len(self._beats.rr) - 1
        if self._n_beats < _FIRST_BEATS:
            self._norms = _norms(self._beats, slice(0, own + 1))
        elif self._n_beats == _FIRST_BEATS or self._n_beats % _PAST_BLOCK == 0:
            self._norms = _norms(self._beats, slice(max(0, own - _PAST), own))
        assert self._norms is not None
        self._n_beats += 1
        columns = self._rhythm(next_r_peak)
        columns |= _compare(self._beats, slice(own, own + 1), [self._norms], _NEIGHBORS)
        names = beat_feature_names(future=self._future)
        return np.array([columns[name][-1] for name in names], np.float32)

    def _remember(self, recording: np.ndarray, position: int, next_interval: int) -> _Beats:
        """Return the last beats, with the one at ``position`` at their end."""
        rr = np.array([_TYPICAL_S])
        if len(self._r_peaks) > 1:
            rr = np.clip(np.diff(self._r_peaks[-2:]) / self._fs, _SHORTEST_S, _LONGEST_S)
        next_rr = np.clip([next_interval / self._fs], _SHORTEST_S, _LONGEST_S)
        r_peaks = np.array([position])
        wave = cut_beats(recording, r_peaks, self._fs, _BEFORE_S, _AFTER_S, n_times=_N_TIMES)
        described = _describe_waves(wave)
        direction = described[3]
        if self._beats is not None:
            direction = np.concatenate([self._beats.qrs_direction[-2:], direction])
        of_leads = (*described, _agreement(direction, _NEIGHBORS)[-1:])
        beat = _Beats(rr, next_rr, *of_leads)
        if self._beats is None:
            return beat
        n_kept = _PAST + _PAST_BLOCK
        pairs = zip(self._beats, beat, strict=True)
        return _Beats(*(np.concatenate([past[-n_kept:], own]) for past, own in pairs))

    def _rhythm(self, next_r_peak: int) -> dict[str, np.ndarray]:
        """Return the columns that depend on R peaks alone, of the last beats."""
        assert self._beats is not None
        known = self._r_peaks if self._future == "none" else np.append(self._r_peaks, next_r_peak)
        own = slice(len(self._r_peaks) - 1, len(self._r_peaks))
        probability = ectopic_probability(known, self._fs, future=self._future)[own]
        names = ("ectopy_normal", "ectopy_supraventricular", "ectopy_ventricular")
        columns = dict(zip(names, probability.T, strict=True))
        local = self._beats.rr[-_N_LOCAL:], self._beats.next_rr[-_N_LOCAL:]
        return columns | _local_rhythm(*local, self._future)
