"""
Normal or abnormal, with and without an LSTM
============================================

Two networks, `ecgbeat.ECGCNNClassifier` and `ecgbeat.ECGCNNLSTMClassifier`, tell normal from
abnormal beats, and are compared on the same folds of patients: five times a fifth of the
patients is held out.

Simulated patients, or a folder with the Kaggle files ``ptbdb_normal.csv`` and
``ptbdb_abnormal.csv``, or ``mitbih_train.csv``, in which everything but N is abnormal (some
minutes). The pictures open in windows; ``--output`` keeps them in a folder instead::

    python examples/plot_normal_abnormal.py
    python examples/plot_normal_abnormal.py --data heartbeat --output pictures
"""

# sphinx_gallery_thumbnail_number = 2
import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.calibration import CalibrationDisplay
from sklearn.metrics import RocCurveDisplay
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_validate
from sklearn.pipeline import make_pipeline

from ecgbeat import ECGCNNClassifier, ECGCNNLSTMClassifier, ZScoreScaler
from ecgbeat.datasets import load_heartbeat_csv, make_heartbeats
from ecgbeat.plotting import BeatsDisplay

NAMES = np.array(["normal", "abnormal"])
COLORS = {"CNN": "#0072B2", "CNN+LSTM": "#D55E00"}  # told apart by colour-blind people, too

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("--data", type=Path, help="folder of the Kaggle heartbeat set")
parser.add_argument("--output", type=Path, help="folder for the pictures")
parser.add_argument("--beats", type=int, default=None, help="number of beats")
parser.add_argument("--epochs", type=int, default=12, help="passes over the training beats")
arguments = parser.parse_args(None if "__file__" in globals() else [])  # none in a notebook
if (arguments.beats is not None and arguments.beats < 400) or arguments.epochs < 1:
    parser.error("--beats must be 400 or more, --epochs 1 or more")

# %%
# The beats
# ---------
# 1 is abnormal, 0 normal. Of real beats a random part is taken, equally many of both kinds.
# Where the files do not tell the patients, beats of one patient stand on both sides of every
# fold, and the figures promise more than a new patient would get.

