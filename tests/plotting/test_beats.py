import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from ecgbeat import ECGCNNClassifier
from ecgbeat.annotation import extract_beats
from ecgbeat.datasets import load_mitdb
from ecgbeat.plotting import BeatsDisplay

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


def test_percentiles(simulated):
    data, target = simulated.data, simulated.target
    display = BeatsDisplay.from_beats(data, target, **OPTIONS, spread="percentiles", classes="V")
    edges = display.bands_[0].get_paths()[0].get_extents()
    low, high = np.percentile(data[target == "V"], [5, 95], axis=0)
    assert (edges.y0, edges.y1) == (pytest.approx(low.min()), pytest.approx(high.max()))


def test_no_spread(simulated):
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


def test_panels_are_named_and_have_units(simulated):
    display = BeatsDisplay.from_beats(simulated.data, simulated.target, **OPTIONS)
    counts = [np.sum(simulated.target == label) for label in simulated.target_names]
    expected = [f"{c} (n = {n})" for c, n in zip(simulated.target_names, counts, strict=True)]
    assert titles(display) == expected
    assert display.ax_.get_ylabel() == "mean ± SD (mV)"


def test_all_panels_show_one_range(simulated):
    display = BeatsDisplay.from_beats(simulated.data, simulated.target, **OPTIONS)
    assert len({ax.get_ylim() for ax in display.axes_.flat}) == 1


def test_classes_in_one_panel(simulated):
    display = BeatsDisplay.from_beats(simulated.data, simulated.target, **OPTIONS, overlay=True)
    assert display.axes_.shape == (1, 1)
    dashes = {str(line._unscaled_dash_pattern) for line in display.lines_}
    assert len(dashes) == 5
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert [text[0] for text in texts] == simulated.target_names


def test_leads_are_rows(two_leads):
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


def test_one_class_of_one_beat(wave):
    display = BeatsDisplay.from_beats(wave[np.newaxis], [True], fs=FS)
    np.testing.assert_allclose(display.lines_[0].get_ydata(), wave)
    assert titles(display) == ["True (n = 1)"]


def test_a_flat_beat_of_another_unit():
    display = BeatsDisplay.from_beats(np.zeros((3, 50)), [1, 1, 2], fs=FS, unit="")
    display.figure_.canvas.draw()
    assert display.ax_.get_ylabel() == "mean ± SD"


def test_colours_of_ones_own(simulated):
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
    centred = of_a - np.median(of_a, axis=1, keepdims=True)
    for line in display.lines_[:3]:
        drawn = line.get_ydata()
        differences = np.ptp(centred - drawn, axis=1)  # moved up or down
        assert differences.min() < 1e-9


def test_examples_do_not_touch_each_other(simulated):
    display = BeatsDisplay.from_beats(
        simulated.data, simulated.target, **OPTIONS, kind="examples", classes="V"
    )
    upper, lower = display.lines_[0].get_ydata(), display.lines_[1].get_ydata()
    assert (upper > lower).all()


def test_examples_are_those_of_the_seed(simulated):
    def drawn(seed):
        display = BeatsDisplay.from_beats(
            simulated.data, simulated.target, **OPTIONS, kind="examples", random_state=seed
        )
        return np.array([line.get_ydata() for line in display.lines_])

    np.testing.assert_array_equal(drawn(0), drawn(0))
    assert not np.array_equal(drawn(0), drawn(1))


def test_no_more_examples_than_there_are(wave):
    X = np.tile(wave, (3, 1))
    display = BeatsDisplay.from_beats(X, ["N", "N", "V"], fs=FS, kind="examples", n_examples=9)
    assert len(display.lines_) == 3


def test_examples_show_their_scale(simulated):
    display = BeatsDisplay.from_beats(simulated.data, simulated.target, **OPTIONS, kind="examples")
    assert "1 mV" in [text.get_text() for text in display.ax_.texts]


# --- by what was predicted --------------------------------------------------------------


def test_by_predicted_class(net, simulated):
    display = BeatsDisplay.from_estimator(net, simulated.data, **OPTIONS)
    np.testing.assert_array_equal(display.labels, net.predict(simulated.data))


def test_right_and_wrong_apart(net, simulated):
    display = BeatsDisplay.from_estimator(net, simulated.data, simulated.target, **OPTIONS)
    predicted = net.predict(simulated.data)
    n_right = sum(np.char.endswith(display.labels, " right"))
    assert n_right == np.sum(predicted == simulated.target)
    wrong = np.flatnonzero(predicted != simulated.target)[0]
    assert display.labels[wrong] == f"{simulated.target[wrong]} as {predicted[wrong]}"


