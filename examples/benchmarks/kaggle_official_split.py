"""Train the default classifiers on the official split of the Kaggle "heartbeat" set.

    python examples/benchmarks/kaggle_official_split.py --data heartbeat --seeds 0 1 2

The split puts beats of all 48 recordings on both sides: it tells how well known patients
are classified, not new ones. The test file is looked at once for each net and seed, and
nothing is chosen by it.
"""

import argparse
import platform
import time
from pathlib import Path

import numpy as np
import sklearn
import skorch
import torch
from sklearn.metrics import accuracy_score, f1_score

import ecgbeat
from ecgbeat import ECGCNNClassifier, ECGCNNLSTMClassifier
from ecgbeat.datasets import load_heartbeat_csv

NETS = {"cnn": ECGCNNClassifier, "lstm": ECGCNNLSTMClassifier}


def measure(net, train, test):
    """Return parameters, seconds of fit, beats predicted a second, accuracy and macro-F1."""
    start = time.perf_counter()
    net.fit(train.data, train.target)
    middle = time.perf_counter()
    predicted = net.predict(test.data)
    end = time.perf_counter()
    return (
        sum(weights.numel() for weights in net.module_.parameters()),
        middle - start,
        len(test.data) / (end - middle),
        accuracy_score(test.target, predicted),
        f1_score(test.target, predicted, average="macro"),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder; default: in the data home")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--nets", nargs="+", choices=NETS, default=list(NETS))
    arguments = parser.parse_args()
    train, test = (load_heartbeat_csv(arguments.data, subset=part) for part in ("train", "test"))
    print(
        f"ecgbeat {ecgbeat.__version__}, torch {torch.__version__}, skorch {skorch.__version__}, "
        f"scikit-learn {sklearn.__version__}, Python {platform.python_version()}, "
        f"{torch.get_num_threads()} threads"
    )
    print(f"{len(train.data)} training and {len(test.data)} test beats, default parameters\n")
    print("net   seed  parameters   fit s  beats/s  accuracy  macro-F1")
    for name in arguments.nets:
        results = []
        for seed in arguments.seeds:
            results.append(measure(NETS[name](random_state=seed), train, test))
            n_weights, seconds, rate, accuracy, f1 = results[-1]
            print(
                f"{name:5} {seed:4}  {n_weights:10,}  {seconds:6.1f}  {rate:7,.0f}  "
                f"{accuracy:8.4f}  {f1:8.4f}",
                flush=True,
            )
        accuracy, f1 = np.mean([result[3:] for result in results], axis=0)
        print(f"{name:5} mean  {'':10}  {'':6}  {'':7}  {accuracy:8.4f}  {f1:8.4f}")


if __name__ == "__main__":
    main()