if arguments.data:
    has_ptb = any(arguments.data.glob("ptbdb_*"))
    try:
        beats = load_heartbeat_csv(arguments.data, subset="ptb" if has_ptb else "train")
    except (OSError, ValueError) as error:
        parser.error(f"--data: {error}")
    is_abnormal = (beats.target != 0).astype(int)
    rng = np.random.default_rng(0)
    n_each = min((arguments.beats or 12000) // 2, *np.bincount(is_abnormal))
    rows = [rng.permutation(np.flatnonzero(is_abnormal == kind))[:n_each] for kind in (0, 1)]
    rows = np.sort(np.concatenate(rows))
    X, y, before, unit = beats.data[rows], is_abnormal[rows], None, ""
    patients = None if beats.groups is None else beats.groups[rows]
    source = "Kaggle, " + ("PTB" if has_ptb else "MIT-BIH training file")
else:
    beats = make_heartbeats(
        arguments.beats or 2000,
        n_patients=40,
        fs=125,
        before=0.5,
        after=1.0,
        jitter=0,
        random_state=0,
    )
    X, y, before, unit = beats.data, (beats.target != "N").astype(int), 0.5, "mV"
    patients, source = beats.groups, "simulator"

splitter = StratifiedKFold if patients is None else StratifiedGroupKFold
folds = list(splitter(5, shuffle=True, random_state=0).split(X, y, patients))
how = "by beat" if patients is None else f"by patient, {len(np.unique(patients))} of them"
print(
    f"{source}: {np.sum(y == 0)} normal and {np.sum(y == 1)} abnormal beats, 5 folds {how}, seed 0"
)

BeatsDisplay.from_beats(X, NAMES[y], fs=beats.fs, before=before, unit=unit, classes=NAMES)

# %%
# One cross-validation for both
# -----------------------------
# Both networks get the same folds and the same number of epochs. Nothing is chosen by the
# held-out patients: the last epoch counts.

settings = {"max_epochs": arguments.epochs, "batch_size": 64, "random_state": 0}
models = {
    "CNN": make_pipeline(ZScoreScaler(), ECGCNNClassifier(**settings)),
    "CNN+LSTM": make_pipeline(ZScoreScaler(), ECGCNNLSTMClassifier(**settings)),
}
scores = ["accuracy", "precision", "recall", "f1", "roc_auc"]
results = {
    name: cross_validate(
        model, X, y, cv=folds, scoring=scores, return_estimator=True, return_indices=True
    )
    for name, model in models.items()
}

print(f"{'mean ± SD of 5 folds':22}" + "".join(f"{score:>16}" for score in scores))
for name, result in results.items():
    cells = [f"{result[f'test_{s}'].mean():.3f} ± {result[f'test_{s}'].std():.3f}" for s in scores]
    print(f"{name:22}" + "".join(f"{cell:>16}" for cell in cells))
difference = results["CNN+LSTM"]["test_roc_auc"] - results["CNN"]["test_roc_auc"]
print("ROC-AUC, CNN+LSTM less CNN, fold by fold:", np.round(difference, 3))

# %%
# ROC curves
# ----------
# A line for every fold: how much they scatter is how much it matters who is left out.

figure, axes = plt.subplots(1, 2, figsize=(9, 4.5), sharey=True, layout="constrained")
for ax, (name, result) in zip(axes, results.items(), strict=True):
    RocCurveDisplay.from_cv_results(
        result,
        X,
        y,
        ax=ax,
        curve_kwargs={"color": COLORS[name], "alpha": 0.6, "linestyle": "-"},
        plot_chance_level=True,
    )
    ax.set(title=name, xlabel="False positive rate", ylabel="")
    lines, _ = ax.get_legend_handles_labels()
    area = f"AUC {result['test_roc_auc'].mean():.3f} ± {result['test_roc_auc'].std():.3f}"
    ax.legend(lines, [f"5 folds, {area}", "chance"], loc="lower right", fontsize="small")
axes[0].set_ylabel("True positive rate")

# %%
# Calibration
# -----------
# Of the beats that a model calls abnormal with a probability of 0.8, are four in five abnormal?
# Every beat is judged by the model of the fold that held it out. The models are sure of most
# beats, so the points in the middle stand for few: how many is printed, and where they are a
# dozen or fewer, their height is a matter of luck.


def out_of_fold(result):
    """Return for every beat the probability from the model that has not seen its patient."""
    probability = np.empty(len(y))
    for estimator, rows in zip(result["estimator"], result["indices"]["test"], strict=True):
        probability[rows] = estimator.predict_proba(X[rows])[:, 1]
    return probability


figure, ax = plt.subplots(figsize=(5.5, 5), layout="constrained")
for (name, result), marker in zip(results.items(), "os", strict=True):
    probability = out_of_fold(result)
    CalibrationDisplay.from_predictions(
        y, probability, n_bins=5, name=name, color=COLORS[name], marker=marker, ax=ax
    )
    print(f"{name}, beats of each point:", np.histogram(probability, bins=5, range=(0, 1))[0])
ax.set(xlabel="Predicted probability of abnormal", ylabel="Share that is abnormal")

# %%
# One signal in, label and confidence out
# ---------------------------------------
# The first beat that the last fold held out, and that fold's model. A model for use would be
# fitted once more, to all beats.

last = results["CNN"]
row = last["indices"]["test"][-1][0]
probability = last["estimator"][-1].predict_proba(X[[row]])[0]
answer = f"{NAMES[probability.argmax()]}, confidence {probability.max():.2f}"
print(f"{answer}; it is {NAMES[y[row]]}")

display = BeatsDisplay.from_beats(
    X[[row]], NAMES[y[[row]]], fs=beats.fs, before=before, unit=unit, spread=None
)
display.ax_.set(title=answer, ylabel=f"Amplitude ({unit or 'of its range'})")

if arguments.output:
    arguments.output.mkdir(parents=True, exist_ok=True)
    for number in plt.get_fignums():
        plt.figure(number).savefig(arguments.output / f"normal_abnormal_{number}.png", dpi=150)
else:
    plt.show()
