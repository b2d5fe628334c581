"""
SMOTE before the split and inside the folds
===========================================

SMOTE generates synthetic beats of rare classes by interpolation between similar beats. If it is
applied before the data are split, the test set contains synthetic beats that were interpolated
from training beats. In a pipeline of imbalanced-learn, it resamples only the training set of each
fold. This example measures how much SMOTE before the split increases the score.

By default, the example uses simulated patients. With ``--data``, it uses the MIT-BIH Arrhythmia
Database and takes a few minutes. The figure is shown in a window, or saved to a folder with
``--output``::

    python examples/plot_smote_inside_or_before.py
    python examples/plot_smote_inside_or_before.py --data mitdb --output figures
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
MAX_BEATS = {"N": 60, "S": 15, "V": 15}  # per class and patient, for real data

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("--data", type=Path, help="folder of the MIT-BIH Arrhythmia Database")
parser.add_argument("--output", type=Path, help="folder for the figure")
parser.add_argument("--beats", type=int, default=1200, help="number of simulated beats")
parser.add_argument("--epochs", type=int, default=10, help="number of epochs")
arguments = parser.parse_args(None if "__file__" in globals() else [])  # no arguments in a notebook
if arguments.beats < 300 or arguments.epochs < 1:
    parser.error("--beats must be 300 or more, --epochs 1 or more")

# %%
# Load the beats
# --------------
# The windows range from 0.3 s before to 0.5 s after the R peak. The classes are N, S and V, of
# which S and V are rare. Of real recordings, a random subset of the beats of each patient is used.

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
    keys = np.char.add(beats.groups, to_aami(beats.target))  # patient and class
    n_beats = {key: min(n, MAX_BEATS[key[-1]]) for key, n in Counter(keys.tolist()).items()}
    sampler = RandomUnderSampler(sampling_strategy=n_beats, random_state=0)
    sampler.fit_resample(np.arange(len(keys))[:, np.newaxis], keys)
    rows = np.sort(sampler.sample_indices_)
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

X = ZScoreScaler().fit_transform(beats.data[rows])  # scales each beat separately, without leakage
y, patients = to_aami(beats.target[rows]), beats.groups[rows]
counts = "  ".join(f"{label} {np.sum(y == label)}" for label in CLASSES)
print(f"{len(np.unique(patients))} patients, {len(y)} beats: {counts}")

# %%
# Define four protocols
# ---------------------
# All protocols have five folds and the same number of epochs. Data that were resampled before the
# split cannot be split by patient, because a synthetic beat can be interpolated from beats of two
# patients. Therefore, the first two protocols split by beat. The third protocol also splits by
# beat, but applies SMOTE inside the folds. The last protocol is the correct one: SMOTE inside the
# folds, and a split by patient.

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
# Cross-validate with each protocol
# ---------------------------------
# Resampling before the split has two effects. First, the test set contains synthetic beats or
# duplicates, with the same number of beats in each class, which makes the rare classes easier to
# classify. Second, the training set contains beats derived from test beats. To separate both
# effects, the scores are computed on all rows and on the original beats only, which are the first
# rows after resampling.

scores = {}
for name, (model, rows, labels, splitter) in protocols.items():
    folds = list(splitter.split(rows, labels, patients if splitter is by_patient else None))
    predicted = cross_val_predict(model, rows, labels, cv=folds)
    fold_scores = []
    for _, test in folds:
        original = test[test < len(y)]
        fold_scores.append(
            [f1_score(labels[i], predicted[i], average="macro") for i in (test, original)]
        )
    means, stds = scores[name] = np.mean(fold_scores, axis=0), np.std(fold_scores, axis=0)
    print(
        f"{name.replace(chr(10), ' '):34} macro-F1: all rows {means[0]:.3f} ± {stds[0]:.3f}, "
        f"original beats {means[1]:.3f} ± {stds[1]:.3f}"
    )

# %%
# Compare the scores
# ------------------
# The difference between orange and blue is the effect of synthetic beats in the test set. The
# difference between the blue points in the second and third row is the effect of training beats
# derived from test beats: within the variation of the folds on simulated patients, and 0.05 on
# MIT-BIH. The effect of splitting by patient instead of by beat is the largest.

figure, ax = plt.subplots(figsize=(7.5, 4), layout="constrained")
y_positions = np.arange(len(scores))[::-1]
for column, (label, marker, color) in enumerate(
    [("all test rows", "o", "#D55E00"), ("original beats only", "D", "#0072B2")]
):
    means, stds = np.array([[mean[column], std[column]] for mean, std in scores.values()]).T
    y_column = y_positions - 0.16 * column
    ax.errorbar(means, y_column, xerr=stds, fmt=marker, color=color, capsize=3, label=label)
ax.set(yticks=y_positions - 0.08, yticklabels=scores, ylim=(-0.6, 3.5))
# the axis shows the range of the scores, which is far from 0
ax.set(xlabel="Macro-F1, mean and standard deviation of five folds (axis does not start at 0)")
ax.grid(axis="x", alpha=0.3)
ax.legend(loc="best")

if arguments.output:
    arguments.output.mkdir(parents=True, exist_ok=True)
    figure.savefig(arguments.output / "smote_inside_or_before.png", dpi=150)
else:
    plt.show()
