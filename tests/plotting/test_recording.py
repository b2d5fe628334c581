import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from ecgbeat import BeatAnnotator, ZScoreScaler
from ecgbeat.datasets import load_mitdb
from ecgbeat.labels import Annotation
from ecgbeat.metrics import annotation_f1_score
from ecgbeat.plotting import RecordingDisplay
from ecgbeat.plotting._recording import _cut_strips, _select_leads
from ecgbeat.signal import detect_r_peaks

FS = 250
LEADS = np.arange(40.0).reshape(2, 20)
NAMES = ["MLII", "V1"]


def texts(display):
    return [text.get_text() for text in display.texts_]


@pytest.fixture
def erroneous(patient):
    """Beats of the patient with one missed, one of a wrong class and one false alarm."""
    sample, symbol = patient.r_peaks.copy(), patient.symbols.copy()
    symbol[4] = "F"
    middle = (sample[6] + sample[7]) // 2
    sample = np.sort(np.append(np.delete(sample, 2), middle))
    symbol = np.insert(np.delete(symbol, 2), np.searchsorted(sample, middle), "V")
    return sample, symbol


def draw(patient, predicted, reference=None, **options):
    return RecordingDisplay.from_predictions(
        patient.signal, predicted, reference, fs=FS, **({"lead": 0} | options)
    )


@pytest.fixture(scope="module")
def annotator(patient):
    classifier = make_pipeline(ZScoreScaler(), LogisticRegression(max_iter=500))
    model = BeatAnnotator(classifier, fs=FS)
    return model.fit([patient.signal], [patient.annotation])


# --- traces, peaks and labels --------------------------------------------------------------------


def test_signal_is_cut_into_strips(patient):
    display = draw(patient, patient.annotation, start=5, stop=28, strip=10)
    assert len(display.lines_) == 3
    for line, first in zip(display.lines_, [1250, 3750, 6250], strict=True):
        x, y = line.get_data()
        np.testing.assert_allclose(x, np.arange(len(x)) / FS)
        np.testing.assert_allclose(np.diff(y), np.diff(patient.signal[0, first : first + len(y)]))
    assert len(display.lines_[2].get_xdata()) == 750


def test_single_trace_keeps_time_and_amplitude(patient):
    display = draw(patient, patient.annotation, start=5, stop=12)
    x, y = display.lines_[0].get_data()
    assert x[0] == 5
    np.testing.assert_allclose(y, patient.signal[0, 1250:3000])
    assert display.ax_.get_ylabel() == "lead 0 (mV)"
    assert display.ax_.get_xlabel() == "Time (s)"


def test_leads_are_named_below_each_other(patient):
    display = draw(
        patient, patient.annotation, lead=None, lead_names=["MLII", "V1"], stop=20, strip=10
    )
    assert len(display.lines_) == 4
    names = [text.get_text() for text in display.ax_.texts]
    assert names[:4] == ["MLII\n0 s", "V1", "MLII\n10 s", "V1"]
    assert "1 mV" in names


def test_labels_and_r_peaks_are_those_of_the_stretch(patient):
    display = draw(patient, patient.annotation, start=10, stop=20)
    shown = (patient.r_peaks >= 2500) & (patient.r_peaks < 5000)
    assert texts(display) == patient.symbols[shown].tolist()
    peaks = np.sort(np.concatenate([line.get_xdata() for line in display.markers_]))
    np.testing.assert_allclose(peaks, patient.r_peaks[shown] / FS)
    assert display.counts_ == {}
    assert display.errors_ == []


def test_markers_sit_on_the_r_peaks(patient):
    display = draw(patient, patient.annotation, lead=None, stop=20, strip=10)
    for line in display.markers_:
        for x, y in zip(*line.get_data(), strict=True):
            traces = [np.column_stack(trace.get_data()) for trace in display.lines_]
            assert min(np.abs(trace - [x, y]).sum(axis=1).min() for trace in traces) < 1e-9


def test_classes_differ_by_marker_and_color(patient):
    display = draw(patient, patient.annotation, stop=60)
    looks = {(line.get_marker(), line.get_color()) for line in display.markers_}
    assert len(looks) == len(set(patient.symbols)) == len({marker for marker, _ in looks})


@pytest.mark.parametrize("strip", [5, 10])
def test_r_peaks_without_labels(patient, strip):
    display = draw(patient, patient.r_peaks, stop=10, strip=strip)
    assert texts(display) == []
    assert sum(len(line.get_xdata()) for line in display.markers_) == np.sum(patient.r_peaks < 2500)


