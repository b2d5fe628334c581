import numpy as np
import pytest

from ecgbeat.annotation import AnnotatedBeats
from ecgbeat.labels import Annotation
from ecgbeat.plotting._beat_marks import (
    BEAT,
    EXTRA,
    LEFT_OUT,
    MISSED,
    RIGHT,
    WRONG,
    Beats,
    as_marks,
    compare,
    count_errors,
    labels_of,
)

FS = 100
NOBODY = np.empty(0, np.int64)


def beats(sample, label=None):
    return Beats(np.array(sample, np.int64), None if label is None else np.array(list(label)))


@pytest.mark.parametrize(
    "given",
    [
        Annotation(np.array([10, 20]), np.array(["N", "V"])),
        AnnotatedBeats(np.array([10, 20]), np.array(["N", "V"]), None),
        ([10, 20], ["N", "V"]),
        [np.array([10, 20]), np.array(["N", "V"])],
        ([20, 10], ["V", "N"]),
    ],
)
def test_all_forms_of_labelled_beats(given):
    found = as_marks("predicted", given, 100)
    assert found.sample.tolist() == [10, 20]
    assert found.label.tolist() == ["N", "V"]


@pytest.mark.parametrize("given", [[10, 20], (10, 20), np.array([20, 10], np.uint16)])
def test_sample_numbers_alone(given):
    found = as_marks("predicted", given, 100)
    assert found.sample.tolist() == [10, 20]
    assert found.sample.dtype == np.int64
    assert found.label is None


@pytest.mark.parametrize("nothing", [[], ([], []), Annotation(np.array([]), np.array([]))])
def test_no_beats(nothing):
    assert len(as_marks("predicted", nothing, 100).sample) == 0


def test_marks_of_wfdb_that_are_no_beats_go():
    annotation = Annotation(np.array([1, 10, 20, 30]), np.array(["+", "N", "~", "my class"]))
    assert as_marks("reference", annotation, 100).label.tolist() == ["N", "my class"]


def test_marks_of_others_stay():
    assert as_marks("reference", ([10, 20], ["x", "p"]), 100).label.tolist() == ["x", "p"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([0.5, 1.2], "sample numbers alone, got float64"),
        (np.ones((2, 2), int), r"of shape \(2, 2\)"),
        (([10, 20], ["N"]), r"one label for each sample number, got \(1,\) labels"),
        ([10, 100], "1 beats lie outside the recording of 100 samples, the first at 100"),
        ([-1, 10], "the first at -1"),
        ("N", "predicted must be sample numbers"),
    ],
)
def test_what_is_no_annotation(given, message):
    with pytest.raises(ValueError, match=message):
        as_marks("predicted", given, 100)


def test_every_outcome():
    predicted = beats([100, 205, 320, 500], "NVNN")
    reference = beats([101, 200, 400, 505], "NNVN")
    marks = compare(predicted, reference, np.array([321]), FS, 0.15)
    assert [tuple(mark) for mark in marks] == [
        (100, "N", "N", RIGHT),
        (205, "N", "V", WRONG),
        (320, "", "N", LEFT_OUT),
        (400, "V", None, MISSED),
        (500, "N", "N", RIGHT),
    ]


def test_false_alarms():
    marks = compare(beats([100, 300], "NV"), beats([100], "N"), NOBODY, FS, 0.15)
    assert tuple(marks[1]) == (300, None, "V", EXTRA)
    assert count_errors(marks) == {"wrong class": 0, "missed": 0, "false alarm": 1}


def test_a_left_out_beat_that_nobody_found_is_no_error():
    marks = compare(beats([], ""), beats([], ""), np.array([50]), FS, 0.15)
    assert [tuple(mark) for mark in marks] == [(50, "", None, LEFT_OUT)]


def test_nothing_to_compare_with():
    marks = compare(beats([100, 300], "NV"), None, NOBODY, FS, 0.15)
    assert [tuple(mark) for mark in marks] == [(100, None, "N", BEAT), (300, None, "V", BEAT)]


@pytest.mark.parametrize(("found", "true"), [(None, "NV"), ("NV", None), (None, None)])
def test_without_labels_on_both_sides_classes_are_not_compared(found, true):
    marks = compare(beats([100, 300], found), beats([100, 300], true), NOBODY, FS, 0.15)
    assert {mark.outcome for mark in marks} == {RIGHT}


def test_tolerance_is_in_seconds():
    marks = compare(beats([100]), beats([111]), NOBODY, FS, 0.1)
    assert {mark.outcome for mark in marks} == {MISSED, EXTRA}


def test_labels_in_sorted_order():
    marks = compare(beats([100, 300], "VN"), beats([100, 500], "FN"), NOBODY, FS, 0.15)
    assert labels_of(marks) == ["F", "N", "V"]
