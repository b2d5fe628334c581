from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from ecgbeat import BandpassFilter, ECGCNNClassifier, RPeakSegmenter, ZScoreScaler
from ecgbeat.datasets import make_heartbeats
from ecgbeat.plotting import SaliencyDisplay, saliency
from ecgbeat.plotting._saliency import METHODS
from ecgbeat.plotting._saliency_display import (
    _draw_area,
    _draw_colored_line,
    _moving_mean,
    _network_input,
)

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


def test_title_names_the_predicted_class(net, simulated):
    display = SaliencyDisplay.from_estimator(net, simulated.data[0], **OPTIONS)
    label = net.predict(simulated.data[:1])[0]
    probability = net.predict_proba(simulated.data[:1]).max()
    assert display.ax_.get_title() == f"predicted: {label}, probability {probability:.2f}"


def test_title_of_another_class(net, simulated):
    label = net.predict(simulated.data[:1])[0]
    other = next(name for name in net.classes_ if name != label)
    display = SaliencyDisplay.from_estimator(net, simulated.data[0], other, **OPTIONS)
    assert display.title.startswith(f"why {other}, probability 0.")
    assert f"predicted: {label}" in display.title


def test_units(net, simulated):
    display = SaliencyDisplay.from_estimator(net, simulated.data[0], **OPTIONS)
    assert display.ax_.get_xlabel() == "Time from R peak (s)"
    assert display.ax_.get_ylabel() == "Amplitude (mV)"


@pytest.mark.parametrize(
    ("method", "quantity"),
    [
        ("integrated_gradients", "integrated gradients\n(logits per sample)"),
        ("gradient", "gradient of the score\n(logits per mV)"),
        ("grad_cam", "Grad-CAM\n(arbitrary units)"),
    ],
)
def test_color_scale_names_quantity_unit_and_class(net, simulated, method, quantity):
    display = SaliencyDisplay.from_estimator(net, simulated.data[0], "V", **OPTIONS, method=method)
    ends, _, rest = display.colorbar_.ax.get_ylabel().partition("\n")
    assert rest == quantity
    assert ends.endswith("for V →")
    assert ("against V" in ends) == (method != "grad_cam")
    # the scale is that of the drawn colors
    low, high = display.lines_[0].get_clim()
    assert (display.colorbar_.vmin, display.colorbar_.vmax) == (low, high)


def test_color_scale_of_the_predicted_class(net, simulated):
    display = SaliencyDisplay.from_estimator(net, simulated.data[0], **OPTIONS)
    assert display.target == net.predict(simulated.data[:1])[0]
    assert f"for {display.target} →" in display.colorbar_.ax.get_ylabel()


@pytest.mark.parametrize("target", [None, "supraventricular"])
def test_color_scale_without_or_with_a_long_class_name(target, wave, overlapping):
    display = SaliencyDisplay(wave[np.newaxis], wave[np.newaxis], fs=100, target=target).plot()
    assert display.colorbar_.ax.get_ylabel().startswith("← against     for →")
    assert overlapping(display.figure_) == []


def test_equal_limits_make_equal_colors_of_several_beats(net, simulated):
    figure, axes = plt.subplots(1, 2)
    one, two = (
        SaliencyDisplay.from_estimator(net, x, **OPTIONS, ax=ax, limit=0.5, colorbar=False)
        for x, ax in zip(simulated.data, axes, strict=False)
    )
    assert one.lines_[0].get_clim() == two.lines_[0].get_clim() == (-0.5, 0.5)
    assert len(figure.axes) == 2


def test_one_color_scale_beside_several_beats(net, simulated):
    figure, axes = plt.subplots(1, 2, layout="constrained")
    display = SaliencyDisplay.from_estimator(
        net, simulated.data[0], **OPTIONS, ax=axes[0], colorbar=axes
    )
    figure.canvas.draw()
    assert len(figure.axes) == 3
    assert display.colorbar_.ax.get_ylabel().startswith("← against     for →")
    assert display.colorbar_.ax.get_position().x0 > axes[1].get_position().x1


def test_values_beyond_the_limit_are_drawn_like_it(wave):
    relevance = np.linspace(-9, 9, 50)[np.newaxis]
    display = SaliencyDisplay(wave[np.newaxis], relevance).plot(limit=1.0)
    assert max(display.lines_[0].get_linewidths()) == 7.0
    low, high = display.ax_.get_ylim()
    extents = [area.get_paths()[0].get_extents() for area in display.ax_.collections[1:3]]
    assert all(low < box.y0 and box.y1 < high for box in extents)


def test_units_of_scaled_beats(simulated):
    net = ECGCNNClassifier(n_filters=4, max_epochs=1, random_state=0)
    segmenter = RPeakSegmenter(fs=100, before=0.1, after=0.2, n_times=60)
    pipeline = make_pipeline(segmenter, ZScoreScaler(), net)
    pipeline.fit(simulated.data, simulated.target)
    display = SaliencyDisplay.from_estimator(pipeline, simulated.data[0], fs=100)
    assert display.ax_.get_ylabel() == "Amplitude (scaled)"
    assert display.fs == 200
    assert display.ax_.get_xlim() == pytest.approx((-0.1, 0.195))


