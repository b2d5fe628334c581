"""Annotated recordings as the web page and the HTTP interface get them."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

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
_BEFORE_S, _AFTER_S = 0.3, 0.5  # of mean beats
_MEAN_OF = 400  # beats of a class at most
_LEARNING_S = 300.0  # that EC57 does not score, in recordings twice as long


class Annotated(NamedTuple):
    """Recording with its beats."""

    recording: Recording
    beats: AnnotatedBeats
    model: Model


def as_json_body(recording: Recording, model: Model) -> bytes:
    """Return the beats of a recording and their summary as JSON."""
    return _encode(_described(_annotate(recording, model)))


def as_page_body(recording: Recording, model: Model) -> bytes:
    """Return all that the page draws: the length of a JSON text, the text, and int16 arrays."""
    with ThreadPoolExecutor(1) as thread:  # NumPy and SciPy work beside each other
        drawing = thread.submit(_draw, recording)
        annotated = _annotate(recording, model)
        scale, levels, arrays = drawing.result()
    shown = {
        **_described(annotated),
        "scale": scale,
        "levels": levels,
        "mean_beats": _mean_beats(annotated),
        **_comparison(annotated),
    }
    text = _encode(shown)
    padding = b"\0" * (-len(text) % 4)
    parts = [len(text).to_bytes(4, "little"), text, padding]
    return b"".join([*parts, *(array.astype("<i2", copy=False).tobytes() for array in arrays)])


def _annotate(recording: Recording, model: Model) -> Annotated:
    """Detect and classify the beats of a recording."""
    try:
        beats = model.estimator.predict([recording.signal], fs=recording.fs)[0]
    except ValueError as error:  # such as a recording that is too short
        raise RequestError(422, str(error).removeprefix("recordings[0]: ")) from error
    return Annotated(recording, beats, model)


def _described(annotated: Annotated) -> dict[str, Any]:
    """Return beats and summary of a recording, ready for JSON."""
    recording, beats, model = annotated
    n_times = recording.signal.shape[1]
    classes = [str(name) for name in model.estimator.classes_]
    unreadable = np.empty((0, 2), int) if beats.unreadable is None else beats.unreadable
    return {
        "record_name": recording.record_name,
        "fs": recording.fs,
        "n_times": n_times,
        "lead_names": recording.lead_names,
        "beats": beats_as_json(beats, classes),
        "classes": classes,
        "class_names": {name: class_name(name) or name for name in (*classes, UNCLASSIFIED)},
        "unreadable": unreadable.tolist(),
        "summary": summarize_beats(beats, fs=recording.fs, n_times=n_times).as_dict(),
        "model": model.card,
    }


def _encode(content: dict[str, Any]) -> bytes:
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


def _draw(recording: Recording) -> tuple[float, list[dict[str, Any]], list[np.ndarray]]:
    """Return the mV of a count, and levels: descriptions and arrays."""
    counts, scale = _as_counts(recording.signal)
    return scale, *_levels(counts, recording.fs)


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


# --- mean beats and comparison ----------------------------------------------------------


def _mean_beats(annotated: Annotated) -> dict[str, Any]:
    """Return the mean beat of each class in mV, about its own median."""
    signal, fs = annotated.recording.signal, annotated.recording.fs
    before, after = round(_BEFORE_S * fs), round(_AFTER_S * fs)
    window = np.arange(-before, after)
    means = {}
    for name in np.unique(annotated.beats.symbol).tolist():
        peaks = annotated.beats.sample[annotated.beats.symbol == name]
        peaks = peaks[(peaks >= before) & (peaks < signal.shape[1] - after)]
        peaks = peaks[:: -(-len(peaks) // _MEAN_OF) or 1]
        waves = signal[:, peaks[:, np.newaxis] + window]  # (n_leads, n_beats, n_times)
        waves = waves[:, np.isfinite(waves).all(axis=(0, 2))]
        if waves.shape[1]:
            waves = waves - np.median(waves, axis=2, keepdims=True)
            means[str(name)] = np.round(waves.mean(axis=1, dtype=np.float64), 4).tolist()
    return {"fs": fs, "before": before / fs, "classes": means}


def _comparison(annotated: Annotated) -> dict[str, Any]:
    """Return reference beats, errors and the report of EC57, if there is a reference."""
    recording, beats, model = annotated
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
