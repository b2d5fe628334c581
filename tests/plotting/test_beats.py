import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.utils import Bunch

from ecgbeat import ECGCNNClassifier
from ecgbeat.annotation import extract_beats
from ecgbeat.datasets import load_mitdb
from ecgbeat.plotting import BeatsDisplay
from ecgbeat.plotting._beats import _label_confusions
from ecgbeat.plotting._style import BLUE, VERMILLION

FS = 100.0  # of the fixtures
OPTIONS = {"fs": FS, "before": 0.2}


def titles(display):
    return [ax.get_title() for ax in display.axes_[:, 0]]


# --- means ------------------------------------------------------------------------------


def test_means_and_standard_deviations(simulated):
    display = BeatsDisplay.from_beats(simulated.data, simulated.target, **OPTIONS)
    for row, label in enumerate(simulated.target_names):
        beats = simulated.data[simulated.target == label]
        line, band = display.lines_[row], display.bands_[row]
        np.testing.assert_allclose(line.get_ydata(), beats.mean(axis=0))
        edges = band.get_paths()[0].get_extents()
        assert edges.y0 == pytest.approx((beats.mean(axis=0) - beats.std(axis=0)).min())
        assert edges.y1 == pytest.approx((beats.mean(axis=0) + beats.std(axis=0)).max())


def test_percentile_band(simulated):
    data, target = simulated.data, simulated.target
    display = BeatsDisplay.from_beats(data, target, **OPTIONS, spread="percentiles", classes="V")
    edges = display.bands_[0].get_paths()[0].get_extents()
    low, high = np.percentile(data[target == "V"], [5, 95], axis=0)
    assert (edges.y0, edges.y1) == (pytest.approx(low.min()), pytest.approx(high.max()))


def test_without_spread(simulated):
    display = BeatsDisplay.from_beats(simulated.data, simulated.target, **OPTIONS, spread=None)
    assert display.bands_ == []
    assert len(display.lines_) == 5


def test_time_is_0_at_the_r_peak(simulated):
    display = BeatsDisplay.from_beats(simulated.data, simulated.target, **OPTIONS)
    x = display.lines_[0].get_xdata()
    assert (x[0], x[20], x[-1]) == (pytest.approx(-0.2), pytest.approx(0.0), pytest.approx(0.29))
    assert display.ax_.get_xlabel() == ""
    assert display.axes_[-1, 0].get_xlabel() == "Time from R peak (s)"


def test_time_from_the_first_sample(simulated):
    display = BeatsDisplay.from_beats(simulated.data, simulated.target, fs=FS)
    assert display.lines_[0].get_xdata()[0] == 0
    assert display.axes_[-1, 0].get_xlabel() == "Time (s)"


def test_panel_titles_and_units(simulated):
    display = BeatsDisplay.from_beats(simulated.data, simulated.target, **OPTIONS)
    counts = [np.sum(simulated.target == label) for label in simulated.target_names]
    expected = [f"{c} (n = {n})" for c, n in zip(simulated.target_names, counts, strict=True)]
    assert titles(display) == expected
    assert display.ax_.get_ylabel() == "mean ± SD (mV)"


def test_panels_share_their_limits(simulated):
    display = BeatsDisplay.from_beats(simulated.data, simulated.target, **OPTIONS)
    assert len({ax.get_ylim() for ax in display.axes_.flat}) == 1


def test_overlay(simulated):
    display = BeatsDisplay.from_beats(simulated.data, simulated.target, **OPTIONS, overlay=True)
    assert display.axes_.shape == (1, 1)
    dashes = {str(line._unscaled_dash_pattern) for line in display.lines_}
    assert len(dashes) == 5
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert [text[0] for text in texts] == simulated.target_names


def test_leads_are_columns_of_axes(two_leads):
    display = BeatsDisplay.from_beats(
        two_leads.data, two_leads.target, **OPTIONS, lead_names=two_leads.lead_names
    )
    assert display.axes_.shape == (5, 2)
    assert "MLII" in display.axes_[0, 0].get_ylabel()
    assert "V1" in display.axes_[0, 1].get_ylabel()
    of_a = two_leads.data[two_leads.target == "A"]
    np.testing.assert_allclose(display.lines_[1].get_ydata(), of_a[:, 1].mean(axis=0))


