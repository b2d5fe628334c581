"""Annotated recordings as the web page and the HTTP interface get them."""

import json
from typing import Any

import numpy as np

from ecgbeat.annotation import (
    UNCLASSIFIED,
    AnnotatedBeats,
    class_name,
    is_uncertain,
    summarize_beats,
)
from ecgbeat.app._models import Model
from ecgbeat.app._requests import RequestError
from ecgbeat.app._uploads import Recording
from ecgbeat.labels import label_beats, select_beats
from ecgbeat.metrics import ec57_report, match_beats

MISSING = -32768  # count of a missing sample
_NATIVE_S = 35 * 60  # up to this length, the page gets all samples
_LONG_RATE = 180.0  # values per second and lead of the finest level of longer recordings
_FACTOR = 4  # of a level to the next
_FEWEST_COLUMNS = 2000  # of the coarsest level
_LEARNING_S = 300.0  # that EC57 does not score, in recordings twice as long


def as_json_body(recording: Recording, model: Model) -> bytes:
    """Return the beats of a recording and their summary as JSON."""
    found = _found(recording, _annotate(recording, model), model)
    return as_json({**_head(recording, model), **found})


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
    beats = _annotate(recording, model)
    found = _found(recording, beats, model)
    return as_json({**found, **_comparison(recording, beats, model)})


def _annotate(recording: Recording, model: Model) -> AnnotatedBeats:
    """Detect and classify the beats of a recording."""
    try:
        return model.estimator.predict([recording.signal], fs=recording.fs)[0]
    except ValueError as error:  # such as a recording that is too short
        raise RequestError(422, str(error).removeprefix("recordings[0]: ")) from error


def _head(recording: Recording, model: Model) -> dict[str, Any]:
    """Return what is known of a recording before its beats, ready for JSON."""
    return {
        "record_name": recording.record_name,
        "fs": recording.fs,
        "n_times": recording.signal.shape[1],
        "lead_names": recording.lead_names,
        "model": model.card,
    }


def _found(recording: Recording, beats: AnnotatedBeats, model: Model) -> dict[str, Any]:
    """Return beats and summary of a recording, ready for JSON."""
    classes = [str(name) for name in model.estimator.classes_]
    unreadable = np.empty((0, 2), int) if beats.unreadable is None else beats.unreadable
    summary = summarize_beats(beats, fs=recording.fs, n_times=recording.signal.shape[1])
    return {
        "beats": beats_as_json(beats, classes),
        "classes": classes,
        "class_names": {name: class_name(name) or name for name in (*classes, UNCLASSIFIED)},
        "unreadable": unreadable.tolist(),
        "summary": summary.as_dict(),
    }


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
    return {
        "sample": beats.sample.tolist(),
        "label": label.tolist(),
        "probability": np.round(probability, 3).tolist(),
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


# --- comparison with a reference ---------------------------------------------------------


def _comparison(recording: Recording, beats: AnnotatedBeats, model: Model) -> dict[str, Any]:
    """Return reference beats, errors and the report of EC57, if there is a reference."""
    if recording.annotation is None:
        return {"reference": None, "errors": [], "report": None}
    reference, fs = select_beats(recording.annotation), recording.fs
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
    learning_s = _LEARNING_S if recording.signal.shape[1] / fs >= 2 * _LEARNING_S else 0.0
    report = ec57_report(
        [recording.annotation],
        [beats],
        fs,
        learning_period=learning_s,
        record_names=[recording.record_name],
    )
    return {
        "reference": {
            "sample": reference.sample.tolist(),
            "symbol": reference.symbol.tolist(),
        },
        "errors": sorted(errors, key=lambda error: error["sample"]),
        "report": str(report),
    }


def _error(sample: int, kind: str, reference: Any, predicted: Any) -> dict[str, Any]:
    """Return one difference between reference and prediction."""
    texts = {
        name: None if label is None else str(label)
        for name, label in (("reference", reference), ("predicted", predicted))
    }
    return {"sample": int(sample), "kind": kind, **texts}
