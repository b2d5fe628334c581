"""Records and scores for r_peaks.py, which can also be used to evaluate a single detector.

records = load_records("mitdb", lead=0)
score(records, detect_r_peaks)["f1"]
score(add_noise_to_all(records, "electrode", 6.0), detect_r_peaks)["f1"]
"""

import zlib
from typing import NamedTuple

import numpy as np
from _r_peak_noise import NOISES, add_noise, mix

from ecgbeat.datasets import load_wfdb
from ecgbeat.labels import select_beats
from ecgbeat.metrics import match_beats
from ecgbeat.signal import bridge_gaps

__all__ = [
    "NOISES",
    "Record",
    "add_noise",
    "add_noise_to_all",
    "add_recorded_to_all",
    "detect_all",
    "load_records",
    "score",
    "score_detections",
]

TOLERANCE_S = 0.15
NARROW_TOLERANCE_S = 0.1
_SHIFT = 7919  # samples of recorded noise from one record to the next


class Record(NamedTuple):
    """A recording in mV, its sampling rate in Hz, annotated beats, flutter episodes and name."""

    x: np.ndarray  # (n_times,), or (n_leads, n_times) for all leads
    fs: float
    reference: np.ndarray
    flutter: list[tuple[int, int]]
    name: str


def load_records(folder, lead=0, records=None, annotator="atr"):
    """Read annotated WFDB records and interpolate invalid samples linearly; None: all leads."""
    data = load_wfdb(folder, records, lead=lead, annotator=annotator, dtype=np.float64)
    return [
        Record(
            bridge_gaps(x),
            data.fs,
            select_beats(annotation).sample,
            flutter_spans(annotation, x.shape[-1]),
            name,
        )
        for x, annotation, name in zip(
            data.recordings, data.annotations, data.record_names, strict=True
        )
    ]


def flutter_spans(annotation, n_times):
    """Return the flutter episodes from "[" to "]", inclusive; open episodes end with the record."""
    sample, symbol = annotation
    ends = sample[symbol == "]"]
    return [
        (int(start), int(min(ends[ends > start], default=n_times)))
        for start in sample[symbol == "["]
    ]


def exclude_spans(samples, spans):
    """Return the samples outside of all spans."""
    keep = np.ones(len(samples), dtype=bool)
    for start, end in spans:
        keep &= (samples < start) | (samples > end)
    return samples[keep]


def detect_all(records, detect, progress=iter):
    """Run ``detect(x, fs)`` over all records.

    Returns the detections in ascending order, and a dict from record name to error. If the
    detector fails on a record, the record has no detections.
    """
    detections, failures = [], {}
    for record in progress(records):
        try:
            found = np.sort(np.asarray(detect(record.x, record.fs)).astype(np.int64).ravel())
        except Exception as error:  # other packages can raise any error
            failures[record.name] = f"{type(error).__name__}: {error}"
            found = np.empty(0, dtype=np.int64)
        detections.append(found)
    return detections, failures


def score(records, detect):
    """Run and score a detector; see `score_detections`, and `detect_all` for ``failures``."""
    detections, failures = detect_all(records, detect)
    return {**score_detections(records, detections), "failures": failures}


def score_detections(records, detections):
    """Score detections against the annotated beats of all records.

    Returns
    -------
    dict
        ``f1``, ``se`` and ``ppv`` at 150 ms and ``f1_100ms``, without flutter episodes; the
        same four with the suffix ``_all``, with flutter episodes; ``offset_ms``, the mean
        distance of the pairs at 150 ms, without flutter episodes, after removing the median
        shift of each record; ``errors``, a dict from record name to the number of missed and
        extra beats, without flutter episodes.
    """
    wide, narrow, wide_all, narrow_all, offsets = [], [], [], [], []
    for record, found in zip(records, detections, strict=True):
        beats = exclude_spans(record.reference, record.flutter)
        kept = exclude_spans(found, record.flutter)
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
    """Return F1, Se and +P over all records."""
    found = sum(len(record.reference_index) for record in matches)
    missed = sum(len(record.missed) for record in matches)
    extra = sum(len(record.extra) for record in matches)
    return {
        "f1": _ratio(2 * found, 2 * found + missed + extra),
        "se": _ratio(found, found + missed),
        "ppv": _ratio(found, found + extra),
    }


def _ratio(part, whole):
    return part / whole if whole else float("nan")


def add_noise_to_all(records, kind, snr_db, seed=0):
    """Add noise to each record, with the same waveform at every ratio for a seed and kind."""
    noisy = []
    for record in records:
        if not len(record.reference):
            raise ValueError(
                f"record {record.name} has no beats; the signal-to-noise ratio requires beats."
            )
        # seeded by the name, so that the noise of a record does not depend on the other records
        rng = np.random.default_rng([seed, zlib.crc32(f"{kind} {record.name}".encode())])
        x = add_noise(record.x, record.fs, kind, snr_db, rng, reference=record.reference)
        noisy.append(record._replace(x=x))
    return noisy


def add_recorded_to_all(records, noise, snr_db):
    """Add recorded noise to each record, shifted by another time and repeated as needed."""
    return [
        record._replace(
            x=mix(
                record.x,
                record.fs,
                np.resize(np.roll(noise, _SHIFT * number), len(record.x)),
                snr_db,
                reference=record.reference,
            )
        )
        for number, record in enumerate(records)
    ]
