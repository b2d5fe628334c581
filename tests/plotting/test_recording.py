import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from ecgbeat import BeatAnnotator, ZScoreScaler
from ecgbeat.datasets import load_mitdb
from ecgbeat.labels import Annotation
from ecgbeat.metrics import annotation_f1_score
from ecgbeat.plotting import RecordingDisplay
from ecgbeat.signal import detect_r_peaks

FS = 250


def texts(display):
    return [text.get_text() for text in display.texts_]


@pytest.fixture
def erroneous(patient):
    """The patient's beats, the third missed, the fifth of another class, and one invented."""
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


# --- what is drawn ----------------------------------------------------------------------


def test_the_signal_in_strips(patient):
    display = draw(patient, patient.annotation, start=5, stop=28, strip=10)
    assert len(display.lines_) == 3
    for line, first in zip(display.lines_, [1250, 3750, 6250], strict=True):
        x, y = line.get_data()
        np.testing.assert_allclose(x, np.arange(len(x)) / FS)
        np.testing.assert_allclose(np.diff(y), np.diff(patient.signal[0, first : first + len(y)]))
    assert len(display.lines_[2].get_xdata()) == 750


def test_a_single_trace_has_its_time_and_amplitude(patient):
    display = draw(patient, patient.annotation, start=5, stop=12)
    x, y = display.lines_[0].get_data()
    assert x[0] == 5
    np.testing.assert_allclose(y, patient.signal[0, 1250:3000])
    assert display.ax_.get_ylabel() == "lead 0 (mV)"
    assert display.ax_.get_xlabel() == "Time (s)"


def test_all_leads_below_each_other(patient):
    display = draw(
        patient, patient.annotation, lead=None, lead_names=["MLII", "V1"], stop=20, strip=10
    )
    assert len(display.lines_) == 4
    names = [text.get_text() for text in display.ax_.texts]
    assert names[:4] == ["MLII\n0 s", "V1", "MLII\n10 s", "V1"]
    assert "1 mV" in names


def test_labels_and_r_peaks_of_the_stretch(patient):
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


def test_classes_differ_by_marker_and_colour(patient):
    display = draw(patient, patient.annotation, stop=60)
    looks = {(line.get_marker(), line.get_color()) for line in display.markers_}
    assert len(looks) == len(set(patient.symbols)) == len({marker for marker, _ in looks})


@pytest.mark.parametrize("strip", [5, 10])
def test_r_peaks_without_labels(patient, strip):
    display = draw(patient, patient.r_peaks, stop=10, strip=strip)
    assert texts(display) == []
    assert sum(len(line.get_xdata()) for line in display.markers_) == np.sum(patient.r_peaks < 2500)


def test_gaps_stay_gaps(patient):
    signal = patient.signal[0].copy()
    signal[1000:2000] = np.nan
    display = RecordingDisplay.from_predictions(signal, patient.annotation, fs=FS, stop=20)
    assert np.isnan(display.lines_[0].get_ydata()).sum() == 1000
    display.figure_.canvas.draw()


# --- errors -----------------------------------------------------------------------------


def test_errors_are_counted_and_marked(patient, erroneous):
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


def test_a_perfect_annotation_has_no_errors(patient):
    display = draw(patient, patient.annotation, patient.annotation)
    assert set(display.counts_.values()) == {0}


def test_the_errors_are_those_of_the_score(patient, erroneous):
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


def test_a_detector_against_labels(patient):
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


def test_rhythm_marks_are_no_missed_beats(patient):
    sample, symbol = np.r_[5, patient.r_peaks], np.r_[["+"], patient.symbols]
    display = draw(patient, patient.annotation, Annotation(sample, symbol))
    assert display.counts_["missed"] == 0


# --- labels of any kind -----------------------------------------------------------------


def test_labels_too_long_for_the_paper_are_drawn_as_markers(patient, narrow):
    label = np.where(patient.symbols == "N", "normal sinus rhythm", "ventricular")
    display = draw(patient, (patient.r_peaks, label), stop=20, ax=narrow())
    assert texts(display) == []
    names = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert names == ["normal sinus rhythm", "ventricular"]


@pytest.mark.parametrize("labels", [[0, 1], [True, False], [2.5, 7.0]])
def test_labels_that_are_no_strings(patient, labels):
    label = np.where(patient.symbols == "N", *labels)
    display = draw(patient, (patient.r_peaks, label), (patient.r_peaks, label), stop=10)
    assert display.counts_["wrong class"] == 0
    assert set(texts(display)) <= {str(value) for value in np.array(labels).tolist()}


def test_a_class_looks_the_same_in_all_stretches(patient):
    label = np.where(np.arange(len(patient.r_peaks)) < 20, "early", "late")
    predicted = (patient.r_peaks, label)
    late = draw(patient, predicted, start=40, stop=50).markers_[0]
    both = draw(patient, predicted, stop=60).markers_[1]
    assert (late.get_marker(), late.get_color()) == (both.get_marker(), both.get_color())


