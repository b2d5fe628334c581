"""Overhead of ECGCNNClassifier compared with the same network in plain torch.

    python examples/benchmarks/overhead.py

The script uses random numbers and does not require data. See README.md in this folder for the rows
of the table.
"""

import argparse
import copy
import statistics
import time
from functools import partial

import numpy as np
import torch
from _fresh_process import PeakMemory, run_fresh
from _report import print_machine, print_table
from _torch_loop import logits, train
from _training_settings import default_recipe
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from ecgbeat import BandpassFilter, ECGCNNClassifier, ZScoreScaler

N_TIMES = 187
N_CLASSES = 5
FS_HZ = 125.0
BATCH_SIZES = (64, 128, 256, 512, 1024, 2048)
MEGABYTE = 2**20


def make_rows(n_rows, seed=0):
    """Return beats of random noise and their labels."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n_rows) % N_CLASSES)
    return rng.standard_normal((n_rows, N_TIMES), dtype=np.float32), labels


def alternate(repeats, *functions):
    """Measure functions in alternation; return a list of times in s for each function."""
    for function in functions:
        function()  # warm up: imports and initialization
    seconds = [[] for _ in functions]
    for _ in range(repeats):
        for function, taken in zip(functions, seconds, strict=True):
            taken.append(timed(function))
    return seconds


def timed(function, *arguments):
    """Return the time of a call in s."""
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def comparison_row(label, unit, times, reference_times, scale=1.0):
    """Return a row of the table from the times of ecgbeat and of the reference."""
    cells = []
    for summary in (min, statistics.median):
        value, reference = scale * summary(times), scale * summary(reference_times)
        cells += [f"{value:.3f}", f"{reference:.3f}", f"{value / reference:.2f}"]
    return [label, unit, *cells]


def fit_rows(arguments):
    """Compare `fit` with a plain loop: same network, batches, optimizer and epochs."""
    X, y = make_rows(arguments.rows_of_data)
    options = {"max_epochs": arguments.epochs, "optimizer": torch.optim.AdamW}
    options |= {"n_members": 1, "random_state": 0}  # one, whatever the number of beats
    recipe = default_recipe(len(X), N_CLASSES, **options)

    def plain_loop():
        train(recipe._replace(module=copy.deepcopy(recipe.module)), X, y)

    seconds = alternate(
        arguments.repeats, lambda: ECGCNNClassifier(**options).fit(X, y), plain_loop
    )
    yield comparison_row(f"fit, {len(X):,} beats, {recipe.epochs} epochs", "s", *seconds)


def compile_rows(arguments):
    """Compare training with and without `torch.compile`, after and including compilation."""
    X, y = make_rows(arguments.rows_of_data)
    nets = [
        ECGCNNClassifier(max_epochs=arguments.epochs, compile=compiled, random_state=0)
        for compiled in (True, False)
    ]
    firsts = [[timed(net.fit, X, y)] for net in nets]
    # partial_fit trains for the same number of epochs and keeps the compiled network
    seconds = alternate(arguments.repeats, *(partial(net.partial_fit, X, y) for net in nets))
    yield comparison_row(
        f"compile=True, {len(X):,} beats, {arguments.epochs} epochs", "s", *seconds
    )
    yield comparison_row("compile=True, first call of fit", "s", *firsts)


def predict_rows(arguments):
    """Compare `predict_proba` with the plain module in batches of its fastest size."""
    X, _ = make_rows(arguments.predict_rows)
    net = make_fitted_net()
    by_size = alternate(
        arguments.repeats,
        *(lambda size=size: logits(net.module_, X, size) for size in BATCH_SIZES),
    )
    medians = [statistics.median(seconds) for seconds in by_size]
    best = BATCH_SIZES[int(np.argmin(medians))]
    seconds = alternate(
        arguments.repeats, lambda: net.predict_proba(X), lambda: logits(net.module_, X, best)
    )
    yield comparison_row(f"predict_proba, {len(X):,} beats, module by {best}", "s", *seconds)


def beat_rows(arguments):
    """Compare the prediction of one beat by a pipeline, the net and the plain module."""
    X, y = make_rows(200)
    filtered = make_pipeline(
        BandpassFilter(fs=FS_HZ), ZScoreScaler(), ECGCNNClassifier(max_epochs=1, random_state=0)
    ).fit(X, y)
    net, beat = filtered[-1], X[:1]

    def bare():
        with torch.inference_mode():
            net.module_.eval()(torch.from_numpy(beat))

    whole, alone, module = alternate(
        arguments.calls, lambda: filtered.predict(beat), lambda: net.predict_proba(beat), bare
    )
    yield comparison_row("one beat, predict_proba", "ms", alone, module, 1000)
    yield comparison_row("one beat, filter + scaler + net", "ms", whole, module, 1000)


def memory_rows(arguments):
    """Compare the peak memory of `fit` with the size of the array."""
    peak, size = run_fresh(
        fit_memory, arguments.memory_rows, arguments.threads, threads=arguments.threads
    )
    yield [
        *(f"peak memory of fit, {arguments.memory_rows:,} beats; size of array", "MB"),
        *(f"{peak:.0f}", f"{size:.0f}", f"{peak / size:.2f}"),
    ]


def fit_memory(n_rows, threads):
    """Return the peak memory of `fit` for one epoch, and the size of the array, in MB."""
    torch.set_num_threads(threads)
    make_fitted_net()  # warm up: imports
    X, y = make_rows(n_rows)
    with PeakMemory() as memory:
        ECGCNNClassifier(max_epochs=1, random_state=0).fit(X, y)
    return memory.mb, X.nbytes / MEGABYTE


def grid_rows(arguments):
    """Compare a grid search with two processes and with one, after starting the processes."""
    X, y = make_rows(arguments.grid_rows)
    net = ECGCNNClassifier(n_members=1, max_epochs=arguments.epochs, random_state=0)

    def search(n_jobs):
        grid = {"dropout": [0.1, 0.3], "lr": [0.003, 0.01]}
        GridSearchCV(net, grid, cv=3, refit=False, n_jobs=n_jobs).fit(X, y)

    seconds = alternate(arguments.grid_repeats, lambda: search(2), lambda: search(1))
    yield comparison_row(f"GridSearchCV, {len(X):,} beats, n_jobs=2 and 1", "s", *seconds)


def make_fitted_net():
    """Return a classifier trained for one epoch on noise."""
    return ECGCNNClassifier(max_epochs=1, random_state=0).fit(*make_rows(200))


SECTIONS = {
    "fit": fit_rows,
    "compile": compile_rows,
    "predict": predict_rows,
    "beat": beat_rows,
    "memory": memory_rows,
    "grid": grid_rows,
}
DEFAULT_SECTIONS = [name for name in SECTIONS if name != "compile"]  # requires a C++ compiler


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sections", nargs="+", choices=SECTIONS, default=DEFAULT_SECTIONS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=7, help="repeats of fit and of prediction")
    parser.add_argument(
        "--epochs", type=int, default=3, help="epochs of fit and of the grid search"
    )
    parser.add_argument("--rows-of-data", type=int, default=20_000, help="number of training beats")
    parser.add_argument("--predict-rows", type=int, default=20_000)
    parser.add_argument("--calls", type=int, default=500, help="calls with one beat")
    parser.add_argument("--memory-rows", type=int, default=87_554)
    parser.add_argument("--grid-rows", type=int, default=4_000)
    parser.add_argument("--grid-repeats", type=int, default=3)
    parser.add_argument("--markdown", action="store_true", help="print the table for the docs")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    print_machine(("ecgbeat", "torch", "skorch", "scikit-learn", "numpy"), arguments.threads)
    rows = [
        ["operation", "unit", "ecgbeat min", "torch", "ratio", "ecgbeat median", "torch", "ratio"]
    ]
    for name in arguments.sections:
        rows += SECTIONS[name](arguments)
        print(f"{name}: done", flush=True)
    print_table("Comparison with plain torch", rows, arguments.markdown)


if __name__ == "__main__":
    main()
