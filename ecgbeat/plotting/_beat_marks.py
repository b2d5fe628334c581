"""Beats of a recording, as they are and as they were predicted (layer 3)."""

from typing import Any, NamedTuple

import numpy as np

from ecgbeat.labels import Annotation
from ecgbeat.metrics import match_beats

# what WFDB marks beside beats: rhythm, noise, waves, comments
_NO_BEATS = frozenset("[!]x()ptu`'^|~+sTD*=\"@")

BEAT, RIGHT, WRONG = "beat", "right", "wrong class"
MISSED, EXTRA, LEFT_OUT = "missed", "false alarm", "left out"
ERRORS = (WRONG, MISSED, EXTRA)


class Beats(NamedTuple):
    """Beats of one recording in the order of time."""

    sample: np.ndarray  # (n_beats,) int64
    label: np.ndarray | None  # (n_beats,)


class BeatMark(NamedTuple):
    """One beat to draw: where it is, and what each side says of it."""

    sample: int
    reference: Any  # label, None if there is no such beat
    predicted: Any  # label, None if there is no such beat
    outcome: str


def as_marks(name: str, beats: Any, n_times: int) -> Beats:
    """Return sample numbers and labels, ascending, or say what is wrong with them.

    Parameters
    ----------
    name : str
        What the caller calls the beats.
    beats : Annotation, AnnotatedBeats, pair of array-like, or array-like of int
        Sample numbers and labels; or sample numbers alone. Of an `Annotation`, or what
        ``wfdb.rdann`` returns, WFDB's marks that are no beats are left out.
    n_times : int
        Length of the recording.

    Returns
    -------
    Beats
    """
    label: Any = None
    is_wfdb = isinstance(beats, Annotation) or hasattr(beats, "aux_note")
    if hasattr(beats, "sample") and hasattr(beats, "symbol"):
        sample, label = beats.sample, beats.symbol
    elif isinstance(beats, (tuple, list)) and len(beats) == 2 and np.ndim(beats[0]) == 1:
        sample, label = beats
    else:
        sample = beats
    sample, label = np.asarray(sample), None if label is None else np.asarray(label)
    _check_marks(name, sample, label, n_times)
    if is_wfdb and label is not None:
        is_mark = np.isin(label, sorted(_NO_BEATS))
        sample, label = sample[~is_mark], label[~is_mark]
    order = np.argsort(sample, kind="stable")
    return Beats(sample[order].astype(np.int64), None if label is None else label[order])


def _check_marks(name: str, sample: np.ndarray, label: np.ndarray | None, n_times: int) -> None:
    if sample.ndim != 1 or (sample.size and sample.dtype.kind not in "iu"):
        raise ValueError(
            f"{name} must be sample numbers and labels, such as ecgbeat.labels.Annotation, or "
            f"sample numbers alone, got {sample.dtype} of shape {sample.shape}. Seconds times "
            "fs, rounded, are samples."
        )
    if label is not None and label.shape != sample.shape:
        raise ValueError(
            f"{name} needs one label for each sample number, got {label.shape} labels for "
            f"{sample.shape} samples."
        )
    outside = sample[(sample < 0) | (sample >= n_times)]
    if outside.size:
        raise ValueError(
            f"{name}: {outside.size} beats lie outside the recording of {n_times} samples, the "
            f"first at {int(outside[0])}. Do they belong to this recording?"
        )


def compare(
    predicted: Beats, reference: Beats | None, left_out: np.ndarray, fs: float, tolerance: float
) -> list[BeatMark]:
    """Pair predicted beats with those of a reference, and judge every one.

    Parameters
    ----------
    predicted : Beats
    reference : Beats or None
        None: there is nothing to compare with.
    left_out : ndarray of int64
        Samples of further beats of the reference, which count for nothing.
    fs, tolerance : float
        As in `ecgbeat.metrics.match_beats`.

    Returns
    -------
    list of BeatMark
        By sample. Pairs lie where they were predicted; labels are "" where there are none.
    """
    found = _labels(predicted)
    if reference is None:
        pairs = zip(predicted.sample.tolist(), found, strict=True)
        return [BeatMark(sample, None, label, BEAT) for sample, label in pairs]
    has_classes = predicted.label is not None and reference.label is not None
    places = np.concatenate([reference.sample, left_out])
    labels = _labels(reference) + [""] * len(left_out)
    order = np.argsort(places, kind="stable")
    matches = match_beats(places[order], predicted.sample, fs, tolerance)
    marks = []
    for i, j in zip(order[matches.reference_index], matches.detected_index, strict=True):
        outcome = RIGHT if labels[i] == found[j] or not has_classes else WRONG
        outcome = LEFT_OUT if i >= len(reference.sample) else outcome
        marks.append(BeatMark(int(predicted.sample[j]), labels[i], found[j], outcome))
    for i in order[matches.missed]:
        outcome = LEFT_OUT if i >= len(reference.sample) else MISSED
        marks.append(BeatMark(int(places[i]), labels[i], None, outcome))
    for j in matches.extra:
        marks.append(BeatMark(int(predicted.sample[j]), None, found[j], EXTRA))
    return sorted(marks, key=lambda mark: mark.sample)


def labels_of(marks: list[BeatMark]) -> list[Any]:
    """Return the labels that occur, in sorted order."""
    found = {label for mark in marks for label in (mark.reference, mark.predicted)}
    return sorted(found - {None}, key=str)


def count_errors(marks: list[BeatMark]) -> dict[str, int]:
    """Return how many errors of each kind there are."""
    outcomes = [mark.outcome for mark in marks]
    return {kind: outcomes.count(kind) for kind in ERRORS}


def _labels(beats: Beats) -> list[Any]:
    return [""] * len(beats.sample) if beats.label is None else beats.label.tolist()
