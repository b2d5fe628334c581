import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from ecgbeat import ECGCNNClassifier, RPeakSegmenter, ZScoreScaler
from ecgbeat.plotting import SaliencyDisplay, saliency
from ecgbeat.plotting._saliency import METHODS

pytest.importorskip("captum", reason="the extra 'plot' is not installed")
OPTIONS = {"fs": 100.0, "before": 0.2}


@pytest.fixture(scope="module")
def two_lead_net(two_leads):
    net = ECGCNNClassifier(n_filters=4, max_epochs=1, random_state=0)
    return net.fit(two_leads.data, two_leads.target)


@pytest.mark.parametrize("method", METHODS)
def test_waveform_and_relevance(net, simulated, method):
    x = simulated.data[0]
    display = SaliencyDisplay.from_estimator(net, x, **OPTIONS, method=method)
    np.testing.assert_allclose(display.waveform[0], x, rtol=1e-6)
    np.testing.assert_array_equal(display.relevance, saliency(net, x[np.newaxis], method=method))


def test_the_class_is_named(net, simulated):
    display = SaliencyDisplay.from_estimator(net, simulated.data[0], **OPTIONS)
    label = net.predict(simulated.data[:1])[0]
    probability = net.predict_proba(simulated.data[:1]).max()
    assert display.ax_.get_title() == f"predicted: {label}, probability {probability:.2f}"


def test_a_class_that_was_not_predicted(net, simulated):
    label = net.predict(simulated.data[:1])[0]
    other = next(name for name in net.classes_ if name != label)
    display = SaliencyDisplay.from_estimator(net, simulated.data[0], other, **OPTIONS)
    assert display.title.startswith(f"why {other}, probability 0.")
    assert f"predicted: {label}" in display.title


def test_units(net, simulated):
    display = SaliencyDisplay.from_estimator(net, simulated.data[0], **OPTIONS)
    assert display.ax_.get_xlabel() == "Time from R peak (s)"
    assert display.ax_.get_ylabel() == "Amplitude (mV)"
    label = display.colorbar_.ax.get_ylabel()
    assert label.startswith("relevance: integrated gradients")
    assert "against" in label


def test_units_of_scaled_beats(simulated):
    net = ECGCNNClassifier(n_filters=4, max_epochs=1, random_state=0)
    segmenter = RPeakSegmenter(fs=100, before=0.1, after=0.2, n_times=60)
    pipeline = make_pipeline(segmenter, ZScoreScaler(), net)
    pipeline.fit(simulated.data, simulated.target)
    display = SaliencyDisplay.from_estimator(pipeline, simulated.data[0], fs=100)
    assert display.ax_.get_ylabel() == "Amplitude (scaled)"
    assert display.fs == 200
    assert display.ax_.get_xlim() == pytest.approx((-0.1, 0.195))


def test_without_time():
    display = SaliencyDisplay(np.ones((1, 30)), np.zeros((1, 30))).plot()
    assert display.ax_.get_xlabel() == "Sample"


def test_leads_below_each_other(two_lead_net, two_leads):
    display = SaliencyDisplay.from_estimator(
        two_lead_net, two_leads.data[[0]], **OPTIONS, lead_names=two_leads.lead_names
    )
    assert [ax.get_ylabel() for ax in display.axes_] == ["MLII (mV)", "V1 (mV)"]
    assert len({line.get_clim() for line in display.lines_}) == 1


def test_the_picture_is_smoothed_but_not_the_figures(net, simulated):
    raw, smooth = (
        SaliencyDisplay.from_estimator(net, simulated.data[0], **OPTIONS, smooth=seconds)
        for seconds in (0, 0.1)
    )
    np.testing.assert_array_equal(raw.relevance, smooth.relevance)
    assert np.ptp(smooth.lines_[0].get_array()) < np.ptp(raw.lines_[0].get_array())


def test_without_colour_bar(net, simulated):
    display = SaliencyDisplay.from_estimator(net, simulated.data[0], **OPTIONS, colorbar=False)
    assert display.colorbar_ is None
    assert len(display.figure_.axes) == 1


def test_an_axes_of_ones_own(net, simulated):
    figure, ax = plt.subplots()
    display = SaliencyDisplay.from_estimator(net, simulated.data[0], **OPTIONS, ax=ax)
    assert display.ax_ is ax
    assert plt.get_fignums() == [figure.number]
    assert display.plot() is display


@pytest.mark.parametrize("width", [3.3, 7.0])
@pytest.mark.parametrize("target", [None, "R"])
def test_no_texts_touch(two_lead_net, two_leads, narrow, overlapping, width, target):
    display = SaliencyDisplay.from_estimator(
        two_lead_net,
        two_leads.data[[0]],
        target,
        **OPTIONS,
        lead_names=two_leads.lead_names,
        ax=narrow(height=5, width=width),
    )
    assert overlapping(display.figure_) == []


def test_no_texts_touch_in_a_new_figure(net, simulated, overlapping):
    for method in METHODS:
        display = SaliencyDisplay.from_estimator(net, simulated.data[0], **OPTIONS, method=method)
        assert overlapping(display.figure_) == []


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        (slice(2), {}, r"x must be one beat, .* got shape \(2, 50\)"),
        (0, {"target": "X"}, "are no classes of the network"),
        (0, {"method": "lime"}, "method must be one of"),
        (0, {"fs": 0}, "fs must be greater than 0"),
        (0, {"before": 7}, "lies behind the end"),
        (0, {"smooth": -1}, "smooth must be 0 or greater"),
        (0, {"lead_names": ["a", "b"]}, "must name 1 leads"),
    ],
)
def test_wrong_parameters_draw_nothing(net, simulated, rows, options, message):
    with pytest.raises(ValueError, match=message):
        SaliencyDisplay.from_estimator(net, simulated.data[rows], **(OPTIONS | options))
    assert plt.get_fignums() == []


def test_a_method_that_nobody_knows():
    with pytest.raises(ValueError, match="method must be one of"):
        SaliencyDisplay(np.ones((1, 9)), np.ones((1, 9)), method="lime").plot()


def test_a_network_that_is_not_fitted(simulated):
    with pytest.raises(NotFittedError):
        SaliencyDisplay.from_estimator(ECGCNNClassifier(), simulated.data[0], **OPTIONS)
