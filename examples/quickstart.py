"""Classification of heartbeats of new patients.

A pipeline with a filter, a segmenter, a scaler, SMOTE and a convolutional neural network is tuned
by grid search with cross-validation by patient, and evaluated on held-out patients.

    python examples/quickstart.py                        simulated patients
    python examples/quickstart.py --data mitdb           folder of WFDB records (MIT-BIH)
    python examples/quickstart.py --data heartbeat       folder of the Kaggle "heartbeat" set
"""

import argparse
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from sklearn.metrics import classification_report, confusion_matrix, f1_score
from sklearn.model_selection import (
    GridSearchCV,
    ParameterGrid,
    StratifiedGroupKFold,
    StratifiedKFold,
)
from tqdm.auto import tqdm

from ecgbeat import BandpassFilter, ECGCNNClassifier, RPeakSegmenter, ZScoreScaler, datasets
from ecgbeat.annotation import extract_beats

# maximum numbers of beats from real data, to limit the training time to a few minutes
MAX_BEATS_PER_CLASS_AND_PATIENT = 150
MAX_BEATS_PER_CLASS = 3000
N_FOLDS = 3

SYMBOLS = {
    "N": "normal",
    "L": "left bundle branch block",
    "R": "right bundle branch block",
    "A": "atrial premature",
    "V": "ventricular premature",
}
AAMI_CLASSES = {
    "N": "normal, bundle branch block",
    "S": "supraventricular ectopic",
    "V": "ventricular ectopic",
    "F": "fusion of N and V",
    "Q": "paced, unclassifiable",
}


def simulate_beats():
    """Return windows of 2 s around the beats of simulated patients."""
    beats = datasets.make_heartbeats(2000, n_patients=24, random_state=0)
    beats.update(name="24 simulated patients", class_names=SYMBOLS, is_segmented=False)
    return beats


def load_wfdb_beats(folder):
    """Return windows of 2 s around the annotated beats of a folder of WFDB records."""
    # load_mitdb assigns records 201 and 202 to the same patient, which the headers do not contain
    load = datasets.load_mitdb if (folder / "201.hea").exists() else datasets.load_wfdb
    records = load(folder, lead=("MLII", 0), verbose=1)
    beats = extract_beats(records, before=1.0, after=1.0, symbols=SYMBOLS)
    name = f"{len(records.record_names)} records of {folder}"
    beats.update(name=name, class_names=SYMBOLS, is_segmented=False)
    return undersample(beats)


def load_kaggle_beats(folder):
    """Return the segmented training beats of the Kaggle set."""
    beats = datasets.load_heartbeat_csv(folder, subset="train")
    beats.update(target=np.asarray(beats.target_names)[beats.target])
    beats.update(name=f"training beats of {folder}", class_names=AAMI_CLASSES, is_segmented=True)
    return undersample(beats)


def load_beats(folder):
    """Return the beats of a folder, or simulated beats if ``folder`` is None."""
    if folder is None:
        return simulate_beats()
    if not folder.is_dir():
        raise SystemExit(f"--data must be an existing folder, got {str(folder)!r}.")
    return load_wfdb_beats(folder) if any(folder.rglob("*.hea")) else load_kaggle_beats(folder)


def undersample(beats):
    """Select a random subset of the beats of each class and patient."""
    n_beats = len(beats.target)
    rows = np.random.default_rng(0).permutation(n_beats)
    if beats.groups is not None:
        keys = np.char.add(beats.groups.astype(str), beats.target)
        rows = first_rows(rows, keys, MAX_BEATS_PER_CLASS_AND_PATIENT)
    rows = np.sort(first_rows(rows, beats.target, MAX_BEATS_PER_CLASS))
    print(
        f"Selected {len(rows)} of {n_beats} beats at random: at most "
        f"{MAX_BEATS_PER_CLASS_AND_PATIENT} per class and patient (if the patients are known) and "
        f"{MAX_BEATS_PER_CLASS} per class."
    )
    groups = None if beats.groups is None else beats.groups[rows]
    beats.update(data=beats.data[rows], target=beats.target[rows], groups=groups)
    return beats


def first_rows(rows, keys, limit):
    """Return the first ``limit`` rows of each key, in the order given."""
    _, codes = np.unique(keys[rows], return_inverse=True)
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], codes[order])
    rank = np.empty(len(rows), int)
    rank[order] = np.arange(len(rows)) - starts
    return rows[rank < limit]


