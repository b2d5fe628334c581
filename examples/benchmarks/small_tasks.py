"""Comparison of classifiers on tasks with 23 to 500 training rows, with wins and losses.

    python examples/benchmarks/small_tasks.py --tasks gun_point ptb --seeds 0 1 2

A task is a function of a seed that returns one or several divisions into training and test rows.
Official divisions do not depend on the seed. See README.md in this folder for data and packages.
"""

import argparse
import os
import time
import warnings

os.environ.setdefault("NUMBA_NUM_THREADS", "1")  # read when numba is imported

import numpy as np
import torch
from _report import is_installed, print_machine, print_table
from _training_rows import ROWS, Setting
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupShuffleSplit, StratifiedKFold, train_test_split

from ecgbeat import ECGCNNClassifier, ECGCNNLSTMClassifier
from ecgbeat.datasets import (
    get_data_home,
    load_heartbeat_csv,
    load_mitdb,
    load_recording,
    make_heartbeats,
)
from ecgbeat.model_selection import DS1
from ecgbeat.signal import cut_beats, detect_r_peaks

PEER = "MiniRocket"
MAX_TEST_ROWS = 1000
PATIENT_LEADS = ["i", "ii", "avl", "v1", "v3", "v6"]


# --- tasks ----------------------------------------------------------------------------------


def shipped(name):
    """Return a task of the UCR archive that aeon contains, in its official division."""

    def task(_):
        from aeon import datasets

        parts = [getattr(datasets, f"load_{name}")(split=part) for part in ("train", "test")]
        return [tuple(array for part in parts for array in part)]

    return task


def divide(X, y, seed, n_train):
    """Return the only division of a task: a stratified sample, and at most 1,000 other rows."""
    parts = train_test_split(X, y, train_size=n_train, stratify=y, random_state=seed)
    X_train, X_test, y_train, y_test = parts
    return [(X_train, y_train, X_test[:MAX_TEST_ROWS], y_test[:MAX_TEST_ROWS])]


def divide_patients(X, y, patients, seed, n_train):
    """Return the only division of a task: all beats of ``n_train`` patients, and the others."""
    split = GroupShuffleSplit(1, train_size=n_train, random_state=seed)
    train, test = next(split.split(X, y, patients))
    return [(X[train], y[train], X[test], y[test])]


def ecg5000(seed):
    table = np.loadtxt(get_data_home() / "ucr" / "ECG5000" / "ECG5000_TRAIN.tsv")
    return divide(table[:, 1:], table[:, 0].astype(int), seed, 250)


def ptb(seed):
    X, y = load_heartbeat_csv(get_data_home() / "kaggle_ptb_sample", subset="ptb", return_X_y=True)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed).split(X, y)
    return [(X[train], y[train], X[test], y[test]) for train, test in folds]


def five_classes(seed):
    return divide(*load_heartbeat_csv(subset="train", return_X_y=True), seed, 500)


def abnormal(seed):
    X, y = load_heartbeat_csv(subset="train", return_X_y=True)
    return divide(X, (y != 0).astype(int), seed, 100)


def beats_of(record):
    """Return normal and ectopic beats of both leads of a training record, at 90 Hz."""
    data = load_mitdb(records=[record], lead=None)
    (signal,), (annotation,) = data.recordings, data.annotations
    used = np.isin(annotation.symbol, ["N", "A", "V"])
    samples = annotation.sample[used]
    return cut_beats(signal, samples, data.fs, n_times=72), annotation.symbol[used], samples


def two_leads(seed):
    X, _, _ = beats_of("106")
    return divide(np.concatenate([X[:, 0], X[:, 1]]), np.repeat([0, 1], len(X)), seed, 23)


def minutes(seed):
    X, _, samples = beats_of("119")
    first, last = samples < 300 * 360, samples >= 1500 * 360
    return divide(X[first | last, 0], last[first | last].astype(int), seed, 23)


def premature(seed):
    X, symbols, _ = beats_of("209")
    return divide(X[symbols != "V", 0], symbols[symbols != "V"], seed, 40)


