"""
Classification of beats into the five AAMI classes
==================================================

A convolutional network learns the five classes of the AAMI standard: normal (N), supraventricular
(S) and ventricular (V) ectopic beats, fusions of ventricular and normal beats (F), and paced or
unclassifiable beats (Q). The figures show simulated patients. A quarter of them is held out for
the test.
"""

# sphinx_gallery_thumbnail_number = 3
from sklearn.model_selection import StratifiedGroupKFold

from ecgbeat.datasets import make_heartbeats
from ecgbeat.labels import to_aami
from ecgbeat.plotting import BeatsDisplay

CLASSES = ["N", "S", "V", "F", "Q"]
beats = make_heartbeats(
    4000,
    n_patients=40,
    classes=[*"NLRAVF/"],
    fs=125,
    before=0.5,
    after=1.0,
    jitter=0,
    random_state=0,
)
X, y, patients = beats.data, to_aami(beats.target), beats.groups
train, test = next(StratifiedGroupKFold(4, shuffle=True, random_state=0).split(X, y, patients))

X_train, y_train, patients_train = X[train], y[train], patients[train]
X_test, y_test = X[test], y[test]
BeatsDisplay.from_beats(X_train, y_train, fs=125, before=0.5, classes=CLASSES)

# %%
# To use real beats, download the `heartbeat set of Kaggle
# <https://www.kaggle.com/datasets/shayanfazeli/heartbeat>`_ to the folder ``kaggle_heartbeat`` of
# the data home (see `ecgbeat.datasets.get_data_home`) and replace the last lines by those below.
# Its official split mixes patients: the scores describe patients that the network knows.
#
# .. code-block:: python
#
#     import numpy as np
#
#     from ecgbeat.datasets import load_heartbeat_csv
#
#     train, test = load_heartbeat_csv(subset="train"), load_heartbeat_csv(subset="test")
#     X_train, y_train = train.data, np.take(train.target_names, train.target)
#     X_test, y_test = test.data, np.take(test.target_names, test.target)
#     patients_train = None

# %%
# Train the network
# -----------------
# ``class_weight="sqrt_balanced"`` raises the weight of rare classes, less than ``"balanced"``,
# which takes many normal beats for abnormal ones. With early stopping, some of the training
# patients are used for validation, and the weights with the lowest validation loss are kept. The
# callback of skorch adds a score to the training history.

from sklearn.pipeline import make_pipeline
from skorch.callbacks import EpochScoring

from ecgbeat import ECGCNNClassifier, ZScoreScaler

network = ECGCNNClassifier(
    class_weight="sqrt_balanced",
    early_stopping=True,
    validation_fraction=0.25,
    max_epochs=16,
    callbacks=[EpochScoring("f1_macro", lower_is_better=False)],
    random_state=0,
)
model = make_pipeline(ZScoreScaler(), network)
model.fit(X_train, y_train, ecgcnnclassifier__groups=patients_train)

# %%
# The star marks the epoch whose weights are kept.

from ecgbeat.plotting import TrainingHistoryDisplay

TrainingHistoryDisplay.from_estimator(model, metrics=["loss", "f1_macro"])

# %%
# Evaluate on held-out patients
# -----------------------------
# The accuracy is dominated by the normal beats. In the macro average, all classes count the same.

from sklearn.metrics import classification_report

predicted = model.predict(X_test)
print(classification_report(y_test, predicted, labels=CLASSES, digits=3, zero_division=0.0))

# %%
# The rows of this confusion matrix are normalized: its diagonal contains the recall of each class.

import matplotlib.pyplot as plt
from sklearn.metrics import ConfusionMatrixDisplay

figure, ax = plt.subplots(figsize=(5, 4), layout="constrained")
ConfusionMatrixDisplay.from_predictions(
    y_test, predicted, labels=CLASSES, normalize="true", values_format=".2f", cmap="Blues", ax=ax
)
ax.set_title("Fraction of each true class")

# %%
# Look at the errors
# ------------------
# Misclassified beats are orange. For each pair of true and predicted class, the mean shows what
# the network has seen.

BeatsDisplay.from_predictions(
    X_test, y_test, predicted, fs=125, before=0.5, classes=CLASSES, max_panels=8
)
