"""
Classification of heart sounds
==============================

Mel-frequency cepstral coefficients (MFCCs) turn a sound into a picture of few rows, which a
convolutional network classifies like the leads of an ECG. The figures show simulated heart sounds.
A fifth of the subjects is held out for the test.
"""

# sphinx_gallery_thumbnail_number = 1
import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import make_pipeline

from ecgbeat import BandpassFilter, MFCCExtractor, ZScoreScaler
from ecgbeat.datasets import make_heart_sounds

sounds = make_heart_sounds(1000, n_patients=200, fs=4000, duration=3, random_state=0)
sounds.file_index = np.arange(len(sounds.data))

X, y, subjects, files = sounds.data, sounds.target, sounds.groups, sounds.file_index
# 20 coefficients and their derivatives
mfcc = MFCCExtractor(
    fs=4000, n_mfcc=20, n_mels=40, n_fft=512, win_length=256, fmin=20, fmax=800, deltas=1
)
features = make_pipeline(
    BandpassFilter(fs=4000, low=10, high=1000), ZScoreScaler(), mfcc, ZScoreScaler("dataset")
)

bandpass = features[0]
images = features.fit_transform(X)

labels = np.unique(y)
figure, axes = plt.subplots(2, len(labels), figsize=(6.5, 4), sharex=True, layout="constrained")
for (upper, lower), label in zip(axes.T, labels, strict=True):
    row = np.flatnonzero(y == label)[0]
    upper.plot(np.arange(X.shape[1]) / 4000, bandpass.transform(X[[row]])[0], "k", linewidth=0.5)
    upper.set_title(label, fontsize="x-large")
    upper.set_yticks([])
    lower.imshow(
        images[row, :20], origin="lower", aspect="auto", extent=(0, 3, 0, 20), clim=(-3, 3)
    )
    lower.set(xlabel="Time (s)", xticks=range(4), yticks=[])
axes[0, 0].set_ylabel("Sound", fontsize="large")
axes[1, 0].set_ylabel("MFCCs", fontsize="large")

# %%
# To use real sounds, put the folder of set B of the PASCAL challenge into the folder
# ``heart_sounds`` of the data home (see `ecgbeat.datasets.get_data_home`), and load it in place of
# the simulated sounds. A sound is divided into rows of 3 s, and ``file_index`` contains the file
# of each row:
#
# .. code-block:: python
#
#     from ecgbeat.datasets import load_heart_sounds
#
#     sounds = load_heart_sounds(rule="pascal", duration=3, window_step=1)

# %%
# Train the network
# -----------------
# A fifth of the subjects is held out for the test, and a fifth of the others for validation. With
# early stopping, the weights of the epoch with the lowest validation loss are kept. Noise, changes
# of the amplitude and shifts in time make each training sound a little different in each epoch,
# and averaged weights make the curves smooth.

from sklearn.model_selection import StratifiedGroupKFold

from ecgbeat import ECGCNNClassifier
from ecgbeat.plotting import TrainingHistoryDisplay

train, test = next(StratifiedGroupKFold(5, shuffle=True, random_state=0).split(X, y, subjects))
network = ECGCNNClassifier(
    n_blocks=4,
    class_weight="sqrt_balanced",
    augment_amplitude=0.1,
    augment_noise=0.2,
    augment_shift=0.1,
    weight_averaging=0.95,
    early_stopping=True,
    validation_fraction=0.2,
    patience=20,
    max_epochs=40,
    batch_size=32,
    random_state=0,
)
cnn = make_pipeline(*features, network)
cnn.fit(X[train], y[train], ecgcnnclassifier__groups=subjects[train])
TrainingHistoryDisplay.from_estimator(cnn)

# %%
# Compare with a random forest
# ----------------------------
# The forest gets statistics of each coefficient over time. The probabilities of a sound are the
# mean over its rows.

import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import ConfusionMatrixDisplay, f1_score

forest = make_pipeline(
    MFCCExtractor(fs=4000, summary="stats"), RandomForestClassifier(300, random_state=0)
)
forest.fit(X[train], y[train])

true = pd.Series(y[test]).groupby(files[test]).first()
figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for ax, (name, model) in zip(axes, {"CNN": cnn, "Random forest": forest}.items(), strict=True):
    probability = pd.DataFrame(model.predict_proba(X[test]), columns=model.classes_)
    predicted = probability.groupby(files[test]).mean().idxmax(axis=1)
    ConfusionMatrixDisplay.from_predictions(
        true, predicted, labels=labels, normalize="true", values_format=".2f", cmap="Blues",
        colorbar=False, ax=ax,
    )  # fmt: skip
    ax.set_title(f"{name}: macro-F1 {f1_score(true, predicted, average='macro'):.3f}")

# %%
# Classify one sound
# ------------------

probability = cnn.predict_proba(X[test][:1])[0]
for label, p in zip(cnn.classes_, probability, strict=True):
    print(f"{label}: {p:.2f}")
print("label:", y[test][0])
