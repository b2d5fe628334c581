"""Classification of heart sounds by subject: rhythm of the envelope beside MFCC statistics.

    python examples/benchmarks/heart_sound_rhythm.py --data pascal_set_b

Extrasystoles are beats that come early. Their sounds differ from those of other beats in time
rather than in the spectrum. The columns of rhythm describe the envelope of the heart sounds: the
cardiac cycle and the systole from its autocorrelation, and the intervals and heights of its peaks.
They are compared with MFCC statistics, both of whole clips and classified by extremely randomized
trees, on the folds and with the adjusted priors of `heart_sounds.py`. With ``--cnn``, their
probabilities are averaged with those of its network, which takes most of the time.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from _report import print_machine, print_table
from heart_sounds import (
    FS_HZ,
    N_FOLDS,
    Rows,
    Sounds,
    choose_power,
    classify_by_cnn,
    classify_by_forest,
    load,
    macro_f1,
    make_cnn,
    predict_with_power,
    score,
    table_rows,
)
from scipy.signal import butter, find_peaks, hilbert, sosfiltfilt
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from threadpoolctl import threadpool_limits

from ecgbeat.datasets import load_heart_sounds
from ecgbeat.signal import mfcc

LONGEST_S = 30.0  # longer than any clip; the padding is removed again
N_TREES = 200
MFCC = {"n_mfcc": 20, "n_mels": 40, "n_fft": 512, "win_length": 256, "fmin": 20.0, "fmax": 800.0}
BAND_HZ, SMOOTHING_HZ = (30.0, 150.0), 12.0  # S1 and S2, with less of the murmurs above
ENVELOPE_HZ = 100.0
CYCLE_S, SYSTOLE_S = (0.42, 1.25), 0.15  # range of the cycle, shortest systole
PEAK, SMALL_PEAK = 0.3, 0.12  # prominence, relative to the 95th percentile of the envelope
PEAK_DISTANCE_S = 0.09
IRREGULAR = 0.15  # relative deviation from the median cycle


def envelope(sound):
    """Return the amplitude of S1 and S2 over time, relative to its 95th percentile."""
    band = butter(3, BAND_HZ, "band", fs=FS_HZ, output="sos")
    power = np.abs(hilbert(sosfiltfilt(band, sound - sound.mean()))) ** 2
    smooth = sosfiltfilt(butter(2, SMOOTHING_HZ, fs=FS_HZ, output="sos"), power)
    amplitude = np.sqrt(np.maximum(smooth, 0.0))[:: round(FS_HZ / ENVELOPE_HZ)]
    return np.minimum(amplitude / (np.percentile(amplitude, 95) + 1e-12), 2.0)


def autocorrelation(x):
    """Return the autocorrelation, nearly unbiased, from a lag of 0 on."""
    n, centered = len(x), x - x.mean()
    values = np.correlate(centered, centered, "full")[n - 1 :]
    return values / (values[0] + 1e-12) * n / np.maximum(n - np.arange(n), 0.3 * n)


def find_cycle(correlation):
    """Return the lag of the first peak that is nearly as high as the highest."""
    low, high = (round(limit * ENVELOPE_HZ) for limit in CYCLE_S)
    peaks, _ = find_peaks(correlation[low:high])
    if len(peaks) == 0:
        return low + int(correlation[low:high].argmax()) if len(correlation) > low else low
    heights = correlation[low + peaks]
    return low + peaks[np.flatnonzero(heights >= heights.max() - 0.15 * abs(heights.max()))[0]]


def describe_cycle(correlation, cycle):
    """Return the columns of the autocorrelation."""
    start = round(SYSTOLE_S * ENVELOPE_HZ)
    systole = start + int(correlation[start : max(int(0.6 * cycle), start + 3)].argmax())
    second = correlation[int(1.8 * cycle) : int(2.2 * cycle) + 1]
    return {
        "cycle_s": cycle / ENVELOPE_HZ,
        "cycle_height": correlation[min(cycle, len(correlation) - 1)],
        "second_cycle_height": second.max() if len(second) else 0.0,
        "systole_share": systole / cycle,
        "systole_height": correlation[systole],
    }


def describe_peaks(x, cycle):
    """Return the columns of the peaks, with intervals relative to the cycle."""
    distance = round(PEAK_DISTANCE_S * ENVELOPE_HZ)
    peaks, _ = find_peaks(x, prominence=PEAK, distance=distance)
    small, _ = find_peaks(x, prominence=SMALL_PEAK, distance=distance)
    columns = {
        "peaks_per_cycle": len(peaks) * cycle / len(x),
        "small_peaks_per_cycle": len(small) * cycle / len(x),
    }
    heights = x[peaks]
    if len(peaks) < 5:  # too few to judge: regular
        peaks, heights = np.arange(5) * cycle / 2, np.ones(5)
    intervals = np.diff(peaks) / cycle
    cycles = intervals[:-1] + intervals[1:]  # from S1 to S1 and from S2 to S2
    deviations = np.abs(cycles / np.median(cycles) - 1)
    return columns | {
        "shortest_interval": intervals.min(),
        "median_interval": np.median(intervals),
        "longest_interval": intervals.max(),
        "pause": intervals.max() / np.percentile(intervals, 75),
        "irregularity": cycles.std() / cycles.mean(),
        "earliest_beat": cycles.min() / np.median(cycles),
        "latest_beat": cycles.max() / np.median(cycles),
        "median_deviation": np.median(deviations),
        "irregular_share": np.mean(deviations > IRREGULAR),
        "height_variation": heights.std() / heights.mean(),
        "largest_height": heights.max() / np.median(heights),
    }


def describe_rhythm(sound):
    """Return the columns of rhythm of a sound by name."""
    x = envelope(sound)
    correlation = autocorrelation(x)
    cycle = find_cycle(correlation)
    floor = {f"envelope_{q}": np.percentile(x, q) for q in (10, 50, 75)}
    return floor | describe_cycle(correlation, cycle) | describe_peaks(x, cycle)


def load_tables(folder, rule):
    """Return the features of all files by name, and the names of the columns of rhythm."""
    clips = load_heart_sounds(folder, rule=rule, fs=FS_HZ, duration=LONGEST_S)
    sounds = [np.trim_zeros(row, "b") for row in clips.data.astype(float)]
    spectra = np.stack([mfcc(sound, FS_HZ, summary="stats", **MFCC).ravel() for sound in sounds])
    columns = [describe_rhythm(sound) for sound in sounds]
    rhythm = np.array([list(row.values()) for row in columns])
    tables = {"MFCCs": spectra, "rhythm": rhythm, "MFCCs and rhythm": np.c_[spectra, rhythm]}
    return clips, tables, list(columns[0])


def make_trees(seed):
    """Return the classifier of the tables."""
    return ExtraTreesClassifier(
        N_TREES, min_samples_leaf=2, class_weight="balanced", random_state=seed
    )


def classify(clips, tables, windows, train, test, seed):
    """Return the inner and outer probabilities of each set of features."""
    results, file = {}, np.arange(len(clips.target))
    for name, table in tables.items():
        rows = {"forest": Rows(table, clips.target, file)}
        sounds = Sounds(clips.target, clips.groups, rows)
        results[name] = classify_by_forest(make_trees, sounds, train, test, seed)
    if windows is not None:
        cnn = classify_by_cnn(lambda s: make_cnn(s, 20), windows, train, test, seed)
        means = {
            f"mean of CNN and {name}": [(a + b) / 2 for a, b in zip(cnn, trees, strict=True)]
            for name, trees in results.items()
        }
        results |= {"CNN": cnn} | means
    return results


def predict(results, y_train, classes):
    """Return the labels with adjusted priors, and the inner macro-F1, of each set of features."""
    labels, inner_scores = {}, {}
    for name, (inner, outer) in results.items():
        power = choose_power(inner, y_train, classes)
        labels[name] = predict_with_power(outer, y_train, classes, power)
        inner_labels = predict_with_power(inner, y_train, classes, power)
        inner_scores[name] = macro_f1(y_train, inner_labels)
    labels["the best by inner folds"] = labels[max(inner_scores, key=inner_scores.get)]
    return labels


def cross_validate(clips, tables, windows, seed):
    """Return the predicted labels of each set of features, and the fold of each file."""
    y, classes = clips.target, np.unique(clips.target)
    labels, fold_of_file = {}, np.empty(len(y), int)
    folds = StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=seed)
    for fold, (train, test) in enumerate(folds.split(y, y, clips.groups)):
        fold_of_file[test] = fold
        results = classify(clips, tables, windows, train, test, seed)
        for name, predicted in predict(results, y[train], classes).items():
            labels.setdefault(name, np.empty_like(y))[test] = predicted
        print(f"seed {seed}, fold {fold}", file=sys.stderr, flush=True)
    return labels, fold_of_file


def separations(clips, rhythm, names):
    """Yield the AUC of each column, for extrasystoles compared with other clips."""
    is_noisy = np.char.find(clips.filenames, "noisynormal") >= 0
    extra, normal = clips.target == "extrastole", clips.target == "normal"
    others = {
        "normal, clean": normal & ~is_noisy,
        "normal, noisy": is_noisy,
        "murmur": clips.target == "murmur",
    }
    yield ["column", *others]
    for name, values in zip(names, rhythm.T, strict=True):
        pairs = [(extra[extra | other], values[extra | other]) for other in others.values()]
        yield [name, *(f"{roc_auc_score(is_extra, column):.2f}" for is_extra, column in pairs)]


def print_subjects(clips):
    """Print how many subjects with extrasystoles have clips with another label."""
    subjects = np.unique(clips.groups[clips.target == "extrastole"])
    others = np.isin(subjects, clips.groups[clips.target != "extrastole"])
    print(f"{others.sum()} of {len(subjects)} subjects with extrasystoles also have other labels")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of PASCAL set_b")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--cnn", action="store_true", help="average with the CNN as well")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--markdown", action="store_true", help="print the tables for the docs")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    print_machine(("ecgbeat", "scikit-learn", "scipy", "numpy"), arguments.threads)
    clips, tables, names = load_tables(arguments.data, "pascal")
    print_subjects(clips)
    windows = load(arguments.data, "pascal") if arguments.cnn else None
    title = "AUC of single columns, extrasystoles against other clips"
    print_table(title, separations(clips, tables["rhythm"], names), arguments.markdown)
    scores = {}
    with threadpool_limits(arguments.threads):
        for seed in arguments.seeds:
            labels, fold_of_file = cross_validate(clips, tables, windows, seed)
            for name, predicted in labels.items():
                found = score(clips.target, predicted, fold_of_file)
                scores.setdefault(name, []).append(found)
    title = "Held-out subjects, adjusted priors, mean and standard deviation over the seeds"
    print_table(title, table_rows(scores, np.unique(clips.target)), arguments.markdown)


if __name__ == "__main__":
    main()
