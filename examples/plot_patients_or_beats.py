"""
Splitting by beat and by patient
================================

Beats of the same patient are similar. A random split of the beats puts beats of the same patients
into the training and the test set, and the score is too optimistic. Many published results were
obtained in this way. The figures show simulated patients: the same network and the same beats,
split in both ways.
"""

from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from ecgbeat import ECGCNNClassifier, ZScoreScaler
from ecgbeat.datasets import make_heartbeats
from ecgbeat.labels import to_aami

beats = make_heartbeats(
    1500, n_patients=25, fs=160, before=0.3, after=0.5, jitter=0, random_state=0
)
X, y, patients = beats.data, to_aami(beats.target), beats.groups

model = make_pipeline(
    ZScoreScaler(), ECGCNNClassifier(n_filters=8, max_epochs=10, lr=0.02, random_state=0)
)
folds = {
    "by beat": list(StratifiedKFold(5, shuffle=True, random_state=0).split(X, y)),
    "by patient": list(StratifiedGroupKFold(5, shuffle=True, random_state=0).split(X, y, patients)),
}
predicted = {name: cross_val_predict(model, X, y, cv=cv) for name, cv in folds.items()}
for name, labels in predicted.items():
    print(f"split {name}: macro-F1 {f1_score(y, labels, average='macro'):.3f}")

# %%
# To use real patients, load the MIT-BIH Arrhythmia Database (see `ecgbeat.datasets.fetch_mitdb`)
# in place of the simulated beats. The lines below take every twentieth beat of the classes N, S
# and V:
#
# .. code-block:: python
#
#     from ecgbeat.annotation import extract_beats
#     from ecgbeat.datasets import load_mitdb
#
#     beats = extract_beats(load_mitdb(), n_times=128, symbols="NLRejnAaJSVE")
#     beats.update({key: beats[key][::20] for key in ("data", "target", "groups")})

# %%
# Compare the scores
# ------------------
# Each circle is one fold, and the line is their mean. Only the split by patient estimates the
# score on new patients. Its folds differ, because their patients differ. More folds or more
# patients make the mean more reliable.

import matplotlib.pyplot as plt
import numpy as np

figure, ax = plt.subplots(figsize=(5, 4), layout="constrained")
for x, (name, color) in enumerate({"by beat": "#D55E00", "by patient": "#0072B2"}.items()):
    scores = [f1_score(y[i], predicted[name][i], average="macro") for _, i in folds[name]]
    jitter = np.linspace(-0.12, 0.12, len(scores))
    ax.plot(x + jitter, scores, "o", color=color, markersize=11, alpha=0.6)
    ax.plot([x - 0.3, x + 0.3], [np.mean(scores)] * 2, color=color, linewidth=4)
ax.set_xticks([0, 1], [f"split\n{name}" for name in folds], fontsize="x-large")
ax.set(xlim=(-0.5, 1.5), ylim=(0, 1.03))
ax.set_ylabel("Macro-F1", fontsize="x-large")
ax.grid(axis="y", alpha=0.3)

# %%
# Score each class
# ----------------
# The classes do not lose the same. The class that loses most depends on the patients of the data.

for name, labels in predicted.items():
    by_class = f1_score(y, labels, labels=["N", "S", "V"], average=None)
    print(f"split {name}, F1 of N, S and V:", by_class.round(3))
