"""Accuracy and speed of signal_quality and unreadable_stretches.

    python examples/benchmarks/signal_quality.py --data mitdb

Measured are the annotated beats in unreadable stretches, the seconds without ECG that are found,
the separation of clean and noisy seconds, and the CPU time. With --fit, the weights of the rating
are fitted on the same records. See README.md in this folder for the data.
"""

import argparse
import os
import sys
import time

# set before the imports below, because libraries read these variables when they are loaded
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

import numpy as np
from _r_peak_noise import NOISES, add_noise, mix
from _report import print_machine, print_table
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from ecgbeat.datasets import get_data_home, load_wfdb
from ecgbeat.labels import select_beats
from ecgbeat.metrics import match_beats
from ecgbeat.model_selection import DS1
from ecgbeat.signal import _qrs, _quality, detect_r_peaks, signal_quality, unreadable_stretches

LEVELS_DB = (24, 12, 6, 0, -6)
READABLE = 0.5
NOISE_S = 600  # of each kind of noise
DAY_S = 86_400


def load(folder, records):
    """Return recordings of all leads with their annotated beats, and the sampling rate."""
    data = load_wfdb(folder, records, lead=None)
    beats = [select_beats(annotation).sample for annotation in data.annotations]
    return dict(
        zip(data.record_names, zip(data.recordings, beats, strict=True), strict=True)
    ), data.fs


def count_lost(recording, beats, fs):
    """Return the number of beats in unreadable stretches, and the unreadable samples."""
    stretches = unreadable_stretches(recording, fs)
    inside = sum(int(np.sum((beats >= start) & (beats < stop))) for start, stop in stretches)
    return inside, int(np.diff(stretches).sum())


def beat_rows(records, fs):
    """Yield the annotated beats in unreadable stretches, for the records with any and for all."""
    yield ["record", "beats", "lost, all leads", "lost, first lead", "unreadable % of time"]
    total = np.zeros(5)
    for name, (recording, beats) in records.items():
        lost, n_unreadable = count_lost(recording, beats, fs)
        lost_alone, _ = count_lost(recording[0], beats, fs)
        row = np.array([len(beats), lost, lost_alone, n_unreadable, recording.shape[1]])
        total += row
        if lost or lost_alone:
            yield format_beats(name, row)
    yield format_beats("all", total)


def format_beats(name, row):
    """Format one row of the table of beats."""
    n_beats, *lost, n_unreadable, n_times = row
    shares = (f"{int(n)} ({100 * n / max(n_beats, 1):.3f} %)" for n in lost)
    return [name, str(int(n_beats)), *shares, f"{100 * n_unreadable / n_times:.2f}"]


def without_ecg(fs, motion, rng):
    """Return signals of ten minutes without ECG by name."""
    n_times = round(NOISE_S * fs)
    white, seconds = rng.normal(size=n_times), np.arange(n_times) / fs
    kinds = {
        "zeros": np.zeros(n_times),
        "NaN": np.full(n_times, np.nan),
        "constant with noise of 1 bit": 3 + 0.005 * np.round(0.4 * white),
        "rails": np.clip(9 * np.sin(seconds / 3) + 0.01 * white, -5, 5),
        "white noise": white,
        "random walk": np.cumsum(white),
        "hum of 50 Hz": np.sin(2 * np.pi * 50 * seconds) + 0.03 * white,
        "hum of 60 Hz": np.sin(2 * np.pi * 60 * seconds) + 0.03 * white,
    }
    kinds |= {f"simulated {kind}": noise(rng, n_times, fs) for kind, noise in NOISES.items()}
    return kinds if motion is None else kinds | {"electrode motion (em)": motion}


def noise_rows(kinds, fs):
    """Yield the share of unreadable seconds of signals without ECG."""
    yield ["signal without ECG", "unreadable % of time"]
    for name, x in kinds.items():
        yield [name, f"{100 * np.mean(signal_quality(x, fs) < READABLE):.1f}"]


def level_rows(records, fs, noise):
    """Yield the separation of clean and noisy seconds of the first lead."""
    yield ["SNR dB", "AUC", "median quality", "unreadable % of beats", "Se", "+P"]
    clean = np.concatenate([signal_quality(x[0], fs) for x, _ in records.values()])
    for level in LEVELS_DB:
        noisy, lost, counts = [], 0, np.zeros(3)
        for k, (recording, beats) in enumerate(records.values()):
            x = mix_rolled(recording[0], fs, noise, level, beats, k)
            noisy.append(signal_quality(x, fs))
            lost += count_lost(x, beats, fs)[0]
            detected = detect_r_peaks(x, fs)
            n_matched = len(match_beats(beats, detected, fs).detected_index)
            counts += n_matched, len(beats), len(detected)
        noisy = np.concatenate(noisy)
        is_clean = np.repeat([1, 0], [len(clean), len(noisy)])
        yield [
            str(level),
            f"{roc_auc_score(is_clean, np.concatenate([clean, noisy])):.3f}",
            f"{np.median(noisy):.2f}",
            f"{100 * lost / counts[1]:.1f}",
            *(f"{counts[0] / max(n, 1):.3f}" for n in counts[1:]),
        ]


