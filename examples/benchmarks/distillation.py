"""Distillation of sixteen networks into one on the Kaggle "heartbeat" set.

    python examples/benchmarks/distillation.py --data kaggle_heartbeat

An ECGCNNClassifier learns the probabilities that an ensemble gives to the training beats, in place
of their labels (Hinton et al. 2015, arXiv:1503.02531). Kinds of targets are compared on a fifth of
the training file. With --test, the networks are trained on the whole training file and scored on
the test file.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch
from _inside_training_file import format_mean_and_std, load, score_fitted, split
from _report import print_machine, print_table
from _training_measure import load_split, stratified_rows
from sklearn.model_selection import StratifiedKFold
from sklearn.utils import Bunch

from ecgbeat import ECGCNNClassifier

FIRST_TEACHER_SEED = 1000  # other seeds than those of the students
MIN_PROBABILITY = 0.01  # smaller targets are set to 0


def teach(X, y, folds, members, epochs):
    """Return the probabilities of the beats, by networks that have not seen them and that have.

    For each fold, an ensemble is trained on the other folds. Its probabilities of its own training
    beats are closer to the labels than those of new beats are.
    """
    unseen = np.zeros((len(y), len(np.unique(y))))
    seen = np.zeros_like(unseen)
    by_fold = StratifiedKFold(folds, shuffle=True, random_state=0)
    for fold, (train, rest) in enumerate(by_fold.split(X, y)):
        ensemble = ECGCNNClassifier(
            n_members=members, max_epochs=epochs, random_state=FIRST_TEACHER_SEED + fold
        )
        ensemble.fit(X[train], y[train])
        unseen[rest] = ensemble.predict_proba(X[rest])
        seen[train] += ensemble.predict_proba(X[train]) / (folds - 1)
        print(f"teachers of fold {fold + 1} of {folds} are trained", flush=True)
    return unseen, seen


# name: shares of the one-hot labels and of both probabilities of `teach`, and the temperature
TARGETS = {
    "labels": ((1.0, 0.0, 0.0), 1),
    "unseen": ((0.0, 1.0, 0.0), 1),
    "half unseen": ((0.5, 0.5, 0.0), 1),
    "seen": ((0.0, 0.0, 1.0), 1),
    "seen, temperature 2": ((0.0, 0.0, 1.0), 2),
    "seen and unseen": ((0.0, 0.5, 0.5), 1),
}


def mix(labels, unseen, seen, shares, temperature):
    """Return the mean of the targets by their shares, with logits divided by the temperature."""
    mean = sum(share * part for share, part in zip(shares, (labels, unseen, seen), strict=True))
    powers = mean ** (1 / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


def weighted_copies(X, classes, targets):
    """Return copies of the beats, one per class, their labels and weights.

    The weight is the probability of the class, so that the summed loss of the copies is the
    cross-entropy with ``targets``, (n_beats, n_classes). Most beats have one copy.
    """
    targets = np.where(targets < MIN_PROBABILITY, 0.0, targets)
    targets /= targets.sum(axis=1, keepdims=True)
    rows, codes = np.nonzero(targets)
    return X[rows], classes[codes], targets[rows, codes]


def load_rows(arguments):
    """Return the beats, the rows of the training set and those of the test set."""
    if arguments.test:
        parts = load_split(arguments.data)
        arrays = {
            name: np.concatenate([part[name] for part in parts]) for name in ("data", "target")
        }
        data = Bunch(**arrays, target_names=parts[0].target_names)
        train, test = np.split(np.arange(len(data.target)), [len(parts[0].target)])
    else:
        data = load(arguments.data, limit=None)
        train, test = split("beat", data, seed=0)
    if arguments.limit is not None and arguments.limit < len(train):
        train = train[stratified_rows(data.target[train], arguments.limit)]
    return data, (train, test)


def load_teachers(X, y, arguments):
    """Return the probabilities of the teachers, stored in a file if one is given."""
    file = arguments.teachers
    if file is None or not file.exists():
        unseen, seen = teach(X, y, arguments.folds, arguments.members, arguments.teacher_epochs)
        if file is not None:
            np.savez(file, unseen=unseen, seen=seen)
    else:
        with np.load(file) as stored:
            unseen, seen = stored["unseen"], stored["seen"]
        if len(unseen) != len(y):
            sys.exit(f"{file} is of {len(unseen)} training beats, but there are {len(y)}.")
    return unseen, seen


def score_all(data, rows, arguments):
    """Return the scores of each kind of targets, with seeds in rows."""
    X, y = data.data[rows[0]], data.target[rows[0]]
    classes, codes = np.unique(y, return_inverse=True)
    teachers = load_teachers(X, y, arguments)
    for name, probabilities in zip(("unseen", "seen"), teachers, strict=True):
        correct = np.mean(probabilities.argmax(axis=1) == codes)
        print(f"accuracy of the teachers on {name} beats: {correct:.4f}")
    scores = {}
    for seed in arguments.seeds:
        for name in arguments.targets:
            targets = mix(np.eye(len(classes))[codes], *teachers, *TARGETS[name])
            copies, labels, weights = weighted_copies(X, classes, targets)
            student = ECGCNNClassifier(max_epochs=arguments.epochs, random_state=seed)
            start = time.perf_counter()
            student.fit(copies, labels, sample_weight=weights)
            found = score_fitted(student, data, rows[1], time.perf_counter() - start)
            scores.setdefault(name, []).append(found)
            print(
                f"{name}, seed {seed}: accuracy {found[0]:.4f}, macro-F1 {found[1]:.4f}, log loss "
                f"{found[2]:.4f}, {len(copies) / len(X):.3f} copies per beat, fit {found[3]:.0f} s",
                flush=True,
            )
    return scores


def table_rows(scores, names):
    """Yield the rows of the table, with mean and standard deviation over the seeds."""
    yield ["targets", "accuracy", "macro-F1", "log loss", *(f"F1 {name}" for name in names)]
    for targets, passes in scores.items():
        accuracy, macro, loss, _, *by_class = np.transpose(passes)
        cells = [format_mean_and_std(values, 4) for values in (accuracy, macro, loss)]
        yield [targets, *cells, *(f"{values.mean():.3f}" for values in by_class)]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="data folder; default: in the data home")
    parser.add_argument("--targets", nargs="+", choices=TARGETS, default=list(TARGETS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=16, help="epochs of the students")
    parser.add_argument("--folds", type=int, default=4, help="number of folds of the teachers")
    parser.add_argument("--members", type=int, default=4, help="number of teachers per fold")
    parser.add_argument("--teacher-epochs", type=int, default=8, help="epochs of the teachers")
    parser.add_argument(
        "--teachers", type=Path, help="file (.npz) that keeps the probabilities of the teachers"
    )
    parser.add_argument("--test", action="store_true", help="use the test file")
    parser.add_argument("--limit", type=int, help="number of training beats, for a short run")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--markdown", action="store_true", help="print tables for the docs")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    try:
        data, rows = load_rows(arguments)
    except (FileNotFoundError, ValueError) as error:
        sys.exit(str(error))
    print_machine(("ecgbeat", "torch", "skorch", "scikit-learn", "numpy"), arguments.threads)
    print(f"{len(rows[0])} training beats, {len(rows[1])} test beats")
    scores = score_all(data, rows, arguments)
    title = f"Mean and standard deviation over {len(arguments.seeds)} seeds"
    print_table(title, table_rows(scores, data.target_names), arguments.markdown)


if __name__ == "__main__":
    main()
