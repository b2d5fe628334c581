"""Annotated recordings as the web page and the HTTP interface get them, and return them."""

import json
import reprlib
from collections.abc import Callable, Mapping
from copy import copy
from typing import Any, NamedTuple

import numpy as np

from ecgbeat.annotation import (
    UNCLASSIFIED,
    AnnotatedBeats,
    BeatAnnotator,
    class_name,
    is_uncertain,
    summarize_beats,
)
from ecgbeat.app._models import Model, load_annotator
from ecgbeat.app._requests import RequestError, raise_if_left
from ecgbeat.app._uploads import Recording, as_fs
from ecgbeat.labels import Annotation, label_beats, select_beats
from ecgbeat.metrics import ec57_report, match_beats
from ecgbeat.signal import detect_r_peaks

MISSING = -32768  # count of a missing sample
_NATIVE_S = 35 * 60  # up to this length, the page gets all samples
_LONG_RATE = 180.0  # values per second and lead of the finest level of longer recordings
_FACTOR = 4  # of a level to the next
_FEWEST_COLUMNS = 2000  # of the coarsest level
_LEARNING_S = 300.0  # that EC57 does not score, in recordings twice as long
_MAX_BEATS, MAX_TIMES = 2_000_000, 2**31
MAX_NAME, _MAX_LABEL = 80, 8  # letters


class Findings(NamedTuple):
    """Beats of a recording, and its reference annotation if there is one."""

    record_name: str
    fs: float
    n_times: int
    beats: AnnotatedBeats
    reference: Annotation | None


def as_json_body(recording: Recording, model: Model) -> bytes:
    """Return the beats of a recording and their summary as JSON."""
    findings = _find(recording, model)
    summary = _summary(findings)
    return as_json({**_head(recording, model), **_found(findings, model), "summary": summary})


def signal_part(recording: Recording, model: Model) -> bytes:
    """Return the signal as the page draws it: the length of a JSON text, the text, int16 arrays."""
    counts, scale = _as_counts(recording.signal)
    levels, arrays = _levels(counts, recording.fs)
    known = {**_head(recording, model), "has_reference": recording.annotation is not None}
    text = as_json({**known, "scale": scale, "levels": levels})
    padding = b"\0" * (-len(text) % 4)
    parts = [len(text).to_bytes(4, "little"), text, padding]
    return b"".join([*parts, *(array.astype("<i2", copy=False).tobytes() for array in arrays)])


def beats_part(recording: Recording, model: Model) -> bytes:
    """Return all that the page shows of the beats of a recording, as JSON."""
    findings = _find(recording, model)
    reference = None
    if findings.reference is not None:  # whole, since the page returns it with corrected labels
        reference = {name: x.tolist() for name, x in findings.reference._asdict().items()}
    found = {**_found(findings, model), "reference": reference}
    return as_json({**found, **_figures(findings, model)})


def compared_part(body: Mapping[str, Any]) -> bytes:
    """Return the figures that depend on labels, for the labels of a JSON object of the page."""
    findings, model = as_findings(body), load_annotator(body.get("model"))
    known = [*_classes(model), UNCLASSIFIED]
    unknown = sorted(set(findings.beats.symbol.tolist()) - set(known))
    if unknown:
        raise RequestError(422, f"beats.label must be of {known!r}, got {unknown[:3]!r}.")
    try:
        return as_json(_figures(findings, model))
    except ValueError as error:  # such as symbols of the reference that WFDB does not have
        raise RequestError(422, str(error)) from error


def _find(recording: Recording, model: Model) -> Findings:
    """Detect and classify the beats of a recording."""
    try:
        beats = _stoppable(model.estimator).predict([recording.signal], fs=recording.fs)[0]
    except ValueError as error:  # such as a recording that is too short
        raise RequestError(422, str(error).removeprefix("recordings[0]: ")) from error
    n_times = recording.signal.shape[1]
    return Findings(recording.record_name, recording.fs, n_times, beats, recording.annotation)


