"""Saved and exported pipelines beside Python: equality on every beat of DS2, size and time.

    python examples/benchmarks/exported_pipelines.py

Two pipelines are trained briefly on some records of DS1 of MIT-BIH. Each is saved, loaded, exported
to ONNX, and classifies a window of 2 s around each beat of DS2. This only shows whether the results
are equal, and no setting is chosen by it. Requires the extra ``export``.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import joblib
import numpy as np
import onnxruntime
from _report import print_machine, print_table
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline

from ecgbeat import (
    BandpassFilter,
    ECGCNNClassifier,
    ECGCNNLSTMClassifier,
    RPeakSegmenter,
    ZScoreScaler,
    load_model,
    save_model,
)
from ecgbeat.annotation import extract_beats
from ecgbeat.datasets import load_mitdb
from ecgbeat.export import to_onnx
from ecgbeat.labels import to_aami
from ecgbeat.model_selection import DS1, DS2

DISTRIBUTIONS = ["ecgbeat", "torch", "onnx", "onnxruntime", "scikit-learn", "joblib"]
BATCH = 1000


def windows(folder, records):
    """Return the windows around the beats of records, float32, and their classes."""
    mitdb = load_mitdb(folder, records=records)
    beats = extract_beats(mitdb, before=1.0, after=1.0)
    return beats.data.astype(np.float32), to_aami(beats.target)


def pipelines(fs):
    """Return the pipelines by name."""
    return {
        "notch, segmenter, z-score, CNN": make_pipeline(
            BandpassFilter(fs=fs, notch=60),
            RPeakSegmenter(fs=fs),
            ZScoreScaler(),
            RandomOverSampler(random_state=0),
            ECGCNNClassifier(max_epochs=3, random_state=0),
        ),
        "largest peak, resampled, z-score by data set, two-way LSTM": make_pipeline(
            BandpassFilter(fs=fs),
            RPeakSegmenter(fs=fs, n_times=187, select="largest"),
            ZScoreScaler(axis="dataset"),
            ECGCNNLSTMClassifier(max_epochs=2, bidirectional=True, random_state=0),
        ),
    }


def compare(model, X, path):
    """Return windows, unequal labels and largest difference of the ONNX graph, as texts."""
    session = onnxruntime.InferenceSession(path)
    probability, label = model.predict_proba(X), model.predict(X)
    n_unequal, largest = 0, 0.0
    for start in range(0, len(X), BATCH):
        rows = slice(start, start + BATCH)
        found, probabilities = session.run(None, {"X": X[rows]})
        n_unequal += int(np.sum(found != label[rows]))
        largest = max(largest, float(abs(probabilities - probability[rows]).max()))
    return [f"{len(X):,}", str(n_unequal), f"{largest:.1e}"]


def milliseconds(function, repeats):
    """Return the median time of a call."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return f"{1000 * statistics.median(seconds):.1f}"


def compare_files(model, X, folder, repeats):
    """Return size, time to save and time to load of joblib and of the model file."""
    pickle, safe = folder / "model.joblib", folder / "model.safetensors"
    times = [
        milliseconds(lambda: joblib.dump(model, pickle), repeats),
        milliseconds(lambda: save_model(model, safe), repeats),
        milliseconds(lambda: joblib.load(pickle), repeats),
        milliseconds(lambda: load_model(safe), repeats),
    ]
    equal = np.array_equal(load_model(safe).predict_proba(X), model.predict_proba(X))
    sizes = [f"{path.stat().st_size / 1000:.0f}" for path in (pickle, safe)]
    pairs = [" / ".join(pair) for pair in (sizes, times[:2], times[2:])]
    return [*pairs, "yes" if equal else "NO"]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="data folder; default: mitdb in the data home")
    parser.add_argument("--records", nargs="+", help="names of the records; default: all")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--markdown", action="store_true")
    return parser.parse_args()


def main():
    """Train, save, export and compare."""
    arguments = parse_arguments()
    chosen = [r for r in (*DS1[:6], *DS2) if arguments.records is None or r in arguments.records]
    X, y = windows(arguments.data, [record for record in chosen if record in DS1])
    X_new, _ = windows(arguments.data, [record for record in chosen if record in DS2])
    rows = np.random.default_rng(0).permutation(len(X))[:2000]
    graphs = [["pipeline", "windows of DS2", "unequal labels", "largest difference", "file kB"]]
    files = [["joblib / model file", "kB", "save ms", "load ms", "equal"]]
    with tempfile.TemporaryDirectory() as name:
        for title, model in pipelines(fs=360).items():
            model.fit(X[rows], y[rows])
            path = Path(name) / "model.onnx"
            to_onnx(model, path)
            size = f"{path.stat().st_size / 1000:.0f}"
            graphs.append([title, *compare(model, X_new, path), size])
            files.append([title, *compare_files(model, X[:100], Path(name), arguments.repeats)])
    print_machine(DISTRIBUTIONS, threads=1)
    print_table("ONNX Runtime and Python", graphs, arguments.markdown)
    print_table(f"model files, median of {arguments.repeats} calls", files, arguments.markdown)


if __name__ == "__main__":
    main()
