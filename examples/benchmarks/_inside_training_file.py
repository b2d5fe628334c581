"""Validation inside the training file of the Kaggle "heartbeat" set, by beat and by patient."""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from _training_measure import limited
from sklearn.metrics import accuracy_score, f1_score, log_loss
from sklearn.model_selection import StratifiedGroupKFold, StratifiedShuffleSplit

from ecgbeat.datasets import load_heartbeat_csv

BEATS_HELD_OUT = 0.2
PATIENT_FOLDS = 4  # a quarter of the patients each; the seed says which
PROTOCOLS = ["beat", "patient"]


def make_parser(description):
    """Return a parser of the options that every comparison inside the file has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, help="folder; default: in the data home")
    parser.add_argument("--protocols", nargs="+", choices=PROTOCOLS, default=PROTOCOLS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, help="of all alike; default: as many as each takes")
    parser.add_argument("--limit", type=int, help="so many beats, for a quick trial")
    parser.add_argument("--markdown", action="store_true", help="print tables for the docs")
    return parser


def add_study_options(parser, settings):
    """Add the options of a comparison of settings in several processes."""
    parser.add_argument("--settings", nargs="+", choices=settings, default=list(settings))
    parser.add_argument("--jobs", type=int, default=2, help="processes, of one thread each")


def load(path, limit):
    """Return the beats of the training file, or so many of them, classes in their shares."""
    return limited(load_heartbeat_csv(path, subset="train"), limit)


def load_for(arguments):
    """Load what the options name, and leave out the protocol that the file has no patients for."""
    try:
        data = load(arguments.data, arguments.limit)
    except (FileNotFoundError, ValueError) as error:
        sys.exit(str(error))
    if data.groups is None:
        print("The file does not tell the patients: nothing is held out by patient.")
        arguments.protocols = [name for name in arguments.protocols if name != "patient"]
    return data


def split(protocol, data, seed):
    """Return the rows to train on and the rows to score."""
    if protocol == "beat":
        by_beat = StratifiedShuffleSplit(1, test_size=BEATS_HELD_OUT, random_state=seed)
        return next(by_beat.split(data.data, data.target))
    by_patient = StratifiedGroupKFold(PATIENT_FOLDS, shuffle=True, random_state=0)
    return list(by_patient.split(data.data, data.target, data.groups))[seed % PATIENT_FOLDS]


def score(classifier, data, rows):
    """Train on one part; return accuracy, macro-F1, log loss and seconds, then every class's F1.

    Where no held-out patient has a class its F1 is NaN, and macro-F1 is the mean of the others.
    """
    train, test = rows
    start = time.perf_counter()
    classifier.fit(data.data[train], data.target[train])
    seconds = time.perf_counter() - start
    y = data.target[test]
    probabilities = classifier.predict_proba(data.data[test]).astype(float)
    probabilities /= probabilities.sum(axis=1, keepdims=True)  # to the last bit of a float64
    predicted = classifier.classes_[probabilities.argmax(axis=1)]
    codes = np.arange(len(data.target_names))
    by_class = f1_score(y, predicted, labels=codes, average=None, zero_division=0)
    by_class[~np.isin(codes, y)] = np.nan
    loss = log_loss(y, probabilities, labels=classifier.classes_)
    return [accuracy_score(y, predicted), np.nanmean(by_class), loss, seconds, *by_class]


def mean_and_spread(values, digits):
    """Return mean and standard deviation of what is known, in words."""
    known = values[~np.isnan(values)]
    summaries = [known.mean()] if len(known) else []
    summaries += [known.std(ddof=1)] if len(known) > 1 else []
    return " ± ".join(f"{summary:.{digits}f}" for summary in summaries)
