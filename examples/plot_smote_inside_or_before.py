"""
SMOTE before the split and inside the folds
===========================================

SMOTE generates synthetic beats of rare classes by interpolation between similar beats. If it is
applied before the data are split, the test set contains synthetic beats that were interpolated
from training beats. In a pipeline of imbalanced-learn, it resamples only the training set of each
fold. The figures show simulated patients.
"""

from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
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
inside = make_pipeline(smote, network)
protocols = {
    "SMOTE before,\nsplit by beat": (
        network,
        X_before,
        y_before,
        by_beat.split(X_before, y_before),
    ),
    "SMOTE inside,\nsplit by beat": (inside, X, y, by_beat.split(X, y)),
    "SMOTE inside,\nsplit by patient": (inside, X, y, by_patient.split(X, y, patients)),
}
scores = {}
for name, (model, rows, labels, split) in protocols.items():
    folds = list(split)
    predicted = cross_val_predict(model, rows, labels, cv=folds)
    # the original beats are the first rows after resampling
    scores[name] = [
        [f1_score(labels[i], predicted[i], average="macro") for i in (test, test[test < len(y)])]
        for _, test in folds
    ]
    print(
        f"{name.replace(chr(10), ' ')}: macro-F1 {f1_score(labels, predicted, average='macro'):.3f}"
    )

# %%
# Only the last score is valid for new patients. To use real patients, load the MIT-BIH Arrhythmia
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
# Separate the effects
# --------------------
# Three things raise the first score: the test set contains synthetic beats, the training set
# contains beats derived from test beats, and both contain beats of the same patients. From the
# orange to the blue point of the first row, the synthetic beats leave the test set. From the first
# to the second row, the beats derived from test beats leave the training set. In the last row, no
# patient is in both sets. Resampled beats cannot be split by patient, because a synthetic beat can
# lie between beats of two patients.

import matplotlib.pyplot as plt
import numpy as np

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
means = np.array([np.mean(fold_scores, axis=0) for fold_scores in scores.values()])
stds = np.array([np.std(fold_scores, axis=0) for fold_scores in scores.values()])
positions = np.arange(len(scores))[::-1]
for column, label, marker, color in (
    (0, "all test rows", "o", "#D55E00"),
    (1, "original beats only", "D", "#0072B2"),
):
    ax.errorbar(
        means[:, column], positions - 0.2 * column, xerr=stds[:, column],
        fmt=marker, color=color, markersize=11, capsize=4, label=label,
    )  # fmt: skip
ax.set_yticks(positions - 0.1, scores, fontsize="large")
ax.set(ylim=(-0.6, 2.4), xlabel="Macro-F1, mean and SD of five folds (axis does not start at 0)")
ax.grid(axis="x", alpha=0.3)
ax.legend(fontsize="large", loc="upper left")