def test_predictions_need_not_be_of_an_estimator(simulated):
    predicted = np.where(simulated.target == "A", "N", simulated.target)
    display = BeatsDisplay.from_predictions(
        simulated.data, simulated.target, predicted, **OPTIONS, classes="AN"
    )
    n_of = {label: np.sum(simulated.target == label) for label in "AN"}
    assert titles(display) == [f"N right (n = {n_of['N']})", f"A as N (n = {n_of['A']})"]


def test_an_estimator_that_is_not_fitted(simulated):
    with pytest.raises(NotFittedError):
        BeatsDisplay.from_estimator(ECGCNNClassifier(), simulated.data, **OPTIONS)


def test_any_estimator(simulated):
    model = LogisticRegression(max_iter=500).fit(simulated.data, simulated.target)
    assert BeatsDisplay.from_estimator(model, simulated.data, **OPTIONS).axes_.shape == (5, 1)


# --- where it is drawn ------------------------------------------------------------------


def test_an_axes_of_ones_own(simulated):
    figure, ax = plt.subplots()
    display = BeatsDisplay.from_beats(
        simulated.data, simulated.target, **OPTIONS, classes="V", ax=ax
    )
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]


def test_an_axes_is_divided_among_classes(simulated):
    figure, ax = plt.subplots()
    display = BeatsDisplay.from_beats(simulated.data, simulated.target, **OPTIONS, ax=ax)
    assert not ax.axison
    assert all(panel.figure is figure for panel in display.axes_.flat)


def test_axes_for_all_classes(simulated):
    _, axes = plt.subplots(1, 5)
    display = BeatsDisplay.from_beats(simulated.data, simulated.target, **OPTIONS, ax=axes)
    assert list(display.axes_[:, 0]) == list(axes)


def test_plot_again_returns_itself(simulated):
    display = BeatsDisplay.from_beats(simulated.data, simulated.target, **OPTIONS)
    first = display.figure_
    assert display.plot(kind="examples") is display
    assert display.figure_ is not first


@pytest.mark.parametrize("kind", ["mean", "examples"])
@pytest.mark.parametrize("width", [3.3, 8.0])
def test_no_texts_touch(two_leads, narrow, overlapping, kind, width):
    display = BeatsDisplay.from_beats(
        two_leads.data,
        two_leads.target,
        **OPTIONS,
        lead_names=two_leads.lead_names,
        ax=narrow(height=8.0, width=width),
        kind=kind,
    )
    assert overlapping(display.figure_) == []


@pytest.mark.parametrize("overlay", [False, True])
def test_no_texts_touch_in_a_new_figure(simulated, overlapping, overlay):
    display = BeatsDisplay.from_beats(simulated.data, simulated.target, **OPTIONS, overlay=overlay)
    assert overlapping(display.figure_) == []


# --- what cannot be ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "median"}, "kind must be one of .*got 'median'"),
        ({"spread": "sem"}, "spread must be one of .*got 'sem'"),
        ({"overlay": True, "kind": "examples"}, "overlay=True is for kind='mean'"),
        ({"n_examples": 0}, "n_examples must be a whole number from 1, got 0"),
        ({"n_examples": 2.5}, "n_examples must be a whole number from 1, got 2.5"),
        ({"classes": "NX"}, r"there is no beat of \['X'\]"),
        ({"lead_names": ["MLII", "V1"]}, "must name 1 leads"),
        ({"before": 9}, "lies behind the end"),
        ({"fs": 0}, "fs must be greater than 0"),
    ],
)
def test_wrong_parameters_draw_nothing(simulated, options, message):
    with pytest.raises(ValueError, match=message):
        BeatsDisplay.from_beats(simulated.data, simulated.target, **(OPTIONS | options))
    assert plt.get_fignums() == []


def test_labels_that_are_too_few_draw_nothing(simulated):
    with pytest.raises(ValueError, match="y needs one label for each of the 120 beats"):
        BeatsDisplay.from_beats(simulated.data, simulated.target[:5], **OPTIONS)
    assert plt.get_fignums() == []


def test_the_caller_s_beats_are_not_changed(simulated):
    X = simulated.data.copy()
    BeatsDisplay.from_beats(X, simulated.target, **OPTIONS, kind="examples")
    np.testing.assert_array_equal(X, simulated.data)


# --- on real data -----------------------------------------------------------------------


def test_beats_of_a_real_patient(real_data, overlapping):
    records = load_mitdb(real_data / "mitdb", ["208"], verify=False)
    beats = extract_beats(records.recordings, records.annotations, 360, symbols="NVF")
    display = BeatsDisplay.from_beats(beats.data, beats.target, fs=360, before=0.3)
    assert titles(display) == ["F (n = 373)", "N (n = 1586)", "V (n = 992)"]
    # the R peak is where the mean normal beat is highest
    assert abs(display.lines_[1].get_xdata()[display.lines_[1].get_ydata().argmax()]) < 0.02
    assert overlapping(display.figure_) == []