def test_colours_of_ones_own(patient):
    display = draw(patient, patient.annotation, colors={"N": "#123456"})
    assert display.markers_[0].get_color() == "#123456"


# --- with an annotator ------------------------------------------------------------------


def test_what_an_annotator_finds(annotator, patient):
    display = RecordingDisplay.from_estimator(annotator, patient.signal, stop=20)
    beats = annotator.predict([patient.signal])[0]
    np.testing.assert_array_equal(display.predicted.sample, beats.sample)
    np.testing.assert_array_equal(display.predicted.label, beats.symbol)
    assert len(display.recording) == 1  # the annotator's lead


def test_an_annotator_against_the_truth(annotator, patient):
    display = RecordingDisplay.from_estimator(
        annotator, patient.signal, patient.annotation, stop=60, lead=None
    )
    assert sum(display.counts_.values()) <= 2


def test_classes_that_the_annotator_leaves_out(patient):
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


def test_a_search_of_annotators(patient):
    classifier = make_pipeline(ZScoreScaler(), LogisticRegression(max_iter=500))
    search = GridSearchCV(BeatAnnotator(classifier, fs=FS), {"lead": [0, 1]}, cv=2)
    search.fit([patient.signal] * 2, [patient.annotation] * 2)
    display = RecordingDisplay.from_estimator(search, patient.signal, stop=10)
    assert len(display.predicted.sample) > 50


def test_an_annotator_that_is_not_fitted(patient):
    with pytest.raises(NotFittedError):
        RecordingDisplay.from_estimator(BeatAnnotator(LogisticRegression()), patient.signal)


def test_what_is_no_annotator(patient):
    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(TypeError, match="BeatAnnotator finds, got LogisticRegression"):
        RecordingDisplay.from_estimator(model, patient.signal)


# --- where it is drawn ------------------------------------------------------------------


def test_an_axes_of_ones_own(patient):
    figure, (ax, other) = plt.subplots(2, 1)
    display = draw(patient, patient.annotation, ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert not other.lines
    assert plt.get_fignums() == [figure.number]


def test_another_stretch_of_the_same_display(patient):
    display = draw(patient, patient.annotation, stop=10)
    assert display.plot(start=20, stop=40) is display
    assert len(display.lines_) == 2


@pytest.mark.parametrize("width", [3.3, 10.0])
@pytest.mark.parametrize("layout", [None, "constrained"])
def test_no_texts_touch(patient, erroneous, narrow, overlapping, width, layout):
    ax = narrow(height=6, width=width, layout=layout)
    if layout is None:
        ax.set_position((0.25, 0.1, 0.7, 0.85))
    display = draw(patient, erroneous, patient.annotation, lead=None, stop=20, ax=ax)
    assert overlapping(display.figure_, at_most=2.0) == []


def test_no_texts_touch_in_a_new_figure(patient, erroneous, overlapping):
    for options in ({"stop": 8}, {"stop": 40}, {"stop": 40, "strip": None}):
        display = draw(patient, erroneous, patient.annotation, **options)
        assert overlapping(display.figure_, at_most=2.0) == []


# --- what cannot be ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": 61}, "start=61 s lies behind the recording"),
        ({"lead": 3}, "there is no lead 3"),
        ({"fs": -1}, "fs must be greater than 0"),
        ({"tolerance": -1}, "tolerance must be 0 or greater"),
        ({"left_out": [10**9]}, "left_out: 1 beats lie outside"),
        ({"lead_names": ["MLII"]}, "must name 2 leads"),
    ],
)
def test_wrong_parameters_draw_nothing(patient, options, message):
    options = {"fs": FS, "lead": 0} | options
    with pytest.raises(ValueError, match=message):
        RecordingDisplay.from_predictions(patient.signal, patient.annotation, **options)
    assert plt.get_fignums() == []


def test_several_axes(patient):
    _, axes = plt.subplots(2)
    with pytest.raises(ValueError, match="draws 1 panels, got 2 axes"):
        draw(patient, patient.annotation, ax=axes)


# --- on real data -----------------------------------------------------------------------


@pytest.mark.parametrize("record", ["208", "232"])
def test_a_real_recording(real_data, record, overlapping):
    records = load_mitdb(real_data / "mitdb", [record], lead=None, verify=False)
    signal, annotation = records.recordings[0], records.annotations[0]
    found = detect_r_peaks(signal[0], 360)
    display = RecordingDisplay.from_predictions(
        signal, found, annotation, fs=360, lead_names=records.lead_names[0], stop=40
    )
    assert sum(display.counts_.values()) <= 2
    assert len(display.texts_) >= 2 * np.sum(found < 40 * 360)
    assert overlapping(display.figure_, at_most=2.0) == []
