"""Comparison of the accuracy and speed of R-peak detectors on annotated recordings.

    python examples/benchmarks/r_peaks.py --data mitdb

Each detector is run with its default parameters on all records, in one process and one thread. See
README.md in this folder for the installation of the other packages, the columns of the tables and
the simulated noise.
"""

import argparse
import importlib.metadata
import os
import platform
import statistics
import sys
import time
import warnings
from typing import Any, NamedTuple

# set before the imports below, because libraries read these variables when they are loaded
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))
os.environ.update(dict.fromkeys(("MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"))

import numpy as np
from _r_peak_detectors import DETECTORS, label, prepare_detectors
from _r_peak_scoring import (
    NOISES,
    add_noise_to_all,
    add_recorded_to_all,
    detect_all,
    load_records,
    score_detections,
)
from _report import cpu_name, print_table
from threadpoolctl import threadpool_info
from tqdm import tqdm

from ecgbeat.datasets import get_data_home

RECORDED = "recorded motion"
SLOW_S = 10.0  # slower detectors are timed once


class Run(NamedTuple):
    """Result of one pass over all records."""

    detections: list[Any]
    failures: dict[str, str]
    first_call: float
    seconds: float


def run_once(records, detect, label):
    """Run a detector on all records and measure the time of the calls."""
    durations = []

    def timed(x, fs):
        start = time.perf_counter()
        try:
            return detect(x, fs)
        finally:
            durations.append(time.perf_counter() - start)

    with warnings.catch_warnings(action="ignore"):  # of other packages
        detections, failures = detect_all(
            records, timed, lambda items: tqdm(items, desc=label, unit="record", disable=None)
        )
    return Run(detections, failures, durations[0], sum(durations))


def run_all(records, detectors, repeats):
    """Run each detector, the fast ones ``repeats`` times in alternation; return lists of `Run`."""
    runs = {name: [run_once(records, detect, name)] for name, detect in detectors.items()}
    for repeat in range(1, repeats):
        for name, detect in detectors.items():
            if runs[name][0].seconds < SLOW_S:
                runs[name].append(run_once(records, detect, f"{name}, pass {repeat + 1}"))
    return runs


def accuracy_rows(records, runs, missing):
    """Yield the rows of the accuracy table."""
    yield ["detector", "F1", "Se", "+P", "F1 100 ms", "offset ms"] + [
        f"{name}, all" for name in ("F1", "Se", "+P", "F1 100 ms")
    ]
    for name, passes in runs.items():
        scores = score_detections(records, passes[0].detections)
        keys = ["f1", "se", "ppv", "f1_100ms"]
        yield [
            label(name),
            *(f"{scores[key]:.4f}" for key in keys),
            f"{scores['offset_ms']:.2f}",
            *(f"{scores[f'{key}_all']:.4f}" for key in keys),
        ]
    yield from ([name, reason] for name, reason in missing.items())


def time_rows(runs, missing):
    """Yield the rows of the time table."""
    yield ["detector", "first call s", "all s, min", "median", "passes", "speed / fastest peer"]
    fastest = min(
        (min(run.seconds for run in passes) for name, passes in runs.items() if name != "ecgbeat"),
        default=float("nan"),
    )
    for name, passes in runs.items():
        seconds = [run.seconds for run in passes]
        yield [
            label(name),
            f"{passes[0].first_call:.4f}",
            f"{min(seconds):.3f}",
            f"{statistics.median(seconds):.3f}",
            str(len(seconds)),
            f"{fastest / min(seconds):.2f}",
        ]
    yield from ([name, reason] for name, reason in missing.items())


def noise_rows(records, detectors, levels, motion):
    """Yield the rows of the noise table: F1 with noise, without flutter episodes."""
    kinds = [*NOISES] if motion is None else [*NOISES, RECORDED]
    yield ["detector", "noise", *(f"{level:g} dB" for level in levels)]
    scores = {}
    for kind in kinds:
        for level in levels:
            if kind == RECORDED:
                noisy = add_recorded_to_all(records, motion, level)
            else:
                noisy = add_noise_to_all(records, kind, level)
            for name, detect in detectors.items():
                run = run_once(noisy, detect, f"{name}, {kind} {level:g} dB")
                report_failures(name, run.failures)
                scores[name, kind, level] = score_detections(noisy, run.detections)["f1"]
    for name in detectors:
        for kind in kinds:
            yield [label(name), kind, *(f"{scores[name, kind, level]:.4f}" for level in levels)]


def report_failures(name, failures):
    """Print the records on which a detector failed."""
    for record, error in failures.items():
        print(f"{name} failed on record {record}, which counts as no detections: {error}")


def print_setup(records):
    """Print the versions, the machine and the data."""
    versions = (f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "scipy"))
    hours = sum(len(record.x) / record.fs for record in records) / 3600
    n_threads = max((library["num_threads"] for library in threadpool_info()), default=1)
    print(f"Python {platform.python_version()}, {', '.join(versions)}")
    print(f"{cpu_name()}, {os.cpu_count()} cores, 1 process, {n_threads} thread")
    print(
        f"{len(records)} records, {hours:.2f} h, {records[0].fs:g} Hz, "
        f"{sum(len(record.reference) for record in records)} beats"
    )


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data",
        "--any-wfdb-folder",
        help="annotated WFDB records with one sampling rate; default: mitdb in the data home",
    )
    parser.add_argument("--records", nargs="+", help="names of the records; default: all")
    parser.add_argument("--lead", default="0", help="index or name of the lead; default: 0")
    parser.add_argument("--annotator", default="atr", help="extension of the annotation files")
    parser.add_argument("--detectors", nargs="+", choices=DETECTORS, default=list(DETECTORS))
    parser.add_argument("--repeats", type=int, default=5, help="number of passes of fast detectors")
    parser.add_argument("--noise", type=float, nargs="+", metavar="DB", default=[])
    parser.add_argument(
        "--motion",
        type=np.load,
        metavar="FILE.npy",
        help="recording of electrode motion without ECG for --noise, at the rate of the records",
    )
    parser.add_argument("--markdown", action="store_true", help="print tables for the docs")
    arguments = parser.parse_args()
    arguments.lead = int(arguments.lead) if arguments.lead.isdigit() else arguments.lead
    arguments.data = arguments.data or get_data_home() / "mitdb"
    if arguments.repeats < 1:
        parser.error(f"--repeats must be 1 or more, got {arguments.repeats}")
    return arguments


def main():
    arguments = parse_arguments()
    try:
        records = load_records(
            arguments.data, arguments.lead, arguments.records, arguments.annotator
        )
    except (FileNotFoundError, ValueError) as error:
        sys.exit(str(error))
    detectors, missing = prepare_detectors(arguments.detectors)
    print_setup(records)
    runs = run_all(records, detectors, arguments.repeats)
    for name, passes in runs.items():
        report_failures(name, passes[0].failures)
    print_table(
        'Accuracy at 150 ms, without flutter episodes; with flutter episodes in the columns "all"',
        accuracy_rows(records, runs, missing),
        arguments.markdown,
    )
    print_table(
        "Computation time, without imports and reading of files",
        time_rows(runs, missing),
        arguments.markdown,
    )
    if arguments.noise:
        print_table(
            "F1 at 150 ms with noise, without flutter episodes",
            noise_rows(records, detectors, arguments.noise, arguments.motion),
            arguments.markdown,
        )


if __name__ == "__main__":
    main()
