"""F1 score of annotated recordings, with detection errors."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ecgbeat._recordings import (
    Annotation,
    AnnotationLike,
    as_annotation,
    as_sample_numbers,
    check_ascending,
    check_one_per_recording,
    error_naming_recording,
)
from ecgbeat.metrics._matching import match_beats

_AVERAGES = ("macro", "micro", None)


def annotation_f1_score(
    references: Sequence[AnnotationLike],
    predictions: Sequence[AnnotationLike],
    fs: float,
    *,
    average: str | None = "macro",
    tolerance: float = 0.15,
    left_out: Sequence[ArrayLike] | None = None,
) -> float | np.ndarray:
    """Compute the F1 score of the beats and labels of recordings.

    Beats are paired by `match_beats`: as many pairs as possible and, among these pairings, the
    smallest sum of distances. A pair is right if both labels are equal. If not, it is a miss
    of the true class and a false alarm of the predicted one. A missed beat is a miss of its
    class, an extra beat a false alarm of its predicted class. A score of 1 requires that every
    beat is found, no other is predicted, and all labels are right.

    Parameters
    ----------
    references, predictions : sequence of pairs (sample, label)
        One pair for each recording: ascending sample numbers and one label for each. A
        pair may be a tuple, `ecgbeat.labels.Annotation`, or any object with the attributes
        ``sample`` and ``symbol``. All entries count as beats: select the beats of WFDB
        annotations with `ecgbeat.labels.select_beats`.
    fs : float
        Sampling rate in Hz.
    average : {"macro", "micro"} or None, default="macro"
        ``"macro"``: the mean of the classes' scores; ``"micro"``: one score of all beats
        together; None: one score for each class, in sorted order. Classes are those of
        the references and predictions.
    tolerance : float, default=0.15
        Largest distance of a pair in seconds.
    left_out : sequence of array-like of int, default=None
        For each recording, sample numbers of further true beats that are not scored: a
        prediction paired with one of them is neither right nor wrong.

    Returns
    -------
    float or ndarray of shape (n_classes,)
        Between 0 and 1; NaN where neither side has a beat.

    Raises
    ------
    TypeError
        If sample numbers are not integers, an argument is not a list with one entry for each
        recording, or ``fs`` or ``tolerance`` is not a number.
    ValueError
        If the sequences differ in length, a recording has another number of labels than of
        samples, samples do not ascend, or ``average`` is unknown.

    See Also
    --------
    match_beats : Pair the beats of one recording.
    ecgbeat.BeatAnnotator : Its ``score`` is this one.

    Notes
    -----
    With ``TP``, ``FN`` and ``FP`` counted as above, the score of a class is ``2 TP / (2 TP +
    FN + FP)``. In contrast to EC57, no learning period and no flutter episode is left out, and
    beats are not paired in temporal order as by ``bxb``: see `ec57_report` for such scores.

    Examples
    --------
    One N is missed, and one V is predicted where there is no beat:

    >>> from ecgbeat.metrics import annotation_f1_score
    >>> references = [([100, 400, 700], ["N", "V", "N"])]
    >>> predictions = [([101, 402, 900], ["N", "V", "V"])]
    >>> annotation_f1_score(references, predictions, fs=360, average=None).round(3)
    array([0.667, 0.667])
    >>> round(annotation_f1_score(references, predictions, fs=360), 3)
    0.667
    """
    if average not in _AVERAGES:
        raise ValueError(f"average must be one of {_AVERAGES}, got {average!r}.")
    true_beats = _as_annotations("references", references)
    predicted_beats = _as_annotations("predictions", predictions, len(true_beats))
    ignored: Sequence[ArrayLike] = [()] * len(true_beats) if left_out is None else left_out
    check_one_per_recording("left_out", ignored, len(true_beats))
    outcomes = []
    for index, (reference, prediction) in enumerate(zip(true_beats, predicted_beats, strict=True)):
        samples = as_sample_numbers(ignored[index], f"left_out[{index}]")
        outcomes.append(_compare(reference, prediction, samples, fs, tolerance))
    hits, errors = _count(outcomes)
    if average == "micro":
        hits, errors = hits.sum(keepdims=True), errors.sum(keepdims=True)
    # 0 / 1 where neither side has a beat, for which NaN is returned below
    scores = 2 * hits / np.maximum(2 * hits + errors, 1)
    if average is None:
        return scores
    return float(scores.mean()) if (hits + errors).any() else float("nan")


def _as_annotations(
    name: str, annotations: Sequence[AnnotationLike], n_recordings: int | None = None
) -> list[Annotation]:
    """Return ascending sample numbers and labels of each recording."""
    check_one_per_recording(name, annotations, n_recordings)
    converted = []
    for index, annotation in enumerate(annotations):
        with error_naming_recording(index, name):
            converted.append(as_annotation(annotation))
            check_ascending(converted[-1].sample, "sample")
    return converted


class _Outcome(NamedTuple):
    """Labels of one recording."""

    hits: np.ndarray  # of right pairs
    errors: list[np.ndarray]  # of misses and false alarms


def _compare(
    reference: Annotation,
    prediction: Annotation,
    left_out: np.ndarray,
    fs: float,
    tolerance: float,
) -> _Outcome:
    """Match the beats of one recording."""
    samples = np.concatenate([reference.sample, left_out])
    order = np.argsort(samples, kind="stable")
    is_scored = order < len(reference.sample)
    matches = match_beats(samples[order], prediction.sample, fs, tolerance)
    pairs = is_scored[matches.reference_index]
    missed = matches.missed[is_scored[matches.missed]]
    true = reference.symbol[order[matches.reference_index[pairs]]]
    predicted = prediction.symbol[matches.detected_index[pairs]]
    true, predicted = np.split(np.concatenate([true, predicted]), 2)  # now of one dtype
    is_hit = true == predicted
    errors = [true[~is_hit], predicted[~is_hit], reference.symbol[order[missed]]]
    return _Outcome(true[is_hit], [*errors, prediction.symbol[matches.extra]])


def _count(outcomes: list[_Outcome]) -> tuple[np.ndarray, np.ndarray]:
    """Return for each class the number of hits, and of misses and false alarms together."""
    # the dtype of empty arrays may be another than that of the labels
    hits = [outcome.hits for outcome in outcomes if outcome.hits.size]
    errors = [part for outcome in outcomes for part in outcome.errors if part.size]
    if not hits and not errors:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    classes, codes = np.unique(np.concatenate(hits + errors), return_inverse=True)
    n_hits = sum(len(part) for part in hits)
    return (
        np.bincount(codes[:n_hits], minlength=len(classes)),
        np.bincount(codes[n_hits:], minlength=len(classes)),
    )
