"""Compare R-peak detectors, accuracy and time, on annotated recordings.

    python examples/benchmarks/r_peaks.py --data mitdb

Every detector has one parameter set, its own default, for all records; all run in this one
process, on one thread. README.md beside this file says how peers are installed, what the
columns mean and how noise is made.
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

# libraries read these when they are loaded, so before the imports below
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))
os.environ.update(dict.fromkeys(("MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"))

from _r_peak_detectors import DETECTORS, label, prepare_detectors
from _r_peak_scoring import NOISES, add_noise_to_all, detect_all, load_records, score_detections
from _report import cpu_name, print_table
from threadpoolctl import threadpool_info
from tqdm import tqdm

from ecgbeat.datasets import get_data_home

SLOW_S = 10.0  # a detector that needs longer for all records is timed once


class Run(NamedTuple):
    """What one pass over all records gave."""

    detections: list[Any]
    failures: dict[str, str]
    first_call: float
    seconds: float


def run_once(records, detect, label):
    """Detect in all records, and take the time of the calls."""
    durations = []

    def timed(x, fs):
        start = time.perf_counter()
        try:
            return detect(x, fs)
        finally:
            durations.append(time.perf_counter() - start)

    with warnings.catch_warnings(action="ignore"):  # peers' own: not the reader's to mend
        detections, failures = detect_all(
            records, timed, lambda items: tqdm(items, desc=label, unit="record", disable=None)
        )
    return Run(detections, failures, durations[0], sum(durations))


def run_all(records, detectors, repeats):
    """Run every detector, the quick ones ``repeats`` times by turns; return lists of `Run`."""
    runs = {name: [run_once(records, detect, name)] for name, detect in detectors.items()}
    for repeat in range(1, repeats):
        for name, detect in detectors.items():
            if runs[name][0].seconds < SLOW_S:
                runs[name].append(run_once(records, detect, f"{name}, pass {repeat + 1}"))
    return runs


def accuracy_rows(records, runs, missing):
    """Yield the rows of the first table."""
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
    """Yield the rows of the second table."""
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


def noise_rows(records, detectors, levels):
    """Yield the rows of the third table: F1 with noise, flutter left out."""
    yield ["detector", "noise", *(f"{level:g} dB" for level in levels)]
    scores = {}
    for kind in NOISES:
        for level in levels:
            noisy = add_noise_to_all(records, kind, level)
            for name, detect in detectors.items():
                run = run_once(noisy, detect, f"{name}, {kind} {level:g} dB")
                report_failures(name, run.failures)
                scores[name, kind, level] = score_detections(noisy, run.detections)["f1"]
    for name in detectors:
        for kind in NOISES:
            yield [label(name), kind, *(f"{scores[name, kind, level]:.4f}" for level in levels)]


def report_failures(name, failures):
    """Name the records on which a detector failed."""
    for record, error in failures.items():
        print(f"{name} failed on record {record}, which counts as no detection: {error}")


def print_setting(records):
    """Print what the figures depend on."""
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
        help="annotated WFDB records of one sampling rate; default: mitdb in the data home",
    )
    parser.add_argument("--records", nargs="+", help="default: all of the folder")
    parser.add_argument("--lead", default="0", help="index or name; default: the first")
    parser.add_argument("--annotator", default="atr", help="ending of the annotations' files")
    parser.add_argument("--detectors", nargs="+", choices=DETECTORS, default=list(DETECTORS))
    parser.add_argument("--repeats", type=int, default=5, help="passes of the quick detectors")
    parser.add_argument("--noise", type=float, nargs="+", metavar="DB", default=[])
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
    print_setting(records)
    runs = run_all(records, detectors, arguments.repeats)
    for name, passes in runs.items():
        report_failures(name, passes[0].failures)
    print_table(
        'Accuracy at 150 ms, flutter episodes left out; in the columns "all" nothing is left out',
        accuracy_rows(records, runs, missing),
        arguments.markdown,
    )
    print_table(
        "Time of the calls, without imports and reading",
        time_rows(runs, missing),
        arguments.markdown,
    )
    if arguments.noise:
        print_table(
            "F1 at 150 ms with noise, flutter episodes left out",
            noise_rows(records, detectors, arguments.noise),
            arguments.markdown,
        )


if __name__ == "__main__":
    main()
