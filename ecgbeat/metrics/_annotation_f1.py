"""F1 score of annotated recordings, in which detection errors count (layer 1)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ecgbeat.metrics._matching import match_beats

_AVERAGES = ("macro", "micro", None)


class _Outcome(NamedTuple):
    """True and predicted labels of what was compared in one recording."""

    true: np.ndarray  # of the pairs
    predicted: np.ndarray  # of the pairs
    missed: np.ndarray  # labels of the reference beats without a partner
    extra: np.ndarray  # labels of the predicted beats without a partner


def annotation_f1_score(
    references: Sequence[Any],
    predictions: Sequence[Any],
    fs: float,
    *,
    average: str | None = "macro",
    tolerance: float = 0.15,
    left_out: Sequence[Any] | None = None,
) -> float | np.ndarray:
    """Compare the beats and labels of recordings with a reference.

    Beats are paired by `match_beats`. A pair is right if both labels are equal; if not, the
    true class has a miss and the predicted one a false alarm. A missed beat is a miss of
    its class, and an extra beat a false alarm of the class it was given. So a score of 1
    needs every beat found, none invented, and all labels right.

    Parameters
    ----------
    references, predictions : sequence of pairs (sample, label)
        One pair for each recording: ascending sample numbers and one label for each. A
        pair may be a tuple, `ecgbeat.labels.Annotation`, or any object with the attributes
        ``sample`` and ``symbol``. All entries of a reference count as beats:
        `ecgbeat.labels.select_beats` takes out what is none.
    fs : float
        Sampling rate in Hz.
    average : {"macro", "micro"} or None, default="macro"
        ``"macro"``: the mean of the classes' scores; ``"micro"``: one score of all beats
        together; None: one score for each class, in sorted order. Classes are those of
        the references and predictions.
    tolerance : float, default=0.15
        Largest distance of a pair in seconds.
    left_out : sequence of array-like of int, default=None
        For each recording, sample numbers of beats that are known to be there, but count
        for nothing: a prediction paired with one is neither right nor wrong.

    Returns
    -------
    float or ndarray of shape (n_classes,)
        Between 0 and 1; NaN where neither side has a beat.

    Raises
    ------
    TypeError
        If ``fs`` or ``tolerance`` is no number.
    ValueError
        If the sequences differ in length, a recording has another number of labels than of
        samples, samples do not ascend, or ``average`` is unknown.

    See Also
    --------
    match_beats : How beats are paired.
    ecgbeat.BeatAnnotator : Its ``score`` is this one.

    Notes
    -----
    With ``TP``, ``FN`` and ``FP`` counted as above, the score of a class is ``2 TP / (2 TP +
    FN + FP)``. No learning period and no flutter episode is left out, as EC57 would do.

    Examples
    --------
    One beat of each class is found; one N is missed, and one V is none:

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
    n_recordings = len(references)
    ignored = [()] * n_recordings if left_out is None else left_out
    for name, others in (("predictions", predictions), ("left_out", ignored)):
        if len(others) != n_recordings:
            raise ValueError(
                f"{name} must have one entry for each recording, got {len(others)} for "
                f"{n_recordings} references."
            )
    outcomes = []
    for index, triple in enumerate(zip(references, predictions, ignored, strict=True)):
        try:
            outcomes.append(_compare(*triple, fs, tolerance))
        except ValueError as error:
            raise ValueError(f"recording {index}: {error}") from error
    hits, errors = _count(outcomes)
    if average == "micro":
        hits, errors = hits.sum(keepdims=True), errors.sum(keepdims=True)
    # without a class there is no beat on either side, and 0 / 0 is NaN
    scores = 2 * hits / np.maximum(2 * hits + errors, 1)
    if average is None:
        return scores
    return float(scores.mean()) if (hits + errors).any() else float("nan")


def _compare(
    reference: Any, prediction: Any, ignored: Any, fs: float, tolerance: float
) -> _Outcome:
    """Match one recording, and leave out what does not count."""
    sample, label = _as_pair("references", reference)
    found, found_label = _as_pair("predictions", prediction)
    ignored = np.asarray(ignored, dtype=np.int64)
    places = np.concatenate([sample, ignored])
    order = np.argsort(places, kind="stable")
    counts = order < len(sample)
    matches = match_beats(places[order], found, fs, tolerance)
    pairs = counts[matches.reference_index]
    missed = matches.missed[counts[matches.missed]]
    return _Outcome(
        label[order[matches.reference_index[pairs]]],
        found_label[matches.detected_index[pairs]],
        label[order[missed]],
        found_label[matches.extra],
    )


def _as_pair(name: str, beats: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return sample numbers and labels, one for each."""
    if hasattr(beats, "sample") and hasattr(beats, "symbol"):
        sample, label = beats.sample, beats.symbol
    else:
        sample, label = beats
    sample, label = np.asarray(sample), np.asarray(label)
    if sample.ndim != 1 or sample.shape != label.shape:
        raise ValueError(
            f"{name} needs one label for each sample number, got samples of shape {sample.shape} "
            f"and labels of shape {label.shape}."
        )
    return sample if sample.size else sample.astype(np.int64), label


def _count(outcomes: list[_Outcome]) -> tuple[np.ndarray, np.ndarray]:
    """Return hits, and misses and false alarms together, of each class."""
    parts = [part for outcome in outcomes for part in outcome if part.size]
    if not parts:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    classes, codes = np.unique(np.concatenate(parts), return_inverse=True)
    hits = np.zeros(len(classes), np.int64)
    errors = hits.copy()
    encoded = iter(np.split(codes, np.cumsum([part.size for part in parts])[:-1]))
    for outcome in outcomes:
        true, predicted, missed, extra = (
            next(encoded) if part.size else np.zeros(0, np.int64) for part in outcome
        )
        right = true == predicted
        np.add.at(hits, true[right], 1)
        for wrong in (true[~right], predicted[~right], missed, extra):
            np.add.at(errors, wrong, 1)
    return hits, errors
