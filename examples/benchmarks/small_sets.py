"""Choice of the default parameters for small training sets, within the Kaggle training file.

    python examples/benchmarks/small_sets.py --data kaggle_heartbeat --jobs 2

The training sets contain 5 to 400 beats per class. The test sets contain at most 1,000 beats per
class, held out by beat or by patient. The beats are sampled again for each seed. The test file is
not read.
"""

import numpy as np
import torch
from _inside_training_file import (
    add_study_options,
    format_mean_and_std,
    load_data,
    make_parser,
    score,
    split,
)
from _report import print_machine, print_table
from joblib import Parallel, delayed
from tqdm import tqdm

from ecgbeat import ECGCNNClassifier

MAX_TEST_BEATS = 1000  # per class
PLAIN = {"augment_noise": 0.0, "augment_shift": 0.0, "fixed_kernels": False, "n_members": 1}
AUGMENTED = {"augment_noise": 0.1, "augment_shift": 0.02}
SETTINGS = {
    "no augmentation": PLAIN,
    "noise=0.05": PLAIN | {"augment_noise": 0.05},
    "noise=0.1": PLAIN | {"augment_noise": 0.1},
    "noise=0.2": PLAIN | {"augment_noise": 0.2},
    "noise=0.1, shift=0.02": PLAIN | AUGMENTED,
    "noise=0.1, shift=0.02, fixed kernels": AUGMENTED | {"fixed_kernels": True},
    "noise=0.1, amplitude=0.1": PLAIN | {"augment_noise": 0.1, "augment_amplitude": 0.1},
    "lr=0.003": PLAIN | {"lr": 0.003},
    "label_smoothing=0.1": PLAIN | {"label_smoothing": 0.1},
    "max_epochs=200": PLAIN | {"max_epochs": 200},
}


def sample_per_class(rows, labels, limit, rng):
    """Return a random subset of the rows, with at most ``limit`` rows per class."""
    parts = [rows[labels[rows] == label] for label in np.unique(labels[rows])]
    return np.concatenate([rng.permutation(part)[:limit] for part in parts])


def run(setting, protocol, n_beats, seed, data, epochs):
    """Return the key of a run and its macro-F1."""
    torch.set_num_threads(1)  # one thread per job
    train, test = split(protocol, data, seed)
    rng = np.random.default_rng(seed)
    rows = (
        sample_per_class(train, data.target, n_beats, rng),
        sample_per_class(test, data.target, MAX_TEST_BEATS, rng),
    )
    options = {} if epochs is None else {"max_epochs": epochs}
    classifier = ECGCNNClassifier(random_state=seed, **SETTINGS[setting] | options)
    _, macro, *_ = score(classifier, data, rows)
    return (setting, protocol, n_beats), macro


def table_rows(scores, arguments):
    """Yield the rows of the table, with mean and standard deviation over the seeds."""
    columns = [(n, p) for p in arguments.protocols for n in arguments.beats]
    yield ["macro-F1", *(f"{n} per class, by {p}" for n, p in columns), "mean"]
    for setting in arguments.settings:
        found = [np.array(scores[setting, p, n]) for n, p in columns]
        cells = [format_mean_and_std(values, 3) for values in found]
        yield [setting, *cells, f"{np.mean(found):.3f}"]


def parse_arguments():
    parser = make_parser(__doc__.splitlines()[0])
    parser.set_defaults(seeds=list(range(5)))
    add_study_options(parser, SETTINGS)
    parser.add_argument(
        "--beats", nargs="+", type=int, default=[5, 20, 100, 400], help="number of beats per class"
    )
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    data = load_data(arguments)
    print_machine(("ecgbeat", "torch", "skorch", "scikit-learn", "numpy"), 1)
    plan = [
        (setting, protocol, n_beats, seed)
        for n_beats in arguments.beats
        for seed in arguments.seeds
        for protocol in arguments.protocols
        for setting in arguments.settings
    ]
    parallel = Parallel(n_jobs=arguments.jobs, return_as="generator_unordered")
    results = parallel(delayed(run)(*job, data, arguments.epochs) for job in plan)
    scores = {}
    for key, macro in tqdm(results, total=len(plan), smoothing=0):
        scores.setdefault(key, []).append(macro)
    print_table(
        f"Mean and standard deviation over {len(arguments.seeds)} seeds",
        table_rows(scores, arguments),
        arguments.markdown,
    )


if __name__ == "__main__":
    main()
