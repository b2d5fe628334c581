"""Fit of the second score of detect_r_peaks, which separates beats from artifacts amid noise.

python examples/benchmarks/fit_qrs_noise_score.py --data mitdb

The training data are the candidates amid noise of the records of DS1 of MIT-BIH, lead 1, clean and
with noise: simulated, and electrode motion that was recorded without ECG. The F1 is cross-validated
by record, and compared with that of the first score alone.
"""

import argparse
from pathlib import Path

import numpy as np
from _r_peak_scoring import add_noise_to_all, add_recorded_to_all, load_records
from sklearn.linear_model import LogisticRegression

from ecgbeat.datasets import get_data_home
from ecgbeat.metrics import match_beats
from ecgbeat.model_selection import DS1
from ecgbeat.signal import _qrs

KINDS = ("recorded motion", "motion", "muscle", "electrode")
CLEAN_WEIGHT = 10.0  # most recordings are clean most of the time
WEIGHTS = {18: 3.0, 12: 1.0, 6: 1.0, 0: 0.2}  # by signal-to-noise ratio in dB


def conditions(records, noise):
    """Yield name, weight and records of each condition."""
    yield "clean", CLEAN_WEIGHT, records
    for kind in KINDS:
        for level, weight in WEIGHTS.items():
            noisy = (
                add_recorded_to_all(records, noise, level)
                if kind == "recorded motion"
                else add_noise_to_all(records, kind, level)
            )
            yield f"{kind} {level} dB", weight, noisy


def describe(record, number, condition, weight):
    """Return the candidates of a record, with their quantities and their labels."""
    step = _qrs.decimation_step(record.fs)
    bands = _qrs.split_bands(_qrs.decimate(record.x[None], step), record.fs / step)
    candidates = _qrs.find_candidates(bands)
    peaks = _qrs.qrs_peaks(candidates, bands)
    quantities = _qrs.qrs_quantities(candidates, bands, peaks)
    shape = _qrs.shape_quantities(candidates, bands, peaks, quantities)
    samples = peaks * step + step // 2
    is_beat = np.zeros(len(peaks), dtype=bool)
    is_beat[match_beats(record.reference, samples, record.fs).detected_index] = True
    known = np.ones(len(peaks), dtype=bool)
    for start, stop in record.flutter:  # without annotated beats
        known &= (samples < start) | (samples > stop)
    return {
        "candidates": candidates._replace(energy=np.empty(len(candidates.energy), bool)),
        "shape": shape,
        "is_beat": is_beat,
        "known": known,
        "noisy": _qrs.amid_noise(shape[:, 0]),
        "n_missed": len(record.reference) - int(is_beat.sum()),
        "record": number,
        "condition": condition,
        "weight": weight,
    }


def fit_logistic(quantities, rows):
    """Return weights and intercept for the candidates amid noise."""
    chosen = [row["known"] & row["noisy"] for row in rows]
    X = np.concatenate([values[keep] for values, keep in zip(quantities, chosen, strict=True)])
    y = np.concatenate([row["is_beat"][keep] for row, keep in zip(rows, chosen, strict=True)])
    weight = np.concatenate(
        [np.full(keep.sum(), row["weight"]) for row, keep in zip(rows, chosen, strict=True)]
    )
    scale = X.std(axis=0)
    logistic = LogisticRegression().fit(X / scale, y, sample_weight=weight)
    return logistic.coef_[0] / scale, logistic.intercept_[0]


def fit(rows):
    """Return weights and intercept of the shape, and of the rhythm."""
    shape = fit_logistic([row["shape"] for row in rows], rows)
    rhythm = [rhythm_of(row, shape) for row in rows]
    return shape, fit_logistic(rhythm, rows)


def rhythm_of(row, shape):
    """Return the quantities of the rhythm."""
    return _qrs.rhythm_quantities(row["candidates"], row["shape"] @ shape[0] + shape[1])


def accepted(row, shape, rhythm):
    """Return which candidates are accepted by both scores together."""
    first = row["shape"][:, 0]
    second = rhythm_of(row, shape) @ rhythm[0] + rhythm[1]
    limit = np.where(first > 0, _qrs._KEPT, _qrs._RESTORED)
    return np.where(row["noisy"], second > limit, first > 0)


def f1(rows, decisions):
    """Return the F1 of decisions about the candidates, without flutter."""
    hits = n_found = n_beats = 0
    for row, decision in zip(rows, decisions, strict=True):
        found = decision & row["known"]
        hits += (found & row["is_beat"]).sum()
        n_found += found.sum()
        n_beats += (row["is_beat"] & row["known"]).sum() + row["n_missed"]
    return 2 * hits / (n_found + n_beats)


def main():
    """Cross-validate, fit, and print the weights."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=get_data_home() / "mitdb")
    parser.add_argument(
        "--motion",
        type=Path,
        default=get_data_home() / "nstdb_em" / "em_first_10_minutes.npy",
        help="recording of electrode motion, at the sampling rate of the records",
    )
    arguments = parser.parse_args()
    records = load_records(arguments.data, records=[str(name) for name in DS1])
    noise = np.load(arguments.motion).astype(np.float64)
    rows = [
        describe(record, number, name, weight)
        for name, weight, noisy in conditions(records, noise)
        for number, record in enumerate(noisy)
    ]
    folds = [fit([row for row in rows if row["record"] % 2 != k]) for k in range(2)]
    print("condition, amid noise, F1 of the first score, of both (cross-validated by record)")
    for name in dict.fromkeys(row["condition"] for row in rows):
        chosen = [row for row in rows if row["condition"] == name]
        both = [accepted(row, *folds[row["record"] % 2]) for row in chosen]
        share = np.mean(np.concatenate([row["noisy"] for row in chosen]))
        first = [row["shape"][:, 0] > 0 for row in chosen]
        changed = sum(int((a != b).sum()) for a, b in zip(first, both, strict=True))
        print(f"{name:>22} {share:.3f} {f1(chosen, first):.4f} {f1(chosen, both):.4f} {changed:6d}")
    for part, (weights, intercept) in zip(("shape", "rhythm"), fit(rows), strict=True):
        print(part, np.round(weights, 2).tolist(), round(float(intercept), 2))


if __name__ == "__main__":
    main()
