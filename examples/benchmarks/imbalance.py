"""Compare answers to rare classes inside the training file of the Kaggle "heartbeat" set.

    python examples/benchmarks/imbalance.py --data kaggle_heartbeat

Every method trains ECGCNNClassifier on one part of the file and is scored on the other, held out by
beat (a fifth, stratified) and by patient (a quarter of them); every seed has parts of its own.
The test file is never read.
"""

import numpy as np
import torch
from _inside_training_file import load_for, make_parser, mean_and_spread, score, split
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


def half_way(y):
    """Return the beats of each class after softened SMOTE: the geometric mean with the largest."""
    labels, counts = np.unique(y, return_counts=True)
    return dict(zip(labels, np.sqrt(counts * counts.max()).round().astype(int), strict=True))


# name: what builds the classifier from the options that all share
METHODS = {
    "none": weighted(None),
    "balanced": weighted("balanced"),
    "sqrt_balanced": weighted("sqrt_balanced"),
    "smote": oversampled("not majority"),
    "smote-half-way": oversampled(half_way),
    "focal": focal,
}


def score_all(protocol, data, arguments):
    """Score every method, seed by seed; return a list of scores each, and what failed."""
    scores, failed = {}, []
    for method in arguments.methods:
        for seed in arguments.seeds:
            options = {"random_state": seed}
            if arguments.epochs is not None:
                options["max_epochs"] = arguments.epochs
            try:
                found = score(METHODS[method](options), data, split(protocol, data, seed))
            except Exception as error:  # whatever it is, it costs this method only
                failed.append(method)
                scores.pop(method, None)  # no mean over some of the seeds
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
    """Yield the rows of a table: mean and standard deviation over the seeds."""
    yield ["method", "accuracy", "macro-F1", *(f"F1 {name}" for name in names), "fit s"]
    for method, passes in scores.items():
        accuracy, macro, _, seconds, *by_class = np.transpose(passes)
        cells = [mean_and_spread(values, 4) for values in (accuracy, macro)]
        cells += [mean_and_spread(values, 3) for values in by_class]
        yield [method, *cells, f"{seconds.mean():.1f}"]
    yield from ([method, "failed"] for method in failed)


def parse_arguments():
    parser = make_parser(__doc__.splitlines()[0])
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    data = load_for(arguments)
    torch.set_num_threads(arguments.threads)
    distributions = ("ecgbeat", "torch", "skorch", "scikit-learn", "imbalanced-learn", "numpy")
    print_machine(distributions, arguments.threads)
    print(f"{len(data.target)} beats of the training file, seeds {arguments.seeds}\n")
    few = stratified_rows(data.target, 100)
    ECGCNNClassifier(max_epochs=1).fit(data.data[few], data.target[few])  # imports at first use
    for protocol in arguments.protocols:
        with threadpool_limits(arguments.threads):
            scores, failed = score_all(protocol, data, arguments)
        title = f"Held out by {protocol}, mean and standard deviation over the seeds"
        print_table(title, table_rows(scores, failed, data.target_names), arguments.markdown)
        print()


if __name__ == "__main__":
    main()
