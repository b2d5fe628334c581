"""
By patient or by beat: why random splits flatter
================================================

Beats of one patient are alike. If a random split puts some of them into training and others
into the test, the network is asked about hearts that it knows. Many published figures are made
that way. Here is what it is worth: the same network on the same beats, split by beat and split
by patient.

Simulated patients, or a folder with the MIT-BIH Arrhythmia Database (some minutes).
The picture opens in a window; ``--output`` keeps it in a folder instead::

    python examples/plot_patients_or_beats.py
    python examples/plot_patients_or_beats.py --data mitdb --output pictures
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
MOST_BEATS = 100  # of a symbol and patient, of real data
COLORS = {"by beat": "#D55E00", "by patient": "#0072B2"}  # told apart by colour-blind people, too

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("--data", type=Path, help="folder of the MIT-BIH Arrhythmia Database")
parser.add_argument("--output", type=Path, help="folder for the picture")
parser.add_argument("--beats", type=int, default=2500, help="number of simulated beats")
parser.add_argument("--epochs", type=int, default=10, help="passes over the training beats")
arguments = parser.parse_args(None if "__file__" in globals() else [])  # none in a notebook
if arguments.beats < 400 or arguments.epochs < 1:
    parser.error("--beats must be 400 or more, --epochs 1 or more")

# %%
# The beats
# ---------
# From 0.3 s before to 0.5 s after the R peak, in the classes N, S and V (fusion beats are left
# out: nine in ten that MIT-BIH has are of two patients). Of real recordings a random part of
# each patient's beats is taken.

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
    kinds = np.char.add(beats.groups, beats.target)
    wanted = {kind: min(n, MOST_BEATS) for kind, n in Counter(kinds.tolist()).items()}
    thinner = RandomUnderSampler(sampling_strategy=wanted, random_state=0)
    thinner.fit_resample(np.arange(len(kinds))[:, np.newaxis], kinds)
    rows = np.sort(thinner.sample_indices_)
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
# The same network, split in two ways
# -----------------------------------
# Five folds either way, seed 0. In each a network is trained anew, and nothing is chosen by the
# beats left out.

model = make_pipeline(
    ZScoreScaler(), ECGCNNClassifier(n_filters=8, max_epochs=arguments.epochs, random_state=0)
)
splits = {
    "by beat": StratifiedKFold(5, shuffle=True, random_state=0).split(X, y),
    "by patient": StratifiedGroupKFold(5, shuffle=True, random_state=0).split(X, y, patients),
}
of_folds, of_classes = {}, {}
for name, split in splits.items():
    folds = list(split)
    predicted = cross_val_predict(model, X, y, cv=folds)
    of_folds[name] = [f1_score(y[test], predicted[test], average="macro") for _, test in folds]
    of_classes[name] = f1_score(y, predicted, labels=CLASSES, average=None)
    listed = "  ".join(f"{c} {f1:.3f}" for c, f1 in zip(CLASSES, of_classes[name], strict=True))
    mean, std = np.mean(of_folds[name]), np.std(of_folds[name])
    print(f"{name:>10}: macro-F1 {mean:.3f} ± {std:.3f} over the folds; F1 of each class {listed}")

# %%
# What the split is worth
# -----------------------
# On the left every ring is a fold, a bar their mean. On the right is the F1 of each class over
# all beats. Only the figures by patient tell what a new patient can expect; and they scatter,
# for it matters which patients are left out. More folds, or more patients, are the remedy, not
# another split.

figure, (left, right) = plt.subplots(
    1, 2, figsize=(8, 4), width_ratios=(2, 3), sharey=True, layout="constrained"
)
for place, (name, values) in enumerate(of_folds.items()):
    spread = place + np.linspace(-0.12, 0.12, len(values))
    left.plot(spread, values, "o", mfc="none", mew=1.5, color=COLORS[name])
    left.plot([place - 0.25, place + 0.25], [np.mean(values)] * 2, color=COLORS[name], lw=3)
left.set(
    xticks=range(len(of_folds)), xticklabels=of_folds, xlim=(-0.5, 1.5), ylim=(0, 1.03),
    ylabel="F1", title="Macro-F1, five folds",
)  # fmt: skip
places = np.arange(len(CLASSES))
for shift, marker, (name, values) in zip((-0.1, 0.1), "sD", of_classes.items(), strict=True):
    right.plot(places + shift, values, marker, ms=8, color=COLORS[name], label=f"split {name}")
right.set(xticks=places, xticklabels=CLASSES, xlim=(-0.5, 2.5), title="F1 of each class")
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
