import numpy as np
import pytest

from ecgbeat.plotting._arrays import (
    as_beats,
    check_classes,
    check_labels,
    name_leads,
    sample_times,
)


def test_all_forms_of_beats_become_3d():
    beats = np.arange(48.0).reshape(2, 3, 8)
    flat = beats.reshape(2, 24)
    for X, options in [
        (beats, {}),
        (flat, {"n_leads": 3}),
        (flat.tolist(), {"n_leads": 3}),
        (np.c_[flat, [7, 7]], {"n_leads": 3, "n_aux_features": 1}),
    ]:
        np.testing.assert_array_equal(as_beats(X, "caller", **options), beats)


def test_data_frame_of_integers():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(np.ones((2, 16), np.int16))
    assert as_beats(frame, "caller").shape == (2, 1, 16)


@pytest.mark.parametrize(
    ("X", "options", "message"),
    [
        (np.ones(20), {}, r"1-D array of 20 values\. Reshape .* X\.reshape\(1, -1\)"),
        (np.ones((2, 2, 2, 8)), {}, "n_beats, n_times"),
        (np.ones((0, 20)), {}, "at least one beat"),
        (np.full((1, 20), np.nan), {}, "caller: X contains NaN: 20 of 20"),
        (np.ones((2, 21)), {"n_leads": 2}, "n_leads=2 does not divide"),
        (np.ones((2, 3)), {"n_leads": 2}, "3 columns of waveform do not divide into 2 leads"),
        (np.ones((2, 20)), {"n_aux_features": 20}, "leaves no waveform"),
    ],
)
def test_invalid_beats_raise(X, options, message):
    with pytest.raises(ValueError, match=message):
        as_beats(X, "caller", **options)


def test_beats_of_strings_raise():
    with pytest.raises(TypeError, match="X must hold real numbers, got dtype <U1"):
        as_beats(np.array([["a"] * 20]), "caller")


@pytest.mark.parametrize("y", [["N"], [["N", "V"]], "N", ["N", "V", "F"]])
def test_wrong_number_of_labels_raises(y):
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
def test_classes_keep_the_given_order(classes, expected):
    assert check_classes(classes, np.array(["V", "N", "other", "N"])) == expected


@pytest.mark.parametrize("classes", [["N", "X"], "X", [], [3]])
def test_class_without_beats_raises(classes):
    with pytest.raises(ValueError, match=r"some of \['N', 'V'\], got"):
        check_classes(classes, np.array(["V", "N"]))


def test_integer_classes():
    assert check_classes([4, 2], np.array([2, 4, 4])) == [4, 2]


def test_time_is_zero_at_the_r_peak():
    np.testing.assert_allclose(sample_times(4, 10, 0.2), [-0.2, -0.1, 0, 0.1])
    np.testing.assert_allclose(sample_times(3, 10.0, None), [0, 0.1, 0.2])


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
def test_invalid_fs_or_before_raises(fs, before, error):
    with pytest.raises(error, match=r"fs|before"):
        sample_times(20, fs, before)


@pytest.mark.parametrize(
    ("names", "n_leads", "expected"),
    [
        (None, 1, [""]),
        (None, 2, ["lead 0", "lead 1"]),
        ("MLII", 1, ["MLII"]),
        (("MLII", "V1"), 2, ["MLII", "V1"]),
    ],
)
def test_default_and_given_lead_names(names, n_leads, expected):
    assert name_leads(names, n_leads) == expected


@pytest.mark.parametrize("names", [["MLII"], [], "MLII"])
def test_too_few_lead_names_raise(names):
    with pytest.raises(ValueError, match="one name for each of 2 leads, got"):
        name_leads(names, 2)