def make_pipeline_and_grid(beats):
    """Return the pipeline and the parameter grid."""
    smallest = np.unique(beats.target, return_counts=True)[1].min()
    steps = [
        ZScoreScaler(),
        SMOTE(k_neighbors=int(np.clip(smallest // 10, 1, 5)), random_state=0),
        ECGCNNClassifier(n_filters=8, max_epochs=10, random_state=0),
    ]
    grid = {"ecgcnnclassifier__dropout": [0.1, 0.3]}
    if not beats.is_segmented:
        segmenter = RPeakSegmenter(fs=beats.fs, before=0.3, after=0.5, n_times=128)
        steps = [BandpassFilter(fs=beats.fs), segmenter, *steps]
        grid |= {"bandpassfilter__high": [25.0, 40.0], "rpeaksegmenter__before": [0.3, 0.8]}
    return make_pipeline(*steps), grid


def split(beats):
    """Return the training rows, the test rows and the cross-validation splitter."""
    if beats.groups is None:
        print(
            "The data do not contain the patient of each beat. The following splits mix patients,"
        )
        print("and the scores are too optimistic for new patients.")
        splitter, folds = StratifiedKFold(4, shuffle=True, random_state=0), StratifiedKFold(N_FOLDS)
    else:
        splitter = StratifiedGroupKFold(4, shuffle=True, random_state=0)
        folds = StratifiedGroupKFold(N_FOLDS)
    train, test = next(splitter.split(beats.data, beats.target, beats.groups))
    return train, test, folds


def print_data(beats, train, test):
    """Print the number of patients and beats in the training and test sets."""
    print(f"\nData: {beats.name}; {beats.data.shape[1]} samples per beat at {beats.fs:g} Hz")
    for name, rows in (("training", train), ("held out", test)):
        classes, counts = np.unique(beats.target[rows], return_counts=True)
        patients = (
            "" if beats.groups is None else f"{len(np.unique(beats.groups[rows]))} patients, "
        )
        by_class = "  ".join(f"{c} {n}" for c, n in zip(classes, counts, strict=True))
        print(f"  {name}: {patients}{len(rows)} beats ({by_class})")
    for label, class_name in beats.class_names.items():
        print(f"  {label}: {class_name}")


class CountedMacroF1:
    """Scorer that appends a byte to a file after each fit, which may run in another process."""

    def __init__(self, file):
        self.file = file

    def __call__(self, pipeline, X, y):
        score = f1_score(y, pipeline.predict(X), average="macro", zero_division=0.0)
        with open(self.file, "ab") as file:
            file.write(b".")
        return score


@contextmanager
def progress_bar(file, n_fits):
    """Show the size of a file as a progress bar with the time left while the block runs."""
    finished = threading.Event()

    def watch():
        # smoothing=0: the time left by the mean over all fits so far
        with tqdm(total=n_fits, desc="tuning", unit="fit", smoothing=0) as bar:
            is_last = False
            while not is_last:
                is_last = finished.wait(0.2)
                if n_new := file.stat().st_size - bar.n:
                    bar.update(n_new)

    file.touch()
    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()


def tune(beats, train, folds, n_jobs):
    """Tune the pipeline by cross-validation on the training set."""
    pipeline, grid = make_pipeline_and_grid(beats)
    groups = None if beats.groups is None else beats.groups[train]
    n_fits = len(ParameterGrid(grid)) * N_FOLDS
    print(f"\nTuning by {n_fits} fits (the first take longer, because processes are started):")
    with tempfile.TemporaryDirectory() as folder:
        scorer = CountedMacroF1(Path(folder, "fits"))
        search = GridSearchCV(pipeline, grid, cv=folds, scoring=scorer, n_jobs=n_jobs)
        with progress_bar(scorer.file, n_fits):
            search.fit(beats.data[train], beats.target[train], groups=groups)
    print(f"\nMacro-F1 in {N_FOLDS}-fold cross-validation, mean and standard deviation:")
    results = search.cv_results_
    for i in np.argsort(results["rank_test_score"]):
        settings = ", ".join(f"{k.split('__')[1]} {v}" for k, v in results["params"][i].items())
        mean, std = results["mean_test_score"][i], results["std_test_score"][i]
        print(f"  {mean:.3f} ± {std:.3f}   {settings}")
    return search


def print_report(beats, test, search):
    """Evaluate the best model, refitted on the whole training set, on the test set."""
    y, predicted = beats.target[test], search.predict(beats.data[test])
    print(f"\nBest model on the held-out {'beats' if beats.groups is None else 'patients'}:\n")
    labels = np.union1d(y, predicted)
    names = [f"{label} {beats.class_names[label]}" for label in labels]
    print(classification_report(y, predicted, target_names=names, digits=3, zero_division=0.0))
    print_unrecognized(beats, y, predicted)
    print("Confusion matrix (row: true class, column: predicted class)")
    print("       " + "".join(f"{label:>6}" for label in search.classes_))
    for label, row in zip(
        search.classes_, confusion_matrix(y, predicted, labels=search.classes_), strict=True
    ):
        print(f"{label:>6} " + "".join(f"{count:>6}" for count in row))
    if beats.groups is not None:
        accuracies = [
            np.mean((predicted == y)[beats.groups[test] == patient])
            for patient in np.unique(beats.groups[test])
        ]
        print(
            f"\nAccuracy by patient: median {np.median(accuracies):.3f}, "
            f"minimum {min(accuracies):.3f}"
        )
    classes, counts = np.unique(y, return_counts=True)
    baseline = np.full(len(y), classes[counts.argmax()])
    macro_f1, baseline_f1 = (
        f1_score(y, p, average="macro", zero_division=0.0) for p in (predicted, baseline)
    )
    print(f"Macro-F1 {macro_f1:.3f} (always predicting {str(baseline[0])!r}: {baseline_f1:.3f})")


def print_unrecognized(beats, y, predicted):
    """Print the classes that score 0, which reduce the macro average."""
    for label in np.union1d(y, predicted):
        if np.any((predicted == label) & (y == label)):
            continue
        if np.any(y == label):
            reason = "its beats are rare, or differ between patients, or resemble another class."
        else:
            reason = "the held-out patients have no such beats, but some were predicted."
        print(f"{label} ({beats.class_names[label]}) has a score of 0: {reason}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of WFDB records or of the Kaggle set")
    parser.add_argument(
        "--n-jobs", type=int, default=2, help="number of processes for the grid search"
    )
    arguments = parser.parse_args()
    start = time.perf_counter()
    beats = load_beats(arguments.data)
    train, test, folds = split(beats)
    print_data(beats, train, test)
    search = tune(beats, train, folds, arguments.n_jobs)
    print_report(beats, test, search)
    print(f"\nDone in {time.perf_counter() - start:.0f} s.")


if __name__ == "__main__":
    main()
