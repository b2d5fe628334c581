"""Fixtures of the tests of displays."""

from itertools import combinations

import numpy as np
import pytest

from ecgbeat import ECGCNNClassifier
from ecgbeat.datasets import make_heartbeats, make_recording

plt = pytest.importorskip("matplotlib.pyplot", reason="the extra 'plot' is not installed")

FS = 100.0


@pytest.fixture(autouse=True)
def _clean():
    """Close all figures, and check that the global settings of matplotlib are unchanged."""
    before = plt.rcParams.copy()
    yield
    assert plt.rcParams == before
    plt.close("all")


@pytest.fixture(scope="session")
def simulated():
    """120 beats of five classes, 0.2 s before and 0.3 s after the R peak, at 100 Hz."""
    return make_heartbeats(
        120, n_patients=8, before=0.2, after=0.3, fs=FS, jitter=0, random_state=0
    )


@pytest.fixture(scope="session")
def two_leads():
    """60 beats of two leads."""
    return make_heartbeats(
        60, n_patients=8, before=0.2, after=0.3, fs=FS, jitter=0, n_leads=2, random_state=0
    )


@pytest.fixture(scope="session")
def patient():
    """One minute of two leads with premature ventricular beats."""
    weights = {"N": 0.8, "V": 0.2}
    return make_recording(60, fs=250, weights=weights, n_leads=2, random_state=1)


@pytest.fixture(scope="session")
def net(simulated):
    """A small network, trained for a few epochs with a validation split."""
    options = {"n_filters": 4, "max_epochs": 4, "n_members": 1, "early_stopping": True}
    net = ECGCNNClassifier(**options, random_state=0)
    return net.fit(simulated.data, simulated.target)


@pytest.fixture
def narrow():
    """Return a function that makes an axes as wide as a column of a journal."""

    def make(height=4.0, width=3.3, layout="constrained"):
        return plt.subplots(figsize=(width, height), layout=layout)[1]

    return make


@pytest.fixture
def overlapping():
    """Return a function that lists the pairs of overlapping texts of a figure."""

    def find(figure, at_most=1.0):
        figure.canvas.draw()
        whole, hidden = figure.bbox, _not_drawn(figure)
        boxes = [
            (text.get_text(), text.get_window_extent())
            for text in figure.findobj(plt.Text)
            if text.get_visible() and text.get_text().strip() and text not in hidden
        ]
        found = [(one, "edge") for one, box in boxes if not _within(box, whole, at_most)]
        for (one, a), (other, b) in combinations(boxes, 2):
            width = min(a.x1, b.x1) - max(a.x0, b.x0)
            height = min(a.y1, b.y1) - max(a.y0, b.y0)
            if width > at_most and height > at_most:
                found.append((one, other))
        return found

    return find


def _not_drawn(figure):
    """Return the tick labels beyond the limits, and all texts of axes that are switched off."""
    hidden = set()
    for ax in figure.axes:
        if not ax.axison:
            hidden |= set(ax.findobj(plt.Text))
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
            hidden |= {tick.label1 for tick in ticks if not low <= tick.get_loc() <= high}
    return hidden


def _within(box, whole, slack):
    return (
        box.x0 >= whole.x0 - slack
        and box.x1 <= whole.x1 + slack
        and box.y0 >= whole.y0 - slack
        and box.y1 <= whole.y1 + slack
    )


@pytest.fixture(scope="session")
def wave():
    """A smooth wave of 50 samples."""
    return np.sin(np.linspace(0, 6, 50))
