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
# labels and probabilities out. SMOTE is needed only for training. ``quantize`` takes typical
# windows, which show the range of the numbers in the network.

from ecgbeat.export import to_c, to_onnx

to_onnx(model, path / "float.onnx")
to_onnx(model, path / "int8.onnx", quantize=X[train])
to_c(model, path / "c")

# %%
# Compile the C code
# ------------------
# The code is portable C99 without memory allocation. ``main.c`` reads one window per line, and
# prints its probabilities. A compiler for the processor of the device takes the place of ``gcc``.

import subprocess

sources = sorted(str(file) for file in (path / "c").glob("*.c"))
subprocess.run(["gcc", "-std=c99", "-O2", "-o", path / "beats", *sources, "-lm"], check=True)

# %%
# Compare the predictions
# -----------------------
# Python, ONNX Runtime and the C program get the same windows.

import numpy as np
import onnxruntime
import pandas as pd

windows = X[test].astype("float32")
np.savetxt(path / "windows.txt", windows, fmt="%.9g")
with open(path / "windows.txt") as lines:
    printed = subprocess.run([path / "beats"], stdin=lines, capture_output=True, text=True).stdout

probabilities = {"Python": model.predict_proba(windows)}
for name in ("float", "int8"):
    session = onnxruntime.InferenceSession(path / f"{name}.onnx")
    probabilities[f"ONNX, {name}"] = session.run(["probabilities"], {"X": windows})[0]
probabilities["C, float"] = np.loadtxt(printed.splitlines())

table = pd.DataFrame(index=list(probabilities))
python = probabilities["Python"]
table["largest difference"] = [abs(p - python).max() for p in probabilities.values()]
table["equal labels (%)"] = [
    100 * np.mean(p.argmax(axis=1) == python.argmax(axis=1)) for p in probabilities.values()
]
table["accuracy"] = [
    np.mean(model.classes_[p.argmax(axis=1)] == y[test]) for p in probabilities.values()
]
files = ["model.safetensors", "float.onnx", "int8.onnx", "beats"]
table["size (kB)"] = [(path / file).stat().st_size / 1000 for file in files]
print(table.round({"largest difference": 6, "equal labels (%)": 1, "accuracy": 3, "size (kB)": 0}))

# %%
# The figure shows the size of each file. Most of the graph and of the program is ...

import matplotlib.pyplot as plt

figure, ax = plt.subplots(figsize=(5.5, 3.4), layout="constrained")
ax.barh(table.index, table["size (kB)"])
ax.invert_yaxis()
ax.set_xlabel("Size of the file (kB)", fontsize="large")
ax.tick_params(labelsize="large")
folder.cleanup()

# %%
# The page :doc:`/guide/on_a_device` describes which steps can be exported, and how a model runs in
# a web browser. For speed and memory, see :doc:`/benchmarks/on_device`.
