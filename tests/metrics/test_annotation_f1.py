import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from ecgbeat.annotation import AnnotatedBeats
from ecgbeat.labels import Annotation
from ecgbeat.metrics import annotation_f1_score

FS = 100.0


def beats(labels, shift=0):
    """Make one beat a second; "." is a second without a beat."""
    seconds = [k for k, label in enumerate(labels) if label != "."]
    symbols = np.array([labels[k] for k in seconds], dtype=str)
    return 100 * np.array(seconds, np.int64) + shift, symbols


def score(truth, found, average=None, **options):
    """Return the score of one recording."""
    return annotation_f1_score([beats(truth)], [beats(found, 5)], FS, average=average, **options)


@pytest.mark.parametrize(
    ("truth", "found", "expected"),
    [
        ("NNV", "NNV", [1, 1]),
        ("NNV", "NN.", [1, 0]),  # a missed beat is a miss
        ("NN.", "NNV", [1, 0]),  # an extra one a false alarm
        ("NN.", "NNN", [4 / 5]),
        ("NNN", "NN.", [4 / 5]),
        ("NNV", "NNN", [4 / 5, 0]),  # a wrong label is both
        ("...", "VNN", [0, 0]),
        ("VNN", "...", [0, 0]),
    ],
)
def test_detection_errors_are_counted(truth, found, expected):
    np.testing.assert_allclose(score(truth, found), expected)


@given(st.lists(st.tuples(st.sampled_from("NSV"), st.sampled_from("NSV")), min_size=1))
def test_equals_sklearn_f1_score_if_all_beats_are_found(pairs):
    truth, found = ("".join(side) for side in zip(*pairs, strict=True))
    for average in ("macro", "micro", None):
        expected = f1_score(list(truth), list(found), average=average, zero_division=0)
        np.testing.assert_allclose(score(truth, found, average), expected)


def test_macro_is_the_mean_of_the_classes():
    assert score("NNVS", "NN.N", "macro") == pytest.approx(score("NNVS", "NN.N").mean())
    assert isinstance(score("NNVS", "NN.N", "macro"), float)


def test_micro_is_one_score_of_all_beats():
    # 2 hits; a miss of V, a miss of S and a false alarm of N
    assert score("NNVS", "NN.N", "micro") == pytest.approx(4 / 7)


def test_recordings_are_pooled():
    references = [beats("NNV"), beats("..."), beats("NV")]
    predictions = [beats("NN."), beats("N.."), beats("NV")]
    scores = annotation_f1_score(references, predictions, FS, average=None)
    np.testing.assert_allclose(scores, [6 / 7, 2 / 3])


def test_beats_of_different_recordings_are_not_paired():
    swapped = annotation_f1_score([beats("N."), beats(".N")], [beats(".N"), beats("N.")], FS)
    assert swapped == 0.0


@pytest.mark.parametrize("average", ["macro", "micro"])
def test_score_without_beats_is_nan(average):
    assert np.isnan(score("..", "..", average))
    assert np.isnan(annotation_f1_score([], [], FS, average=average))


def test_scores_of_classes_without_beats_are_empty():
    assert score("..", "..").shape == (0,)


def test_left_out_beats_are_neither_right_nor_wrong():
    assert score("N.N", "NNN", "macro", left_out=[[101]]) == 1.0
    assert score("N.N", "N.N", "macro", left_out=[[101]]) == 1.0


def test_tolerance_is_in_seconds():
    assert score("NN", "NN", "macro", tolerance=0.05) == 1.0
    assert score("NN", "NN", "macro", tolerance=0.04) == 0.0


@pytest.mark.parametrize("labels", [[3, 7, 3], [True, False, True], ["a", "bcd", "a"]])
def test_labels_of_any_type(labels):
    pair = np.array([100, 200, 300]), np.array(labels)
    assert annotation_f1_score([pair], [pair], FS) == 1.0


@pytest.mark.parametrize(
    "make", [Annotation, lambda s, y: AnnotatedBeats(s, y, None), lambda s, y: [list(s), list(y)]]
)
def test_annotations_of_any_form(make):
    assert annotation_f1_score([make(*beats("NV"))], [make(*beats("NV"))], FS) == 1.0


@pytest.mark.parametrize("average", ["weighted", "", 1])
def test_unknown_average_raises(average):
    with pytest.raises(ValueError, match="average must be one of"):
        score("N", "N", average)


@pytest.mark.parametrize("options", [{}, {"left_out": [[], [], []]}])
def test_lists_of_unequal_lengths_raise(options):
    predictions = [beats("N")] * (2 if options else 1)
    with pytest.raises(ValueError, match="one entry for each recording"):
        annotation_f1_score([beats("N")] * 2, predictions, FS, **options)


@pytest.mark.parametrize(
    ("annotation", "error", "message"),
    [
        (([1, 2], ["N"]), ValueError, "one symbol for each sample number"),
        (([2, 1], ["N", "V"]), ValueError, r"sample must be ascending"),
        (([0.5], ["N"]), TypeError, "integers, got dtype float64"),
    ],
)
def test_errors_name_list_and_recording(annotation, error, message):
    with pytest.raises(error, match=rf"^references\[1\]: .*{message}"):
        annotation_f1_score([beats("N"), annotation], [beats("N")] * 2, FS)
    with pytest.raises(error, match=rf"^predictions\[1\]: .*{message}"):
        annotation_f1_score([beats("N")] * 2, [beats("N"), annotation], FS)


def test_left_out_times_in_seconds_raise():
    with pytest.raises(TypeError, match=r"left_out\[0\] must hold sample numbers"):
        score("N", "N", left_out=[[1.5]])


@pytest.mark.parametrize("left_out", [[300, 101], [101, 300]])
def test_left_out_beats_may_be_in_any_order(left_out):
    assert score("N.N.N", "NNNNN", "macro", left_out=[left_out]) == 1.0