def mix_rolled(x, fs, noise, level, beats, k):
    """Add noise to a lead, repeated as needed and shifted by another time for each record."""
    noise = np.resize(np.roll(noise, round(7919 * k * fs / 360)), len(x))
    return mix(x.astype(np.float64), fs, noise, level, reference=beats)


def time_rows(records, fs):
    """Yield the CPU time per 24 hours with all leads, the smallest of three passes."""
    yield ["function", "CPU s per 24 h"]
    hours = sum(x.shape[1] for x, _ in records.values()) / fs
    for function in (detect_r_peaks, signal_quality, unreadable_stretches):
        passes = []
        for _ in range(3):
            start = time.process_time()
            for recording, _ in records.values():
                function(recording, fs)
            passes.append(time.process_time() - start)
        yield [function.__name__, f"{min(passes) * DAY_S / hours:.2f}"]


def describe(x, fs, beats=None):
    """Return the quantities of the complexes of a lead, or only of those that are beats."""
    step = _qrs.decimation_step(fs)
    reduced = _qrs.decimate(np.asarray(x, np.float64)[np.newaxis], step)[0]
    positions, _, quantities = _quality.quantities_of_complexes(reduced, fs / step)
    if beats is None:
        return quantities
    return quantities[match_beats(beats, positions * step, fs, tolerance=0.1).detected_index]


def fit(records, fs, noise, rng):
    """Fit the weights: beats, clean and with noise, against complexes of signals without ECG."""
    positive = []
    for k, (recording, beats) in enumerate(records.values()):
        x = recording[0].astype(np.float64)
        positive += [describe(lead, fs, beats) for lead in recording]
        positive += [
            describe(mix_rolled(x, fs, noise, level, beats, k), fs, beats) for level in (12, 6)
        ]
        positive.append(describe(add_noise(x, fs, "muscle", 6, rng, reference=beats), fs, beats))
    negative = [describe(noise, fs)] * 3
    negative += [describe(kind(rng, round(NOISE_S * fs), fs), fs) for kind in NOISES.values()]
    X = np.clip(np.concatenate(positive + negative), *_quality.LIMITS.T)[:, :-1]
    n_positive = sum(map(len, positive))
    y = np.arange(len(X)) < n_positive
    model = LogisticRegression(C=100, class_weight="balanced").fit(X, y)
    yield ["", *_quality.QUANTITIES[:-1], "intercept", "AUC"]
    auc = roc_auc_score(y, model.decision_function(X))
    yield ["fitted", *(f"{w:.2f}" for w in (*model.coef_[0], *model.intercept_)), f"{auc:.3f}"]
    # without close agreement
    intercept = _quality.INTERCEPT + _quality.WEIGHTS[-1] * _quality.LIMITS[-1, 0]
    yield ["in the package", *(f"{w:.2f}" for w in (*_quality.WEIGHTS[:-1], intercept))]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="annotated WFDB records; default: mitdb in the data home")
    parser.add_argument("--records", nargs="+", default=DS1, help="default: those of DS1")
    parser.add_argument(
        "--motion",
        help="electrode motion without ECG as a .npy file, at the sampling rate of the records; "
        "default: nstdb_em/em_first_10_minutes.npy in the data home, or simulated noise",
    )
    parser.add_argument("--fit", action="store_true", help="also fit the weights")
    parser.add_argument("--markdown", action="store_true", help="print tables for the docs")
    arguments = parser.parse_args()
    arguments.data = arguments.data or get_data_home() / "mitdb"
    default = get_data_home() / "nstdb_em" / "em_first_10_minutes.npy"
    arguments.motion = arguments.motion or (default if default.exists() else None)
    return arguments


def main():
    arguments = parse_arguments()
    try:
        records, fs = load(arguments.data, arguments.records)
        motion = None if arguments.motion is None else np.load(arguments.motion)
    except (FileNotFoundError, ValueError) as error:
        sys.exit(str(error))
    rng = np.random.default_rng(0)
    noise = NOISES["electrode"](rng, round(NOISE_S * fs), fs) if motion is None else motion
    noise = noise.astype(np.float64)
    print_machine(("ecgbeat", "numpy", "scipy", "scikit-learn"), threads=1)
    tables = {
        "Annotated beats in unreadable stretches": beat_rows(records, fs),
        "Signals without ECG": noise_rows(without_ecg(fs, motion, rng), fs),
        "First lead with noise added, and the R peaks detected in it": level_rows(
            records, fs, noise
        ),
        "CPU time, all leads": time_rows(records, fs),
    }
    if arguments.fit:
        tables["Weights of the rating"] = fit(records, fs, noise, rng)
    for title, rows in tables.items():
        print_table(title, rows, arguments.markdown)


if __name__ == "__main__":
    main()
