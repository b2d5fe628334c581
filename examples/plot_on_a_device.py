"""
A model on a device
===================

A model is trained in Python, but a web page or a wearable runs without Python. This example saves
a pipeline to a file that is safe to share, and exports it as an ONNX graph, with floating-point
numbers and with 8-bit integers, and as C code. The figures compare the files on simulated beats.
"""

# sphinx_gallery_thumbnail_number = 2
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from sklearn.model_selection import GroupShuffleSplit

from ecgbeat import BandpassFilter, ECGCNNClassifier, RPeakSegmenter, ZScoreScaler
from ecgbeat.datasets import make_heartbeats
from ecgbeat.plotting import BeatsDisplay

CLASSES = ["N", "L", "R", "A", "V"]
beats = make_heartbeats(900, n_patients=32, random_state=0)
X, y, patients = beats.data, beats.target, beats.groups

model = make_pipeline(
    BandpassFilter(fs=360),
    RPeakSegmenter(fs=360, n_times=128),
    ZScoreScaler(),
    SMOTE(k_neighbors=3, random_state=0),
    ECGCNNClassifier(n_filters=8, max_epochs=8, random_state=0),
)
train, test = next(GroupShuffleSplit(random_state=0).split(X, y, patients))
model.fit(X[train], y[train])
BeatsDisplay.from_beats(X, y, fs=360, classes=CLASSES, kind="examples", n_examples=3)

# %%
# The model takes 2 s of raw signal around one beat. To use real patients, load the MIT-BIH
# Arrhythmia Database (see `ecgbeat.datasets.fetch_mitdb`) in place of the simulated beats:
#
# .. code-block:: python
#
#     from ecgbeat.annotation import extract_beats
#     from ecgbeat.datasets import load_mitdb
#
#     beats = extract_beats(load_mitdb(), before=1, after=1, symbols=CLASSES)
#     beats.update({key: beats[key][::20] for key in ("data", "target", "groups")})

# %%
# Save the model
# --------------
# The file contains arrays and text, and loading it runs no code from the file. The card says what
# the model is.

from pathlib import Path
from tempfile import TemporaryDirectory

import ecgbeat

folder = TemporaryDirectory()
path = Path(folder.name)
card = {"data": "simulated beats", "accuracy on held-out patients": model.score(X[test], y[test])}
ecgbeat.save_model(model, path / "model.safetensors", card=card)

model = ecgbeat.load_model(path / "model.safetensors")
print(model.predict(X[test][:5]))

# %%
# Export the pipeline
# -------------------
# The graph contains the filter, the search for the R peak, the scaler and the network: windows in,
# labels and probabilities out. SMOTE is needed only for training. With ``quantize``, the network
# computes with 8-bit integers. Its windows show the range of each number.

from ecgbeat.export import to_c, to_onnx

to_onnx(model, path / "float.onnx")
to_onnx(model, path / "int8.onnx", quantize=X[train])
to_c(model, path / "c", quantize=X[train])

# %%
# Run the exported files
# ----------------------
# ONNX Runtime takes windows in single precision. The C code is compiled, here for this machine. Its
# program reads one window per line, and prints the probabilities.

import shutil
import subprocess

import numpy as np
import onnxruntime

windows = X[test].astype("float32")
probabilities = {"Python": model.predict_proba(windows)}
for name in ("float", "int8"):
    session = onnxruntime.InferenceSession(path / f"{name}.onnx")
    probabilities[f"ONNX, {name}"] = session.run(["probabilities"], {"X": windows})[0]

if shutil.which("gcc"):  # a C compiler
    sources = [path / "c" / "main.c", path / "c" / "ecgbeat_model.c"]
    subprocess.run(["gcc", "-std=c99", "-O2", "-o", path / "beats", *sources, "-lm"], check=True)
    lines = "\n".join(" ".join(map(str, window)) for window in windows)
    program = subprocess.run([path / "beats"], input=lines, capture_output=True, text=True)
    probabilities["C, int8"] = np.loadtxt(program.stdout.splitlines())

# %%
# Compare the predictions
# -----------------------
# The float graph equals Python up to rounding. With 8-bit integers, the probabilities change, and
# some labels may change as well.

import pandas as pd

python = probabilities["Python"]
table = pd.DataFrame(
    {
        name: {
            "largest difference": abs(found - python).max(),
            "equal labels (%)": 100 * np.mean(found.argmax(axis=1) == python.argmax(axis=1)),
            "accuracy": np.mean(model.classes_[found.argmax(axis=1)] == y[test]),
        }
        for name, found in probabilities.items()
    }
).T
print(table.round({"largest difference": 7, "equal labels (%)": 1, "accuracy": 3}))

# %%
# The figure shows the size of the files. Filter and segmentation take up a large part of the int8
# graph, since they are not quantized.

import matplotlib.pyplot as plt

files = ["model.safetensors", "float.onnx", "int8.onnx"]
figure, ax = plt.subplots(figsize=(5.5, 2.6), layout="constrained")
ax.barh(files, [(path / file).stat().st_size / 1000 for file in files])
ax.invert_yaxis()
ax.set_xlabel("Size of the file (kB)", fontsize="large")
ax.tick_params(labelsize="large")
folder.cleanup()

# %%
# The page :doc:`/guide/on_a_device` describes which steps can be exported, and how a model runs in
# a web browser. The page :doc:`/benchmarks/on_device` contains the memory and the speed of the
# default network.
