"""Classify heartbeats of patients that the model has never seen.

Filter, segmenter, scaler, SMOTE and a convolutional network in one pipeline, tuned by
grid search under patient-wise cross-validation, then judged on held-out patients.

    python examples/quickstart.py                        simulated patients
    python examples/quickstart.py --data mitdb           a folder of WFDB records (MIT-BIH)
    python examples/quickstart.py --data heartbeat       a folder of the Kaggle "heartbeat" set
"""

import argparse
import time
from pathlib import Path

import numpy as np
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from sklearn.metrics import classification_report, confusion_matrix, f1_score
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold, StratifiedKFold

from ecgbeat import BandpassFilter, ECGCNNClassifier, RPeakSegmenter, ZScoreScaler, datasets
from ecgbeat.annotation import extract_beats

BEATS_OF_A_CLASS_AND_PATIENT = 150  # taken at most from real data, to stay in minutes
BEATS_OF_A_CLASS = 3000
N_FOLDS = 3


def simulated():
    """Return windows of 2 s around the beats of simulated patients."""
    beats = datasets.make_heartbeats(2000, n_patients=24, random_state=0)
    beats.update(name="24 simulated patients", are_cut=False)
    return beats


def from_wfdb(folder):
    """Return windows of 2 s around the annotated beats of a folder of WFDB records."""
    # load_mitdb knows, beyond any WFDB header, that records 201 and 202 are of one patient
    reader = datasets.load_mitdb if (folder / "201.hea").exists() else datasets.load_wfdb
    records = reader(folder, lead=("MLII", 0), verbose=1)
    beats = extract_beats(
        records.recordings,
        records.annotations,
        records.fs,
        before=1.0,
        after=1.0,
        symbols=("N", "L", "R", "A", "V"),
        groups=records.groups,
    )
    beats.update(name=f"{len(records.record_names)} records of {folder}", are_cut=False)
    beats.update(fs=records.fs)
    return thin_out(beats)


def from_kaggle(folder):
    """Return the training beats of the Kaggle set, which its makers have cut already."""
    beats = datasets.load_heartbeat_csv(folder, subset="train")
    beats.update(target=np.asarray(beats.target_names)[beats.target])
    beats.update(name=f"the training beats of {folder}", are_cut=True)
    return thin_out(beats)


def load(folder):
    """Return the beats of a folder of either kind, or simulated ones."""
    if folder is None:
        return simulated()
    if not folder.is_dir():
        raise SystemExit(f"--data must name a folder; {str(folder)!r} is none.")
    return from_wfdb(folder) if any(folder.rglob("*.hea")) else from_kaggle(folder)


def thin_out(beats):
    """Keep a random part of the beats: some of every patient and class."""
    n_beats = len(beats.target)
    order = np.random.default_rng(0).permutation(n_beats)
    if beats.groups is not None:
        kinds = np.char.add(beats.groups.astype(str), beats.target)
        order = at_most(BEATS_OF_A_CLASS_AND_PATIENT, order, kinds)
    kept = np.sort(at_most(BEATS_OF_A_CLASS, order, beats.target))
    print(
        f"Kept {len(kept)} of {n_beats} beats at random: at most {BEATS_OF_A_CLASS_AND_PATIENT} "
        f"of a class and patient (where patients are known), {BEATS_OF_A_CLASS} of a class."
    )
    groups = None if beats.groups is None else beats.groups[kept]
    beats.update(data=beats.data[kept], target=beats.target[kept], groups=groups)
    return beats


def at_most(limit, rows, kinds):
    """Return the rows but those that come after ``limit`` others of their kind."""
    _, codes = np.unique(kinds[rows], return_inverse=True)
    by_kind = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[by_kind], codes[by_kind])
    rank = np.empty(len(rows), int)
    rank[by_kind] = np.arange(len(rows)) - starts
    return rows[rank < limit]