def _stoppable(annotator: Any) -> Any:
    """Return an annotator that stops between two of its steps if the client has left."""
    if not isinstance(annotator, BeatAnnotator):
        return annotator

    def checked(step: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            raise_if_left()
            result = step(*args)
            raise_if_left()
            return result

        return call

    stoppable = copy(annotator)
    stoppable.detector = checked(annotator.detector or detect_r_peaks)
    if annotator.features_ is not None:
        stoppable.features_ = checked(annotator.features_)
    return stoppable


def _head(recording: Recording, model: Model) -> dict[str, Any]:
    """Return what is known of a recording before its beats, ready for JSON."""
    return {
        "record_name": recording.record_name,
        "fs": recording.fs,
        "n_times": recording.signal.shape[1],
        "lead_names": recording.lead_names,
        "model": model.card,
    }


def _found(findings: Findings, model: Model) -> dict[str, Any]:
    """Return the beats of a recording, ready for JSON."""
    beats, classes = findings.beats, _classes(model)
    unreadable = np.empty((0, 2), int) if beats.unreadable is None else beats.unreadable
    return {
        "beats": beats_as_json(beats, classes),
        "classes": classes,
        "class_names": {name: class_name(name) or name for name in (*classes, UNCLASSIFIED)},
        "unreadable": unreadable.tolist(),
    }


def _classes(model: Model) -> list[str]:
    return [str(name) for name in model.estimator.classes_]


def _summary(findings: Findings) -> dict[str, Any]:
    """Return the summary of a recording, ready for JSON."""
    return summarize_beats(findings.beats, fs=findings.fs, n_times=findings.n_times).as_dict()


def as_json(content: dict[str, Any]) -> bytes:
    """Return a JSON text."""
    return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()


def beats_as_json(beats: AnnotatedBeats, classes: list[str]) -> dict[str, list[Any]]:
    """Return samples and labels, with the probability of each label, and whether it is low."""
    label = beats.symbol.astype(str)
    probability = np.ones(len(label))
    if beats.probability is not None and len(label):
        columns = np.array([classes.index(c) if c in classes else -1 for c in label.tolist()])
        chosen = beats.probability[np.arange(len(label)), columns]
        probability = np.where(columns < 0, beats.probability.max(axis=1), chosen)
        # down, so that no uncertain beat becomes a certain one in the report of the page
        probability = np.floor(1000 * probability).astype(np.float64) / 1000
    return {
        "sample": beats.sample.tolist(),
        "label": label.tolist(),
        "probability": probability.tolist(),
        "uncertain": is_uncertain(beats).tolist(),
    }


# --- levels ---------------------------------------------------------------------------


def _as_counts(signal: np.ndarray) -> tuple[np.ndarray, float]:
    """Return a recording as int16, and the mV of a count; single spikes are clipped."""
    some = np.abs(signal[:, :: max(1, signal.shape[1] // 100_000)])
    some = some[np.isfinite(some)]
    largest = max(2 * float(np.quantile(some, 0.999)), 1.0) if len(some) else 1.0
    scale = largest / 32767
    counts = np.empty(signal.shape, np.int16)
    step = 2**18  # samples at a time, which bounds the memory
    for start in range(0, signal.shape[1], step):
        block = signal[:, start : start + step] / scale
        is_missing = ~np.isfinite(block)
        np.clip(np.rint(block, out=block), -32767, 32767, out=block)
        block[is_missing] = MISSING
        counts[:, start : start + step] = block
    return counts, scale


def _levels(counts: np.ndarray, fs: float) -> tuple[list[dict[str, Any]], list[np.ndarray]]:
    """Return a pyramid of minima and maxima, finest first: descriptions and arrays."""
    levels, arrays, step = [], list[np.ndarray](), 1
    n_times = counts.shape[1]
    if n_times / fs <= _NATIVE_S:
        arrays.append(counts)
        levels.append({"step": 1, "kind": "samples", "offset": 0, "n_columns": n_times})
    else:  # two values a column
        step = max(1, -(-int(2 * fs) // int(_LONG_RATE)) // _FACTOR) * _FACTOR
    low, high = counts, counts
    if step > 1:
        low, high = _reduced(low, high, step)
    while True:
        if step > 1:
            arrays.append(np.stack([low, high], axis=2))
            levels.append({"step": step, "kind": "minmax", "n_columns": low.shape[1]})
            levels[-1]["offset"] = sum(array.nbytes for array in arrays[:-1])
        if low.shape[1] <= _FEWEST_COLUMNS:
            return levels, arrays
        low, high = _reduced(low, high, _FACTOR)
        step *= _FACTOR


def _reduced(low: np.ndarray, high: np.ndarray, step: int) -> tuple[np.ndarray, np.ndarray]:
    """Return minima and maxima of ``step`` columns each; missing ones do not count."""
    n_columns = -(-low.shape[1] // step)
    lowest = np.full((len(low), n_columns), 32767, np.int16)
    highest = np.full((len(low), n_columns), MISSING, np.int16)
    for first in range(min(step, low.shape[1])):
        part = low[:, first::step]
        present = np.where(part == MISSING, np.int16(32767), part)
        target = lowest[:, : part.shape[1]]
        np.minimum(target, present, out=target)
        target = highest[:, : part.shape[1]]
        np.maximum(target, high[:, first::step], out=target)
    lowest[highest == MISSING] = MISSING
    return lowest, highest


# --- figures that depend on labels --------------------------------------------------------


def _figures(findings: Findings, model: Model) -> dict[str, Any]:
    """Return the summary and, if there is a reference, errors and the report of EC57."""
    summary, reference = _summary(findings), findings.reference
    if reference is None:
        return {"summary": summary, "n_reference": None, "errors": [], "report": None}
    seconds = findings.n_times / findings.fs
    report = ec57_report(
        [reference],
        [findings.beats],
        findings.fs,
        learning_period=_LEARNING_S if seconds >= 2 * _LEARNING_S else 0.0,
        record_names=[findings.record_name],
    )
    return {
        "summary": summary,
        "n_reference": len(select_beats(reference).sample),
        "errors": _errors(findings.beats, reference, findings.fs, model),
        "report": str(report),
    }


def _errors(
    beats: AnnotatedBeats, reference: Annotation, fs: float, model: Model
) -> list[dict[str, Any]]:
    """Return the differences between the reference and beats, ascending."""
    scored = label_beats(reference, model.estimator.symbols, model.estimator.mapping)
    labels = scored.label.astype(object)
    matches = match_beats(scored.sample, beats.sample, fs)
    errors: list[dict[str, Any]] = []
    for i, j in zip(matches.reference_index, matches.detected_index, strict=True):
        if scored.is_scored[i] and labels[i] != beats.symbol[j]:
            errors.append(_error(beats.sample[j], "class", labels[i], beats.symbol[j]))
    missed = [i for i in matches.missed if scored.is_scored[i]]
    errors += [_error(scored.sample[i], "missed", labels[i], None) for i in missed]
    errors += [_error(beats.sample[j], "false", None, beats.symbol[j]) for j in matches.extra]
    return sorted(errors, key=lambda error: error["sample"])


def _error(sample: int, kind: str, reference: Any, predicted: Any) -> dict[str, Any]:
    """Return one difference between reference and prediction."""
    texts = {
        name: None if label is None else str(label)
        for name, label in (("reference", reference), ("predicted", predicted))
    }
    return {"sample": int(sample), "kind": kind, **texts}


# --- beats that the page returns ----------------------------------------------------------


def as_findings(body: Mapping[str, Any]) -> Findings:
    """Return the beats of a JSON object, and the reference if it has one, or raise."""
    try:
        fs, n_times, given = as_fs(body["fs"]), int(body["n_times"]), body["beats"]
        sample, label = given["sample"], given["label"]
        probability = given.get("probability")
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise RequestError(
            422, "The object must have fs, n_times and beats, with sample and label in lists."
        ) from error
    if not 0 < n_times <= MAX_TIMES:
        raise RequestError(
            422, f"n_times must be from 1 to {MAX_TIMES}, got {reprlib.repr(n_times)}."
        )
    sample, label = _as_pair(sample, label, "beats", "label")
    if len(sample) and not 0 <= sample[0] <= sample[-1] < n_times:
        raise RequestError(
            422,
            f"beats.sample must be from 0 to {n_times - 1}, got {sample[0]} to {sample[-1]}.",
        )
    if (np.diff(sample) == 0).any():
        raise RequestError(422, "beats.sample must have a sample for each beat, got some twice.")
    beats = AnnotatedBeats(sample, label, _as_probability(probability, len(sample)))
    beats.unreadable = _as_stretches(body.get("unreadable"), n_times)
    name, reference = str(body.get("record_name", ""))[:MAX_NAME], body.get("reference")
    if reference is not None:
        reference = _as_reference(reference)
    return Findings(name or "recording", fs, n_times, beats, reference)


def _as_reference(given: Any) -> Annotation:
    """Return the annotation of a JSON object, or raise."""
    if not isinstance(given, Mapping):
        raise RequestError(
            422, f"reference must be an object with sample and symbol, got {reprlib.repr(given)}."
        )
    pair = _as_pair(given.get("sample"), given.get("symbol"), "reference", "symbol")
    return Annotation(*pair)


def _as_pair(sample: Any, label: Any, name: str, of_labels: str) -> tuple[np.ndarray, np.ndarray]:
    """Return ascending sample numbers, and the label of each, or raise."""
    samples = _as_samples(sample, f"{name}.sample")
    if samples.ndim != 1 or not isinstance(label, list) or len(label) != len(samples):
        n = len(label) if isinstance(label, list) else reprlib.repr(label)
        raise RequestError(
            422,
            f"{name}.{of_labels} must be a list of {len(samples)}, one for each sample, got {n}.",
        )
    if len(wrong := np.flatnonzero(np.diff(samples) < 0)):
        before, after = samples[wrong[0] : wrong[0] + 2]
        raise RequestError(422, f"{name}.sample must ascend, got {after} after {before}.")
    return samples, np.array([str(text)[:_MAX_LABEL] for text in label], dtype=str)


def _as_samples(values: Any, name: str) -> np.ndarray:
    """Return sample numbers of a JSON value, or raise."""
    try:
        numbers = np.array(values)
    except ValueError:  # lists of different lengths
        numbers = np.empty(0, object)
    if not isinstance(values, list) or (numbers.dtype.kind != "i" and len(values)):
        raise RequestError(
            422, f"{name} must be a list of whole numbers, got {reprlib.repr(values)}."
        )
    if len(values) > _MAX_BEATS:
        raise RequestError(413, f"{name} may have {_MAX_BEATS} numbers, got {len(values)}.")
    return numbers.astype(np.int64)


def _as_probability(values: Any, n_beats: int) -> np.ndarray | None:
    """Return the probabilities of the labels as a column, or raise."""
    if not values:
        return None
    try:
        column = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        column = np.empty(0)
    if column.shape != (n_beats,) or not ((column >= 0) & (column <= 1)).all():  # NaN is neither
        raise RequestError(
            422,
            f"beats.probability must be {n_beats} numbers from 0 to 1, got {reprlib.repr(values)}.",
        )
    return column[:, np.newaxis]


def _as_stretches(values: Any, n_times: int) -> np.ndarray:
    """Return ascending stretches within a recording, or raise."""
    edges = _as_samples(values or [], "unreadable")
    if not len(edges):
        return np.empty((0, 2), np.int64)
    is_apart = edges.ndim == 2 and edges.shape[1] == 2 and (np.diff(edges.ravel()) >= 0).all()
    if not is_apart or edges[0, 0] < 0 or edges[-1, 1] > n_times:
        raise RequestError(
            422,
            "unreadable must be pairs of the first sample of a stretch and the one after its "
            f"last, ascending from 0 to {n_times}, got {reprlib.repr(values)}.",
        )
    return edges
