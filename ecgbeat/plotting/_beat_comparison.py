"""Comparison of the predicted beats of a recording with reference beats."""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ecgbeat._recordings import as_annotation, as_sample_numbers, check_within_recording
from ecgbeat.labels import NON_BEAT_SYMBOLS, Annotation
from ecgbeat.metrics import match_beats

BEAT, RIGHT, WRONG = "beat", "right", "wrong class"
MISSED, EXTRA, LEFT_OUT = "missed", "false alarm", "left out"
ERRORS = (WRONG, MISSED, EXTRA)
DRAW_STRETCH = "To draw a stretch, pass the whole recording, with start= and stop= in seconds."

BeatsLike: TypeAlias = Sequence[Any] | np.ndarray


class BeatList(NamedTuple):
    """Beats of one recording, ascending."""

    sample: np.ndarray  # (n_beats,) int64
    label: np.ndarray | None  # (n_beats,)


class ComparedBeat(NamedTuple):
    """Beat with its labels in reference and prediction."""

    sample: int
    reference: Any  # label, "" if unlabeled, None if the reference lacks this beat
    predicted: Any  # label, "" if unlabeled, None if the prediction lacks this beat
    outcome: str


def as_beat_list(beats: BeatsLike, name: str, n_times: int) -> BeatList:
    """Return the beats that are given in any form, without annotations that mark no beats."""
    has_names = hasattr(beats, "sample") and hasattr(beats, "symbol")
    is_pair = isinstance(beats, (tuple, list)) and len(beats) == 2 and np.ndim(beats[0]) == 1
    label: np.ndarray | None = None
    if has_names or is_pair:
        sample, label = as_annotation(beats, name)
        if isinstance(beats, Annotation) or hasattr(beats, "aux_note"):
            keep = ~np.isin(label, sorted(NON_BEAT_SYMBOLS))
            sample, label = sample[keep], label[keep]
    else:
        sample = as_sample_numbers(beats, name)
    check_within_recording(sample, n_times, name, DRAW_STRETCH)
    order = np.argsort(sample, kind="stable")
    return BeatList(sample[order], None if label is None else label[order])


def compare_beats(
    predicted: BeatList,
    reference: BeatList | None,
    left_out: np.ndarray,
    fs: float,
    tolerance: float,
) -> list[ComparedBeat]:
    """Return the outcome of each beat, ascending; ``left_out`` are samples that are not scored."""
    found = _labels(predicted)
    if reference is None:
        pairs = zip(predicted.sample.tolist(), found, strict=True)
        return [ComparedBeat(sample, None, label, BEAT) for sample, label in pairs]
    has_classes = predicted.label is not None and reference.label is not None
    samples = np.concatenate([reference.sample, left_out])
    labels = _labels(reference) + [""] * len(left_out)
    order = np.argsort(samples, kind="stable")
    matches = match_beats(samples[order], predicted.sample, fs, tolerance)
    beats = []
    for i, j in zip(order[matches.reference_index], matches.detected_index, strict=True):
        outcome = RIGHT if labels[i] == found[j] or not has_classes else WRONG
        outcome = LEFT_OUT if i >= len(reference.sample) else outcome
        beats.append(ComparedBeat(int(predicted.sample[j]), labels[i], found[j], outcome))
    for i in order[matches.missed]:
        outcome = LEFT_OUT if i >= len(reference.sample) else MISSED
        beats.append(ComparedBeat(int(samples[i]), labels[i], None, outcome))
    for j in matches.extra:
        beats.append(ComparedBeat(int(predicted.sample[j]), None, found[j], EXTRA))
    return sorted(beats, key=lambda beat: beat.sample)


def sorted_labels(beats: Sequence[ComparedBeat]) -> list[Any]:
    """Return the labels that occur, sorted."""
    found = {label for beat in beats for label in (beat.reference, beat.predicted)}
    return sorted(found - {None}, key=str)


def count_errors(beats: Sequence[ComparedBeat]) -> dict[str, int]:
    """Return the number of errors of each kind."""
    outcomes = [beat.outcome for beat in beats]
    return {kind: outcomes.count(kind) for kind in ERRORS}


def _labels(beats: BeatList) -> list[Any]:
    return [""] * len(beats.sample) if beats.label is None else beats.label.tolist()
