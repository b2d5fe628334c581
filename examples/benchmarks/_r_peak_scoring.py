"""Records and scores of r_peaks.py; with its noise usable by itself, to try a detector.

records = load_records("mitdb", lead=0)
score(records, detect_r_peaks)["f1"]
score(add_noise_to_all(records, "electrode", 6.0), detect_r_peaks)["f1"]
"""

import zlib
from typing import NamedTuple

import numpy as np
from _r_peak_noise import NOISES, add_noise

from ecgbeat.datasets import load_wfdb
from ecgbeat.labels import select_beats
from ecgbeat.metrics import match_beats
from ecgbeat.signal import bridge_gaps

__all__ = [
    "NOISES",
    "Record",
    "add_noise",
    "add_noise_to_all",
    "detect_all",
    "load_records",
    "score",
    "score_detections",
]

TOLERANCE_S = 0.15
NARROW_TOLERANCE_S = 0.1


class Record(NamedTuple):
    """One lead in mV, its sampling rate in Hz, its beats, its flutter episodes, its name."""

    x: np.ndarray
    fs: float
    reference: np.ndarray
    flutter: list[tuple[int, int]]
    name: str


def load_records(folder, lead=0, records=None, annotator="atr"):
    """Read one lead of annotated WFDB records; invalid samples are bridged by straight lines."""
    data = load_wfdb(folder, records, lead=lead, annotator=annotator, dtype=np.float64)
    return [
        Record(
            bridge_gaps(x),
            data.fs,
            select_beats(annotation).sample,
            flutter_spans(annotation, len(x)),
            name,
        )
        for x, annotation, name in zip(
            data.recordings, data.annotations, data.record_names, strict=True
        )
    ]


def flutter_spans(annotation, n_times):
    """List the episodes from "[" to "]", both included; one that is never closed ends with x."""
    sample, symbol = annotation
    ends = sample[symbol == "]"]
    return [
        (int(start), int(min(ends[ends > start], default=n_times)))
        for start in sample[symbol == "["]
    ]


def outside(samples, spans):
    """Keep the samples that lie in none of the spans."""
    keep = np.ones(len(samples), dtype=bool)
    for start, end in spans:
        keep &= (samples < start) | (samples > end)
    return samples[keep]


def detect_all(records, detect, progress=iter):
    """Run ``detect(x, fs)`` over all records.

    Returns the detections, ascending, and a dict of record name to error: a record on
    which the detector fails has no detections.
    """
    detections, failures = [], {}
    for record in progress(records):
        try:
            found = np.sort(np.asarray(detect(record.x, record.fs)).astype(np.int64).ravel())
        except Exception as error:  # whatever a peer comes up with
            failures[record.name] = f"{type(error).__name__}: {error}"
            found = np.empty(0, dtype=np.int64)
        detections.append(found)
    return detections, failures


def score(records, detect):
    """Run a detector and score it; see `score_detections`, and `detect_all` for ``failures``."""
    detections, failures = detect_all(records, detect)
    return {**score_detections(records, detections), "failures": failures}


def score_detections(records, detections):
    """Score detections against the annotated beats, all records taken together.

    Returns
    -------
    dict
        ``f1``, ``se``, ``ppv`` at 150 ms and ``f1_100ms``, with flutter episodes left out of
        reference and detections; the same four with ``_all`` appended with nothing left out;
        ``offset_ms``, the mean distance of the pairs at 150 ms, flutter left out, after each
        record's median shift is taken off; ``errors``, a dict of record name to the number
        of missed and extra beats, flutter left out.
    """
    wide, narrow, wide_all, narrow_all, offsets = [], [], [], [], []
    for record, found in zip(records, detections, strict=True):
        beats = outside(record.reference, record.flutter)
        kept = outside(found, record.flutter)
        matches = match_beats(beats, kept, record.fs, TOLERANCE_S)
        wide.append(matches)
        narrow.append(match_beats(beats, kept, record.fs, NARROW_TOLERANCE_S))
        wide_all.append(match_beats(record.reference, found, record.fs, TOLERANCE_S))
        narrow_all.append(match_beats(record.reference, found, record.fs, NARROW_TOLERANCE_S))
        shift = kept[matches.detected_index] - beats[matches.reference_index]
        if shift.size:
            offsets.append(np.abs(shift - np.median(shift)) / record.fs * 1e3)
    return {
        **_totals(wide),
        "f1_100ms": _totals(narrow)["f1"],
        **{f"{name}_all": value for name, value in _totals(wide_all).items()},
        "f1_100ms_all": _totals(narrow_all)["f1"],
        "offset_ms": float(np.concatenate(offsets).mean()) if offsets else float("nan"),
        "errors": {
            record.name: (len(matches.missed), len(matches.extra))
            for record, matches in zip(records, wide, strict=True)
        },
    }


def _totals(matches):
    """Return F1, Se and +P of all records taken together."""
    found = sum(len(record.reference_index) for record in matches)
    missed = sum(len(record.missed) for record in matches)
    extra = sum(len(record.extra) for record in matches)
    return {
        "f1": _share(2 * found, 2 * found + missed + extra),
        "se": _share(found, found + missed),
        "ppv": _share(found, found + extra),
    }


def _share(part, whole):
    return part / whole if whole else float("nan")


def add_noise_to_all(records, kind, snr_db, seed=0):
    """Add noise to every record: for one seed and kind the same wave at every ratio."""
    noisy = []
    for record in records:
        if not len(record.reference):
            raise ValueError(
                f"record {record.name}: without a beat there is no signal-to-noise ratio."
            )
        # from the name, so that a record's noise does not depend on which others there are
        rng = np.random.default_rng([seed, zlib.crc32(f"{kind} {record.name}".encode())])
        x = add_noise(record.x, record.fs, kind, snr_db, rng, reference=record.reference)
        noisy.append(record._replace(x=x))
    return noisy
