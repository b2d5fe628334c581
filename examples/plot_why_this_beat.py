"""
Why this beat? Reading a network's reasons, with a sanity check
===============================================================

Integrated gradients tell how much each sample of a beat speaks for a class. Such maps look
convincing whatever the network has learned, so they are checked here: does a network with
random weights give others, and does a second network, trained in the same way, agree?

Simulated patients, or a folder with the MIT-BIH Arrhythmia Database (some minutes).
The pictures open in windows; ``--output`` keeps them in a folder instead::

    python examples/plot_why_this_beat.py
    python examples/plot_why_this_beat.py --data mitdb --output pictures
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
MOST_BEATS = 100  # of a symbol and patient, of real data
BEFORE_S, AFTER_S, FS = 0.3, 0.5, 160.0  # windows of 128 samples
LINES = {"trained": "-", "trained, other seed": "--", "random weights": ":"}
COLORS = {"trained": "#0072B2", "trained, other seed": "#56B4E9", "random weights": "#D55E00"}

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("--data", type=Path, help="folder of the MIT-BIH Arrhythmia Database")
parser.add_argument("--output", type=Path, help="folder for the pictures")
parser.add_argument("--beats", type=int, default=2500, help="number of simulated beats")
parser.add_argument("--epochs", type=int, default=10, help="passes over the training beats")
arguments = parser.parse_args(None if "__file__" in globals() else [])  # none in a notebook
if arguments.beats < 400 or arguments.epochs < 1:
    parser.error("--beats must be 400 or more, --epochs 1 or more")

# %%
# A network, and what it is worth
# -------------------------------
# A quarter of the patients is held out, drawn with seed 0; all beats below are theirs. Of real
# recordings a random part of each patient's beats is taken. Three networks: two that differ in
# their seed alone, and one without any training.

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
    kinds = np.char.add(beats.groups, beats.target)
    wanted = {kind: min(n, MOST_BEATS) for kind, n in Counter(kinds.tolist()).items()}
    thinner = RandomUnderSampler(sampling_strategy=wanted, random_state=0)
    thinner.fit_resample(np.arange(len(kinds))[:, np.newaxis], kinds)
    rows = np.sort(thinner.sample_indices_)
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
print(
    f"{len(np.unique(patients[train]))} patients train, {len(np.unique(patients[test]))} held out"
)

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
    print(f"{name}: macro-F1 {score:.3f} on the patients held out")

# %%
# Three beats of each class
# -------------------------
# Drawn at random from the patients held out, rightly classified or not. What is explained is
# the class that the network gives. Upwards and red speaks for it, downwards and blue against
# it.

rng = np.random.default_rng(0)
chosen = [rng.choice(test[y[test] == label], 3, replace=False) for label in CLASSES]

figure, axes = plt.subplots(3, 3, figsize=(11, 8), layout="constrained", sharex=True)
for row, (label, beats_of_class) in enumerate(zip(CLASSES, chosen, strict=True)):
    for ax, beat in zip(axes[row], beats_of_class, strict=True):
        display = SaliencyDisplay.from_estimator(
            model, X[beat], fs=FS, before=BEFORE_S, ax=ax, colorbar=False
        )
        ax.set_title(f"is {label}, {display.title}", fontsize="medium")
for ax in axes[:, 1:].flat:
    ax.set_ylabel("")
for ax in axes[:-1].flat:
    ax.set_xlabel("")

# %%
# Where the networks look
# -----------------------
# Maps of up to 50 beats of each class, each for its true class, averaged over 0.05 s as in the
# pictures above. Here is the mean of a class without the sign, as a share of the whole map. The
# network that has learned nothing weighs the samples, too: integrated gradients multiply by the
# amplitude, so that an R peak stands out in any map.

some = np.concatenate([rng.permutation(test[y[test] == label])[:50] for label in CLASSES])
maps = {
    name: uniform_filter1d(saliency(network, X[some], y[some]), round(0.05 * FS), axis=1)
    for name, network in models.items()
}

seconds = np.arange(X.shape[1]) / FS - BEFORE_S
figure, axes = plt.subplots(1, 3, figsize=(11, 3.2), sharey=True, layout="constrained")
for ax, label in zip(axes, CLASSES, strict=True):
    for name, found in maps.items():
        share = np.abs(found[y[some] == label])
        share = 100 * share / share.sum(axis=1, keepdims=True)
        ax.plot(seconds, share.mean(axis=0), LINES[name], color=COLORS[name], label=name)
    ax.set(title=f"{label} (n = {len(share)})", xlabel="Time from R peak (s)")
axes[0].set_ylabel("Share of the map (% a sample)")
axes[0].legend(fontsize="small")

# %%
# The sanity check
# ----------------
# Do two maps of a beat put its samples in the same order? Spearman's correlation: 1 is the same
# order, 0 is chance. A map tells of what was learned if maps of two trained networks agree with
# each other, and not with those of random weights. The check is made twice, with the sign and
# without: without it, much of a map is the shape of the beat, and any two networks seem to
# agree.

correlations = {}
for kind, change in (("with sign", np.asarray), ("without sign", np.abs)):
    for other in ("trained, other seed", "random weights"):
        pairs = zip(change(maps["trained"]), change(maps[other]), strict=True)
        correlations[kind, other] = [spearmanr(*pair).statistic for pair in pairs]
        low, median, high = np.percentile(correlations[kind, other], [25, 50, 75])
        figures = f"median {median:.2f}, quartiles {low:.2f} and {high:.2f}"
        print(f"{kind:>12}, trained against {other:20} {figures}")

figure, ax = plt.subplots(figsize=(7.5, 4), layout="constrained")
boxes = ax.boxplot(
    list(correlations.values()),
    tick_labels=[f"{kind},\n{other}" for kind, other in correlations],
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
