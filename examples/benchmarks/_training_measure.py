"""Measurement of one row of training_peers.py, run in a separate process."""

import time
from typing import NamedTuple

import numpy as np
import torch
from _fresh_process import PeakMemory
from _report import why_missing
from _training_rows import ROWS
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score
from sklearn.utils import Bunch

from ecgbeat.datasets import load_heartbeat_csv

WARM_UP_BEATS = 100
MIN_BEATS_PER_CLASS = 10  # in a subset of the training set; SMOTE requires 6


class Result(NamedTuple):
    """Result of one row with one seed."""

    accuracy: float
    macro_f1: float
    auc: float  # label 0 against the rest; NaN without scores
    abnormal_f1: float
    fit_s: float
    beats_per_second: float
    size: str  # number of parameters or nodes
    peak_mb: float
    gpu_mb: float


def load_split(path, limit=None):
    """Load the official split, with at most ``limit`` training beats."""
    train, test = (load_heartbeat_csv(path, subset=part) for part in ("train", "test"))
    return subsample(train, limit), test


def subsample(beats, limit):
    """Return a stratified subset of at most about ``limit`` beats."""
    if limit is None or limit >= len(beats.target):
        return beats
    rows = stratified_rows(beats.target, limit)
    groups = None if beats.groups is None else beats.groups[rows]
    subset = {"data": beats.data[rows], "target": beats.target[rows], "groups": groups}
    return Bunch(**beats | subset)


def stratified_rows(y, n_rows):
    """Return a stratified sample of about ``n_rows`` rows, with at least ten rows per class."""
    rng = np.random.default_rng(0)
    sample = []
    for label in np.unique(y):
        rows = np.flatnonzero(y == label)
        n_sample = max(round(n_rows * len(rows) / len(y)), MIN_BEATS_PER_CLASS)
        sample.append(rng.choice(rows, min(n_sample, len(rows)), replace=False))
    return np.sort(np.concatenate(sample))


def measure(name, setting, path, limit, repeats, binary=False):
    """Return the `Result` of a row, or the reason for a missing result as a string."""
    torch.set_num_threads(setting.threads)
    row = ROWS[name]
    try:
        model = row.build(setting)
    except ImportError as error:
        return why_missing(row.distribution, error)
    train, test = load_split(path, limit)
    y, y_test = train.target, test.target
    if binary:
        y, y_test = (y != 0).astype(int), (y_test != 0).astype(int)
    few = stratified_rows(y, WARM_UP_BEATS)  # warm up: imports and compilation
    row.build(setting).fit(train.data[few], y[few]).predict(train.data[:1])
    try:
        with PeakMemory() as memory:
            seconds, _ = timed(model.fit, train.data, y)
    except MemoryError as error:
        return str(error)
    passes = [timed(model.predict, test.data) for _ in range(repeats)]
    predicted = passes[0][1]
    return Result(
        accuracy=accuracy_score(y_test, predicted),
        macro_f1=f1_score(y_test, predicted, average="macro"),
        auc=abnormal_auc(model, test.data, y_test),
        abnormal_f1=f1_score(y_test != 0, predicted != 0),
        fit_s=seconds,
        beats_per_second=len(y_test) / min(seconds for seconds, _ in passes),
        size=size_of(model),
        peak_mb=memory.mb,
        gpu_mb=torch.cuda.max_memory_allocated() / 2**20 if torch.cuda.is_available() else 0.0,
    )


def timed(function, *arguments):
    """Return the time of a call in s, including the work of a GPU, and its result."""
    start = time.perf_counter()
    result = function(*arguments)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start, result


def abnormal_auc(model, X, y):
    """Return the area under the ROC curve of label 0 against all others; NaN without scores."""
    if hasattr(model, "predict_proba"):
        scores = model.predict_proba(X)
    else:
        scores = model.decision_function(X)
    is_one_hot = np.isin(scores, (0, 1)).all()  # aeon's ridge returns one-hot predictions
    return float("nan") if is_one_hot else roc_auc_score(y == 0, scores[:, 0])


def size_of(model):
    """Return the number of weights or tree nodes as a string."""
    last = model[-1] if hasattr(model, "steps") else model
    nets = [net for net in getattr(last, "estimators_", [last]) if hasattr(net, "module_")]
    if nets:
        return f"{sum(weights.numel() for net in nets for weights in net.module_.parameters()):,}"
    if hasattr(last, "estimators_"):
        return f"{sum(tree.tree_.node_count for tree in last.estimators_):,} nodes"
    if hasattr(last, "_predictors"):
        trees = [tree for trees in last._predictors for tree in trees]
        return f"{sum(len(tree.nodes) for tree in trees):,} nodes"
    last = getattr(last, "estimator_", last)  # aeon's pipeline
    return f"{last.coef_.size + last.intercept_.size:,}"
