"""
Classification of beats into the five AAMI classes
==================================================

This example trains a convolutional neural network to classify beats into the five classes of the
AAMI standard: normal (N), supraventricular (S) and ventricular (V) ectopic beats, fusions of
ventricular and normal beats (F), and paced or unclassifiable beats (Q).

By default, the example uses simulated patients. With ``--data``, it uses the Kaggle ``heartbeat``
set with its official split and takes a few minutes. The figures are shown in windows, or saved to
a folder with ``--output``::

    python examples/plot_five_classes.py
    python examples/plot_five_classes.py --data heartbeat --output figures
"""

# sphinx_gallery_thumbnail_number = 3
import argparse
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import ConfusionMatrixDisplay, classification_report
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Checkpoint, EpochScoring

from ecgbeat import ECGCNNClassifier, ZScoreScaler
from ecgbeat.datasets import load_heartbeat_csv, make_heartbeats
from ecgbeat.labels import to_aami
from ecgbeat.plotting import BeatsDisplay, TrainingHistoryDisplay

CLASSES = ["N", "S", "V", "F", "Q"]

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("--data", type=Path, help="folder of the Kaggle heartbeat set")
parser.add_argument("--output", type=Path, help="folder for the figures")
parser.add_argument("--beats", type=int, default=4000, help="number of simulated beats")
parser.add_argument("--epochs", type=int, default=None, help="number of epochs")
arguments = parser.parse_args(None if "__file__" in globals() else [])  # no arguments in a notebook
if arguments.beats < 400 or (arguments.epochs is not None and arguments.epochs < 1):
    parser.error("--beats must be 400 or more, --epochs 1 or more")

# %%
# Load the beats
# --------------
# The simulator returns WFDB symbols, which are mapped to the five classes. A quarter of the
# patients is held out for the final evaluation. In contrast, the official split of the Kaggle set
# mixes patients: the training and test sets contain beats of the same patients. Its scores
# describe the classification of known patients.

if arguments.data:
    try:
        train = load_heartbeat_csv(arguments.data, subset="train")
        test = load_heartbeat_csv(arguments.data, subset="test")
    except (OSError, ValueError) as error:
        parser.error(f"--data: {error}")
    X_train, y_train = train.data, np.take(train.target_names, train.target)
    X_test, y_test = test.data, np.take(test.target_names, test.target)
    patients, fs, before, unit = None, train.fs, None, ""
    protocol = "official split of the Kaggle set, which mixes patients"
else:
    beats = make_heartbeats(
        arguments.beats,
        n_patients=40,
        classes=("N", "L", "R", "A", "V", "F", "/"),
        fs=125,
        before=0.5,
        after=1.0,
        jitter=0,
        random_state=0,
    )
    y = to_aami(beats.target)
    folds = StratifiedGroupKFold(4, shuffle=True, random_state=0)
    train, test = next(folds.split(beats.data, y, beats.groups))
    X_train, y_train, X_test, y_test = beats.data[train], y[train], beats.data[test], y[test]
    patients, fs, before, unit = beats.groups[train], beats.fs, 0.5, "mV"
    n_held_out = len(np.unique(beats.groups[test]))
    protocol = f"simulator, {n_held_out} of 40 patients held out"

print(protocol)
for name, labels in (("training", y_train), ("held out", y_test)):
    print(f"{name}: " + "  ".join(f"{label} {np.sum(labels == label)}" for label in CLASSES))

BeatsDisplay.from_beats(
    X_train,
    y_train,
    fs=fs,
    before=before,
    unit=unit,
    classes=CLASSES,
    kind="examples",
    n_examples=3,
)

# %%
# Train the network
# -----------------
# With ``early_stopping``, a part of the training set is held out for validation. For simulated
# patients, this is a quarter of the patients, because a tenth would be only three or four patients.
# Training stops when the validation loss has not improved for ten epochs, and the weights with the
# lowest validation loss are restored. Two callbacks of skorch are added: ``EpochScoring`` computes
# the macro-F1 after each epoch, and ``Checkpoint`` saves the best weights to a file.
#
# ``class_weight`` increases the weight of the rare classes. With ``"balanced"``, the weight of
# normal beats is so low that many of them are classified as abnormal. ``"sqrt_balanced"`` uses the
# square root of these weights.

scaler = ZScoreScaler()
with tempfile.TemporaryDirectory() as folder:
    network = ECGCNNClassifier(
        class_weight="sqrt_balanced",
        early_stopping=True,
        validation_fraction=0.1 if arguments.data else 0.25,
        max_epochs=arguments.epochs or ("auto" if arguments.data else 16),
        callbacks=[EpochScoring("f1_macro", lower_is_better=False), Checkpoint(dirname=folder)],
        random_state=0,
    )
    model = make_pipeline(scaler, network)
    model.fit(X_train, y_train, ecgcnnclassifier__groups=patients)
    print("checkpoint:", ", ".join(sorted(file.name for file in Path(folder).iterdir())))

TrainingHistoryDisplay.from_estimator(network)

# %%
# Evaluate on the held-out beats
# ------------------------------
# The report contains precision, recall and F1 of each class. In the macro average, all classes
# have the same weight. The accuracy is dominated by the normal beats.

predicted = model.predict(X_test)
print(classification_report(y_test, predicted, labels=CLASSES, digits=4, zero_division=0.0))

# %%
# The rows of the confusion matrix are normalized, so the diagonal contains the recall of each
# class.

figure, ax = plt.subplots(figsize=(5.5, 4.5), layout="constrained")
ConfusionMatrixDisplay.from_predictions(
    y_test,
    predicted,
    labels=CLASSES,
    normalize="true",
    values_format=".2f",
    cmap="Blues",
    im_kw={"vmin": 0, "vmax": 1},
    ax=ax,
)
ax.set_title(f"Normalized confusion matrix\n{protocol}", fontsize="small")

# %%
# The last figure compares correctly classified beats (blue) with misclassified beats (orange).

BeatsDisplay.from_predictions(
    X_test, y_test, predicted, fs=fs, before=before, unit=unit, classes=CLASSES, max_panels=8
)

if arguments.output:
    arguments.output.mkdir(parents=True, exist_ok=True)
    for number in plt.get_fignums():
        plt.figure(number).savefig(arguments.output / f"five_classes_{number}.png", dpi=150)
else:
    plt.show()
