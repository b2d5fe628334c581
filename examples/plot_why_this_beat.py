"""
Saliency maps with a sanity check
=================================

Integrated gradients attribute the prediction of a network to the samples of a beat. Such saliency
maps can look convincing even if they do not depend on the learned weights. This example includes
a sanity check: it compares the maps of a trained network with those of a network with random
weights, and with those of a second network trained with another seed.

By default, the example uses simulated patients. With ``--data``, it uses the MIT-BIH Arrhythmia
Database and takes a few minutes. The figures are shown in windows, or saved to a folder with
``--output``::

    python examples/plot_why_this_beat.py
    python examples/plot_why_this_beat.py --data mitdb --output figures
"""

import argparse
from collections import Counter
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from imblearn.under_sampling import RandomUnderSampler
from scipy.ndimage import uniform_filter1d
from scipy.stats import spearmanr
from sklearn.base import clone
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline

from ecgbeat import ECGCNNClassifier, ZScoreScaler
from ecgbeat.annotation import extract_beats
from ecgbeat.datasets import load_mitdb, make_heartbeats
from ecgbeat.labels import to_aami
from ecgbeat.plotting import SaliencyDisplay, saliency

CLASSES = ["N", "S", "V"]
MAX_BEATS = 100  # per symbol and patient, for real data
BEFORE_S, AFTER_S, FS = 0.3, 0.5, 160.0  # windows of 128 samples
LINES = {"trained": "-", "trained, other seed": "--", "random weights": ":"}
COLORS = {"trained": "#0072B2", "trained, other seed": "#56B4E9", "random weights": "#D55E00"}

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("--data", type=Path, help="folder of the MIT-BIH Arrhythmia Database")
parser.add_argument("--output", type=Path, help="folder for the figures")
parser.add_argument("--beats", type=int, default=2500, help="number of simulated beats")
parser.add_argument("--epochs", type=int, default=10, help="number of epochs")
arguments = parser.parse_args(None if "__file__" in globals() else [])  # no arguments in a notebook
if arguments.beats < 400 or arguments.epochs < 1:
    parser.error("--beats must be 400 or more, --epochs 1 or more")

# %%
# Train the networks
# ------------------
# A random quarter of the patients is held out. All following figures show their beats. Of real
# recordings, a random subset of the beats of each patient is used. There are three networks: two
# trained networks that differ only in their seed, and one untrained network.

if arguments.data:
    try:
        mitdb = load_mitdb(arguments.data, verbose=1)
    except (OSError, ValueError) as error:
        parser.error(f"--data: {error}")
    beats = extract_beats(
        mitdb.recordings,
        mitdb.annotations,
        fs=360,
        before=BEFORE_S,
        after=AFTER_S,
        n_times=128,
        symbols="NLRejnAaJSVE",
        groups=mitdb.groups,
    )
    keys = np.char.add(beats.groups, beats.target)  # patient and symbol
    n_beats = {key: min(count, MAX_BEATS) for key, count in Counter(keys.tolist()).items()}
    sampler = RandomUnderSampler(sampling_strategy=n_beats, random_state=0)
    sampler.fit_resample(np.arange(len(keys))[:, np.newaxis], keys)
    rows = np.sort(sampler.sample_indices_)
else:
    beats = make_heartbeats(
        arguments.beats,
        n_patients=40,
        fs=FS,
        before=BEFORE_S,
        after=AFTER_S,
        jitter=0,
        random_state=0,
    )
    rows = np.arange(arguments.beats)

X, y, patients = beats.data[rows], to_aami(beats.target[rows]), beats.groups[rows]
train, test = next(StratifiedGroupKFold(4, shuffle=True, random_state=0).split(X, y, patients))
n_train, n_test = len(np.unique(patients[train])), len(np.unique(patients[test]))
print(f"{n_train} training patients, {n_test} held out")

model = make_pipeline(
    ZScoreScaler(), ECGCNNClassifier(n_filters=8, max_epochs=arguments.epochs, random_state=0)
)
models = {
    "trained": model,
    "trained, other seed": clone(model).set_params(ecgcnnclassifier__random_state=1),
    "random weights": clone(model).set_params(ecgcnnclassifier__max_epochs=0),
}
for name, network in models.items():
    network.fit(X[train], y[train])
    score = f1_score(y[test], network.predict(X[test]), labels=CLASSES, average="macro")
    print(f"{name}: macro-F1 {score:.3f} on the held-out patients")