def test_without_fs_samples_are_counted():
    display = SaliencyDisplay(np.ones((1, 30)), np.zeros((1, 30))).plot()
    assert display.ax_.get_xlabel() == "Sample"


def test_leads_share_their_colors(two_lead_net, two_leads):
    display = SaliencyDisplay.from_estimator(
        two_lead_net, two_leads.data[[0]], **OPTIONS, lead_names=two_leads.lead_names
    )
    assert [ax.get_ylabel() for ax in display.axes_] == ["MLII (mV)", "V1 (mV)"]
    assert len({line.get_clim() for line in display.lines_}) == 1


def test_smoothing_does_not_change_the_relevance(net, simulated):
    raw, smooth = (
        SaliencyDisplay.from_estimator(net, simulated.data[0], **OPTIONS, smooth=seconds)
        for seconds in (0, 0.1)
    )
    np.testing.assert_array_equal(raw.relevance, smooth.relevance)
    assert np.ptp(smooth.lines_[0].get_array()) < np.ptp(raw.lines_[0].get_array())


def test_without_colorbar(net, simulated):
    display = SaliencyDisplay.from_estimator(net, simulated.data[0], **OPTIONS, colorbar=False)
    assert display.colorbar_ is None
    assert len(display.figure_.axes) == 1


def test_given_axes(net, simulated):
    figure, ax = plt.subplots()
    display = SaliencyDisplay.from_estimator(net, simulated.data[0], **OPTIONS, ax=ax)
    assert display.ax_ is ax
    assert plt.get_fignums() == [figure.number]
    assert display.plot() is display


@pytest.mark.parametrize("width", [3.3, 7.0])
@pytest.mark.parametrize("target", [None, "R"])
def test_texts_do_not_overlap(two_lead_net, two_leads, narrow, overlapping, width, target):
    display = SaliencyDisplay.from_estimator(
        two_lead_net,
        two_leads.data[[0]],
        target,
        **OPTIONS,
        lead_names=two_leads.lead_names,
        ax=narrow(height=5, width=width),
    )
    assert overlapping(display.figure_) == []


def test_texts_of_a_new_figure_do_not_overlap(net, simulated, overlapping):
    for method in METHODS:
        display = SaliencyDisplay.from_estimator(net, simulated.data[0], **OPTIONS, method=method)
        assert overlapping(display.figure_) == []


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        (slice(2), {}, r"x must be one beat, .* got shape \(2, 50\)"),
        (0, {"target": "X"}, "target must be of the classes"),
        (0, {"method": "lime"}, "method must be one of"),
        (0, {"fs": 0}, "fs must be greater than 0"),
        (0, {"before": 7}, "before must be at most 0.5 s"),
        (0, {"smooth": -1}, "smooth must be 0 or greater"),
        (0, {"limit": 0}, "limit must be greater than 0"),
        (0, {"lead_names": ["a", "b"]}, "one name for each of 1 leads"),
    ],
)
def test_invalid_parameters_make_no_figure(net, simulated, rows, options, message):
    with pytest.raises(ValueError, match=message):
        SaliencyDisplay.from_estimator(net, simulated.data[rows], **(OPTIONS | options))
    assert plt.get_fignums() == []


def test_invalid_colorbar_makes_no_figure(wave):
    display = SaliencyDisplay(wave[np.newaxis], wave[np.newaxis])
    with pytest.raises(TypeError, match="with colorbar: ax must be a matplotlib Axes"):
        display.plot(colorbar="left")
    assert plt.get_fignums() == []


def test_unknown_method_raises():
    with pytest.raises(ValueError, match="method must be one of"):
        SaliencyDisplay(np.ones((1, 9)), np.ones((1, 9)), method="lime").plot()


def test_unfitted_network_raises(simulated):
    with pytest.raises(NotFittedError):
        SaliencyDisplay.from_estimator(ECGCNNClassifier(), simulated.data[0], **OPTIONS)


# --- input of the network --------------------------------------------------------------


@pytest.fixture(scope="module")
def windows():
    return make_heartbeats(40, n_patients=5, fs=200, random_state=0)


def network(**options):
    return ECGCNNClassifier(n_filters=4, max_epochs=1, random_state=0, **options)


def read(classifier, x, n_columns):
    relevance = np.arange(float(n_columns))[np.newaxis]
    return SimpleNamespace(**_network_input(classifier, x[np.newaxis], relevance, 200.0, 1.0))


def test_input_of_a_bare_network(windows):
    net = network().fit(windows.data, windows.target)
    beat = read(net, windows.data[0], 400)
    np.testing.assert_allclose(beat.waveform[0], windows.data[0], rtol=1e-6)
    assert beat.relevance.shape == (1, 400)
    assert (beat.fs, beat.before, beat.unit) == (200, 1.0, "mV")


