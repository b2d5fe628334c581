"""
Classification of heart sounds
==============================

This example classifies heart sounds with a bandpass filter, mel-frequency cepstral coefficients
(MFCCs), and a convolutional neural network with early stopping and a checkpoint. It is compared
with a random forest on summary statistics of MFCCs. Both models are evaluated on held-out
subjects.

By default, the example uses simulated heart sounds. With ``--data``, it uses a folder of audio
files. The figures are shown in windows. With ``--output``, the figures, the model and the
checkpoint are saved to a folder::

    python examples/plot_heart_sounds.py
    python examples/plot_heart_sounds.py --data sounds --output results
    python examples/plot_heart_sounds.py --data pascal_set_b --rule pascal --output results
"""

import argparse
import tempfile
from pathlib import Path

import joblib
import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import ConfusionMatrixDisplay, classification_report, f1_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Checkpoint, EpochScoring

from ecgbeat import BandpassFilter, ECGCNNClassifier, MFCCExtractor, ZScoreScaler
from ecgbeat.datasets import load_heart_sounds, make_heart_sounds
from ecgbeat.plotting import TrainingHistoryDisplay

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("--data", type=Path, help="folder of sound files; default: simulated sounds")
parser.add_argument("--rule", choices=["folders", "pascal"], default="folders")
parser.add_argument("--output", type=Path, help="folder for figures, model and checkpoint")
parser.add_argument("--epochs", type=int, default=50, help="maximum number of epochs")
parser.add_argument("--sounds", type=int, default=1000, help="number of simulated sounds")
arguments = parser.parse_args(None if "__file__" in globals() else [])  # no arguments in a notebook
if arguments.sounds < 60 or arguments.epochs < 1:
    parser.error("--sounds must be 60 or more, --epochs 1 or more")

FS = 4000.0  # Hz; files with other sampling rates are resampled

# %%
# Load the heart sounds
# ---------------------
# Each row contains 3 s of sound. Longer files are divided into several rows with a step of 1 s.
# ``file_index`` contains the file of each row, and ``groups`` its subject.

if arguments.data is None:
    sounds = make_heart_sounds(
        arguments.sounds, n_patients=arguments.sounds // 5, fs=FS, duration=3.0, random_state=0
    )
    sounds.file_index = np.arange(len(sounds.data))
else:
    try:
        sounds = load_heart_sounds(
            arguments.data, rule=arguments.rule, fs=FS, duration=3.0, window_step=1.0, verbose=1
        )
    except (OSError, ValueError) as error:
        parser.error(f"--data: {error}")

X, y, groups, file_index = sounds.data, sounds.target, sounds.groups, sounds.file_index
print(sounds.DESCR)

# %%
# A fifth of the subjects is held out for the evaluation.

splitter = StratifiedGroupKFold(5, shuffle=True, random_state=0)
train, test = next(splitter.split(X, y, groups))
for name, rows in (("training", train), ("held out", test)):
    _, first = np.unique(file_index[rows], return_index=True)
    labels, counts = np.unique(y[rows][first], return_counts=True)
    by_class = ", ".join(f"{label} {count}" for label, count in zip(labels, counts, strict=True))
    print(f"{name}: {len(np.unique(groups[rows]))} subjects, {counts.sum()} files ({by_class})")

# %%
# Extract MFCCs
# -------------
# The frequencies of heart sounds and murmurs are between 10 and 1000 Hz. The first
# ``ZScoreScaler`` removes the gain of the stethoscope. The second ``ZScoreScaler`` scales each
# coefficient and its time derivative with the mean and standard deviation over all training rows.
# The figure shows one sound of each class and its MFCCs.

bandpass = BandpassFilter(fs=FS, low=10.0, high=1000.0)
mfcc = MFCCExtractor(
    fs=FS, n_mfcc=20, n_mels=40, n_fft=512, win_length=256, fmin=20.0, fmax=800.0, deltas=1
)
N_CHANNELS = mfcc.n_mfcc * (1 + mfcc.deltas)
preprocessing = make_pipeline(bandpass, ZScoreScaler(), mfcc, ZScoreScaler("dataset")).fit(X[train])

labels = np.unique(y[train])
figure, axes = plt.subplots(
    2, len(labels), figsize=(1 + 3 * len(labels), 4.5), sharex=True, sharey="row",
    squeeze=False, layout="constrained",
)  # fmt: skip
for (upper, lower), label in zip(axes.T, labels, strict=True):
    sound = X[train][y[train] == label][:1]
    image = preprocessing.transform(sound).reshape(N_CHANNELS, -1)[: mfcc.n_mfcc]
    filtered = bandpass.transform(sound)[0]
    seconds = np.arange(X.shape[1]) / FS
    upper.plot(seconds, filtered / abs(filtered).max(), "k", lw=0.5)
    upper.set_title(label)
    mesh = lower.imshow(
        image, origin="lower", aspect="auto", cmap="viridis", vmin=-3, vmax=3,
        extent=(0.0, X.shape[1] / FS, -0.5, mfcc.n_mfcc - 0.5), interpolation="nearest",
    )  # fmt: skip
    lower.set(xlabel="Time (s)", xticks=range(4))
