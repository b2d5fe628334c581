"""Validation within the training file of the Kaggle "heartbeat" set, by beat and by patient."""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from _training_measure import subsample
from sklearn.metrics import accuracy_score, f1_score, log_loss
from sklearn.model_selection import StratifiedGroupKFold, StratifiedShuffleSplit

from ecgbeat.datasets import load_heartbeat_csv

BEATS_HELD_OUT = 0.2
PATIENT_FOLDS = 4  # the held-out fold depends on the seed
PROTOCOLS = ["beat", "patient"]


def make_parser(description):
    """Return a parser with the common options."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, help="data folder; default: in the data home")
    parser.add_argument("--protocols", nargs="+", choices=PROTOCOLS, default=PROTOCOLS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument(
        "--epochs", type=int, help="number of epochs; default: that of each setting"
    )
    parser.add_argument("--limit", type=int, help="number of beats, for a short run")
    parser.add_argument("--markdown", action="store_true", help="print tables for the docs")
    return parser


def add_study_options(parser, settings):
    """Add the options for the comparison of settings in several processes."""
    parser.add_argument("--settings", nargs="+", choices=settings, default=list(settings))
    parser.add_argument(
        "--jobs", type=int, default=2, help="number of processes, with one thread each"
    )


def load(path, limit):
    """Return the beats of the training file, or a stratified subset of ``limit`` beats."""
    return subsample(load_heartbeat_csv(path, subset="train"), limit)


def load_data(arguments):
    """Load the data, and remove the protocol by patient if the patients are unknown."""
    try:
        data = load(arguments.data, arguments.limit)
    except (FileNotFoundError, ValueError) as error:
        sys.exit(str(error))
    if data.groups is None:
        print("The file does not contain patients: the protocol by patient is skipped.")
        arguments.protocols = [name for name in arguments.protocols if name != "patient"]
    return data


def split(protocol, data, seed):
    """Return the training rows and the test rows."""
    if protocol == "beat":
        by_beat = StratifiedShuffleSplit(1, test_size=BEATS_HELD_OUT, random_state=seed)
        return next(by_beat.split(data.data, data.target))
    by_patient = StratifiedGroupKFold(PATIENT_FOLDS, shuffle=True, random_state=0)
    return list(by_patient.split(data.data, data.target, data.groups))[seed % PATIENT_FOLDS]


def score(classifier, data, rows):
    """Return accuracy, macro-F1, log loss, training time in s, and the F1 of each class.

    If a class does not occur in the test set, its F1 is NaN and it is excluded from the macro-F1.
    """
    train, test = rows
    start = time.perf_counter()
    classifier.fit(data.data[train], data.target[train])
    return score_fitted(classifier, data, test, time.perf_counter() - start)


def score_fitted(classifier, data, test, seconds):
    """Return the scores of `score` for a classifier that was fitted in ``seconds``."""
    y = data.target[test]
    probabilities = classifier.predict_proba(data.data[test]).astype(float)
    probabilities /= probabilities.sum(axis=1, keepdims=True)  # exact in float64
    predicted = classifier.classes_[probabilities.argmax(axis=1)]
    codes = np.arange(len(data.target_names))
    by_class = f1_score(y, predicted, labels=codes, average=None, zero_division=0)
    by_class[~np.isin(codes, y)] = np.nan
    loss = log_loss(y, probabilities, labels=classifier.classes_)
    return [accuracy_score(y, predicted), np.nanmean(by_class), loss, seconds, *by_class]


def format_mean_and_std(values, digits):
    """Format the mean and the standard deviation of the values that are not NaN."""
    known = values[~np.isnan(values)]
    summaries = [known.mean()] if len(known) else []
    summaries += [known.std(ddof=1)] if len(known) > 1 else []
    return " ± ".join(f"{summary:.{digits}f}" for summary in summaries)
