"""Speed of ecgbeat.signal.mfcc on whole batches, compared with librosa row by row.

    python examples/benchmarks/mfcc_speed.py

The script uses random numbers and does not require data. The calls alternate, after one call each
that is not timed. *speed* is the time of librosa divided by the time of ecgbeat. *difference* is
the largest difference between the coefficients.
"""

import argparse
import timeit

import librosa
import numpy as np
from _report import print_machine, print_table
from threadpoolctl import threadpool_limits

from ecgbeat.signal import mfcc

FS_HZ = 4000.0
SIZES = ("461x20000", "2000x4000", "1x20000", "1x4000")
SETTINGS = {
    "defaults": {},
    "n_fft=512, n_mels=64": {"n_fft": 512, "n_mels": 64},
    "deltas=2": {"deltas": 2},
}
DEFAULTS = {name: mfcc.__kwdefaults__[name] for name in ("n_mfcc", "n_fft", "hop_length", "n_mels")}


def by_librosa(rows, deltas=0, **settings):
    """Compute the coefficients row by row with librosa."""
    coefficients = []
    for row in rows:
        static = librosa.feature.mfcc(y=row, sr=FS_HZ, **(DEFAULTS | settings))
        orders = range(1, 1 + deltas)
        derivatives = [librosa.feature.delta(static, order=order) for order in orders]
        coefficients.append(np.concatenate([static, *derivatives]))
    return np.stack(coefficients)


def compare(n_rows, n_times, settings, arguments):
    """Measure both functions in alternation; return the cells of a table row."""
    rows = np.random.default_rng(0).standard_normal((n_rows, n_times), dtype=arguments.dtype)

    def with_ecgbeat():
        return mfcc(rows, FS_HZ, **settings)

    def with_librosa():
        return by_librosa(rows, **settings)

    difference = np.abs(with_ecgbeat() - with_librosa()).max()  # also the warm-up
    repeats = arguments.repeats if n_rows > 1 else arguments.repeats * arguments.calls
    pairs = [
        [timeit.timeit(f, number=1) for f in (with_ecgbeat, with_librosa)] for _ in range(repeats)
    ]
    cells = []
    for summary in (np.min, np.median):
        ecgbeat_ms, librosa_ms = 1000 * summary(pairs, axis=0)
        cells += [f"{ecgbeat_ms:.2f}", f"{librosa_ms:.2f}", f"{librosa_ms / ecgbeat_ms:.2f}"]
    return [*cells, f"{difference:.0e}"]


def size(text):
    """Parse the number of rows and samples from a string such as 461x20000."""
    n_rows, n_times = (int(number) for number in text.split("x"))
    if min(n_rows, n_times) < 1:
        raise ValueError
    return n_rows, n_times


def count(text):
    """Parse an integer of at least 1."""
    if int(text) < 1:
        raise ValueError
    return int(text)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", type=size, default=[size(text) for text in SIZES])
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=list(SETTINGS))
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    parser.add_argument("--threads", type=count, default=1)
    parser.add_argument("--repeats", type=count, default=7)
    parser.add_argument("--calls", type=count, default=30, help="calls per repeat for a single row")
    parser.add_argument("--markdown", action="store_true", help="print the table for the docs")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    print_machine(("ecgbeat", "librosa", "scipy", "numpy"), arguments.threads)
    header = ["rows x samples", "settings", "ecgbeat min ms", "librosa", "speed"]
    table = [[*header, "ecgbeat median ms", "librosa", "speed", "difference"]]
    with threadpool_limits(arguments.threads):
        for n_rows, n_times in arguments.sizes:
            for name in arguments.settings:
                cells = compare(n_rows, n_times, SETTINGS[name], arguments)
                table.append([f"{n_rows:,} x {n_times:,}", name, *cells])
    print_table(f"MFCCs of {arguments.dtype} rows", table, arguments.markdown)


if __name__ == "__main__":
    main()
