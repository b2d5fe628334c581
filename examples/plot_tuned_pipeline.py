"""
Hyperparameter tuning of a pipeline with SMOTE
==============================================

A filter, a segmenter, a scaler, SMOTE and a neural network form one pipeline, and ``GridSearchCV``
tunes any of its steps. In each fold, SMOTE resamples only the training set, and no patient is in
both the training and the test set. The figures show simulated patients.
"""

# sphinx_gallery_thumbnail_number = 2
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline

from ecgbeat import BandpassFilter, ECGCNNClassifier, RPeakSegmenter, ZScoreScaler

pipeline = make_pipeline(
    BandpassFilter(fs=360),
    RPeakSegmenter(fs=360, n_times=128),
    ZScoreScaler(),
    SMOTE(k_neighbors=3, random_state=0),
    ECGCNNClassifier(n_filters=8, max_epochs=8, random_state=0),
)
pipeline

# %%
# Load windows of signal
# ----------------------
# Each row is 2 s of raw signal around one beat: normal (N), with left (L) or right (R) bundle
# branch block, atrial premature (A), or ventricular premature (V).

from ecgbeat.datasets import make_heartbeats
from ecgbeat.plotting import BeatsDisplay

CLASSES = ["N", "L", "R", "A", "V"]
beats = make_heartbeats(900, n_patients=32, random_state=0)
X, y, patients = beats.data, beats.target, beats.groups

BeatsDisplay.from_beats(X, y, fs=360, classes=CLASSES, kind="examples", n_examples=3)

# %%
# To use real patients, load the MIT-BIH Arrhythmia Database (see `ecgbeat.datasets.fetch_mitdb`)
# in place of the simulated beats. The lines below take every twentieth beat:
#
# .. code-block:: python
#
#     from ecgbeat.annotation import extract_beats
#     from ecgbeat.datasets import load_mitdb
#
#     beats = extract_beats(load_mitdb(), before=1, after=1, symbols=CLASSES)
#     beats.update({key: beats[key][::20] for key in ("data", "target", "groups")})

# %%
# Tune the pipeline
# -----------------
# A quarter of the patients is held out for the test. The search splits the others into three folds
# by patient. It tunes a step of the preprocessing and one of the network together.

from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold

train, test = next(StratifiedGroupKFold(4, shuffle=True, random_state=0).split(X, y, patients))
search = GridSearchCV(
    pipeline,
    {"rpeaksegmenter__before": [0.3, 0.8], "ecgcnnclassifier__lr": [0.003, 0.01, 0.03]},
    cv=StratifiedGroupKFold(3),
    scoring="f1_macro",
    n_jobs=2,
)
search.fit(X[train], y[train], groups=patients[train])
print("best:", search.best_params_)

# %%
# The figure shows the mean and the standard deviation over the folds. As long as the intervals
# overlap, more patients are needed to tell the settings apart.

import matplotlib.pyplot as plt
import pandas as pd

results = pd.DataFrame(search.cv_results_).sort_values("mean_test_score")
names = [
    f"{before:g} s before R,\nlearning rate {rate:g}"
    for before, rate in zip(
        results["param_rpeaksegmenter__before"],
        results["param_ecgcnnclassifier__lr"],
        strict=True,
    )
]
figure, ax = plt.subplots(figsize=(5.5, 4.2), layout="constrained")
ax.errorbar(
    results["mean_test_score"], names, xerr=results["std_test_score"], fmt="o", ms=10, capsize=5
)
ax.set_xlabel("Macro-F1, mean and SD of three folds\n(axis does not start at 0)", fontsize="large")
ax.tick_params(labelsize="large")
ax.margins(y=0.1)
ax.grid(axis="x", alpha=0.3)

# %%
# Evaluate on the test patients
# -----------------------------
# The best pipeline was fitted again to all training patients. A class whose test beats come from
# one or two patients has no reliable score.

from sklearn.metrics import ConfusionMatrixDisplay, classification_report

predicted = search.predict(X[test])
print(classification_report(y[test], predicted, labels=CLASSES, digits=3, zero_division=0.0))
print("test patients:", pd.Series(patients[test]).groupby(y[test]).nunique().to_dict())

display = ConfusionMatrixDisplay.from_predictions(
    y[test], predicted, labels=CLASSES, normalize="true", values_format=".2f", cmap="Blues"
)
display.ax_.set_title("Fraction of each true class")

# %%
# Most errors can occur in a few patients. The mean over all beats hides them.

accuracy = pd.Series(predicted == y[test]).groupby(patients[test]).mean()
print(f"accuracy by patient: median {accuracy.median():.3f}, minimum {accuracy.min():.3f}")

# %%
# With a random split of the beats, the scores would be higher, but not valid for new patients, see
# :ref:`sphx_glr_gallery_plot_patients_or_beats.py`.