axes[0, 0].set(ylabel="Normalized amplitude", ylim=(-1.1, 1.1))
axes[1, 0].set(ylabel="Coefficient", yticks=range(0, mfcc.n_mfcc, 5))
figure.colorbar(mesh, ax=axes[1], label="Standard deviations")

# %%
# Train the network
# -----------------
# A fifth of the training subjects is used for validation. For this purpose, ``groups`` is passed to
# ``fit`` of the last step. Training stops when the validation loss has not improved for 20 epochs.
# The best weights are restored, and also saved by the checkpoint. The weights are averaged over
# about a hundred steps, which smooths the learning curves. ``class_weight`` increases the weight of
# rare classes. SMOTE is not suitable here, because synthetic rows do not belong to a subject and
# cannot be excluded from the validation set.

temporary = tempfile.TemporaryDirectory()
folder = arguments.output or Path(temporary.name)
macro_f1 = EpochScoring("f1_macro", lower_is_better=False)
checkpoint = Checkpoint(monitor="valid_loss_best", dirname=str(folder / "checkpoint"))

classifier = ECGCNNClassifier(
    n_blocks=4,
    class_weight="sqrt_balanced",
    augment_amplitude=0.1,
    augment_noise=0.2,
    augment_shift=0.1,
    weight_averaging=0.99,
    early_stopping=True,
    validation_fraction=0.2,
    patience=20,
    max_epochs=arguments.epochs,
    batch_size=32,
    callbacks=[macro_f1, checkpoint],
    random_state=0,
)
cnn = make_pipeline(*preprocessing, classifier)
cnn.fit(X[train], y[train], ecgcnnclassifier__groups=groups[train])
net = cnn[-1]
print(f"{len(net.history)} epochs")

# %%
# The figure shows the loss (cross-entropy, weighted by class) and the macro-F1. The star marks the
# epoch with the lowest validation loss, whose weights are used. The macro-F1 can be higher in other
# epochs.

display = TrainingHistoryDisplay.from_estimator(net, metrics=["loss", "f1_macro"])
display.axes_["f1_macro"].set(ylabel="Macro-F1", ylim=(0, 1.02))

# %%
# Evaluate on held-out subjects
# -----------------------------
# The probabilities of a file are the mean over its rows. The network is compared with a random
# forest on summary statistics of each coefficient over time.

forest = make_pipeline(
    MFCCExtractor(fs=FS, summary="stats"), RandomForestClassifier(300, random_state=0)
)
forest.fit(X[train], y[train])

_, first_rows, file_of_row = np.unique(file_index[test], return_index=True, return_inverse=True)
y_true = y[test][first_rows]


def predict_proba_by_file(model):
    """Return the mean probabilities over the rows of each test file."""
    probabilities = model.predict_proba(X[test])
    sums = np.zeros((len(y_true), probabilities.shape[1]))
    np.add.at(sums, file_of_row, probabilities)
    return sums / np.bincount(file_of_row)[:, None]


predictions = {}
for name, model in {"MFCCs and CNN": cnn, "MFCC statistics and random forest": forest}.items():
    predictions[name] = model.classes_[predict_proba_by_file(model).argmax(axis=1)]
    print(f"\n{name}, held-out subjects, by file\n")
    print(classification_report(y_true, predictions[name], digits=3, zero_division=0.0))

# %%
# The confusion matrices are normalized by row, so the diagonal contains the recall of each class.

width = 2.5 + 0.6 * len(np.unique(y))
figure, axes = plt.subplots(1, 2, figsize=(2 * width, width), layout="constrained")
for ax, (name, predicted) in zip(axes, predictions.items(), strict=True):
    matrix = ConfusionMatrixDisplay.from_predictions(
        y_true, predicted, labels=np.unique(y), normalize="true", ax=ax, cmap="Blues",
        values_format=".2f", colorbar=False, im_kw={"vmin": 0, "vmax": 1},
        xticks_rotation=45,
    )  # fmt: skip
    f1 = f1_score(y_true, predicted, average="macro", zero_division=0.0)
    ax.set_title(f"{name}\nmacro-F1 {f1:.3f}", fontsize="medium")
axes[1].set_ylabel("")
figure.colorbar(matrix.im_, ax=axes, label="Fraction of the true class", shrink=0.8)

# %%
# Save, load and apply the model
# ------------------------------
# The whole pipeline is saved to one file. The loaded pipeline classifies a single heart sound.

model_file = folder / "heart_sounds.joblib"
joblib.dump(cnn, model_file)
loaded = joblib.load(model_file)
np.testing.assert_array_equal(loaded.predict_proba(X[test]), cnn.predict_proba(X[test]))

sound = X[test][file_of_row == 0]
confidences = loaded.predict_proba(sound).mean(axis=0)
print(
    f"The first held-out sound is {loaded.classes_[confidences.argmax()]} with a confidence of "
    f"{confidences.max():.2f}; its label is {y_true[0]}."
)

if arguments.output:
    for number in plt.get_fignums():
        plt.figure(number).savefig(arguments.output / f"heart_sounds_{number}.png", dpi=150)
else:
    plt.show()
temporary.cleanup()