def test_flattened_leads_and_auxiliary_columns(two_leads):
    flat = two_leads.data.reshape(len(two_leads.data), -1)
    rows = np.c_[flat, np.full((len(flat), 3), 99.0)]
    display = BeatsDisplay.from_beats(
        rows, two_leads.target, **OPTIONS, n_leads=2, n_aux_features=3
    )
    np.testing.assert_array_equal(display.beats, two_leads.data)


def test_single_beat(wave):
    display = BeatsDisplay.from_beats(wave[np.newaxis], [True], fs=FS)
    np.testing.assert_allclose(display.lines_[0].get_ydata(), wave)
    assert titles(display) == ["True (n = 1)"]


def test_flat_beat_without_unit():
    display = BeatsDisplay.from_beats(np.zeros((3, 50)), [1, 1, 2], fs=FS, unit="")
    display.figure_.canvas.draw()
    assert display.ax_.get_ylabel() == "mean ± SD"


def test_given_colors(simulated):
    display = BeatsDisplay.from_beats(
        simulated.data, simulated.target, **OPTIONS, colors={"A": "#123456"}
    )
    assert display.lines_[0].get_color() == "#123456"


# --- examples ---------------------------------------------------------------------------


def test_examples_are_beats_of_their_class(simulated):
    display = BeatsDisplay.from_beats(
        simulated.data, simulated.target, **OPTIONS, kind="examples", n_examples=3
    )
    assert len(display.lines_) == 15
    of_a = simulated.data[simulated.target == "A"]
    centered = of_a - np.median(of_a, axis=1, keepdims=True)
    for line in display.lines_[:3]:
        drawn = line.get_ydata()
        differences = np.ptp(centered - drawn, axis=1)  # moved up or down
        assert differences.min() < 1e-9


@pytest.mark.parametrize("classes", ["V", None])
def test_examples_do_not_touch(simulated, classes):
    display = BeatsDisplay.from_beats(
        simulated.data, simulated.target, **OPTIONS, kind="examples", classes=classes
    )
    waves = np.array([line.get_ydata() for line in display.lines_]).reshape(-1, 4, 50)
    assert (np.diff(waves, axis=1) < 0).all()


def test_examples_are_determined_by_random_state(simulated):
    def drawn(seed):
        display = BeatsDisplay.from_beats(
            simulated.data, simulated.target, **OPTIONS, kind="examples", random_state=seed
        )
        return np.array([line.get_ydata() for line in display.lines_])

    np.testing.assert_array_equal(drawn(0), drawn(0))
    assert not np.array_equal(drawn(0), drawn(1))


def test_fewer_beats_than_examples(wave):
    X = np.tile(wave, (3, 1))
    display = BeatsDisplay.from_beats(X, ["N", "N", "V"], fs=FS, kind="examples", n_examples=9)
    assert len(display.lines_) == 3


def test_examples_have_a_scale_bar(simulated):
    display = BeatsDisplay.from_beats(simulated.data, simulated.target, **OPTIONS, kind="examples")
    assert "1 mV" in [text.get_text() for text in display.ax_.texts]


# --- predicted labels --------------------------------------------------------------


def test_from_estimator_draws_predicted_classes(net, simulated):
    display = BeatsDisplay.from_estimator(net, simulated.data, **OPTIONS)
    np.testing.assert_array_equal(display.labels, net.predict(simulated.data))


def test_from_estimator_with_labels_separates_errors(net, simulated):
    display = BeatsDisplay.from_estimator(net, simulated.data, simulated.target, **OPTIONS)
    predicted = net.predict(simulated.data)
    n_right = sum(np.char.endswith(display.labels, " right"))
    assert n_right == np.sum(predicted == simulated.target)
    wrong = np.flatnonzero(predicted != simulated.target)[0]
    assert display.labels[wrong] == f"{simulated.target[wrong]} as {predicted[wrong]}"


def test_from_predictions(simulated):
    predicted = np.where(simulated.target == "A", "N", simulated.target)
    display = BeatsDisplay.from_predictions(
        simulated.data, simulated.target, predicted, **OPTIONS, classes="AN"
    )
    n_of = {label: np.sum(simulated.target == label) for label in "AN"}
    assert titles(display) == [f"N right (n = {n_of['N']})", f"A as N (n = {n_of['A']})"]