def test_gaps_are_not_bridged(patient):
    signal = patient.signal[0].copy()
    signal[1000:2000] = np.nan
    display = RecordingDisplay.from_predictions(signal, patient.annotation, fs=FS, stop=20)
    assert np.isnan(display.lines_[0].get_ydata()).sum() == 1000
    display.figure_.canvas.draw()


# --- errors -----------------------------------------------------------------------------


def test_errors_are_counted_and_boxed(patient, erroneous):
    display = draw(patient, erroneous, patient.annotation, stop=20)
    assert display.counts_ == {"wrong class": 1, "missed": 1, "false alarm": 1}
    middles = sorted(box.get_x() + box.get_width() / 2 for box in display.errors_)
    expected = [patient.r_peaks[2], patient.r_peaks[4], patient.r_peaks[6:8].mean()]
    np.testing.assert_allclose(np.array(middles) * FS, expected, atol=1)
    assert len({box.get_linestyle() for box in display.errors_}) == 3


def test_both_labels_of_each_beat_are_written(patient, erroneous):
    display = draw(patient, erroneous, patient.annotation, stop=20)
    rows = {y: [] for y in sorted({text.get_position()[1] for text in display.texts_})}
    for text in display.texts_:
        rows[text.get_position()[1]].append(text.get_text())
    assert len(rows) == 4  # two in each of two strips
    n_found = np.sum(erroneous[0] < 5000)
    n_true = np.sum(patient.r_peaks < 5000)
    assert texts(display).count("—") == 2
    assert len(texts(display)) == n_found + n_true + 2


def test_only_errors_of_the_stretch_count(patient, erroneous):
    display = draw(patient, erroneous, patient.annotation, start=30, stop=40)
    assert set(display.counts_.values()) == {0}


def test_perfect_annotation_has_no_errors(patient):
    display = draw(patient, patient.annotation, patient.annotation)
    assert set(display.counts_.values()) == {0}


def test_errors_agree_with_annotation_f1_score(patient, erroneous):
    display = draw(patient, erroneous, patient.annotation, stop=60)
    n_pairs = len(patient.r_peaks) - 1
    n_right = n_pairs - display.counts_["wrong class"]
    n_errors = 2 * display.counts_["wrong class"]
    n_errors += display.counts_["missed"] + display.counts_["false alarm"]
    score = annotation_f1_score([patient.annotation], [erroneous], FS, average="micro")
    assert score == pytest.approx(2 * n_right / (2 * n_right + n_errors))


def test_left_out_beats_are_no_errors(patient):
    reference = (patient.r_peaks[1:], patient.symbols[1:])
    options = {"stop": 20}
    assert draw(patient, patient.annotation, reference, **options).counts_["false alarm"] == 1
    display = draw(patient, patient.annotation, reference, left_out=patient.r_peaks[:1], **options)
    assert display.counts_["false alarm"] == 0
    assert "•" in texts(display)


def test_detected_r_peaks_against_labeled_reference(patient):
    found = detect_r_peaks(patient.signal[0], FS)
    display = draw(patient, found, patient.annotation, stop=60)
    assert display.counts_["wrong class"] == 0
    assert len(display.markers_) >= 2  # by the classes of the reference


def test_tolerance(patient):
    shifted = patient.r_peaks + 10
    options = {"stop": 20}
    assert draw(patient, shifted, patient.r_peaks, **options).counts_["missed"] == 0
    display = draw(patient, shifted, patient.r_peaks, tolerance=0.02, **options)
    assert display.counts_["missed"] == np.sum(patient.r_peaks < 5000)


def test_rhythm_annotations_are_no_missed_beats(patient):
    sample, symbol = np.r_[5, patient.r_peaks], np.r_[["+"], patient.symbols]
    display = draw(patient, patient.annotation, Annotation(sample, symbol))
    assert display.counts_["missed"] == 0


# --- labels of any type -----------------------------------------------------------------


def test_long_labels_are_drawn_as_markers(patient, narrow):
    label = np.where(patient.symbols == "N", "normal sinus rhythm", "ventricular")
    display = draw(patient, (patient.r_peaks, label), stop=20, ax=narrow())
    assert texts(display) == []
    names = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert names == ["normal sinus rhythm", "ventricular"]