def pipeline_and_grid(beats):
    """Return the pipeline and what is tried on it."""
    smallest = np.unique(beats.target, return_counts=True)[1].min()
    steps = [
        ZScoreScaler(),
        SMOTE(k_neighbors=int(np.clip(smallest // 10, 1, 5)), random_state=0),
        ECGCNNClassifier(n_filters=8, max_epochs=10, random_state=0),
    ]
    grid = {"ecgcnnclassifier__dropout": [0.1, 0.3]}
    if not beats.are_cut:
        window = RPeakSegmenter(fs=beats.fs, before=0.3, after=0.5, n_times=128)
        steps = [BandpassFilter(fs=beats.fs), window, *steps]
        grid |= {"bandpassfilter__high": [25.0, 40.0], "rpeaksegmenter__before": [0.3, 0.8]}
    return make_pipeline(*steps), grid


def split(beats):
    """Return training rows, test rows, the cross-validation and a sentence about them."""
    if beats.groups is None:
        print("The data do not say which beat is whose: the figures below mix patients,")
        print("and promise more than a new patient would get.")
        return *next(
            StratifiedKFold(4, shuffle=True, random_state=0).split(beats.data, beats.target)
        ), StratifiedKFold(N_FOLDS)
    folds = StratifiedGroupKFold(4, shuffle=True, random_state=0)
    rows = next(folds.split(beats.data, beats.target, beats.groups))
    return *rows, StratifiedGroupKFold(N_FOLDS)


def describe(beats, train, test):
    """Print how many beats of which class are where."""
    print(f"\nData: {beats.name}; {beats.data.shape[1]} samples a beat at {beats.fs:g} Hz")
    for name, rows in (("training", train), ("held out", test)):
        classes, counts = np.unique(beats.target[rows], return_counts=True)
        patients = (
            "" if beats.groups is None else f"{len(np.unique(beats.groups[rows]))} patients, "
        )
        listed = "  ".join(f"{c} {n}" for c, n in zip(classes, counts, strict=True))
        print(f"  {name}: {patients}{len(rows)} beats ({listed})")


def tune(beats, train, folds, n_jobs):
    """Search the grid within the training patients."""
    pipeline, grid = pipeline_and_grid(beats)
    search = GridSearchCV(pipeline, grid, cv=folds, scoring="f1_macro", n_jobs=n_jobs, verbose=3)
    groups = None if beats.groups is None else beats.groups[train]
    search.fit(beats.data[train], beats.target[train], groups=groups)
    print(f"\nMacro-F1 in {N_FOLDS}-fold cross-validation, mean and standard deviation:")
    results = search.cv_results_
    for i in np.argsort(results["rank_test_score"]):
        settings = ", ".join(f"{k.split('__')[1]} {v}" for k, v in results["params"][i].items())
        mean, std = results["mean_test_score"][i], results["std_test_score"][i]
        print(f"  {mean:.3f} ± {std:.3f}   {settings}")
    return search


def report(beats, test, search):
    """Judge the best setting, refitted on all training beats, on the held-out ones."""
    y, predicted = beats.target[test], search.predict(beats.data[test])
    whose = "beats" if beats.groups is None else "patients"
    print(f"\nThe best setting on the held-out {whose}:\n")
    print(classification_report(y, predicted, digits=3, zero_division=0.0))
    print("Confusion matrix (row: true class, column: predicted class)")
    print("       " + "".join(f"{label:>6}" for label in search.classes_))
    for label, row in zip(
        search.classes_, confusion_matrix(y, predicted, labels=search.classes_), strict=True
    ):
        print(f"{label:>6} " + "".join(f"{count:>6}" for count in row))
    if beats.groups is not None:
        shares = [
            np.mean((predicted == y)[beats.groups[test] == patient])
            for patient in np.unique(beats.groups[test])
        ]
        print(
            f"\nBeats classified correctly in a patient: median {np.median(shares):.3f}, "
            f"worst {min(shares):.3f}"
        )
    classes, counts = np.unique(y, return_counts=True)
    guess = np.full(len(y), classes[counts.argmax()])
    macro, trivial = (
        f1_score(y, p, average="macro", zero_division=0.0) for p in (predicted, guess)
    )
    print(f"Macro-F1 {macro:.3f}; always answering {str(guess[0])!r} would give {trivial:.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of WFDB records or of the Kaggle set")
    parser.add_argument("--n-jobs", type=int, default=2, help="processes of the grid search")
    arguments = parser.parse_args()
    start = time.perf_counter()
    beats = load(arguments.data)
    train, test, folds = split(beats)
    describe(beats, train, test)
    search = tune(beats, train, folds, arguments.n_jobs)
    report(beats, test, search)
    print(f"\nDone in {time.perf_counter() - start:.0f} s.")


if __name__ == "__main__":
    main()
