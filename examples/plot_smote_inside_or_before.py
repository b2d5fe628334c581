"""
SMOTE inside the folds, or before the split
===========================================

SMOTE invents beats of rare classes between two that are alike. Used before the data are split,
it puts invented beats into the test whose parents the network was trained on. In a pipeline of
imbalanced-learn it sees the training part of each fold alone. How much does SMOTE before the
split flatter?

Simulated patients, or a folder with the MIT-BIH Arrhythmia Database (some minutes).
The picture opens in a window; ``--output`` keeps it in a folder instead::

    python examples/plot_smote_inside_or_before.py
    python examples/plot_smote_inside_or_before.py --data mitdb --output pictures
"""

import argparse
from collections import Counter
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict

from ecgbeat import ECGCNNClassifier, ZScoreScaler
from ecgbeat.annotation import extract_beats
from ecgbeat.datasets import load_mitdb, make_heartbeats
from ecgbeat.labels import to_aami

CLASSES = ["N", "S", "V"]
MOST_BEATS = {"N": 60, "S": 15, "V": 15}  # of a class and patient, of real data

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("--data", type=Path, help="folder of the MIT-BIH Arrhythmia Database")
parser.add_argument("--output", type=Path, help="folder for the picture")
parser.add_argument("--beats", type=int, default=1200, help="number of simulated beats")
parser.add_argument("--epochs", type=int, default=10, help="passes over the training beats")
arguments = parser.parse_args(None if "__file__" in globals() else [])  # none in a notebook
if arguments.beats < 300 or arguments.epochs < 1:
    parser.error("--beats must be 300 or more, --epochs 1 or more")

# %%
# The beats
# ---------
# From 0.3 s before to 0.5 s after the R peak, in the classes N, S and V, of which S and V are
# rare. Of real recordings a random part of each patient's beats is taken.

if arguments.data:
    try:
        mitdb = load_mitdb(arguments.data, verbose=1)
    except (OSError, ValueError) as error:
        parser.error(f"--data: {error}")
    beats = extract_beats(
        mitdb.recordings,
        mitdb.annotations,
        fs=360,
        n_times=128,
        symbols="NLRejnAaJSVE",
        groups=mitdb.groups,
    )
    kinds = np.char.add(beats.groups, to_aami(beats.target))
    wanted = {kind: min(n, MOST_BEATS[kind[-1]]) for kind, n in Counter(kinds.tolist()).items()}
    thinner = RandomUnderSampler(sampling_strategy=wanted, random_state=0)
    thinner.fit_resample(np.arange(len(kinds))[:, np.newaxis], kinds)
    rows = np.sort(thinner.sample_indices_)
else:
    beats = make_heartbeats(
        arguments.beats,
        n_patients=40,
        weights={"N": 0.84, "L": 0.02, "R": 0.02, "A": 0.06, "V": 0.06},
        fs=160,
        before=0.3,
        after=0.5,
        jitter=0,
        random_state=0,
    )
    rows = np.arange(arguments.beats)

X = ZScoreScaler().fit_transform(beats.data[rows])  # each beat by itself: nothing leaks here
y, patients = to_aami(beats.target[rows]), beats.groups[rows]
counts = "  ".join(f"{label} {np.sum(y == label)}" for label in CLASSES)
print(f"{len(np.unique(patients))} patients, {len(y)} beats: {counts}")

# %%
# Four protocols, one network
# ---------------------------
# Five folds each, seed 0, the same number of epochs. What is resampled before the split has
# lost its patients: an invented beat may have parents of two. Such data can only be split by
# beat, so that is what the first two protocols have in common with the third, in which SMOTE
# stands in the pipeline. The last is the honest one: SMOTE inside, and patients left out.

network = ECGCNNClassifier(n_filters=8, max_epochs=arguments.epochs, random_state=0)
smote = SMOTE(k_neighbors=3, random_state=0)
by_beat = StratifiedKFold(5, shuffle=True, random_state=0)
by_patient = StratifiedGroupKFold(5, shuffle=True, random_state=0)

duplicated = RandomOverSampler(random_state=0).fit_resample(X, y)
synthetic = smote.fit_resample(X, y)
protocols = {
    "duplicates before,\nsplit by beat": (network, *duplicated, by_beat),
    "SMOTE before,\nsplit by beat": (network, *synthetic, by_beat),
    "SMOTE inside,\nsplit by beat": (make_pipeline(smote, network), X, y, by_beat),
    "SMOTE inside,\nsplit by patient": (make_pipeline(smote, network), X, y, by_patient),
}

# %%
# Scoring before the split has two faults that can be told apart. The test holds invented beats,
# or duplicates, as many of each class: scored on all rows, rare classes look easier than they
# are. And the training knows kin of the test: scored on the real beats alone, the first of the
# resampled rows, that is the part that remains.

scores = {}
for name, (model, rows, labels, splitter) in protocols.items():
    folds = list(splitter.split(rows, labels, patients if splitter is by_patient else None))
    predicted = cross_val_predict(model, rows, labels, cv=folds)
    of_folds = [
        [f1_score(labels[part], predicted[part], average="macro") for part in (test, real)]
        for test, real in ((test, test[test < len(y)]) for _, test in folds)
    ]
    (all_rows, real), (sd, sd_real) = scores[name] = np.mean(of_folds, 0), np.std(of_folds, 0)
    figures = f"all rows {all_rows:.3f} ± {sd:.3f}, real beats {real:.3f} ± {sd_real:.3f}"
    print(f"{name.replace(chr(10), ' '):34} macro-F1: {figures}")

# %%
# What each promises
# ------------------
# From orange to blue is what invented beats in the test are worth. Blue on the second line against
# the third is what kin of the test in the training is worth: on the simulated patients nothing
# beyond the scatter of the folds, on MIT-BIH 0.05. The last step, from beats to patients, is
# the largest of all.

figure, ax = plt.subplots(figsize=(7.5, 4), layout="constrained")
places = np.arange(len(scores))[::-1]
for column, (label, marker, color) in enumerate(
    [("all rows that are tested", "o", "#D55E00"), ("real beats among them", "D", "#0072B2")]
):
    values, spread = np.array([[mean[column], sd[column]] for mean, sd in scores.values()]).T
    ax.errorbar(
        values, places - 0.16 * column, xerr=spread, fmt=marker, color=color, capsize=3, label=label
    )
ax.set(yticks=places - 0.08, yticklabels=scores, ylim=(-0.6, 3.5), xlim=(0, 1.02))
ax.set(xlabel="Macro-F1, mean and standard deviation of five folds")
ax.grid(axis="x", alpha=0.3)
ax.legend(loc="lower left")

if arguments.output:
    arguments.output.mkdir(parents=True, exist_ok=True)
    figure.savefig(arguments.output / "smote_inside_or_before.png", dpi=150)
else:
    plt.show()