@pytest.mark.parametrize("labels", [[0, 1], [True, False], [2.5, 7.0]])
def test_labels_that_are_not_strings(patient, labels):
    label = np.where(patient.symbols == "N", *labels)
    display = draw(patient, (patient.r_peaks, label), (patient.r_peaks, label), stop=10)
    assert display.counts_["wrong class"] == 0
    assert set(texts(display)) <= {str(value) for value in np.array(labels).tolist()}


def test_class_has_the_same_style_in_all_stretches(patient):
    label = np.where(np.arange(len(patient.r_peaks)) < 20, "early", "late")
    predicted = (patient.r_peaks, label)
    late = draw(patient, predicted, start=40, stop=50).markers_[0]
    both = draw(patient, predicted, stop=60).markers_[1]
    assert (late.get_marker(), late.get_color()) == (both.get_marker(), both.get_color())


def test_given_colors(patient):
    display = draw(patient, patient.annotation, colors={"N": "#123456"})
    assert display.markers_[0].get_color() == "#123456"


# --- from_estimator ------------------------------------------------------------------


def test_from_estimator_draws_predictions_of_the_annotator(annotator, patient):
    display = RecordingDisplay.from_estimator(annotator, patient.signal, stop=20)
    beats = annotator.predict([patient.signal])[0]
    np.testing.assert_array_equal(display.predicted.sample, beats.sample)
    np.testing.assert_array_equal(display.predicted.label, beats.symbol)
    assert len(display.recording) == 1  # the annotator's lead


def test_from_estimator_with_reference(annotator, patient):
    display = RecordingDisplay.from_estimator(
        annotator, patient.signal, patient.annotation, stop=60, lead=None
    )
    assert sum(display.counts_.values()) <= 2


def test_symbols_outside_of_the_mapping_are_left_out(patient):
    classifier = make_pipeline(ZScoreScaler(), LogisticRegression(max_iter=500))
    mapping = {"N": "normal", "L": "normal"}
    model = BeatAnnotator(classifier, fs=FS, mapping=mapping)
    signal = [patient.signal[0]]
    symbol = np.where(np.arange(len(patient.symbols)) % 2, "L", patient.symbols)
    mapping["L"] = "left"
    model.fit(signal, [Annotation(patient.r_peaks, symbol)])
    display = RecordingDisplay.from_estimator(model, signal[0], patient.annotation, stop=60)
    assert display.counts_["missed"] == display.counts_["false alarm"] == 0
    assert display.left_out.tolist() == patient.r_peaks[patient.symbols == "V"].tolist()


class SilentAnnotator(BaseEstimator):
    """Fitted annotator that predicts no beats."""

    fs = FS

    def __init__(self, mapping=None, symbols=None):
        self.mapping = mapping
        self.symbols = symbols

    def fit(self, X, y):  # noqa: ARG002 - the signature of scikit-learn
        return self

    def __sklearn_is_fitted__(self):
        return True

    def predict(self, X):
        return [Annotation(np.empty(0, int), np.empty(0, str)) for _ in X]


@pytest.mark.parametrize(
    ("mapping", "symbols", "labels", "left_out"),
    [
        (None, None, ["N", "L", "V"], []),
        ("literature", None, ["N", "N", "V"], []),
        (None, "NV", ["N", "V"], [20]),
        ("literature", ["V"], ["V"], [10, 20]),
        ({"N": "normal", "L": "normal"}, None, ["normal", "normal"], [30]),
        ({"V": "V", "!": "flutter"}, None, ["V", "flutter"], [10, 20]),
    ],
)
def test_reference_gets_the_classes_of_the_annotator(mapping, symbols, labels, left_out):
    reference = Annotation(np.array([1, 10, 20, 30, 40]), np.array(["+", "N", "L", "V", "!"]))
    annotator = SilentAnnotator(mapping, symbols)
    display = RecordingDisplay.from_estimator(annotator, np.zeros(500), reference)
    assert display.reference.label.tolist() == labels
    assert display.left_out.tolist() == left_out


def test_transposed_recording_of_an_annotator_raises():
    with pytest.raises(ValueError, match=r"A recording must be of shape .* Pass recording.T"):
        RecordingDisplay.from_estimator(SilentAnnotator(), np.zeros((3600, 2)))


def test_from_estimator_with_grid_search(patient):
    classifier = make_pipeline(ZScoreScaler(), LogisticRegression(max_iter=500))
    search = GridSearchCV(BeatAnnotator(classifier, fs=FS), {"lead": [0, 1]}, cv=2)
    search.fit([patient.signal] * 2, [patient.annotation] * 2)
    display = RecordingDisplay.from_estimator(search, patient.signal, stop=10)
    assert len(display.predicted.sample) > 50


