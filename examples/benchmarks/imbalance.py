"""Comparison of methods for rare classes within the training file of the Kaggle "heartbeat" set.

    python examples/benchmarks/imbalance.py --data kaggle_heartbeat

Each method is evaluated with ECGCNNClassifier on held-out beats (a stratified fifth) and on
held-out patients (a quarter), with a different split for each seed. The test file is not read.
"""

import numpy as np
import torch
from _inside_training_file import format_mean_and_std, load_data, make_parser, score, split
from _report import print_machine, print_table
from _training_measure import stratified_rows
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

from ecgbeat import ECGCNNClassifier, networks


def focal(options):
    return ECGCNNClassifier(criterion=networks.FocalLoss, **options)


def weighted(class_weight):
    return lambda options: ECGCNNClassifier(class_weight=class_weight, **options)


def oversampled(strategy):
    def build(options):
        smote = SMOTE(sampling_strategy=strategy, random_state=options["random_state"])
        return make_pipeline(smote, ECGCNNClassifier(**options))

    return build


def geometric_mean_with_largest(y):
    """Return the geometric mean of the size of each class and of the largest class."""
    labels, counts = np.unique(y, return_counts=True)
    return dict(zip(labels, np.sqrt(counts * counts.max()).round().astype(int), strict=True))


# name: function that builds the classifier from the common options
METHODS = {
    "none": weighted(None),
    "balanced": weighted("balanced"),
    "sqrt_balanced": weighted("sqrt_balanced"),
    "smote": oversampled("not majority"),
    "smote-half-way": oversampled(geometric_mean_with_largest),
    "focal": focal,
}


def score_all(protocol, data, arguments):
    """Return the scores of each method for all seeds, and the failed methods."""
    scores, failed = {}, []
    for method in arguments.methods:
        for seed in arguments.seeds:
            options = {"random_state": seed}
            if arguments.epochs is not None:
                options["max_epochs"] = arguments.epochs
            try:
                found = score(METHODS[method](options), data, split(protocol, data, seed))
            except Exception as error:  # skip this method only
                failed.append(method)
                scores.pop(method, None)  # no mean over a part of the seeds
                print(f"by {protocol}, {method} failed: {type(error).__name__}: {error}")
                break
            scores.setdefault(method, []).append(found)
            print(
                f"by {protocol}, {method}, seed {seed}: accuracy {found[0]:.4f}, "
                f"macro-F1 {found[1]:.4f}, fit {found[3]:.1f} s",
                flush=True,
            )
    return scores, failed


def table_rows(scores, failed, names):
    """Yield the rows of the table, with mean and standard deviation over the seeds."""
    yield ["method", "accuracy", "macro-F1", *(f"F1 {name}" for name in names), "fit s"]
    for method, passes in scores.items():
        accuracy, macro, _, seconds, *by_class = np.transpose(passes)
        cells = [format_mean_and_std(values, 4) for values in (accuracy, macro)]
        cells += [format_mean_and_std(values, 3) for values in by_class]
        yield [method, *cells, f"{seconds.mean():.1f}"]
    yield from ([method, "failed"] for method in failed)


def parse_arguments():
    parser = make_parser(__doc__.splitlines()[0])
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    data = load_data(arguments)
    torch.set_num_threads(arguments.threads)
    distributions = ("ecgbeat", "torch", "skorch", "scikit-learn", "imbalanced-learn", "numpy")
    print_machine(distributions, arguments.threads)
    print(f"{len(data.target)} beats of the training file, seeds {arguments.seeds}\n")
    few = stratified_rows(data.target, 100)
    ECGCNNClassifier(max_epochs=1).fit(data.data[few], data.target[few])  # warm up: imports
    for protocol in arguments.protocols:
        with threadpool_limits(arguments.threads):
            scores, failed = score_all(protocol, data, arguments)
        title = f"Held out by {protocol}, mean and standard deviation over the seeds"
        print_table(title, table_rows(scores, failed, data.target_names), arguments.markdown)
        print()


if __name__ == "__main__":
    main()