def persons(seed):
    X, y = [], []
    for record in DS1[:12]:
        beats, _, _ = beats_of(record)
        X.append(beats[np.linspace(0, len(beats) - 1, 100).astype(int), 0])
        y += [record] * 100
    return divide(np.concatenate(X), np.array(y), seed, 96)


def patients_of_ludb(leads):
    """Return the second beat of each patient at 100 Hz, and the text of the diagnoses."""
    beats, diagnoses = [], []
    for number in range(1, 201):
        path = get_data_home() / "ludb" / "data" / f"{number}.hea"
        recording = load_recording(path, leads=leads, annotator=None)
        r_peaks = detect_r_peaks(recording.signal[1], recording.fs)
        beats.append(cut_beats(recording.signal, r_peaks[1:2], recording.fs, n_times=80)[0])
        diagnoses.append(path.read_text())
    return np.array(beats), np.array(diagnoses)


def axis(seed):
    X, diagnoses = patients_of_ludb(["i", "avf"])
    normal = np.char.find(diagnoses, "axis of the heart: normal") >= 0
    left = np.char.find(diagnoses, "left axis deviation") >= 0
    return divide(X[normal | left], left[normal | left].astype(int), seed, 70)


def lead_names(seed):
    X, _ = patients_of_ludb(PATIENT_LEADS)
    y, patients = np.tile(PATIENT_LEADS, len(X)), np.repeat(np.arange(len(X)), len(PATIENT_LEADS))
    return divide_patients(X.reshape(len(y), -1), y, patients, seed, 20)


def simulated(n_patients, n_beats, noise):
    """Return a task of five classes whose test beats are of other, simulated patients."""

    def task(seed):
        made = make_heartbeats(
            n_beats, n_patients=2 * n_patients, fs=100, noise=noise, random_state=seed
        )
        return divide_patients(made.data, made.target, made.groups, seed, n_patients)

    return task


TASKS = {
    "gun_point": shipped("gunpoint"),
    "italy_power_demand": shipped("italy_power_demand"),
    "arrow_head": shipped("arrow_head"),
    "osu_leaf": shipped("osuleaf"),
    "ecg5000": ecg5000,
    "ptb": ptb,
    "five_classes": five_classes,
    "abnormal": abnormal,
    "two_leads": two_leads,
    "minutes": minutes,
    "premature": premature,
    "persons": persons,
    "axis": axis,
    "lead_names": lead_names,
    "simulated": simulated(10, 600, 1.0),
    "simulated_noisy": simulated(5, 200, 3.0),
}


# --- classifiers ------------------------------------------------------------------------------


def minirocket(seed):
    from scipy.linalg import LinAlgWarning

    warnings.filterwarnings("ignore", category=LinAlgWarning)  # features that are collinear
    return ROWS["minirocket-cv"].build(Setting(seed, 1, "cpu", 1.0))


ALONE = {"fixed_kernels": False, "n_members": 1}
CLASSIFIERS = {
    "CNN alone": lambda seed: ECGCNNClassifier(random_state=seed, **ALONE),
    "CNN, kernels": lambda seed: ECGCNNClassifier(random_state=seed, fixed_kernels=True),
    "LSTM alone": lambda seed: ECGCNNLSTMClassifier(random_state=seed, **ALONE),
    "LSTM, kernels": lambda seed: ECGCNNLSTMClassifier(random_state=seed, fixed_kernels=True),
    PEER: minirocket,
    "forest": lambda seed: RandomForestClassifier(500, random_state=seed, n_jobs=1),
}


# --- measurement and tables ---------------------------------------------------------------------