def test_unfitted_annotator_raises(patient):
    with pytest.raises(NotFittedError):
        RecordingDisplay.from_estimator(BeatAnnotator(LogisticRegression()), patient.signal)


def test_other_estimators_raise(patient):
    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(
        TypeError, match="annotator must be a BeatAnnotator, got LogisticRegression"
    ):
        RecordingDisplay.from_estimator(model, patient.signal)


# --- axes ------------------------------------------------------------------


def test_given_axes(patient):
    figure, (ax, other) = plt.subplots(2, 1)
    display = draw(patient, patient.annotation, ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert not other.lines
    assert plt.get_fignums() == [figure.number]


def test_plot_another_stretch(patient):
    display = draw(patient, patient.annotation, stop=10)
    assert display.plot(start=20, stop=40) is display
    assert len(display.lines_) == 2


@pytest.mark.parametrize("width", [3.3, 10.0])
@pytest.mark.parametrize("layout", [None, "constrained"])
def test_texts_do_not_overlap(patient, erroneous, narrow, overlapping, width, layout):
    ax = narrow(height=6, width=width, layout=layout)
    if layout is None:
        ax.set_position((0.25, 0.1, 0.7, 0.85))
    display = draw(patient, erroneous, patient.annotation, lead=None, stop=20, ax=ax)
    assert overlapping(display.figure_, at_most=2.0) == []


def test_texts_of_a_new_figure_do_not_overlap(patient, erroneous, overlapping):
    for options in ({"stop": 8}, {"stop": 40}, {"stop": 40, "strip": None}):
        display = draw(patient, erroneous, patient.annotation, **options)
        assert overlapping(display.figure_, at_most=2.0) == []


# --- invalid input ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": 61}, "start must lie within the recording of 60 s, got 61"),
        ({"lead": 3}, "There is no lead 3 in a recording of 2 leads"),
        ({"fs": -1}, "fs must be greater than 0"),
        ({"tolerance": -1}, "tolerance must be 0 or greater"),
        ({"left_out": [10**9]}, "left_out must lie within the recording of 15000 samples"),
        ({"lead_names": ["MLII"]}, "one name for each of 2 leads"),
    ],
)
def test_invalid_parameters_make_no_figure(patient, options, message):
    options = {"fs": FS, "lead": 0} | options
    with pytest.raises(ValueError, match=message):
        RecordingDisplay.from_predictions(patient.signal, patient.annotation, **options)
    assert plt.get_fignums() == []


def test_several_axes_raise(patient):
    _, axes = plt.subplots(2)
    with pytest.raises(ValueError, match="draws 1 panels, got 2 axes"):
        draw(patient, patient.annotation, ax=axes)


# --- leads and strips ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("lead", "rows"),
    [
        (None, [0, 1]),
        (1, [1]),
        (-1, [1]),
        ("V1", [1]),
        (np.int64(0), [0]),
        (["V1", 0], [1, 0]),
    ],
)
def test_leads_by_number_or_name(lead, rows):
    leads, names = _select_leads(LEADS, lead, NAMES)
    np.testing.assert_array_equal(leads, LEADS[rows])
    assert names == [NAMES[row] for row in rows]


def test_recording_of_one_lead():
    leads, names = _select_leads(LEADS[0].tolist(), None, "MLII")
    assert leads.shape == (1, 20)
    assert names == ["MLII"]


def test_gaps_are_kept():
    x = np.array([1.0, np.nan, 3.0])
    assert np.isnan(_select_leads(x, None, None)[0]).sum() == 1


@pytest.mark.parametrize(
    ("recording", "error", "message"),
    [
        (LEADS.T, ValueError, r"shape \(20, 2\), .* Pass recording.T"),
        (np.ones((12, 9)), ValueError, "12 leads of 9 samples. Pass recording.T"),
        (np.ones((2, 2, 20)), ValueError, r"must be of shape \(n_times,\) or \(n_leads, n_times\)"),
        (["a", "b"], TypeError, "A recording must hold real numbers, got dtype <U1"),
        (
            [1.0, np.inf, np.nan],
            ValueError,
            "A recording must be finite or, where samples are missing, NaN",
        ),
    ],
)
def test_invalid_recording_makes_no_figure(recording, error, message):
    with pytest.raises(error, match=message):
        RecordingDisplay.from_predictions(recording, [], fs=FS)
    assert plt.get_fignums() == []


