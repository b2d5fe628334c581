"""
Splitting by beat and by patient
================================

Beats of the same patient are similar. With a random split of the beats, the training and test sets
contain beats of the same patients, and the scores are too optimistic. Many published results were
obtained in this way. This example compares the scores of the same network on the same beats, with
a split by beat and a split by patient.

By default, the example uses simulated patients. With ``--data``, it uses the MIT-BIH Arrhythmia
Database and takes a few minutes. The figure is shown in a window, or saved to a folder with
``--output``::

    python examples/plot_patients_or_beats.py
    python examples/plot_patients_or_beats.py --data mitdb --output figures
"""

import argparse
from collections import Counter
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from imblearn.under_sampling import RandomUnderSampler
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from ecgbeat import ECGCNNClassifier, ZScoreScaler
from ecgbeat.annotation import extract_beats
from ecgbeat.datasets import load_mitdb, make_heartbeats
from ecgbeat.labels import to_aami

CLASSES = ["N", "S", "V"]
MAX_BEATS = 100  # per symbol and patient, for real data
COLORS = {"by beat": "#D55E00", "by patient": "#0072B2"}  # colorblind-safe

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("--data", type=Path, help="folder of the MIT-BIH Arrhythmia Database")
parser.add_argument("--output", type=Path, help="folder for the figure")
parser.add_argument("--beats", type=int, default=2500, help="number of simulated beats")
parser.add_argument("--epochs", type=int, default=10, help="number of epochs")
arguments = parser.parse_args(None if "__file__" in globals() else [])  # no arguments in a notebook
if arguments.beats < 400 or arguments.epochs < 1:
    parser.error("--beats must be 400 or more, --epochs 1 or more")

# %%
# Load the beats
# --------------
# The windows range from 0.3 s before to 0.5 s after the R peak. The classes are N, S and V. Fusion
# beats are excluded, because nine in ten of those in MIT-BIH belong to two patients. Of real
# recordings, a random subset of the beats of each patient is used.

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
    keys = np.char.add(beats.groups, beats.target)  # patient and symbol
    n_beats = {key: min(count, MAX_BEATS) for key, count in Counter(keys.tolist()).items()}
    sampler = RandomUnderSampler(sampling_strategy=n_beats, random_state=0)
    sampler.fit_resample(np.arange(len(keys))[:, np.newaxis], keys)
    rows = np.sort(sampler.sample_indices_)
else:
    beats = make_heartbeats(
        arguments.beats,
        n_patients=40,
        fs=160,
        before=0.3,
        after=0.5,
        jitter=0,
        random_state=0,
    )
    rows = np.arange(arguments.beats)

X, y, patients = beats.data[rows], to_aami(beats.target[rows]), beats.groups[rows]
counts = "  ".join(f"{label} {np.sum(y == label)}" for label in CLASSES)
print(f"{len(np.unique(patients))} patients, {len(y)} beats: {counts}")

# %%
# Cross-validate with both splits
# -------------------------------
# Both splits have five folds. A new network is trained in each fold, without using the held-out
# beats for any choice.

model = make_pipeline(
    ZScoreScaler(), ECGCNNClassifier(n_filters=8, max_epochs=arguments.epochs, random_state=0)
)
splits = {
    "by beat": StratifiedKFold(5, shuffle=True, random_state=0).split(X, y),
    "by patient": StratifiedGroupKFold(5, shuffle=True, random_state=0).split(X, y, patients),
}
fold_scores, class_scores = {}, {}
for name, split in splits.items():
    folds = list(split)
    predicted = cross_val_predict(model, X, y, cv=folds)
    fold_scores[name] = [f1_score(y[test], predicted[test], average="macro") for _, test in folds]
    class_scores[name] = f1_score(y, predicted, labels=CLASSES, average=None)
    by_class = "  ".join(f"{c} {f1:.3f}" for c, f1 in zip(CLASSES, class_scores[name], strict=True))
    mean, std = np.mean(fold_scores[name]), np.std(fold_scores[name])
    print(
        f"{name:>10}: macro-F1 {mean:.3f} ± {std:.3f} over the folds; F1 of each class {by_class}"
    )

# %%
# Compare the scores
# ------------------
# The left panel shows the macro-F1 of each fold (circles) and the mean (lines). The right panel
# shows the F1 of each class over all beats. Only the scores of the split by patient estimate the
# performance on new patients. They vary between the folds, depending on the held-out patients. To
# reduce this variation, use more folds or more patients.

figure, (left, right) = plt.subplots(
    1, 2, figsize=(8, 4), width_ratios=(2, 3), sharey=True, layout="constrained"
)
for x, (name, values) in enumerate(fold_scores.items()):
    jitter = np.linspace(-0.12, 0.12, len(values))
    left.plot(x + jitter, values, "o", mfc="none", mew=1.5, color=COLORS[name])
    left.plot([x - 0.25, x + 0.25], [np.mean(values)] * 2, color=COLORS[name], lw=3)
left.set(
    xticks=range(len(fold_scores)), xticklabels=fold_scores, xlim=(-0.5, 1.5), ylim=(0, 1.03),
    ylabel="F1", title="Macro-F1, five folds",
)  # fmt: skip
x = np.arange(len(CLASSES))
for shift, marker, (name, values) in zip((-0.1, 0.1), "sD", class_scores.items(), strict=True):
    right.plot(x + shift, values, marker, ms=8, color=COLORS[name], label=f"split {name}")
right.set(xticks=x, xticklabels=CLASSES, xlim=(-0.5, 2.5), title="F1 of each class")
right.set_xlabel("Class")
left.set_xlabel("Split")
right.legend(loc="lower right")
for ax in (left, right):
    ax.grid(axis="y", alpha=0.3)

if arguments.output:
    arguments.output.mkdir(parents=True, exist_ok=True)
    figure.savefig(arguments.output / "patients_or_beats.png", dpi=150)
else:
    plt.show()