# %%
# Plot saliency maps of single beats
# ----------------------------------
# The figure shows three random beats of each class from the held-out patients, with correct or
# incorrect predictions. The maps are computed for the predicted class. Red, upward areas increase
# the score of this class, and blue, downward areas decrease it.

rng = np.random.default_rng(0)
examples = [rng.choice(test[y[test] == label], 3, replace=False) for label in CLASSES]

figure, axes = plt.subplots(3, 3, figsize=(11, 8), layout="constrained", sharex=True)
for row, (label, indices) in enumerate(zip(CLASSES, examples, strict=True)):
    for ax, beat in zip(axes[row], indices, strict=True):
        display = SaliencyDisplay.from_estimator(
            model, X[beat], fs=FS, before=BEFORE_S, ax=ax, colorbar=False
        )
        ax.set_title(f"true class {label}, {display.title}", fontsize="medium")
for ax in axes[:, 1:].flat:
    ax.set_ylabel("")
for ax in axes[:-1].flat:
    ax.set_xlabel("")

# %%
# Compare the mean maps
# ---------------------
# The maps of up to 50 beats of each class are computed for the true class and smoothed over 0.05 s,
# as in the figure above. The figure shows the mean absolute value in each class, as a percentage of
# the whole map. The maps of the untrained network also emphasize the R peak, because integrated
# gradients are multiplied by the amplitude.

sample = np.concatenate([rng.permutation(test[y[test] == label])[:50] for label in CLASSES])
maps = {
    name: uniform_filter1d(saliency(network, X[sample], y[sample]), round(0.05 * FS), axis=1)
    for name, network in models.items()
}

seconds = np.arange(X.shape[1]) / FS - BEFORE_S
figure, axes = plt.subplots(1, 3, figsize=(11, 3.2), sharey=True, layout="constrained")
for ax, label in zip(axes, CLASSES, strict=True):
    for name, values in maps.items():
        percent = np.abs(values[y[sample] == label])
        percent = 100 * percent / percent.sum(axis=1, keepdims=True)
        ax.plot(seconds, percent.mean(axis=0), LINES[name], color=COLORS[name], label=name)
    ax.set(title=f"{label} (n = {len(percent)})", xlabel="Time from R peak (s)")
axes[0].set_ylabel("Contribution (% per sample)")
axes[0].legend(fontsize="small")

# %%
# Sanity check
# ------------
# Spearman's rank correlation measures the agreement between two maps of a beat: 1 is perfect
# agreement, and 0 is chance level. If the maps depend on the learned weights, the maps of both
# trained networks agree with each other, but not with those of the untrained network. The check is
# performed with and without the sign. Without the sign, the maps mostly reflect the shape of the
# beat, so the maps of any two networks are correlated.

correlations = {}
for sign, function in (("with sign", np.asarray), ("without sign", np.abs)):
    for other in ("trained, other seed", "random weights"):
        pairs = zip(function(maps["trained"]), function(maps[other]), strict=True)
        correlations[sign, other] = [spearmanr(*pair).statistic for pair in pairs]
        low, median, high = np.percentile(correlations[sign, other], [25, 50, 75])
        quartiles = f"median {median:.2f}, quartiles {low:.2f} and {high:.2f}"
        print(f"{sign:>12}, trained and {other:20} {quartiles}")

figure, ax = plt.subplots(figsize=(7.5, 4), layout="constrained")
boxes = ax.boxplot(
    list(correlations.values()),
    tick_labels=[f"{sign},\n{other}" for sign, other in correlations],
    patch_artist=True,
    widths=0.5,
    medianprops={"color": "black"},
)
for box, (_, other) in zip(boxes["boxes"], correlations, strict=True):
    box.set_facecolor(COLORS[other])
ax.axhline(0, color="black", linewidth=0.8)
ax.set(ylim=(-1, 1), ylabel="Spearman's correlation\nwith maps of the trained network")

if arguments.output:
    arguments.output.mkdir(parents=True, exist_ok=True)
    for number in plt.get_fignums():
        plt.figure(number).savefig(arguments.output / f"why_this_beat_{number}.png", dpi=150)
else:
    plt.show()
