import numpy as np
import pytest

from ecgbeat.annotation._recordings import (
    check_annotations,
    check_recordings,
    naming_recording,
    open_recording,
    reference_beats,
)
from ecgbeat.labels import Annotation

ANNOTATION = Annotation(np.array([5, 10, 20, 30, 40]), np.array(["+", "N", "V", "A", "!"]))


@pytest.mark.parametrize(
    "recordings",
    [
        [],
        [np.zeros(5), np.zeros((2, 7))],
        (np.zeros(5),),
        [[1.0, 2.0], [3.0]],
        np.zeros((3, 5)),
        np.array([np.zeros(2), np.zeros(3)], dtype=object),
    ],
    ids=["none", "ragged", "tuple", "lists", "matrix", "objects"],
)
def test_lists_of_recordings_are_taken(recordings):
    assert len(check_recordings(recordings, "fit")) == len(recordings)


def test_tables_of_pandas_are_rows_of_recordings():
    pandas = pytest.importorskip("pandas")
    assert len(check_recordings(pandas.DataFrame(np.zeros((3, 50))), "fit")) == 3
    assert len(check_recordings(pandas.Series([np.zeros(4), np.zeros(5)]), "fit")) == 2


@pytest.mark.parametrize(
    "recording", [np.zeros(50), [0.0, 1.0, 2.0], np.float64(3)], ids=["array", "list", "number"]
)
def test_one_bare_recording_is_refused(recording):
    with pytest.raises(TypeError, match=r"predict takes a list of recordings"):
        check_recordings(recording, "predict")


@pytest.mark.parametrize("recordings", [None, "100", {"a": 1}, iter([np.zeros(3)])])
def test_what_is_no_list_is_refused(recordings):
    with pytest.raises(TypeError, match=f"got {type(recordings).__name__}"):
        check_recordings(recordings, "fit")


@pytest.mark.parametrize("annotations", [None, ANNOTATION])
def test_one_bare_annotation_is_refused(annotations):
    with pytest.raises(TypeError, match=r"write fit\(\[recording\], \[annotation\]\)"):
        check_annotations(annotations, 2, "fit")


def test_another_number_of_annotations_is_refused():
    with pytest.raises(ValueError, match="got 1 annotations for 2 recordings"):
        check_annotations([ANNOTATION], 2, "fit")


@pytest.mark.parametrize(
    ("raised", "expected"),
    [(TypeError, TypeError), (ValueError, ValueError), (UnicodeError, ValueError)],
)
def test_errors_name_the_recording(raised, expected):
    with pytest.raises(expected, match=r"recordings\[7\]: no"), naming_recording(7):
        raise raised("no")


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (np.float32, np.float32),
        (np.float64, np.float64),
        (np.float16, np.float32),
        (np.int16, np.float32),
        (np.uint8, np.float32),
        (bool, np.float32),
        (np.int32, np.float64),
        (np.int64, np.float64),
        (">f4", np.float32),
    ],
)
def test_numbers_of_any_kind_become_floats(dtype, expected):
    x = np.array([0, 1, 1, 0]).astype(dtype)
    leads = open_recording(x, 0)
    assert leads.dtype == expected
    np.testing.assert_array_equal(leads, x.astype(float)[None])


def test_a_float_recording_without_gaps_is_not_copied():
    x = np.ones((2, 50), np.float32)
    assert np.shares_memory(open_recording(x, 1), x)


@pytest.mark.parametrize(
    ("lead", "rows"), [(0, [0]), (1, [1]), (-1, [2]), (np.int64(2), [2]), (None, [0, 1, 2])]
)
def test_the_lead_is_a_row(lead, rows):
    x = np.arange(30.0).reshape(3, 10)
    np.testing.assert_array_equal(open_recording(x, lead), x[rows])


@pytest.mark.parametrize("lead", [0, 5, None])
def test_one_axis_has_but_one_lead(lead):
    assert open_recording(np.zeros(9), lead).shape == (1, 9)


@pytest.mark.parametrize("lead", [3, -4])
def test_a_lead_that_is_not_there_is_refused(lead):
    with pytest.raises(ValueError, match=f"no lead={lead} in a recording of 3 leads"):
        open_recording(np.zeros((3, 10)), lead)


def test_swapped_axes_are_refused():
    with pytest.raises(ValueError, match=r"pass recording.T"):
        open_recording(np.zeros((1000, 2)), 0)


@pytest.mark.parametrize("shape", [(), (2, 3, 4)])
def test_another_number_of_axes_is_refused(shape):
    with pytest.raises(ValueError, match=r"got shape"):
        open_recording(np.zeros(shape), 0)


@pytest.mark.parametrize("x", [np.zeros(4, complex), np.array(list("abc")), np.array([None, 1])])
def test_what_is_no_real_number_is_refused(x):
    with pytest.raises(TypeError, match="real numbers, got dtype"):
        open_recording(x, 0)


def test_gaps_are_bridged_in_every_lead():
    recording = np.array([[np.nan, 2, np.nan, 4], [0, np.nan, 2, 3]])
    np.testing.assert_array_equal(open_recording(recording, None), [[2, 2, 3, 4], [0, 1, 2, 3]])
    assert np.isnan(recording).sum() == 3


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_values_are_refused(value):
    leads = np.zeros((2, 9))
    leads[1, 4] = value
    with pytest.raises(ValueError, match=r"contains infinity.*the first at x\[1, 4\]"):
        open_recording(leads, None)


@pytest.mark.parametrize(
    ("symbols", "mapping", "sample", "label", "others"),
    [
        (None, None, [10, 20, 30], ["N", "V", "A"], []),
        (("N", "V"), None, [10, 20], ["N", "V"], [30]),
        ("NV", None, [10, 20], ["N", "V"], [30]),
        (("N", "!"), None, [10, 40], ["N", "!"], [20, 30]),
        (None, "literature", [10, 20, 30], ["N", "V", "S"], []),
        ({"A"}, "bxb", [30], ["S"], [10, 20]),
        (None, {"N": 0, "A": 1}, [10, 30], [0, 1], [20]),
        (None, {"V": "v", "!": "v"}, [20, 40], ["v", "v"], [10, 30]),
        (("N", "V"), {"N": 0, "A": 1}, [10], [0], [20, 30]),
        ((), None, [], [], [10, 20, 30]),
    ],
)
def test_symbols_and_mapping_choose_what_counts(symbols, mapping, sample, label, others):
    beats = reference_beats(ANNOTATION, symbols, mapping, 50)
    assert beats.sample[beats.counts].tolist() == sample
    assert beats.label[beats.counts].tolist() == label
    assert beats.sample[~beats.counts].tolist() == others


def test_beats_come_in_the_order_of_time():
    beats = reference_beats(([30, 10, 20], ["N", "V", "A"]), None, None, 50)
    assert beats.sample.tolist() == [10, 20, 30]
    assert beats.label.tolist() == ["V", "A", "N"]


@pytest.mark.parametrize("n_times", [0, 30])
def test_annotations_outside_the_recording_are_refused(n_times):
    with pytest.raises(ValueError, match=f"outside the recording of {n_times} samples"):
        reference_beats(ANNOTATION, None, None, n_times)


def test_negative_samples_are_refused():
    with pytest.raises(ValueError, match="the first at -1"):
        reference_beats(([-1], ["N"]), None, None, 30)


def test_marks_that_are_no_beats_may_lie_outside():
    assert reference_beats(([-1, 5], ["+", "N"]), None, None, 30).sample.tolist() == [5]