def measure(build, divisions, seed):
    """Return accuracy, area under the ROC curve (NaN for several classes), and s of a fit."""
    hits, labels, scores, seconds = [], [], [], []
    for X_train, y_train, X_test, y_test in divisions:
        classifier = build(seed)
        # only ecgbeat's classifiers and those of aeon take the leads as an axis
        if isinstance(classifier, RandomForestClassifier):
            X_train, X_test = (X.reshape(len(X), -1) for X in (X_train, X_test))
        torch.set_num_threads(1)  # numba, in MiniRocket, sets that of OpenMP to another
        start = time.perf_counter()
        classifier.fit(X_train, y_train)
        seconds.append(time.perf_counter() - start)
        p = classifier.predict_proba(X_test)
        hits.append(classifier.classes_[p.argmax(axis=1)] == y_test)
        labels.append(y_test == classifier.classes_[-1])
        scores.append(p[:, 1])
    hits, labels, scores = map(np.concatenate, (hits, labels, scores))
    auc = roc_auc_score(labels, scores) if p.shape[1] == 2 else np.nan
    return hits.mean(), auc, max(seconds)


def run_all(tasks, classifiers, seeds):
    """Return the results of `measure`, of shape (n_tasks, n_classifiers, n_seeds, 3)."""
    results = np.full((len(tasks), len(classifiers), len(seeds), 3), np.nan)
    for k, seed in enumerate(seeds):
        for i, task in enumerate(tasks):
            divisions = TASKS[task](seed)
            for j, name in enumerate(classifiers):
                results[i, j, k] = measure(CLASSIFIERS[name], divisions, seed)
            found = zip(classifiers, results[i, :, k], strict=True)
            cells = (f"{name} {accuracy:.4f} ({s:.1f} s)" for name, (accuracy, _, s) in found)
            print(
                f"{task} ({len(divisions[0][0])} rows), seed {seed}: {', '.join(cells)}", flush=True
            )
    return results


def accuracy_rows(results, tasks, classifiers):
    """Yield accuracy (± standard deviation over the seeds), means, and wins against MiniRocket."""
    accuracy = results[..., 0]
    means = accuracy.mean(axis=2)
    yield ["task", *classifiers]
    for i, task in enumerate(tasks):
        cells = [f"{means[i, j]:.4f}" for j in range(len(classifiers))]
        if accuracy.shape[2] > 1:
            deviations = accuracy[i].std(axis=1, ddof=1)
            cells = [f"{cell} ± {d:.3f}" for cell, d in zip(cells, deviations, strict=True)]
        yield [task, *cells]
    yield ["mean", *(f"{mean:.4f}" for mean in means.mean(axis=0))]
    if PEER in classifiers:
        margins = np.round(means - means[:, [classifiers.index(PEER)]], 9)
        counts = [[(sign * column > 0).sum() for sign in (1, -1)] for column in margins.T]
        yield [f"wins, losses against {PEER}", *(f"{won}, {lost}" for won, lost in counts)]
    yield ["longest fit, s", *(f"{s:.1f}" for s in results[..., 2].max(axis=(0, 2)))]


def auc_rows(results, tasks, classifiers):
    """Yield the areas under the ROC curve of the tasks of two classes."""
    yield ["ROC-AUC", *classifiers]
    for task, means in zip(tasks, results[..., 1].mean(axis=2), strict=True):
        if not np.isnan(means).any():
            yield [task, *(f"{mean:.4f}" for mean in means)]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--classifiers", nargs="+", choices=CLASSIFIERS, default=list(CLASSIFIERS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--markdown", action="store_true", help="print tables for the docs")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    if not is_installed("aeon"):
        print("aeon is not installed: without MiniRocket and the tasks of its package.")
        arguments.classifiers = [name for name in arguments.classifiers if name != PEER]
        arguments.tasks = [name for name in arguments.tasks if name not in list(TASKS)[:4]]
    print_machine(("ecgbeat", "aeon", "torch", "scikit-learn", "numpy"), 1)
    tasks, classifiers = arguments.tasks, arguments.classifiers
    results = run_all(tasks, classifiers, arguments.seeds)
    n_seeds = len(arguments.seeds)
    title = f"Accuracy, mean{' and standard deviation' * (n_seeds > 1)} over {n_seeds} seeds"
    rows = accuracy_rows(results, tasks, classifiers)
    print_table(title, rows, arguments.markdown)
    print_table("Tasks of two classes", auc_rows(results, tasks, classifiers), arguments.markdown)


if __name__ == "__main__":
    main()