def test_empty_recording_makes_no_figure():
    with pytest.raises(ValueError, match="start must lie within the recording of 0 s"):
        RecordingDisplay.from_predictions([], [], fs=FS)
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    ("predicted", "error", "message"),
    [
        (
            ([10.0], ["N"]),
            TypeError,
            "must hold sample numbers, that is integers, got dtype float64",
        ),
        ([10.5, 20.5], TypeError, "must hold sample numbers, that is integers, got dtype float64"),
        (([10], ["N", "V"]), ValueError, "must have one symbol for each sample number"),
        ([15000], ValueError, "must lie within the recording of 15000 samples"),
    ],
)
@pytest.mark.parametrize("side", ["predicted", "reference"])
def test_invalid_beats_make_no_figure(patient, predicted, error, message, side):
    beats = {"predicted": patient.r_peaks} | {side: predicted}
    with pytest.raises(error, match=message):
        RecordingDisplay.from_predictions(patient.signal, fs=FS, **beats)
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    ("lead", "message"),
    [
        (2, "There is no lead 2 in a recording of 2 leads"),
        ("V5", r"There is no lead 'V5' .*\['MLII', 'V1'\]"),
        ([], "at least one lead"),
    ],
)
def test_wrong_lead_raises(lead, message):
    with pytest.raises(ValueError, match=message):
        _select_leads(LEADS, lead, NAMES)


def test_last_strip_may_be_shorter():
    strips = _cut_strips(10_000, 100, 10, 35, 10)
    assert strips == [slice(1000, 2000), slice(2000, 3000), slice(3000, 3500)]


def test_single_strip():
    assert _cut_strips(10_000, 100, 0, 50, None) == [slice(0, 5000)]


@pytest.mark.parametrize(
    "draw_cut_recording",
    [
        lambda signal, beats, _: RecordingDisplay.from_predictions(signal, beats, fs=FS),
        lambda signal, beats, _: RecordingDisplay.from_predictions(signal, [5], beats, fs=FS),
        lambda signal, beats, model: RecordingDisplay.from_estimator(model, signal, beats),
    ],
)
def test_error_for_a_cut_recording_names_start_and_stop(patient, annotator, draw_cut_recording):
    message = r"\d+ outside, .* pass the whole recording, with start= and stop="
    with pytest.raises(ValueError, match=message):
        draw_cut_recording(patient.signal[:, :1000], patient.annotation, annotator)


def test_default_stretch_is_one_minute():
    assert _cut_strips(10_000, 100, 30, None, 10)[-1].stop == 9000


def test_stretch_ends_with_the_recording():
    assert _cut_strips(1_234, 100, 0, 60, 10)[-1].stop == 1234


@pytest.mark.parametrize(
    ("start", "stop", "strip", "error", "message"),
    [
        (100, None, 10, ValueError, "start must lie within the recording of 100 s, got 100"),
        (-1, None, 10, ValueError, "start must be 0 or greater"),
        (5, 5, 10, ValueError, "stop must be greater than start=5, got 5"),
        (0, "end", 10, TypeError, "stop must be a number in s"),
        (0, 10, 0, ValueError, "strip must be greater than 0"),
        (0, 0.001, 10, ValueError, "at least 2 samples, got start=0, stop=0.001"),
        (0, 10, 0.001, ValueError, "at least 2 samples, .* strip=0.001 s"),
        (0, 100, 0.5, ValueError, "At most 100 strips can be drawn, got 200"),
    ],
)
def test_invalid_stretch_raises(start, stop, strip, error, message):
    with pytest.raises(error, match=message):
        _cut_strips(10_000, 100, start, stop, strip)


# --- on real data -----------------------------------------------------------------------


@pytest.mark.parametrize("record", ["208", "232"])
def test_real_recording(real_data, record, overlapping):
    records = load_mitdb(real_data / "mitdb", [record], lead=None, verify=False)
    signal, annotation = records.recordings[0], records.annotations[0]
    found = detect_r_peaks(signal[0], 360)
    display = RecordingDisplay.from_predictions(
        signal, found, annotation, fs=360, lead_names=records.lead_names[0], stop=40
    )
    assert sum(display.counts_.values()) <= 2
    assert len(display.texts_) >= 2 * np.sum(found < 40 * 360)
    assert overlapping(display.figure_, at_most=2.0) == []