def test_unfitted_estimator_raises(simulated):
    with pytest.raises(NotFittedError):
        BeatsDisplay.from_estimator(ECGCNNClassifier(), simulated.data, **OPTIONS)


def test_estimator_of_scikit_learn(simulated):
    model = LogisticRegression(max_iter=500).fit(simulated.data, simulated.target)
    assert BeatsDisplay.from_estimator(model, simulated.data, **OPTIONS).axes_.shape == (5, 1)


# --- axes ------------------------------------------------------------------


def test_given_axes(simulated):
    figure, ax = plt.subplots()
    display = BeatsDisplay.from_beats(
        simulated.data, simulated.target, **OPTIONS, classes="V", ax=ax
    )
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]


def test_single_axes_is_divided(simulated):
    figure, ax = plt.subplots()
    display = BeatsDisplay.from_beats(simulated.data, simulated.target, **OPTIONS, ax=ax)
    assert not ax.axison
    assert all(panel.figure is figure for panel in display.axes_.flat)


def test_array_of_axes(simulated):
    _, axes = plt.subplots(1, 5)
    display = BeatsDisplay.from_beats(simulated.data, simulated.target, **OPTIONS, ax=axes)
    assert list(display.axes_[:, 0]) == list(axes)


def test_plot_returns_the_display(simulated):
    display = BeatsDisplay.from_beats(simulated.data, simulated.target, **OPTIONS)
    first = display.figure_
    assert display.plot(kind="examples") is display
    assert display.figure_ is not first


@pytest.mark.parametrize("kind", ["mean", "examples"])
@pytest.mark.parametrize("width", [3.3, 8.0])
def test_texts_do_not_overlap(two_leads, narrow, overlapping, kind, width):
    display = BeatsDisplay.from_beats(
        two_leads.data,
        two_leads.target,
        **OPTIONS,
        lead_names=two_leads.lead_names,
        ax=narrow(height=8.0, width=width),
        kind=kind,
    )
    assert overlapping(display.figure_) == []


@pytest.mark.parametrize("spread", ["std", "percentiles"])
def test_texts_of_two_leads_do_not_overlap(two_leads, overlapping, spread):
    display = BeatsDisplay.from_beats(
        two_leads.data, two_leads.target, **OPTIONS, lead_names=["MLII", "V1"], spread=spread
    )
    assert overlapping(display.figure_) == []


@pytest.mark.parametrize("overlay", [False, True])
def test_texts_of_a_new_figure_do_not_overlap(simulated, overlapping, overlay):
    display = BeatsDisplay.from_beats(simulated.data, simulated.target, **OPTIONS, overlay=overlay)
    assert overlapping(display.figure_) == []


# --- invalid input ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "median"}, "kind must be one of .*got 'median'"),
        ({"spread": "sem"}, "spread must be one of .*got 'sem'"),
        ({"overlay": True, "kind": "examples"}, "kind must be 'mean' with overlay=True"),
        ({"n_examples": 0}, "n_examples must be a positive integer, got 0"),
        ({"n_examples": 2.5}, "n_examples must be a positive integer, got 2.5"),
        ({"classes": "NX"}, "some of .*, got 'NX'"),
        ({"lead_names": ["MLII", "V1"]}, "one name for each of 1 leads"),
        ({"before": 9}, "before must be at most 0.5 s"),
        ({"fs": 0}, "fs must be greater than 0"),
    ],
)
def test_invalid_parameters_make_no_figure(simulated, options, message):
    with pytest.raises(ValueError, match=message):
        BeatsDisplay.from_beats(simulated.data, simulated.target, **(OPTIONS | options))
    assert plt.get_fignums() == []


def test_too_few_labels_make_no_figure(simulated):
    with pytest.raises(ValueError, match="y needs one label for each of the 120 beats"):
        BeatsDisplay.from_beats(simulated.data, simulated.target[:5], **OPTIONS)
    assert plt.get_fignums() == []


def test_input_is_not_modified(simulated):
    X = simulated.data.copy()
    BeatsDisplay.from_beats(X, simulated.target, **OPTIONS, kind="examples")
    np.testing.assert_array_equal(X, simulated.data)


# --- panels of errors -----------------------------------------------------------------


TRUE = np.array(["N", "N", "V", "V", "V", "F"])
PREDICTED = np.array(["N", "V", "V", "N", "N", "N"])


