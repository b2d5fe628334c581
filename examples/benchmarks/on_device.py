"""Size, memory and speed of an exported network: Python, ONNX Runtime and C, float32 and int8.

python examples/benchmarks/on_device.py

The default network is trained on a file of beats, exported in four forms, and run on beats of
another file. Requires the extra ``export``, and gcc for the rows of C.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import onnxruntime
import torch
from _report import print_machine, print_table
from sklearn.metrics import f1_score

from ecgbeat import ECGCNNClassifier
from ecgbeat.datasets import get_data_home, load_heartbeat_csv
from ecgbeat.export import to_c, to_onnx

N_CALIBRATION = 1000
DISTRIBUTIONS = ["ecgbeat", "torch", "onnx", "onnxruntime", "onnxscript", "emx-onnx-cgen"]
HEADER = [
    "form",
    "file kB",
    "weights KiB",
    "RAM KiB",
    "1 beat µs",
    "batch µs/beat",
    "labels equal %",
    "macro-F1",
]

# reads rows from a file, and prints the probabilities to a file and the time of all calls
BENCH = r"""
#include <stdio.h>
#include <time.h>
#include "ecgbeat_model.h"

int main(int argc, char **argv) {
    static float x[ECGBEAT_N_VALUES], probabilities[ECGBEAT_N_CLASSES];
    FILE *rows = argc == 3 ? fopen(argv[1], "rb") : NULL;
    FILE *found = argc == 3 ? fopen(argv[2], "wb") : NULL;
    clock_t spent = 0;
    if (rows == NULL || found == NULL) return 1;
    while (fread(x, sizeof x, 1, rows) == 1) {
        clock_t start = clock();
        ecgbeat_predict(x, probabilities);
        spent += clock() - start;
        fwrite(probabilities, sizeof probabilities, 1, found);
    }
    fclose(found);
    printf("%.9f\n", (double)spent / CLOCKS_PER_SEC);
    return 0;
}
"""


def train(X, y, path, max_epochs):
    """Return the network in a joblib file, or one that is trained and written to it."""
    if path is not None and path.exists():
        return joblib.load(path)
    start = time.perf_counter()
    # one network whatever the number of beats, as for the whole file
    classifier = ECGCNNClassifier(n_members=1, max_epochs=max_epochs or "auto", random_state=0)
    classifier.fit(X, y)
    print(f"trained on {len(X):,} beats in {time.perf_counter() - start:.0f} s")
    if path is not None:
        joblib.dump(classifier, path)
    return classifier


class Session:
    """Model file in ONNX Runtime, on one thread."""

    def __init__(self, path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(path, options)

    def __call__(self, X):
        """Return the probabilities of rows."""
        return self._session.run(["probabilities"], {"X": X})[0]


class Program:
    """Program that a C compiler builds from exported source."""

    def __init__(self, folder, compiler="gcc"):
        self.folder = folder
        (folder / "bench.c").write_text(BENCH)
        flags = ["-std=c99", "-O2", "-o", "bench", "bench.c", "ecgbeat_model.c", "-lm"]
        subprocess.run([compiler, *flags], cwd=folder, check=True)
        header = (folder / "ecgbeat_model.h").read_text()
        self.flash, self.ram, self.n_classes = (
            int(re.search(pattern, header)[1])
            for pattern in (r"Flash: (\d+)", r"RAM: (\d+)", r"N_CLASSES (\d+)")
        )

    def run(self, X):
        """Return the probabilities of rows and the seconds of all calls."""
        rows, found = self.folder / "rows.bin", self.folder / "found.bin"
        rows.write_bytes(X.astype(np.float32).tobytes())
        done = subprocess.run(
            [self.folder / "bench", rows, found], capture_output=True, text=True, check=True
        )
        probabilities = np.fromfile(found, dtype=np.float32).reshape(-1, self.n_classes)
        return probabilities, float(done.stdout)

    def __call__(self, X):
        """Return the probabilities of rows."""
        return self.run(X)[0]


def seconds_per_beat(predict, X, n_calls):
    """Return the seconds for a beat alone, and for one of a batch."""
    if isinstance(predict, Program):  # one beat at a time
        seconds = predict.run(X[:n_calls])[1] / n_calls
        return seconds, seconds
    rows = [X[i % len(X)][None] for i in range(n_calls)]
    start = time.perf_counter()
    for row in rows:
        predict(row)
    one = (time.perf_counter() - start) / n_calls
    start = time.perf_counter()
    predict(X)
    return one, (time.perf_counter() - start) / len(X)


def export(classifier, X_calibration, folder):
    """Return the forms of a classifier: name, function that predicts, sizes in the table."""
    forms = {"Python (torch)": (classifier.predict_proba, ["", "", ""])}
    for name, rows in (("float32", None), ("int8", X_calibration)):
        path = folder / f"{name}.onnx"
        to_onnx(classifier, path, quantize=rows)
        size = f"{path.stat().st_size / 1000:.1f}"
        forms[f"ONNX Runtime, {name}"] = (Session(path), [size, "", ""])
    if shutil.which("gcc") is None:
        print("gcc is not installed: no rows of C")
        return forms
    for name, rows in (("float32", None), ("int8", X_calibration)):
        to_c(classifier, folder / name, quantize=rows)
        program = Program(folder / name)
        sizes = ["", f"{program.flash / 1024:.1f}", f"{program.ram / 1024:.1f}"]
        forms[f"C, {name}"] = (program, sizes)
    return forms


def table(forms, X, y, classes, repeats, n_calls):
    """Return the rows of the table; passes alternate, so that load affects all forms equally."""
    times = {name: [] for name in forms}
    for _ in range(repeats):
        for name, (predict, _) in forms.items():
            times[name].append(seconds_per_beat(predict, X, n_calls))
    labels = {name: classes[predict(X).argmax(axis=1)] for name, (predict, _) in forms.items()}
    reference = labels["Python (torch)"]
    rows = [HEADER]
    for name, (_, sizes) in forms.items():
        one, many = (statistics.median(seconds) * 1e6 for seconds in zip(*times[name], strict=True))
        equal = 100 * np.mean(labels[name] == reference)
        score = f1_score(y, labels[name], average="macro")
        rows.append([name, *sizes, f"{one:.0f}", f"{many:.0f}", f"{equal:.2f}", f"{score:.4f}"])
    return rows


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", type=Path, default=get_data_home() / "kaggle_heartbeat", help="folder of beats")
    add("--classifier", type=Path, help="joblib file of a fitted network; written if missing")
    add("--max-epochs", type=int, help="default: that of the network")
    add("--limit", type=int, help="number of beats to train and test on; default: all")
    add("--repeats", type=int, default=5)
    add("--calls", type=int, default=500, help="calls with one beat in a pass")
    add("--markdown", action="store_true")
    return parser.parse_args()


def main():
    """Train, export, run and print the table."""
    arguments = parse_arguments()
    torch.set_num_threads(1)
    load = partial(load_heartbeat_csv, arguments.data, return_X_y=True)
    (X, y), (X_test, y_test) = load(subset="train"), load(subset="test")
    order = np.random.default_rng(0).permutation(len(X))[: arguments.limit]
    chosen = np.random.default_rng(0).permutation(len(X_test))[: arguments.limit]
    classifier = train(X[order], y[order], arguments.classifier, arguments.max_epochs)
    codes = {label: code for code, label in enumerate("NSVFQ")}
    classes = np.array([codes.get(label, label) for label in classifier.classes_])
    with tempfile.TemporaryDirectory() as folder:
        forms = export(classifier, X[order[:N_CALIBRATION]], Path(folder))
        rows = table(
            forms, X_test[chosen], y_test[chosen], classes, arguments.repeats, arguments.calls
        )
    print_machine(DISTRIBUTIONS, threads=1)
    title = f"{len(chosen):,} test beats, median of {arguments.repeats} passes"
    print_table(title, rows, arguments.markdown)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
