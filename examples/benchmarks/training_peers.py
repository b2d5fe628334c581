"""Comparison of classifiers on the official split of the Kaggle "heartbeat" set.

    python examples/benchmarks/training_peers.py --data kaggle_heartbeat

Each row and seed is run in a separate process, one after the other. See README.md in this folder
for the installation of the other packages, and for the rows and columns of the table. The split
mixes all 48 recordings, so the scores describe the classification of known patients.
"""

import argparse
import math
import os
import statistics
import sys
from pathlib import Path

from _fresh_process import run_fresh
from _report import print_machine, print_table
from _training_measure import Result, load_split, measure
from _training_rows import DEFAULT_ROWS, ROWS, Setting

DISTRIBUTIONS = [
    "ecgbeat",
    "torch",
    "skorch",
    "scikit-learn",
    "imbalanced-learn",
    "aeon",
    "numba",
    "numpy",
    "scipy",
]
BINARY_ROWS = ("ecgbeat-cnn", "ecgbeat-lstm")
AVX2 = {  # read when the packages are imported, in the process of a row
    "ATEN_CPU_CAPABILITY": "avx2",  # torch
    "ONEDNN_MAX_CPU_ISA": "AVX2",  # convolutions of torch
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",  # matrix products of torch
    "OPENBLAS_CORETYPE": "Haswell",  # NumPy and SciPy
    "NUMBA_CPU_NAME": "haswell",
    "NUMBA_CPU_FEATURES": "+avx2,+fma",
}


def run_all(names, arguments, binary=False):
    """Measure all rows and seeds; return lists of `Result`, and the reasons for missing results."""
    results, missing = {}, {}
    for name in names:
        for seed in arguments.seeds:
            setting = Setting(
                seed, arguments.threads, arguments.device, arguments.epochs_scale, arguments.epochs
            )
            task = (name, setting, arguments.data, arguments.limit, arguments.repeats, binary)
            try:
                result = run_fresh(measure, *task, threads=arguments.threads)
            except Exception as error:  # skip this row only
                result = f"failed: {type(error).__name__}: {error}"
            if isinstance(result, str):
                missing[name] = result
                results.pop(name, None)  # no mean over a part of the seeds
                print(f"{name}: {result}", flush=True)
                break
            results.setdefault(name, []).append(result)
            print(
                f"{name}, seed {seed}: accuracy {result.accuracy:.4f}, macro-F1 "
                f"{result.macro_f1:.4f}, fit {result.fit_s:.1f} s",
                flush=True,
            )
    return results, missing


def peer_rows(results, missing, device):
    """Yield the rows of the table, with means over the seeds and the largest peak memory."""
    yield [
        *("row", "accuracy", "macro-F1", "ROC-AUC normal", "fit s", "beats/s", "parameters"),
        *("peak MB", "GPU MB")[: 1 + (device != "cpu")],
    ]
    for name, passes in results.items():
        mean = mean_of(passes)
        peaks = [max(run.peak_mb for run in passes), max(run.gpu_mb for run in passes)]
        yield [
            name,
            *(f"{value:.4f}" for value in (mean.accuracy, mean.macro_f1)),
            "" if math.isnan(mean.auc) else f"{mean.auc:.4f}",
            f"{mean.fit_s:.1f}",
            f"{mean.beats_per_second:,.0f}",
            passes[0].size,
            *(f"{peak:,.0f}" for peak in peaks[: 1 + (device != "cpu")]),
        ]
    yield from ([name, reason.split(":")[0]] for name, reason in missing.items())


def binary_rows(results):
    """Yield the rows of the second table, for training on normal and abnormal beats."""
    yield ["row", "accuracy", "F1 abnormal", "ROC-AUC", "fit s"]
    for name, passes in results.items():
        mean = mean_of(passes)
        scores = (mean.accuracy, mean.abnormal_f1, mean.auc)
        yield [name, *(f"{value:.4f}" for value in scores), f"{mean.fit_s:.1f}"]


def mean_of(passes):
    """Return a `Result` with the means over the seeds."""
    numbers = zip(*(run._replace(size=0) for run in passes), strict=True)
    return Result(*(statistics.fmean(values) for values in numbers))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="data folder; default: in the data home")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=DEFAULT_ROWS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", help='device of the networks, such as "cuda"')
    parser.add_argument(
        "--epochs", type=int, help="epochs of ecgbeat's network; default: that of ECGCNNClassifier"
    )
    parser.add_argument("--limit", type=int, help="number of training beats, for a short run")
    parser.add_argument("--repeats", type=int, default=3, help="number of passes of prediction")
    parser.add_argument(
        "--epochs-scale", type=float, default=1.0, help="factor for the epochs of the project rows"
    )
    parser.add_argument(
        "--binary", action="store_true", help="also train on normal and abnormal beats"
    )
    parser.add_argument(
        "--avx2", action="store_true", help="compute without AVX-512, as older processors do"
    )
    parser.add_argument("--markdown", action="store_true", help="print tables for the docs")
    arguments = parser.parse_args()
    for name in ("threads", "repeats"):
        if getattr(arguments, name) < 1:
            parser.error(f"--{name} must be 1 or more, got {getattr(arguments, name)}")
    return arguments


def main():
    arguments = parse_arguments()
    try:
        train, test = load_split(arguments.data, arguments.limit)
    except (FileNotFoundError, ValueError) as error:
        sys.exit(str(error))
    os.environ.update(AVX2 if arguments.avx2 else {})
    print_machine(DISTRIBUTIONS, arguments.threads)
    print(
        f"{len(train.target)} training and {len(test.target)} test beats, networks on "
        f"{arguments.device}, {arguments.epochs_scale:g} times the epochs of the project rows"
        f"{', AVX2 alone' if arguments.avx2 else ''}\n"
    )
    results, missing = run_all(arguments.rows, arguments)
    title = f"Official split, mean of {len(arguments.seeds)} seeds"
    print_table(title, peer_rows(results, missing, arguments.device), arguments.markdown)
    print("\n" + "\n".join(f"{name}: {ROWS[name].description}" for name in arguments.rows))
    if arguments.binary:
        names = [name for name in BINARY_ROWS if name in arguments.rows]
        results, _ = run_all(names, arguments, binary=True)
        title = "Trained on label 0 against the rest"
        print_table(title, binary_rows(results), arguments.markdown)


if __name__ == "__main__":
    main()