@pytest.mark.parametrize(("n_times", "fs"), [(None, 200.0), (80, 100.0), (320, 400.0)])
def test_segmenter_sets_fs_and_before(windows, n_times, fs):
    segmenter = RPeakSegmenter(fs=200, before=0.3, after=0.5, n_times=n_times)
    pipeline = make_pipeline(BandpassFilter(fs=200), segmenter, network())
    pipeline.fit(windows.data, windows.target)
    beat = read(pipeline, windows.data[0], n_times or 160)
    assert (beat.fs, beat.before, beat.unit) == (fs, 0.3, "mV")


def test_scaled_input_has_no_unit(windows):
    pipeline = make_pipeline(ZScoreScaler(), network()).fit(windows.data, windows.target)
    beat = read(pipeline, windows.data[0], 400)
    assert (beat.fs, beat.before, beat.unit) == (200, 1.0, "")
    assert beat.waveform.std() == pytest.approx(1, rel=0.01)


def test_input_of_an_unknown_transformer_has_no_fs(windows):
    halve = FunctionTransformer(lambda X: X[:, ::2])
    pipeline = make_pipeline(halve, network()).fit(windows.data, windows.target)
    beat = read(pipeline, windows.data[0], 200)
    assert (beat.fs, beat.before) == (None, None)


def test_leads_are_separated_from_auxiliary_columns():
    X = np.random.default_rng(0).normal(size=(20, 103))
    net = network(n_leads=2, n_aux_features=3).fit(X, np.arange(20) % 2)
    beat = _network_input(net, X[:1], np.arange(103.0)[np.newaxis], 100.0, None)
    np.testing.assert_allclose(beat["waveform"], X[0, :100].reshape(2, 50), rtol=1e-6)
    np.testing.assert_array_equal(beat["relevance"][1], np.arange(50.0, 100.0))


# --- drawing ---------------------------------------------------------------------------


def draw(wave, relevance, limit=1.0, is_signed=True):
    _, ax = plt.subplots()
    times = np.arange(len(wave)) / 100
    line = _draw_colored_line(ax, times, wave, relevance, limit, is_signed)
    _draw_area(ax, times, wave, relevance / limit, is_signed)
    ax.figure.canvas.draw()
    return ax, line


def test_colored_line_is_the_waveform(wave):
    _, line = draw(wave, np.zeros(50))
    segments = np.array(line.get_segments())
    np.testing.assert_allclose(segments[:, 0, 1], wave[:-1])
    np.testing.assert_allclose(segments[:, 1, 1], wave[1:])


def test_color_and_width_follow_the_relevance(wave):
    relevance = np.linspace(-1, 1, 50)
    _, line = draw(wave, relevance)
    np.testing.assert_allclose(line.get_array(), (relevance[1:] + relevance[:-1]) / 2)
    assert line.get_clim() == (-1, 1)
    widths = np.array(line.get_linewidths())
    assert widths[0] > 3 * widths[24]
    assert widths[-1] == pytest.approx(widths[0])


def test_unsigned_colors_begin_at_zero(wave):
    _, line = draw(wave, np.linspace(0, 1, 50), is_signed=False)
    assert line.get_clim() == (0, 1)


def test_area_below_the_beat_shows_both_signs(wave):
    relevance = np.zeros(50)
    relevance[10], relevance[30] = 1.0, -0.5
    ax, _ = draw(wave, relevance)
    up, down = (area.get_paths()[0].get_extents() for area in ax.collections[1:3])
    assert up.y1 < wave.min()
    assert up.y0 == pytest.approx(down.y1)
    assert up.height == pytest.approx(2 * down.height)
    assert ax.get_ylim()[0] < down.y0


@pytest.mark.parametrize("fs", [100.0, None])
def test_flat_beat_without_relevance(fs):
    display = SaliencyDisplay(np.zeros((1, 20)), np.zeros((1, 20)), fs=fs).plot()
    display.figure_.canvas.draw()
    assert np.isfinite(display.ax_.get_ylim()).all()


@pytest.mark.parametrize("n_samples", [2, 3, 8])
def test_moving_mean(n_samples):
    x = np.random.default_rng(0).normal(size=(2, 40))
    found = _moving_mean(x, n_samples)
    assert found.shape == x.shape
    first = 20 - (n_samples - 1) // 2
    np.testing.assert_allclose(found[:, 20], x[:, first : first + n_samples].mean(axis=1))
    np.testing.assert_allclose(_moving_mean(np.ones((1, 20)), n_samples), 1)


@pytest.mark.parametrize("n_samples", [0, 1])
def test_moving_mean_of_one_sample(wave, n_samples):
    np.testing.assert_array_equal(_moving_mean(wave[np.newaxis], n_samples)[0], wave)
