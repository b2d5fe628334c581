"""Classification of the beats of MIT-BIH segmented with RPeakSegmenter, with a random split.

    python examples/benchmarks/segmented_beats.py --data mitdb

A window of 2 s around each annotated beat is processed with BandpassFilter, RPeakSegmenter and
ZScoreScaler, all with default parameters, and classified. A random fifth of the beats of each class
is held out. The split mixes patients, so the scores describe the classification of known patients.
The held-out beats are not used for any choice.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from _inside_training_file import format_mean_and_std
from _report import print_machine, print_table
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from ecgbeat import (
    BandpassFilter,
    ECGCNNClassifier,
    ECGCNNLSTMClassifier,
    RPeakSegmenter,
    ZScoreScaler,
)
from ecgbeat.annotation import extract_beats
from ecgbeat.datasets import load_mitdb
from ecgbeat.labels import to_aami

WINDOW_S = 1.0  # on each side of the annotated beat
HELD_OUT = 0.2
NETS = {"cnn": ECGCNNClassifier, "lstm": ECGCNNLSTMClassifier}
TASKS = {"AAMI": None, "NLRAV": tuple("NLRAV")}  # name: symbols, or None for all


def load(path, symbols, records):
    """Return the filtered, segmented and scaled beats, and their classes."""
    database = load_mitdb(path, records)
    fs = database.fs
    windows = extract_beats(
        database.recordings,
        database.annotations,
        fs,
        before=WINDOW_S,
        after=WINDOW_S,
        symbols=symbols,
    )
    steps = make_pipeline(BandpassFilter(fs=fs), RPeakSegmenter(fs=fs), ZScoreScaler())
    labels = to_aami(windows.target) if symbols is None else windows.target
    return steps.fit_transform(windows.data), np.asarray(labels)


def measure(net, X, y, seed):
    """Return accuracy, macro-F1, training time in s, and predicted beats per second."""
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=HELD_OUT, stratify=y, random_state=seed
    )
    start = time.perf_counter()
    net.fit(X_train, y_train)
    middle = time.perf_counter()
    predicted = net.predict(X_test)
    end = time.perf_counter()
    return (
        accuracy_score(y_test, predicted),
        f1_score(y_test, predicted, average="macro"),
        middle - start,
        len(y_test) / (end - middle),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="data folder; default: mitdb in the data home")
    parser.add_argument("--records", nargs="+", help="names of the records; default: all")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--nets", nargs="+", choices=NETS, default=["cnn"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument(
        "--epochs", type=int, help="number of epochs; default: that of the classifier"
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--markdown", action="store_true", help="print a table for the docs")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print_machine(("ecgbeat", "torch", "skorch", "scikit-learn", "numpy"), arguments.threads)
    options = {} if arguments.epochs is None else {"max_epochs": arguments.epochs}
    rows = [["classes", "net", "accuracy", "macro-F1", "fit s", "beats/s"]]
    for task in arguments.tasks:
        X, y = load(arguments.data, TASKS[task], arguments.records)
        counts = ", ".join(
            f"{n:,} {c}" for c, n in zip(*np.unique(y, return_counts=True), strict=True)
        )
        print(f"{task}: rows of {X.shape[1]} samples: {counts}", flush=True)
        for name in arguments.nets:
            found = []
            for seed in arguments.seeds:
                found.append(measure(NETS[name](random_state=seed, **options), X, y, seed))
                accuracy, macro, seconds, _ = found[-1]
                print(
                    f"{task}, {name}, seed {seed}: accuracy {accuracy:.4f}, macro-F1 {macro:.4f}, "
                    f"fit {seconds:.1f} s",
                    flush=True,
                )
            columns = np.transpose(found)
            cells = [format_mean_and_std(values, 4) for values in columns[:2]]
            cells += [f"{columns[2].mean():.1f}", f"{columns[3].mean():,.0f}"]
            rows.append([task, name, *cells])
    print_table(f"Mean over {len(arguments.seeds)} seeds", rows, arguments.markdown)


if __name__ == "__main__":
    main()
