"""Choice of the default parameters of the classifiers within the Kaggle training file.

    python examples/benchmarks/training_study.py --data kaggle_heartbeat --jobs 2

One parameter at a time is changed from its default. Each setting of ECGCNNClassifier is evaluated
on held-out beats (a stratified fifth) and on held-out patients (a quarter), with several seeds. The
test file is not read.
"""

import sys

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
from _study_networks import FlatCNN, PooledCNN
from joblib import Parallel, delayed
from tqdm import tqdm

from ecgbeat import ECGCNNClassifier, ECGCNNLSTMClassifier, networks

# changed parameters; the default of "estimator" is ECGCNNClassifier
SETTINGS = {
    "defaults": {},
    "AdamW": {"optimizer": torch.optim.AdamW},
    "n_filters=12": {"n_filters": 12},
    "n_filters=24": {"n_filters": 24},
    "kernel_size=3": {"kernel_size": 3},
    "kernel_size=7": {"kernel_size": 7},
    "n_blocks=2": {"n_blocks": 2},
    "n_blocks=4": {"n_blocks": 4},
    "pooling, not strides": {"module": PooledCNN},
    "flattened, not pooled": {"module": FlatCNN},
    "dropout=0": {"dropout": 0.0},
    "n_members=1": {"n_members": 1},
    "n_members=3": {"n_members": 3},
    "dropout=0.2": {"dropout": 0.2},
    "lr=0.003": {"lr": 0.003},
    "lr=0.03": {"lr": 0.03},
    "constant lr=0.001": {"lr": 0.001, "lr_schedule": None},
    "SGD, momentum 0.9, lr=0.1": {
        "optimizer": torch.optim.SGD,
        "optimizer__momentum": 0.9,
        "optimizer__nesterov": True,
        "lr": 0.1,
        "weight_decay": 5e-4,
    },
    "batch_size=128": {"batch_size": 128},
    "batch_size=512": {"batch_size": 512},
    "max_epochs=8": {"max_epochs": 8},
    "max_epochs=10": {"max_epochs": 10},
    "max_epochs=10, lr=0.015": {"max_epochs": 10, "lr": 0.015},
    "max_epochs=24": {"max_epochs": 24},
    "weight_decay=0.01": {"weight_decay": 0.01},
    "weight_decay=0.3": {"weight_decay": 0.3},
    "label_smoothing=0.05": {"label_smoothing": 0.05},
    "FocalLoss": {"criterion": networks.FocalLoss},
    "weight_averaging=0.999": {"weight_averaging": 0.999},
    "augment_amplitude=0.1": {"augment_amplitude": 0.1},
    "augment_baseline=0.2": {"augment_baseline": 0.2},
    "augment_noise=0.05": {"augment_noise": 0.05},
    "augment_shift=0.02": {"augment_shift": 0.02},
    "precision='bfloat16'": {"precision": "bfloat16"},
    "CNN+LSTM": {"estimator": ECGCNNLSTMClassifier},
    "CNN+LSTM, AdamW": {"estimator": ECGCNNLSTMClassifier, "optimizer": torch.optim.AdamW},
}


def build(setting, seed, epochs):
    """Return the classifier of a setting."""
    parameters = dict(SETTINGS[setting])
    estimator = parameters.pop("estimator", ECGCNNClassifier)
    if epochs is not None:
        parameters["max_epochs"] = epochs
    return estimator(random_state=seed, **parameters)


def run(setting, protocol, seed, data, epochs):
    """Return the key of a run and its scores."""
    torch.set_num_threads(1)  # one thread per job
    found = score(build(setting, seed, epochs), data, split(protocol, data, seed))
    return setting, protocol, seed, found


def study(data, arguments):
    """Return the scores of each setting and protocol, with seeds in rows."""
    plan = [
        (setting, protocol, seed)
        for setting in arguments.settings
        for seed in arguments.seeds
        for protocol in arguments.protocols
    ]
    parallel = Parallel(n_jobs=arguments.jobs, return_as="generator_unordered")
    results = parallel(delayed(run)(*job, data, arguments.epochs) for job in plan)
    scores = {}
    for setting, protocol, seed, found in tqdm(results, total=len(plan), smoothing=0):
        scores.setdefault((setting, protocol), []).append(found)
        accuracy, macro, loss, seconds, *_ = found
        tqdm.write(
            f"{setting}, by {protocol}, seed {seed}: accuracy {accuracy:.4f}, "
            f"macro-F1 {macro:.4f}, log loss {loss:.4f}, fit {seconds:.0f} s"
        )
        sys.stdout.flush()
    return scores


def table_rows(scores, arguments):
    """Yield the rows of the table, with mean and standard deviation over the seeds."""
    names = ["accuracy", "macro-F1", "log loss"]
    yield ["setting", *(f"{name}, by {p}" for p in arguments.protocols for name in names), "fit s"]
    for setting in arguments.settings:
        cells, seconds = [], []
        for protocol in arguments.protocols:
            columns = np.transpose(scores[setting, protocol])
            cells += [format_mean_and_std(values, 4) for values in columns[:2]]
            cells.append(format_mean_and_std(columns[2], 3))
            seconds.extend(columns[3])
        yield [setting, *cells, f"{np.mean(seconds):.0f}"]


def parse_arguments():
    parser = make_parser(__doc__.splitlines()[0])
    add_study_options(parser, SETTINGS)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    data = load_data(arguments)
    print_machine(("ecgbeat", "torch", "skorch", "scikit-learn", "numpy"), 1)
    print(f"{len(data.target)} beats of the training file, seeds {arguments.seeds}\n")
    scores = study(data, arguments)
    print_table(
        f"Mean and standard deviation over {len(arguments.seeds)} seeds",
        table_rows(scores, arguments),
        arguments.markdown,
    )


if __name__ == "__main__":
    main()
