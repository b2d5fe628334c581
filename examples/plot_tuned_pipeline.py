"""
Hyperparameter tuning of a pipeline with SMOTE
==============================================

This example combines a filter, a segmenter, a scaler, SMOTE and a neural network in one pipeline.
It classifies normal beats (N), left (L) and right (R) bundle branch block beats, and atrial (A)
and ventricular (V) premature beats. ``GridSearchCV`` tunes the pipeline with cross-validation by
patient. The best model is evaluated on held-out patients.

By default, the example uses simulated patients. With ``--data``, it uses the MIT-BIH Arrhythmia
Database and takes a few minutes. The figures are shown in windows, or saved to a folder with
``--output``::

    python examples/plot_tuned_pipeline.py
    python examples/plot_tuned_pipeline.py --data mitdb --output figures
"""

# sphinx_gallery_thumbnail_number = 3
import argparse
from collections import Counter
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.metrics import ConfusionMatrixDisplay, classification_report
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold

from ecgbeat import BandpassFilter, ECGCNNClassifier, RPeakSegmenter, ZScoreScaler
from ecgbeat.annotation import extract_beats
from ecgbeat.datasets import load_mitdb, make_heartbeats
from ecgbeat.plotting import BeatsDisplay

CLASSES = ["N", "L", "R", "A", "V"]
MAX_BEATS = 100  # per class and patient, for real data

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("--data", type=Path, help="folder of the MIT-BIH Arrhythmia Database")
parser.add_argument("--output", type=Path, help="folder for the figures")
parser.add_argument("--beats", type=int, default=1200, help="number of simulated beats")
parser.add_argument("--epochs", type=int, default=10, help="number of epochs")
parser.add_argument("--n-jobs", type=int, default=2, help="number of processes for the search")
arguments = parser.parse_args(None if "__file__" in globals() else [])  # no arguments in a notebook
if arguments.beats < 400 or arguments.epochs < 1 or arguments.n_jobs == 0:
    parser.error("--beats must be 400 or more, --epochs 1 or more, --n-jobs any number but 0")

# %%
# Load windows of signal
# ----------------------
# Each row contains 2 s of raw signal around a beat. Of real recordings, a random subset of the
# beats of each class and patient is used, so that all patients have a similar weight.


def undersample(beats, max_beats):
    """Select at most ``max_beats`` random beats of each class and patient."""
    keys = np.char.add(beats.groups.astype(str), beats.target)
    n_beats = {key: min(count, max_beats) for key, count in Counter(keys.tolist()).items()}
    sampler = RandomUnderSampler(sampling_strategy=n_beats, random_state=0)
    sampler.fit_resample(np.arange(len(keys))[:, np.newaxis], keys)
    rows = np.sort(sampler.sample_indices_)
    return beats.data[rows], beats.target[rows], beats.groups[rows]


if arguments.data:
    try:
        mitdb = load_mitdb(arguments.data, verbose=1)
    except (OSError, ValueError) as error:
        parser.error(f"--data: {error}")
    beats = extract_beats(
        mitdb.recordings,
        mitdb.annotations,
        fs=360,
        before=1.0,
        after=1.0,
        symbols=CLASSES,
        groups=mitdb.groups,
    )
    X, y, patients = undersample(beats, MAX_BEATS)
else:
    beats = make_heartbeats(arguments.beats, n_patients=32, random_state=0)
    X, y, patients = beats.data, beats.target, beats.groups

BeatsDisplay.from_beats(X, y, fs=360, classes=CLASSES, kind="examples", n_examples=3)

# %%
# Hold out test patients
# ----------------------
# A random quarter of the patients is held out for the final evaluation. The number in brackets is
# the number of patients with beats of a class. If it is one or two, the score of this class is not
# reliable. In MIT-BIH, only four patients have L beats.

train, test = next(StratifiedGroupKFold(4, shuffle=True, random_state=0).split(X, y, patients))
for name, rows in (("training", train), ("held out", test)):
    by_class = {label: patients[rows][y[rows] == label] for label in CLASSES}
    counts = ", ".join(f"{label} {len(p)} ({len(np.unique(p))})" for label, p in by_class.items())
    print(f"{name}: {len(np.unique(patients[rows]))} patients, {len(rows)} beats; {counts}")

# %%
# Tune the pipeline
# -----------------
# In each of three folds, a third of the training patients is held out. SMOTE is part of the
# pipeline, so it resamples only the training set of each fold. No synthetic beat is interpolated
# from beats of the validation set.

pipeline = make_pipeline(
    BandpassFilter(fs=360),
    RPeakSegmenter(fs=360, before=0.3, n_times=128),
    ZScoreScaler(),
    SMOTE(k_neighbors=3, random_state=0),
    ECGCNNClassifier(n_filters=8, max_epochs=arguments.epochs, random_state=0),
)
search = GridSearchCV(
    pipeline,
    {"rpeaksegmenter__before": [0.3, 0.8], "ecgcnnclassifier__lr": [0.003, 0.01, 0.03]},
    cv=StratifiedGroupKFold(3),
    scoring="f1_macro",
    n_jobs=arguments.n_jobs,
)
search.fit(X[train], y[train], groups=patients[train])
print("best:", search.best_params_)

# %%
# The figure shows the mean and standard deviation over the folds. If the intervals overlap, as with
# so few patients, the differences between the settings are not reliable.

results = search.cv_results_
order = np.argsort(results["mean_test_score"])
names = [
    f"{results['param_rpeaksegmenter__before'][i]:g} s before R, "
    f"learning rate {results['param_ecgcnnclassifier__lr'][i]:g}"
    for i in order
]
figure, ax = plt.subplots(figsize=(7, 3), layout="constrained")
ax.errorbar(
    results["mean_test_score"][order],
    names,
    xerr=results["std_test_score"][order],
    fmt="o",
    color="#0072B2",
    capsize=3,
)
ax.set(xlabel="Macro-F1 on held-out patients, 3 folds", xlim=(0, 1))
ax.grid(axis="x", alpha=0.3)

for i in order[::-1]:
    mean, std = results["mean_test_score"][i], results["std_test_score"][i]
    print(f"{mean:.3f} ± {std:.3f}   {results['params'][i]}")

# %%
# Evaluate on the test patients
# -----------------------------
# The best model was fitted again on all training patients.

predicted = search.predict(X[test])
print(classification_report(y[test], predicted, labels=CLASSES, digits=3, zero_division=0.0))

figure, ax = plt.subplots(figsize=(5.5, 4.5), layout="constrained")
ConfusionMatrixDisplay.from_predictions(
    y[test],
    predicted,
    labels=CLASSES,
    normalize="true",
    values_format=".2f",
    cmap="Blues",
    im_kw={"vmin": 0, "vmax": 1},
    ax=ax,
)
ax.set_title(f"Normalized confusion matrix, {len(np.unique(patients[test]))} held-out patients")

# %%
# The scores above do not show that most errors occur in a few patients. With a random split of the
# beats, the scores would be much higher, but they would not be valid for new patients. See
# :ref:`sphx_glr_gallery_plot_patients_or_beats.py`.

accuracies = [
    np.mean((predicted == y[test])[patients[test] == patient])
    for patient in np.unique(patients[test])
]
print(f"accuracy by patient: median {np.median(accuracies):.3f}, minimum {min(accuracies):.3f}")

if arguments.output:
    arguments.output.mkdir(parents=True, exist_ok=True)
    for number in plt.get_fignums():
        plt.figure(number).savefig(arguments.output / f"tuned_pipeline_{number}.png", dpi=150)
else:
    plt.show()
