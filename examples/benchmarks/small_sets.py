"""Choose the defaults for small training sets, inside the training file of the Kaggle set.

    python examples/benchmarks/small_sets.py --data kaggle_heartbeat --jobs 2

So many beats of every class train, from 5 to 400; those held out, by beat or by patient, are
scored, at most 1,000 of a class. Every seed draws the beats anew. The test file is never read.
"""

import numpy as np
import torch
from _inside_training_file import (
    add_study_options,
    load_for,
    make_parser,
    mean_and_spread,
    score,
    split,
)
from _report import print_machine, print_table
from joblib import Parallel, delayed
from tqdm import tqdm

from ecgbeat import ECGCNNClassifier

MOST_SCORED = 1000  # beats of a class
PLAIN = {"augment_noise": 0.0, "augment_shift": 0.0}
SETTINGS = {
    "no augmentation": PLAIN,
    "noise=0.05": PLAIN | {"augment_noise": 0.05},
    "noise=0.1": PLAIN | {"augment_noise": 0.1},
    "noise=0.2": PLAIN | {"augment_noise": 0.2},
    "noise=0.1, shift=0.02": {"augment_noise": 0.1, "augment_shift": 0.02},
    "noise=0.1, amplitude=0.1": PLAIN | {"augment_noise": 0.1, "augment_amplitude": 0.1},
    "lr=0.003": PLAIN | {"lr": 0.003},
    "label_smoothing=0.1": PLAIN | {"label_smoothing": 0.1},
    "max_epochs=200": PLAIN | {"max_epochs": 200},
}


def draw(rows, labels, most, rng):
    """Return a random part of the rows, at most so many of a class."""
    parts = [rows[labels[rows] == label] for label in np.unique(labels[rows])]
    return np.concatenate([rng.permutation(part)[:most] for part in parts])


def run(setting, protocol, n_beats, seed, data, epochs):
    """Return what was done, and its macro-F1."""
    torch.set_num_threads(1)  # the other cores have jobs of their own
    train, test = split(protocol, data, seed)
    rng = np.random.default_rng(seed)
    rows = draw(train, data.target, n_beats, rng), draw(test, data.target, MOST_SCORED, rng)
    budget = {} if epochs is None else {"max_epochs": epochs}
    classifier = ECGCNNClassifier(random_state=seed, **SETTINGS[setting] | budget)
    _, macro, *_ = score(classifier, data, rows)
    return (setting, protocol, n_beats), macro


def table_rows(scores, arguments):
    """Yield the rows of the table: mean and standard deviation over the seeds."""
    columns = [(n, p) for p in arguments.protocols for n in arguments.beats]
    yield ["macro-F1", *(f"{n} a class, by {p}" for n, p in columns), "mean"]
    for setting in arguments.settings:
        found = [np.array(scores[setting, p, n]) for n, p in columns]
        cells = [mean_and_spread(values, 3) for values in found]
        yield [setting, *cells, f"{np.mean(found):.3f}"]


def parse_arguments():
    parser = make_parser(__doc__.splitlines()[0])
    parser.set_defaults(seeds=list(range(5)))
    add_study_options(parser, SETTINGS)
    parser.add_argument("--beats", nargs="+", type=int, default=[5, 20, 100, 400], help="a class")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    data = load_for(arguments)
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
