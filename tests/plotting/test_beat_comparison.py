import numpy as np
import pytest

from ecgbeat.annotation import AnnotatedBeats
from ecgbeat.labels import Annotation
from ecgbeat.plotting._beat_comparison import (
    BEAT,
    EXTRA,
    LEFT_OUT,
    MISSED,
    RIGHT,
    WRONG,
    BeatList,
    as_beat_list,
    compare_beats,
    count_errors,
    sorted_labels,
)

FS = 100
NO_SAMPLES = np.empty(0, np.int64)


def beats(sample, label=None):
    return BeatList(np.array(sample, np.int64), None if label is None else np.array(list(label)))


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
def test_all_forms_of_labeled_beats(given):
    found = as_beat_list(given, "predicted", 100)
    assert found.sample.tolist() == [10, 20]
    assert found.label.tolist() == ["N", "V"]


@pytest.mark.parametrize("given", [[10, 20], (10, 20), np.array([20, 10], np.uint16)])
def test_sample_numbers_alone(given):
    found = as_beat_list(given, "predicted", 100)
    assert found.sample.tolist() == [10, 20]
    assert found.sample.dtype == np.int64
    assert found.label is None


@pytest.mark.parametrize("empty", [[], ([], []), Annotation(np.array([]), np.array([]))])
def test_empty_lists_of_beats(empty):
    assert len(as_beat_list(empty, "predicted", 100).sample) == 0


def test_annotations_that_mark_no_beats_are_left_out():
    annotation = Annotation(np.array([1, 10, 20, 30]), np.array(["+", "N", "~", "my class"]))
    assert as_beat_list(annotation, "reference", 100).label.tolist() == ["N", "my class"]


def test_symbols_of_pairs_are_kept():
    assert as_beat_list(([10, 20], ["x", "p"]), "reference", 100).label.tolist() == ["x", "p"]


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ([0.5, 1.2], TypeError, "predicted must hold sample numbers, .* got dtype float64"),
        (([0.5, 1.2], ["N", "V"]), TypeError, "must hold sample numbers, .* got dtype float64"),
        ("N", TypeError, "predicted must hold sample numbers"),
        (np.ones((2, 2), int), ValueError, r"1-D array of sample numbers, got shape \(2, 2\)"),
        (np.ones((3, 2), int), ValueError, r"1-D array of sample numbers, got shape \(3, 2\)"),
        (([10, 20], ["N"]), ValueError, r"one symbol for each .* symbol of shape \(1,\)"),
        ([10, 100], ValueError, "of 100 samples, got 1 outside, the first at 100"),
        ([-1, 10], ValueError, "got 1 outside, the first at -1"),
    ],
)
def test_invalid_beats_raise(given, error, message):
    with pytest.raises(error, match=message):
        as_beat_list(given, "predicted", 100)


def test_every_outcome():
    predicted = beats([100, 205, 320, 500], "NVNN")
    reference = beats([101, 200, 400, 505], "NNVN")
    compared = compare_beats(predicted, reference, np.array([321]), FS, 0.15)
    assert [tuple(beat) for beat in compared] == [
        (100, "N", "N", RIGHT),
        (205, "N", "V", WRONG),
        (320, "", "N", LEFT_OUT),
        (400, "V", None, MISSED),
        (500, "N", "N", RIGHT),
    ]


def test_false_alarms():
    compared = compare_beats(beats([100, 300], "NV"), beats([100], "N"), NO_SAMPLES, FS, 0.15)
    assert tuple(compared[1]) == (300, None, "V", EXTRA)
    assert count_errors(compared) == {"wrong class": 0, "missed": 0, "false alarm": 1}


def test_undetected_left_out_beat_is_no_error():
    compared = compare_beats(beats([], ""), beats([], ""), np.array([50]), FS, 0.15)
    assert [tuple(beat) for beat in compared] == [(50, "", None, LEFT_OUT)]


def test_without_reference_all_outcomes_are_beat():
    compared = compare_beats(beats([100, 300], "NV"), None, NO_SAMPLES, FS, 0.15)
    assert [tuple(beat) for beat in compared] == [(100, None, "N", BEAT), (300, None, "V", BEAT)]


@pytest.mark.parametrize(("found", "true"), [(None, "NV"), ("NV", None), (None, None)])
def test_classes_are_not_compared_without_labels_on_both_sides(found, true):
    compared = compare_beats(
        beats([100, 300], found), beats([100, 300], true), NO_SAMPLES, FS, 0.15
    )
    assert {beat.outcome for beat in compared} == {RIGHT}


def test_tolerance_is_in_seconds():
    compared = compare_beats(beats([100]), beats([111]), NO_SAMPLES, FS, 0.1)
    assert {beat.outcome for beat in compared} == {MISSED, EXTRA}


def test_labels_in_sorted_order():
    compared = compare_beats(beats([100, 300], "VN"), beats([100, 500], "FN"), NO_SAMPLES, FS, 0.15)
    assert sorted_labels(compared) == ["F", "N", "V"]
