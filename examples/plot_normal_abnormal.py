"""
Normal and abnormal beats: CNN and CNN+LSTM
===========================================

This example compares two neural networks, `ecgbeat.ECGCNNClassifier` and
`ecgbeat.ECGCNNLSTMClassifier`, for the classification of normal and abnormal beats. Both are
evaluated with the same 5-fold cross-validation by patient.

By default, the example uses simulated patients. With ``--data``, it uses the Kaggle files
``ptbdb_normal.csv`` and ``ptbdb_abnormal.csv``, or ``mitbih_train.csv``, in which all classes
except N are abnormal, and takes a few minutes. The figures are shown in windows, or saved to a
folder with ``--output``::

    python examples/plot_normal_abnormal.py
    python examples/plot_normal_abnormal.py --data heartbeat --output figures
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
COLORS = {"CNN": "#0072B2", "CNN+LSTM": "#D55E00"}  # colorblind-safe

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("--data", type=Path, help="folder of the Kaggle heartbeat set")
parser.add_argument("--output", type=Path, help="folder for the figures")
parser.add_argument("--beats", type=int, default=None, help="number of beats")
parser.add_argument("--epochs", type=int, default=12, help="number of epochs")
arguments = parser.parse_args(None if "__file__" in globals() else [])  # no arguments in a notebook
if (arguments.beats is not None and arguments.beats < 400) or arguments.epochs < 1:
    parser.error("--beats must be 400 or more, --epochs 1 or more")

# %%
# Load the beats
# --------------
# Normal beats have label 0 and abnormal beats label 1. Of real data, a random subset with the same
# number of normal and abnormal beats is used. If the files do not contain the patients, the folds
# mix patients, and the scores are too optimistic for new patients.

if arguments.data:
    has_ptb = any(arguments.data.glob("ptbdb_*"))
    try:
        beats = load_heartbeat_csv(arguments.data, subset="ptb" if has_ptb else "train")
    except (OSError, ValueError) as error:
        parser.error(f"--data: {error}")
    is_abnormal = (beats.target != 0).astype(int)
    rng = np.random.default_rng(0)
    n_beats = min((arguments.beats or 12000) // 2, *np.bincount(is_abnormal))
    rows = [rng.permutation(np.flatnonzero(is_abnormal == label))[:n_beats] for label in (0, 1)]
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
split = "by beat" if patients is None else f"by patient ({len(np.unique(patients))} patients)"
print(f"{source}: {np.sum(y == 0)} normal and {np.sum(y == 1)} abnormal beats, 5 folds {split}")

BeatsDisplay.from_beats(X, NAMES[y], fs=beats.fs, before=before, unit=unit, classes=NAMES)

# %%
# Cross-validate both networks
# ----------------------------
# Both networks are trained on the same folds with the same number of epochs. The weights of the
# last epoch are used, without early stopping.

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
print("difference in ROC-AUC, CNN+LSTM minus CNN, for each fold:", np.round(difference, 3))

# %%
# ROC curves
# ----------
# Each line is one fold. The variation between folds shows the influence of the held-out patients.

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
# A model is well calibrated if 80 % of the beats with a predicted probability of 0.8 are abnormal.
# The probability of each beat is predicted by the model of the fold in which it was held out. Most
# probabilities are close to 0 or 1, so the points in the middle are computed from few beats. The
# number of beats of each point is printed. Points with about a dozen beats or fewer are not
# reliable.


def out_of_fold_probability(result):
    """Return the out-of-fold probability of each beat."""
    probability = np.empty(len(y))
    for estimator, rows in zip(result["estimator"], result["indices"]["test"], strict=True):
        probability[rows] = estimator.predict_proba(X[rows])[:, 1]
    return probability


figure, ax = plt.subplots(figsize=(5.5, 5), layout="constrained")
for (name, result), marker in zip(results.items(), "os", strict=True):
    probability = out_of_fold_probability(result)
    CalibrationDisplay.from_predictions(
        y, probability, n_bins=5, name=name, color=COLORS[name], marker=marker, ax=ax
    )
    print(
        f"{name}, number of beats of each point:",
        np.histogram(probability, bins=5, range=(0, 1))[0],
    )
ax.set(xlabel="Predicted probability of abnormal", ylabel="Fraction of abnormal beats")

# %%
# Classify a single beat
# ----------------------
# The model of the last fold classifies the first beat that was held out in this fold. For
# practical use, fit the model again on all beats.

result = results["CNN"]
row = result["indices"]["test"][-1][0]
probability = result["estimator"][-1].predict_proba(X[[row]])[0]
prediction = f"{NAMES[probability.argmax()]}, confidence {probability.max():.2f}"
print(f"prediction: {prediction}; true class: {NAMES[y[row]]}")

display = BeatsDisplay.from_beats(
    X[[row]], NAMES[y[[row]]], fs=beats.fs, before=before, unit=unit, spread=None
)
display.ax_.set(title=prediction, ylabel=f"Amplitude ({unit or 'normalized'})")

if arguments.output:
    arguments.output.mkdir(parents=True, exist_ok=True)
    for number in plt.get_fignums():
        plt.figure(number).savefig(arguments.output / f"normal_abnormal_{number}.png", dpi=150)
else:
    plt.show()
