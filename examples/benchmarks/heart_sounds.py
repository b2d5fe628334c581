"""Classification of heart sounds by subject: MFCCs and a CNN compared with a random forest.

    python examples/benchmarks/heart_sounds.py --data pascal_set_b

The models are evaluated by 5-fold cross-validation by subject, with different folds for each seed.
The test subjects are not used for any choice. With adjusted priors, the probabilities are divided
by a power of the class frequencies before the class with the largest value is predicted. The
exponent is chosen by 5-fold cross-validation by subject within the training set. The CNN is the
average of the five networks of this inner cross-validation.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from _inside_training_file import format_mean_and_std
from _report import print_machine, print_table
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

from ecgbeat import BandpassFilter, ECGCNNClassifier, MFCCExtractor, ZScoreScaler
from ecgbeat.datasets import load_heart_sounds

FS_HZ = 4000.0
WINDOW_S, STEP_S = 3.0, 1.0  # rows for the network; probabilities are averaged over each file
FOREST_S = 5.0  # the forest uses one row per file
N_FOLDS = N_INNER_FOLDS = 5
N_TREES = 500
POWERS = np.linspace(0.0, 1.0, 11)


class Rows(NamedTuple):
    """Rows of sound, with one or several rows per file."""

    data: np.ndarray
    target: np.ndarray
    file: np.ndarray

    def of(self, files):
        """Return the rows of the given files."""
        mask = np.isin(self.file, files)
        return Rows(*(array[mask] for array in self))


class Sounds(NamedTuple):
    """Files, with the rows for each model."""

    target: np.ndarray
    subject: np.ndarray
    rows: dict[str, Rows]


def load(folder, rule):
    """Read the files in windows for the network and as a whole for the forest."""
    windows = {
        "cnn": {"duration": WINDOW_S, "window_step": STEP_S},
        "forest": {"duration": FOREST_S},
    }
    rows = {}
    for name, settings in windows.items():
        sounds = load_heart_sounds(folder, rule=rule, fs=FS_HZ, **settings)
        rows[name] = Rows(sounds.data, sounds.target, sounds.file_index)
    return Sounds(sounds.target, sounds.groups, rows)  # the last one has one row per file


def make_cnn(seed, epochs):
    """Return the pipeline of the network; see the README for the choice of its parameters."""
    mfcc = MFCCExtractor(
        fs=FS_HZ, n_mfcc=20, n_mels=40, n_fft=512, win_length=256, fmin=20.0, fmax=800.0, deltas=1
    )
    n_channels = mfcc.n_mfcc * (1 + mfcc.deltas)
    return make_pipeline(
        BandpassFilter(fs=FS_HZ, low=10.0, high=1000.0),
        mfcc,
        ZScoreScaler(n_leads=n_channels),
        ECGCNNClassifier(
            n_leads=n_channels,
            n_filters=8,
            dropout=0.2,
            class_weight="sqrt_balanced",
            augment_amplitude=0.1,
            augment_noise=0.3,
            augment_shift=0.2,
            n_members=1,  # five pipelines are averaged
            max_epochs=epochs,
            batch_size=64,
            random_state=seed,
        ),
    )


def make_forest(seed):
    """Return the pipeline of the random forest."""
    return make_pipeline(
        MFCCExtractor(fs=FS_HZ, summary="stats"),
        RandomForestClassifier(N_TREES, random_state=seed),
    )


def file_probabilities(model, rows, classes):
    """Return the mean probabilities of each file, with 0 for classes not known to the model."""
    _, file = np.unique(rows.file, return_inverse=True)
    probabilities = np.zeros((len(file), len(classes)))
    probabilities[:, np.searchsorted(classes, model.classes_)] = model.predict_proba(rows.data)
    sums = np.zeros((file.max() + 1, len(classes)))
    np.add.at(sums, file, probabilities)
    return sums / np.bincount(file)[:, None]


def inner_models(make, rows, sounds, train, seed):
    """Yield a model trained on each inner fold, and the indices of the fold left out."""
    folds = StratifiedGroupKFold(N_INNER_FOLDS, shuffle=True, random_state=seed)
    y, subject = sounds.target[train], sounds.subject[train]
    for k, (fitted, left) in enumerate(folds.split(y, y, subject)):
        part = rows.of(train[fitted])
        yield make(N_INNER_FOLDS * seed + k).fit(part.data, part.target), left


def classify_by_cnn(make, sounds, train, test, seed):
    """Return the probabilities of the training files (out-of-fold) and of the test files."""
    rows, classes = sounds.rows["cnn"], np.unique(sounds.target)
    inner, outer = np.zeros((len(train), len(classes))), np.zeros((len(test), len(classes)))
    for model, left in inner_models(make, rows, sounds, train, seed):
        inner[left] = file_probabilities(model, rows.of(train[left]), classes)
        outer += file_probabilities(model, rows.of(test), classes) / N_INNER_FOLDS
    return inner, outer


def classify_by_forest(make, sounds, train, test, seed):
    """Return the same as `classify_by_cnn`, with one forest for the test files."""
    rows, classes = sounds.rows["forest"], np.unique(sounds.target)
    inner = np.zeros((len(train), len(classes)))
    for model, left in inner_models(make, rows, sounds, train, seed):
        inner[left] = file_probabilities(model, rows.of(train[left]), classes)
    part = rows.of(train)
    return inner, file_probabilities(make(seed).fit(part.data, part.target), rows.of(test), classes)


def macro_f1(y, predicted):
    """Return the mean F1 of the classes in y."""
    return f1_score(y, predicted, labels=np.unique(y), average="macro", zero_division=0.0)


def predict_with_power(probabilities, y_train, classes, power):
    """Return the class with the largest probability divided by its frequency to a power."""
    frequencies = np.array([np.mean(y_train == label) for label in classes]).clip(1 / len(y_train))
    return classes[(probabilities / frequencies**power).argmax(axis=1)]


def choose_power(probabilities, y, classes):
    """Return the power with the best macro-F1."""
    scores = [macro_f1(y, predict_with_power(probabilities, y, classes, power)) for power in POWERS]
    return POWERS[int(np.argmax(scores))]


def classify(sounds, train, test, seed, epochs):
    """Return the inner and outer probabilities of each model."""
    by_cnn = classify_by_cnn(lambda s: make_cnn(s, epochs), sounds, train, test, seed)
    by_forest = classify_by_forest(make_forest, sounds, train, test, seed)
    both = [(a + b) / 2 for a, b in zip(by_cnn, by_forest, strict=True)]
    return {"MFCCs and CNN": by_cnn, "statistics and forest": by_forest, "mean of both": both}


def cross_validate(sounds, seed, epochs):
    """Return the predicted labels of each model, and the fold of each file."""
    y, classes = sounds.target, np.unique(sounds.target)
    labels, fold_of_file = {}, np.empty(len(y), int)
    folds = StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=seed)
    for fold, (train, test) in enumerate(folds.split(y, y, sounds.subject)):
        start = time.perf_counter()
        fold_of_file[test] = fold
        scores = []
        for name, (inner, outer) in classify(sounds, train, test, seed, epochs).items():
            power = choose_power(inner, y[train], classes)
            for row, exponent in ((name, 0.0), (f"{name}, adjusted priors", power)):
                predicted = predict_with_power(outer, y[train], classes, exponent)
                labels.setdefault(row, np.empty_like(y))[test] = predicted
            scores.append(f"{name} {macro_f1(y[test], labels[row][test]):.3f} (power {power:.1f})")
        seconds = time.perf_counter() - start
        print(f"seed {seed}, fold {fold}: {', '.join(scores)}; {seconds:.0f} s", flush=True)
    return labels, fold_of_file


def score(y, predicted, fold_of_file):
    """Return the accuracy, the macro-F1, its mean over the folds, and the F1 of each class."""
    folds = [fold_of_file == fold for fold in range(N_FOLDS)]
    by_fold = np.mean([macro_f1(y[fold], predicted[fold]) for fold in folds])
    by_class = f1_score(y, predicted, average=None, zero_division=0.0)
    return [accuracy_score(y, predicted), by_class.mean(), by_fold, *by_class]


def table_rows(scores, classes):
    """Yield the rows of the table, with mean and standard deviation over the seeds."""
    yield ["model", "accuracy", "macro-F1", "mean of folds", *(f"F1 {name}" for name in classes)]
    for name, passes in scores.items():
        yield [name, *(format_mean_and_std(values, 3) for values in np.transpose(passes))]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, help="data folder; default: heart_sounds in the data home"
    )
    parser.add_argument("--rule", choices=["pascal", "folders"], default="pascal")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--markdown", action="store_true", help="print the table for the docs")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    try:
        sounds = load(arguments.data, arguments.rule)
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    torch.set_num_threads(arguments.threads)
    distributions = ("ecgbeat", "torch", "skorch", "scikit-learn", "librosa", "numpy")
    print_machine(distributions, arguments.threads)
    classes, counts = np.unique(sounds.target, return_counts=True)
    by_class = ", ".join(f"{name} {count}" for name, count in zip(classes, counts, strict=True))
    print(
        f"{len(sounds.target)} files of {len(np.unique(sounds.subject))} subjects ({by_class}), "
        f"seeds {arguments.seeds}\n"
    )
    scores = {}
    with threadpool_limits(arguments.threads):
        for seed in arguments.seeds:
            labels, fold_of_file = cross_validate(sounds, seed, arguments.epochs)
            for name, predicted in labels.items():
                found = score(sounds.target, predicted, fold_of_file)
                scores.setdefault(name, []).append(found)
    title = "Held-out subjects, mean and standard deviation over the seeds"
    print_table(title, table_rows(scores, classes), arguments.markdown)


if __name__ == "__main__":
    main()
