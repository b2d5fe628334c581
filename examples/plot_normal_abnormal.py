"""
Normal and abnormal beats: CNN and CNN+LSTM
===========================================

This example compares two networks for the detection of abnormal beats, `ecgbeat.ECGCNNClassifier`
and `ecgbeat.ECGCNNLSTMClassifier`, by cross-validation with the same folds. The figures show
simulated patients. No patient is in both the training and the test set of a fold.
"""

# sphinx_gallery_thumbnail_number = 1
import numpy as np

from ecgbeat.datasets import make_heartbeats
from ecgbeat.plotting import BeatsDisplay

beats = make_heartbeats(
    1200, n_patients=40, fs=125, before=0.5, after=1.0, jitter=0, random_state=0
)
X, y, patients = beats.data, beats.target != "N", beats.groups

names = np.where(y, "abnormal", "normal")
BeatsDisplay.from_beats(X, names, fs=125, before=0.5, classes=["normal", "abnormal"])

# %%
# To use real beats, download ``ptbdb_normal.csv`` and ``ptbdb_abnormal.csv`` of the `heartbeat set
# of Kaggle <https://www.kaggle.com/datasets/shayanfazeli/heartbeat>`_ to the folder
# ``kaggle_heartbeat`` of the data home (see `ecgbeat.datasets.get_data_home`). Replace the line of
# ``X`` by those below. These files do not contain the patients, so each beat stands for a patient,
# and the scores are too optimistic for new patients.
#
# .. code-block:: python
#
#     from ecgbeat.datasets import load_heartbeat_csv
#
#     beats = load_heartbeat_csv(subset="ptb")
#     X, y, patients = beats.data, beats.target == 1, np.arange(len(beats.data))

# %%
# Cross-validate both networks
# ----------------------------
# Both are trained for the same number of epochs. The table shows mean and standard deviation over
# the folds.

import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, cross_validate
from sklearn.pipeline import make_pipeline

from ecgbeat import ECGCNNClassifier, ECGCNNLSTMClassifier, ZScoreScaler

models = {
    "CNN": make_pipeline(ZScoreScaler(), ECGCNNClassifier(max_epochs=10, random_state=0)),
    "CNN+LSTM": make_pipeline(ZScoreScaler(), ECGCNNLSTMClassifier(max_epochs=10, random_state=0)),
}
folds = list(StratifiedGroupKFold(5, shuffle=True, random_state=0).split(X, y, patients))
scoring = ["accuracy", "precision", "recall", "f1", "roc_auc"]
results = {
    name: cross_validate(
        model, X, y, cv=folds, scoring=scoring, return_estimator=True, return_indices=True
    )
    for name, model in models.items()
}

table = pd.DataFrame(
    {
        name: [f"{r[f'test_{s}'].mean():.3f} ± {r[f'test_{s}'].std():.3f}" for s in scoring]
        for name, r in results.items()
    },
    index=scoring,
)
print(table)

# %%
# ROC curves
# ----------
# Each line is one fold. Where the lines of a network differ more than those of both networks, the
# held-out patients matter more than the choice of the network.

import matplotlib.pyplot as plt
from sklearn.metrics import RocCurveDisplay

figure, axes = plt.subplots(1, 2, figsize=(8, 4.2), sharey=True, layout="constrained")
for ax, (name, result), color in zip(axes, results.items(), ["#0072B2", "#D55E00"], strict=True):
    RocCurveDisplay.from_cv_results(
        result, X, y, ax=ax, curve_kwargs={"color": color, "alpha": 0.6}, plot_chance_level=True
    )
    ax.set(title=f"{name}: AUC {result['test_roc_auc'].mean():.3f}", xlabel="False positive rate")
    ax.set_ylabel("True positive rate" if ax is axes[0] else "")
    ax.get_legend().remove()

# %%
# Calibration
# -----------
# If a network is calibrated, 80 % of the beats with a probability of 0.8 are abnormal, and its
# points lie on the diagonal. Each beat is predicted by the network that has not seen its patient.
# The printed numbers of beats show that most probabilities are close to 0 or 1: points of a dozen
# beats are not reliable.

from sklearn.calibration import CalibrationDisplay

figure, ax = plt.subplots(figsize=(5.5, 5), layout="constrained")
for (name, result), color in zip(results.items(), ["#0072B2", "#D55E00"], strict=True):
    probability = np.empty(len(y))
    for model, rows in zip(result["estimator"], result["indices"]["test"], strict=True):
        probability[rows] = model.predict_proba(X[rows])[:, 1]
    CalibrationDisplay.from_predictions(y, probability, n_bins=5, name=name, color=color, ax=ax)
    print(f"{name}, beats of each point:", np.histogram(probability, bins=5, range=(0, 1))[0])
ax.set(xlabel="Predicted probability of abnormal", ylabel="Fraction of abnormal beats")

# %%
# Classify a single beat
# ----------------------
# One beat is a table of one row. The network of the first fold has not seen this beat. For
# practical use, fit the network again to all beats.

model, row = results["CNN"]["estimator"][0], results["CNN"]["indices"]["test"][0][:1]
probability = model.predict_proba(X[row])[0]
print(f"abnormal with a probability of {probability[1]:.2f}; label: {names[row][0]}")