def test_panels_of_right_beats_precede_frequent_errors():
    names, order, colors = _label_confusions(TRUE, PREDICTED, None, 12)
    assert names.tolist() == ["N right", "N as V", "V right", "V as N", "V as N", "F as N"]
    assert order == ["N right", "V right", "V as N", "F as N", "N as V"]
    assert [colors[name] for name in order] == [BLUE] * 2 + [VERMILLION] * 3


def test_true_classes_keep_the_given_order():
    _, order, _ = _label_confusions(TRUE, PREDICTED, "VF", 12)
    assert order == ["V right", "V as N", "F as N"]


def test_max_panels_leaves_out_the_rarest_errors():
    _, order, _ = _label_confusions(TRUE, PREDICTED, None, 3)
    assert order == ["N right", "V right", "V as N"]


def test_panels_of_numeric_labels():
    names, _, _ = _label_confusions([0, 1], [1, 1], None, 12)
    assert names.tolist() == ["0 as 1", "1 right"]


@pytest.mark.parametrize(
    ("predicted", "max_panels", "message"),
    [
        (PREDICTED[:3], 12, "y_pred needs one label for each of the 6 beats"),
        (PREDICTED, 0, "max_panels must be a positive integer, got 0"),
        (PREDICTED, 1.5, "max_panels must be a positive integer, got 1.5"),
    ],
)
def test_invalid_predictions_raise(predicted, max_panels, message):
    with pytest.raises(ValueError, match=message):
        _label_confusions(TRUE, predicted, None, max_panels)


# --- on real data -----------------------------------------------------------------------


def test_real_beats(real_data, overlapping):
    records = load_mitdb(real_data / "mitdb", ["208"], verify=False)
    beats = extract_beats(records.recordings, records.annotations, 360, symbols="NVF")
    display = BeatsDisplay.from_beats(beats.data, beats.target, fs=360, before=0.3)
    assert titles(display) == ["F (n = 373)", "N (n = 1586)", "V (n = 992)"]
    # the R peak is where the mean normal beat is highest
    assert abs(display.lines_[1].get_xdata()[display.lines_[1].get_ydata().argmax()]) < 0.02
    assert overlapping(display.figure_) == []


@pytest.fixture
def kaggle_beats():
    data = np.random.default_rng(0).random((10, 187))
    data[:, 0], data[:, -1] = 1, 0
    names = ["N", "S", "V", "F", "Q"]
    return Bunch(data=data, target=np.arange(10) % 5, fs=120.0, unit="", target_names=names)


def test_beats_of_a_bunch_have_names_and_no_unit(kaggle_beats):
    display = BeatsDisplay.from_beats(kaggle_beats)
    assert titles(display) == [f"{name} (n = 2)" for name in "NSVFQ"]
    assert (display.fs, display.unit) == (120.0, "")
    assert "mV" not in display.ax_.get_ylabel()
    assert kaggle_beats.target.dtype == np.int64


@pytest.mark.parametrize("names", [["N", "S", "V", "F", "Q"], dict(enumerate("NSVFQ"))])
def test_class_names_of_arrays(kaggle_beats, names):
    X, y = kaggle_beats.data, kaggle_beats.target
    display = BeatsDisplay.from_beats(
        X, y, fs=120, class_names=names, classes=[4, 0], colors={4: "red"}
    )
    assert titles(display) == ["Q (n = 2)", "N (n = 2)"]
    assert display.lines_[0].get_color() == "red"
    display = BeatsDisplay.from_predictions(X, y, np.full(10, 2), fs=120, class_names=names)
    assert titles(display)[0] == "V right (n = 2)"
    assert "Q as V (n = 2)" in titles(display)
    with pytest.raises(ValueError, match=r"class_names must name every label, .* without 4\."):
        BeatsDisplay.from_beats(X, y, fs=120, class_names=["N", "S", "V", "F"])


@pytest.mark.parametrize(("scale", "unit"), [(1, ""), (2, "mV"), (-1, "mV")])
def test_unit_of_scaled_beats(kaggle_beats, scale, unit):
    display = BeatsDisplay.from_beats(scale * kaggle_beats.data, kaggle_beats.target, fs=120)
    assert display.unit == unit
    display = BeatsDisplay.from_beats(kaggle_beats.data, kaggle_beats.target, fs=120, unit="V")
    assert display.unit == "V"
