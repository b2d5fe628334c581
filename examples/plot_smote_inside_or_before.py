"""
SMOTE before the split and inside the folds
===========================================

SMOTE generates synthetic beats of rare classes by interpolation between similar beats. If it is
applied before the data are split, the test set contains synthetic beats that were interpolated
from training beats. In a pipeline of imbalanced-learn, it resamples only the training set of each
fold. The figures show simulated patients.
"""

from imblearn.over_sampling import SMOTE
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict

from ecgbeat import ECGCNNClassifier, ZScoreScaler
from ecgbeat.datasets import make_heartbeats
from ecgbeat.labels import to_aami

weights = {"N": 0.84, "L": 0.02, "R": 0.02, "A": 0.06, "V": 0.06}
beats = make_heartbeats(
    1000, n_patients=40, weights=weights, fs=160, before=0.3, after=0.5, jitter=0, random_state=0
)
X = ZScoreScaler().fit_transform(beats.data)  # scales each beat by itself
y, patients = to_aami(beats.target), beats.groups

network = ECGCNNClassifier(n_filters=8, max_epochs=8, lr=0.02, random_state=0)
smote = SMOTE(k_neighbors=3, random_state=0)
by_beat = StratifiedKFold(5, shuffle=True, random_state=0)
by_patient = StratifiedGroupKFold(5, shuffle=True, random_state=0)

X_before, y_before = smote.fit_resample(X, y)
folds_before = list(by_beat.split(X_before, y_before))
predicted_before = cross_val_predict(network, X_before, y_before, cv=folds_before)
print(
    f"SMOTE before the split: macro-F1 {f1_score(y_before, predicted_before, average='macro'):.3f}"
)

# %%
# This score is not valid for new patients. To use real patients, load the MIT-BIH Arrhythmia
# Database (see `ecgbeat.datasets.fetch_mitdb`) in place of the simulated beats. The lines below
# take every twentieth beat of the classes N, S and V:
#
# .. code-block:: python
#
#     from ecgbeat.annotation import extract_beats
#     from ecgbeat.datasets import load_mitdb
#
#     beats = extract_beats(load_mitdb(), n_times=128, symbols="NLRejnAaJSVE")
#     beats.update({key: beats[key][::20] for key in ("data", "target", "groups")})

# %%
# Resample inside the folds
# -------------------------
# As a step of the pipeline, SMOTE gets the training set of each fold only. No test set contains
# synthetic beats then, so the folds can also be split by patient. That is not possible after
# resampling, because a synthetic beat can lie between beats of two patients.

from imblearn.pipeline import make_pipeline

inside = make_pipeline(smote, network)
folds = {
    "by beat": list(by_beat.split(X, y)),
    "by patient": list(by_patient.split(X, y, patients)),
}
predicted = {name: cross_val_predict(inside, X, y, cv=cv) for name, cv in folds.items()}
for name, labels in predicted.items():
    print(f"SMOTE inside, split {name}: macro-F1 {f1_score(y, labels, average='macro'):.3f}")

# %%
# Separate the effects
# --------------------
# Three things raise the first score. From the orange to the blue point of the first row, the
# synthetic beats leave the test set. From the first to the second row, the beats derived from test
# beats leave the training set. From the second to the last row, the patients of the test set leave
# the training set. The original beats are the first rows after resampling. Differences within the
# bars are not reliable.

import matplotlib.pyplot as plt
import numpy as np

rows = {
    "SMOTE before,\nsplit by beat": (folds_before, y_before, predicted_before),
    "SMOTE inside,\nsplit by beat": (folds["by beat"], y, predicted["by beat"]),
    "SMOTE inside,\nsplit by patient": (folds["by patient"], y, predicted["by patient"]),
}
scores = np.array(
    [
        [
            [f1_score(true[i], found[i], average="macro") for i in (test, test[test < len(y)])]
            for _, test in cv
        ]
        for cv, true, found in rows.values()
    ]
)  # (n_rows, n_folds, 2)
means, stds = scores.mean(axis=1), scores.std(axis=1)

figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
positions = np.array([2, 1, 0])
for column, label, marker, color in (
    (0, "all test rows", "o", "#D55E00"),
    (1, "original beats only", "D", "#0072B2"),
):
    ax.errorbar(
        means[:, column], positions - 0.2 * column, xerr=stds[:, column],
        fmt=marker, color=color, markersize=11, capsize=4, label=label,
    )  # fmt: skip
ax.set_yticks(positions - 0.1, rows, fontsize="large")
ax.set(ylim=(-0.6, 2.4), xlabel="Macro-F1, mean and SD of five folds (axis does not start at 0)")
ax.grid(axis="x", alpha=0.3)
ax.legend(fontsize="large", loc="upper left")
