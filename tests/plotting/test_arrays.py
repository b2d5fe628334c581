import numpy as np
import pytest

from ecgbeat.plotting._arrays import (
    as_beats,
    check_classes,
    check_labels,
    check_lead_names,
    check_times,
)


def test_all_forms_of_beats_are_one():
    beats = np.arange(48.0).reshape(2, 3, 8)
    flat = beats.reshape(2, 24)
    for X, options in [
        (beats, {}),
        (flat, {"n_leads": 3}),
        (flat.tolist(), {"n_leads": 3}),
        (np.c_[flat, [7, 7]], {"n_leads": 3, "n_aux_features": 1}),
    ]:
        np.testing.assert_array_equal(as_beats(X, "me", **options), beats)


def test_beats_of_whole_numbers_and_pandas():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(np.ones((2, 16), np.int16))
    assert as_beats(frame, "me").shape == (2, 1, 16)


@pytest.mark.parametrize(
    ("X", "options", "message"),
    [
        (np.ones(20), {}, r"got shape \(20,\). Write x.reshape\(1, -1\)"),
        (np.ones((2, 2, 2, 8)), {}, "n_beats, n_times"),
        (np.ones((0, 20)), {}, "at least one beat"),
        (np.array([["a"] * 20]), {}, "real numbers, got dtype <U1"),
        (np.full((1, 20), np.nan), {}, "me: X contains NaN: 20 of 20"),
        (np.ones((2, 21)), {"n_leads": 2}, "n_leads=2 does not divide"),
        (np.ones((2, 3)), {"n_leads": 2}, "3 columns of waveform are not 2 leads"),
        (np.ones((2, 20)), {"n_aux_features": 20}, "leaves no waveform"),
    ],
)
def test_what_is_no_beats(X, options, message):
    with pytest.raises(ValueError, match=message):
        as_beats(X, "me", **options)


@pytest.mark.parametrize("y", [["N"], [["N", "V"]], "N", ["N", "V", "F"]])
def test_one_label_for_each_beat(y):
    with pytest.raises(ValueError, match="y needs one label for each of the 2 beats"):
        check_labels("y", y, 2)


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (None, ["N", "V", "other"]),
        ("VN", ["V", "N"]),
        ("other", ["other"]),
        (["other", "N"], ["other", "N"]),
        (np.array(["V"]), ["V"]),
    ],
)
def test_classes_in_the_order_wanted(classes, expected):
    assert check_classes(classes, np.array(["V", "N", "other", "N"])) == expected


@pytest.mark.parametrize("classes", [["N", "X"], "X", [], [3]])
def test_a_class_without_beats(classes):
    with pytest.raises(ValueError, match=r"there is \['N', 'V'\]"):
        check_classes(classes, np.array(["V", "N"]))


def test_whole_numbers_are_classes():
    assert check_classes([4, 2], np.array([2, 4, 4])) == [4, 2]


def test_times_count_from_the_r_peak():
    np.testing.assert_allclose(check_times(4, 10, 0.2), [-0.2, -0.1, 0, 0.1])
    np.testing.assert_allclose(check_times(3, 10.0, None), [0, 0.1, 0.2])


@pytest.mark.parametrize(
    ("fs", "before", "error"),
    [
        (0, None, ValueError),
        (-360, None, ValueError),
        (float("nan"), None, ValueError),
        ("360", None, TypeError),
        (True, None, TypeError),
        (10, -0.1, ValueError),
        (10, 3.0, ValueError),
    ],
)
def test_fs_and_before_that_cannot_be(fs, before, error):
    with pytest.raises(error, match=r"fs|before"):
        check_times(20, fs, before)


@pytest.mark.parametrize(
    ("names", "n_leads", "expected"),
    [
        (None, 1, [""]),
        (None, 2, ["lead 0", "lead 1"]),
        ("MLII", 1, ["MLII"]),
        (("MLII", "V1"), 2, ["MLII", "V1"]),
    ],
)
def test_names_of_leads(names, n_leads, expected):
    assert check_lead_names(names, n_leads) == expected


@pytest.mark.parametrize("names", [["MLII"], [], "MLII"])
def test_too_few_names_of_leads(names):
    with pytest.raises(ValueError, match="must name 2 leads"):
        check_lead_names(names, 2)
