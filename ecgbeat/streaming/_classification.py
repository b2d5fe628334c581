"""Classification of the beats of several streams together."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ecgbeat.annotation import (
    BeatAnnotator,
    InterPatientClassifier,
    classify_rows,
    fitted_steps,
)
from ecgbeat.preprocessing import BandpassFilter
from ecgbeat.signal import NextBeat, PastBeatFeatures, append_to_each, indices_of_equal


class Due(NamedTuple):
    """Beat of a stream whose class is due, at the sampling rate of the annotator."""

    annotator: BeatAnnotator
    bandpass: Any  # of the annotator, fitted to the length of the leads if possible
    past: PastBeatFeatures | None  # None if windows are classified
    leads: np.ndarray  # (n_leads, n_times), the last samples, without gaps
    position: int  # of the R peak in the leads
    r_peaks: np.ndarray  # the last ones, up to that of the beat, counted from the start
    next_r_peak: int | None  # None if it is not yet seen


def classify(beats: Sequence[Due]) -> list[tuple[np.ndarray, np.ndarray | None]]:
    """Return label, (1,), and probabilities, (1, n_classes), of beats of different streams.

    They are the same in every digit as those of each beat by itself.
    """
    results: dict[int, tuple[np.ndarray, np.ndarray | None]] = {}
    for indices in indices_of_equal(id(beat.annotator) for beat in beats):
        annotator, group = beats[indices[0]].annotator, [beats[k] for k in indices]
        rows = _windows(group) if group[0].past is None else _features(group)
        # most other classifiers round a row differently beside others
        is_exact = isinstance(annotator.classifier_, InterPatientClassifier)
        for part in [slice(None)] if is_exact else map(_only, range(len(group))):
            label, probability = classify_rows(
                annotator.classifier_, annotator.classes_, rows[part], annotator.abstain_below
            )
            for row, k in enumerate(indices[part]):
                one = _only(row)
                results[k] = label[one], None if probability is None else probability[one]
    return [results[k] for k in range(len(beats))]


def _only(row: int) -> slice:
    """Return the slice of a single row."""
    return slice(row, row + 1)


def _windows(beats: Sequence[Due]) -> np.ndarray:
    """Return the rows of an annotator with a segmenter, which is called for each beat."""
    rows = []
    for beat in beats:
        steps = fitted_steps(beat.annotator)._replace(bandpass=_fitted(beat))
        past = beat.r_peaks - beat.r_peaks[-1] + beat.position
        rows.append(next(steps.rows(beat.leads, np.array([beat.position]), past)))
    return np.concatenate(rows)


def _features(beats: Sequence[Due]) -> np.ndarray:
    """Return the rows of an annotator with `beat_features`."""
    filtered: dict[int, np.ndarray] = {}
    # a filter that is not of this package is called for each recording
    is_own = isinstance(beats[0].bandpass, BandpassFilter)
    keys = [beat.leads.shape if is_own else k for k, beat in enumerate(beats)]
    for indices in indices_of_equal(keys):
        steps = fitted_steps(beats[0].annotator)._replace(bandpass=_fitted(beats[indices[0]]))
        joined = np.concatenate([beats[k].leads for k in indices])
        parts = np.split(steps.filter(joined, copy=True).astype(np.float32), len(indices))
        filtered |= zip(indices, parts, strict=True)
    next_beats = [
        NextBeat(filtered[k], beat.position, int(beat.r_peaks[-1]), beat.next_r_peak)
        for k, beat in enumerate(beats)
    ]
    return append_to_each([beat.past for beat in beats if beat.past], next_beats)


def _fitted(beat: Due) -> Any:
    """Return the filter for the leads of a beat, which depends on their length alone."""
    if not isinstance(beat.bandpass, BandpassFilter):
        return beat.bandpass
    steps = fitted_steps(beat.annotator)._replace(bandpass=beat.bandpass)
    return steps.fit_filter(beat.leads, copy=True)
