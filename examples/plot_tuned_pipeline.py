"""
A tuned pipeline, from windows of signal to classes
===================================================

Filter, segmenter, scaler, SMOTE and network in one pipeline for the beats N, L, R, A and V:
normal, left and right bundle branch block, atrial and ventricular premature. ``GridSearchCV``
tunes it on folds of patients, and the best setting is judged on patients that took no part in
the search.

Simulated patients, or a folder with the MIT-BIH Arrhythmia Database (some minutes).
The pictures open in windows; ``--output`` keeps them in a folder instead::

    python examples/plot_tuned_pipeline.py
    python examples/plot_tuned_pipeline.py --data mitdb --output pictures
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
MOST_BEATS = 100  # of a class and patient, of real data

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("--data", type=Path, help="folder of the MIT-BIH Arrhythmia Database")
parser.add_argument("--output", type=Path, help="folder for the pictures")
parser.add_argument("--beats", type=int, default=1200, help="number of simulated beats")
parser.add_argument("--epochs", type=int, default=10, help="passes over the training beats")
parser.add_argument("--n-jobs", type=int, default=2, help="processes of the search")
arguments = parser.parse_args(None if "__file__" in globals() else [])  # none in a notebook
if arguments.beats < 400 or arguments.epochs < 1 or arguments.n_jobs == 0:
    parser.error("--beats must be 400 or more, --epochs 1 or more, --n-jobs any number but 0")

# %%
# Windows of signal
# -----------------
# A row is two seconds of raw signal around a beat. Of real recordings some beats of each class
# and patient are taken at random, so that no patient counts for more than the others.


def at_most(limit, beats):
    """Keep so many beats of each class and patient, at random."""
    kinds = np.char.add(beats.groups.astype(str), beats.target)
    wanted = {kind: min(count, limit) for kind, count in Counter(kinds.tolist()).items()}
    thinner = RandomUnderSampler(sampling_strategy=wanted, random_state=0)
    thinner.fit_resample(np.arange(len(kinds))[:, np.newaxis], kinds)
    kept = np.sort(thinner.sample_indices_)
    return beats.data[kept], beats.target[kept], beats.groups[kept]


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
    X, y, patients = at_most(MOST_BEATS, beats)
else:
    beats = make_heartbeats(arguments.beats, n_patients=32, random_state=0)
    X, y, patients = beats.data, beats.target, beats.groups

BeatsDisplay.from_beats(X, y, fs=360, classes=CLASSES, kind="examples", n_examples=3)

# %%
# Who is held out
# ---------------
# A quarter of the patients, drawn once with seed 0. All that follows up to the report uses the
# others. In brackets is the number of patients who have a class: where it is one or two, the
# figures of that class say little. MIT-BIH has L in four patients.

train, test = next(StratifiedGroupKFold(4, shuffle=True, random_state=0).split(X, y, patients))
for name, rows in (("training", train), ("held out", test)):
    of_class = {label: patients[rows][y[rows] == label] for label in CLASSES}
    counts = ", ".join(f"{label} {len(p)} ({len(np.unique(p))})" for label, p in of_class.items())
    print(f"{name}: {len(np.unique(patients[rows]))} patients, {len(rows)} beats; {counts}")

# %%
# Tuning
# ------
# Each of three folds leaves a third of the training patients out. SMOTE stands in the pipeline,
# so it sees the training part of a fold alone: no artificial beat has kin among those that are
# scored.

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
# A point is the mean over the folds, a bar one standard deviation. Where the bars overlap, as
# they do with so few patients, the choice between settings is a matter of luck.

tried = search.cv_results_
order = np.argsort(tried["mean_test_score"])
names = [
    f"{tried['param_rpeaksegmenter__before'][i]:g} s before R, "
    f"learning rate {tried['param_ecgcnnclassifier__lr'][i]:g}"
    for i in order
]
figure, ax = plt.subplots(figsize=(7, 3), layout="constrained")
ax.errorbar(
    tried["mean_test_score"][order],
    names,
    xerr=tried["std_test_score"][order],
    fmt="o",
    color="#0072B2",
    capsize=3,
)
ax.set(xlabel="Macro-F1 on patients left out, 3 folds", xlim=(0, 1))
ax.grid(axis="x", alpha=0.3)

for i in order[::-1]:
    mean, std = tried["mean_test_score"][i], tried["std_test_score"][i]
    print(f"{mean:.3f} ± {std:.3f}   {tried['params'][i]}")

# %%
# The patients held out
# ---------------------
# The best setting, fitted once more to all training patients.

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
ax.set_title(f"Share of each true class, {len(np.unique(patients[test]))} patients held out")

# %%
# Errors gather in some patients, which the figures above do not show. Figures from random
# splits of beats are much higher, and promise what no new patient gets: see
# ``plot_patients_or_beats.py``.

shares = [
    np.mean((predicted == y[test])[patients[test] == patient])
    for patient in np.unique(patients[test])
]
print(f"right in a patient: median {np.median(shares):.3f}, worst {min(shares):.3f}")

if arguments.output:
    arguments.output.mkdir(parents=True, exist_ok=True)
    for number in plt.get_fignums():
        plt.figure(number).savefig(arguments.output / f"tuned_pipeline_{number}.png", dpi=150)
else:
    plt.show()
