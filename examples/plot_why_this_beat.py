"""
Saliency maps with a sanity check
=================================

Integrated gradients attribute the prediction of a network to the samples of a beat. Such maps can
look convincing even if they do not depend on the learned weights. This example draws them, and
compares them with the maps of a network with random weights. The figures show simulated patients
that were held out.
"""

# sphinx_gallery_thumbnail_number = 1
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline

from ecgbeat import ECGCNNClassifier, ZScoreScaler
from ecgbeat.datasets import make_heartbeats
from ecgbeat.labels import to_aami
from ecgbeat.plotting import SaliencyDisplay

beats = make_heartbeats(
    2000, n_patients=40, fs=160, before=0.3, after=0.5, jitter=0, random_state=0
)
X, y, patients = beats.data, to_aami(beats.target), beats.groups
train, test = next(StratifiedGroupKFold(4, shuffle=True, random_state=0).split(X, y, patients))

model = make_pipeline(ZScoreScaler(), ECGCNNClassifier(n_filters=8, max_epochs=10, random_state=0))
model.fit(X[train], y[train])

ventricular = test[y[test] == "V"]
SaliencyDisplay.from_estimator(model, X[ventricular[0]], fs=160, before=0.3)

# %%
# Red parts of the beat raise the score of the predicted class, and blue parts lower it. The area
# below the beat shows the same without colors. The values of a beat add up to the difference
# between its score and that of a flat line.
#
# To use real patients, load the MIT-BIH Arrhythmia Database (see `ecgbeat.datasets.fetch_mitdb`)
# in place of the simulated beats. The lines below take every twentieth beat of the classes N, S
# and V:
#
# .. code-block:: python
#
#     from ecgbeat.annotation import extract_beats
#     from ecgbeat.datasets import load_mitdb
#
#     beats = extract_beats(load_mitdb(), n_times=128, symbols="NLRejnAaJSVE")
#     beats.update({key: beats[key][::20] for key in ("data", "target", "groups")})

# %%
# Compare several beats
# ---------------------
# With the same ``limit``, equal colors are equal values, and one color scale serves all beats. One
# map says little about a class: compare maps of the same class, and look at wrong predictions.

import matplotlib.pyplot as plt
import numpy as np

rng = np.random.default_rng(0)
figure, axes = plt.subplots(3, 2, figsize=(9, 8), layout="constrained", sharex=True)
for row, label in zip(axes, ["N", "S", "V"], strict=True):
    for ax, beat in zip(row, rng.choice(test[y[test] == label], 2, replace=False), strict=True):
        is_last = ax is axes[-1, -1]
        display = SaliencyDisplay.from_estimator(
            model,
            X[beat],
            fs=160,
            before=0.3,
            ax=ax,
            limit=1,
            colorbar=axes if is_last else False,
        )
        ax.set_title(f"true class {label}, {display.title}", fontsize="medium")
for ax in axes[:, 1]:
    ax.set_ylabel("")
for ax in axes[:-1].flat:
    ax.set_xlabel("")

# %%
# Sanity check
# ------------
# If the maps depend on what the network has learned, another network that learned the same has
# similar maps, and a network with random weights has not. Spearman's rank correlation measures the
# similarity of two maps: 1 is perfect, and 0 is chance. The maps of the true class are compared
# with and without their sign.

from scipy.ndimage import uniform_filter1d
from scipy.stats import spearmanr
from sklearn.base import clone

from ecgbeat.plotting import saliency

others = {
    "other seed": clone(model).set_params(ecgcnnclassifier__random_state=1),
    "random weights": clone(model).set_params(ecgcnnclassifier__max_epochs=0),
}
sample = np.concatenate([rng.permutation(test[y[test] == label])[:40] for label in "NSV"])


def maps_of(network):
    """Return the maps of the sampled beats, smoothed over 0.05 s as in the figures."""
    return uniform_filter1d(saliency(network, X[sample], y[sample], n_steps=32), 8, axis=1)


trained = maps_of(model)
correlations = {}
for name, network in others.items():
    maps = maps_of(network.fit(X[train], y[train]))
    for sign, function in (("with sign", np.asarray), ("without sign", np.abs)):
        pairs = zip(function(trained), function(maps), strict=True)
        correlations[sign, name] = [spearmanr(*pair).statistic for pair in pairs]
        print(f"{sign}, {name}: median correlation {np.median(correlations[sign, name]):.2f}")

# %%
# With the sign, the maps of the trained networks agree more with each other than with those of
# random weights. Without the sign, the maps follow the shape of the beat, because integrated
# gradients are multiplied by the amplitude: maps of random weights look as convincing. Read the
# sign, or do not read the map.

figure, ax = plt.subplots(figsize=(7.5, 4), layout="constrained")
order = sorted(correlations)
boxes = ax.boxplot(
    [correlations[key] for key in order],
    tick_labels=[f"{name},\n{sign}" for sign, name in order],
    patch_artist=True,
    widths=0.5,
    medianprops={"color": "black"},
)
for box, (_, name) in zip(boxes["boxes"], order, strict=True):
    box.set_facecolor("#56B4E9" if name == "other seed" else "#D55E00")
ax.axhline(0, color="black", linewidth=0.8)
ax.set(ylim=(-1, 1), ylabel="Rank correlation with the maps\nof the trained network")
