"""Tests of the checks of recordings, annotations and sample numbers."""

from types import SimpleNamespace

import numpy as np
import pytest

from ecgbeat._recordings import (
    Annotation,
    as_annotation,
    as_recording,
    as_sample_numbers,
    as_signals,
    as_symbols,
    bridge_gaps,
    check_ascending,
    check_not_transposed,
    check_one_per_recording,
    check_recordings,
    check_within_recording,
    error_naming_recording,
    find_lead,
    lead_row,
    select_leads,
)

NAN = np.nan
ANNOTATION = Annotation(np.array([5, 10, 20]), np.array(["+", "N", "V"]))
NOT_REAL = [np.zeros(4, complex), np.array(list("abc")), np.array([None, 1.0]), ["a", "b"]]


# --- signals --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "dtype"),
    [
        (np.ones(4, np.float32), np.float32),
        (np.ones(4, np.float64), np.float64),
        (np.ones(4, np.float16), np.float64),
        (np.ones(4, np.int16), np.float64),
        (np.ones(4, bool), np.float64),
        ([1, 2], np.float64),
        ([[1.5, 2.5]], np.float64),
    ],
)
@pytest.mark.parametrize("function", [as_signals, as_recording])
def test_signals_are_float32_or_float64(function, x, dtype):
    assert function(x).dtype == dtype


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("function", [as_signals, as_recording])
def test_float_signals_are_not_copied(function, dtype):
    x = np.ones((2, 50), dtype)
    assert function(x) is x


@pytest.mark.parametrize("function", [as_signals, as_recording, bridge_gaps])
@pytest.mark.parametrize("x", NOT_REAL, ids=["complex", "strings", "objects", "list of strings"])
def test_signals_of_other_than_real_numbers_raise(function, x):
    with pytest.raises(TypeError, match=r"^(x|A recording) must hold real numbers, got dtype"):
        function(x)


@pytest.mark.parametrize("function", [as_signals, as_recording, bridge_gaps])
@pytest.mark.parametrize("x", [NAN, 3.0, np.float32(3)])
def test_single_number_instead_of_a_signal_raises(function, x):
    with pytest.raises(ValueError, match=r"must be an array of samples, got the number (nan|3\.0)"):
        function(x)


@pytest.mark.parametrize("function", [as_signals, as_recording, bridge_gaps])
def test_nested_lists_of_differing_lengths_raise(function):
    with pytest.raises(ValueError, match=r"must be an array of samples: .*inhomogeneous"):
        function([[1.0, 2.0], [3.0]])


def test_signals_are_named_in_messages():
    with pytest.raises(TypeError, match=r"^windows must hold real numbers"):
        as_signals(["a"], "windows")


@pytest.mark.parametrize("shape", [(0,), (9,), (2, 9), (9, 9), (2, 0)])
def test_recordings_of_one_or_two_axes_are_accepted(shape):
    assert as_recording(np.zeros(shape)).shape == shape


@pytest.mark.parametrize("shape", [(3600, 2), (12, 9), (2, 1)])
@pytest.mark.parametrize("function", [check_not_transposed, as_recording])
def test_transposed_recording_raises(function, shape):
    with pytest.raises(ValueError, match=rf"\({shape[0]}, {shape[1]}\).*Pass recording\.T"):
        function(np.zeros(shape))


def test_recording_of_three_axes_raises():
    with pytest.raises(ValueError, match=r"\(n_leads, n_times\), got shape \(2, 3, 40\)"):
        as_recording(np.zeros((2, 3, 40)))


def test_recording_with_gaps_is_bridged_by_default():
    np.testing.assert_array_equal(as_recording([[1.0, NAN, 3.0]]), [[1.0, 2.0, 3.0]])


def test_recording_is_bridged_by_the_method_given():
    np.testing.assert_array_equal(as_recording([1.0, NAN, 3.0], gaps="hold"), [1.0, 1.0, 3.0])


def test_recording_with_gaps_none_is_unchecked():
    x = np.array([1.0, NAN, np.inf])
    assert as_recording(x, gaps=None) is x


def test_recording_with_gaps_raises_with_raise():
    with pytest.raises(ValueError, match=r"no gaps with gaps='raise', but 1 of 2 .*at index \[1\]"):
        as_recording([1.0, NAN], gaps="raise")


@pytest.mark.parametrize("gaps", ["cubic", 1])
def test_unknown_gaps_raise(gaps):
    with pytest.raises(ValueError, match=f"gaps must be one of .*'linear'.*got {gaps!r}"):
        as_recording([1.0], gaps=gaps)


# --- leads ----------------------------------------------------------------------------


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
def test_leads_are_float32_where_exact(dtype, expected):
    x = np.array([0, 1, 1, 0]).astype(dtype)
    leads = select_leads(x, 0)
    assert leads.dtype == expected
    np.testing.assert_array_equal(leads, x.astype(float)[None])


def test_leads_of_a_float_recording_are_a_view():
    x = np.ones((2, 50), np.float32)
    assert np.shares_memory(select_leads(x, 1), x)


@pytest.mark.parametrize(
    ("lead", "rows"), [(0, [0]), (1, [1]), (-1, [2]), (np.int64(2), [2]), (None, [0, 1, 2])]
)
def test_lead_selects_a_row(lead, rows):
    x = np.arange(30.0).reshape(3, 10)
    np.testing.assert_array_equal(select_leads(x, lead), x[rows])


@pytest.mark.parametrize("lead", [0, -1, None])
def test_recordings_of_one_axis_have_one_lead(lead):
    assert select_leads(np.zeros(9), lead).shape == (1, 9)


def test_selected_leads_are_not_bridged():
    np.testing.assert_array_equal(select_leads([[0.0, NAN, 1.0]], 0), [[0.0, NAN, 1.0]])


@pytest.mark.parametrize("lead", [3, -4])
def test_missing_lead_raises(lead):
    with pytest.raises(ValueError, match=f"There is no lead {lead} in a recording of 3 leads"):
        select_leads(np.zeros((3, 10)), lead)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (np.zeros((1000, 2)), ValueError, r"Pass recording\.T"),
        (np.zeros((2, 3, 4)), ValueError, r"got shape \(2, 3, 4\)"),
        (np.float64(1), ValueError, "got the number 1.0"),
        (np.zeros(4, complex), TypeError, "real numbers"),
        (np.array(list("abc")), TypeError, "real numbers"),
        ([[1.0, 2.0], [3.0]], ValueError, "inhomogeneous"),
    ],
)
def test_select_leads_checks_the_recording(x, error, message):
    with pytest.raises(error, match=f"A recording must .*{message}"):
        select_leads(x, 0)


@pytest.mark.parametrize(
    ("lead", "row"), [(0, 0), (-1, 2), (np.int64(1), 1), ("V5", 1), ("MLII", 0)]
)
def test_leads_are_found_by_number_or_name(lead, row):
    assert find_lead(lead, ["MLII", "V5", "V2"]) == row
    assert lead_row(lead, ["MLII", "V5", "V2"]) == row


@pytest.mark.parametrize("lead", [3, -4, "V1", "0"])
def test_lead_that_is_not_found_is_none(lead):
    assert find_lead(lead, ["MLII", "V5", "V2"]) is None


@pytest.mark.parametrize("lead", [3, -4, "V1"])
def test_row_of_a_missing_lead_raises(lead):
    message = rf"no lead {lead!r} in a recording of 2 leads: .* 0 to 1, .* \['MLII', 'V5'\]"
    with pytest.raises(ValueError, match=message):
        lead_row(lead, ["MLII", "V5"])


# --- gaps -----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("method", "expected"),
    [("linear", [2, 2, 4, 6, 8, 8]), ("hold", [2, 2, 2, 2, 8, 8])],
)
def test_gaps_are_bridged_and_ends_repeated(method, expected, dtype):
    bridged = bridge_gaps(np.array([NAN, 2, NAN, NAN, 8, NAN], dtype), method)
    np.testing.assert_allclose(bridged, expected, rtol=1e-6)
    assert bridged.dtype == dtype


@pytest.mark.parametrize("method", ["linear", "hold"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_leads_are_bridged_independently(method, order):
    x = np.random.default_rng(0).normal(size=(2, 3, 50))
    x[0, 1, 10:20] = x[1, 2, 48:] = NAN
    bridged = bridge_gaps(np.array(x, order=order), method)
    one_by_one = [[bridge_gaps(lead, method) for lead in leads] for leads in x]
    np.testing.assert_array_equal(bridged, one_by_one)


def test_samples_outside_of_gaps_are_unchanged():
    x = np.random.default_rng(0).normal(size=(3, 40))
    x[1, 5:9] = NAN
    bridged = bridge_gaps(x)
    np.testing.assert_array_equal(bridged[~np.isnan(x)], x[~np.isnan(x)])
    assert np.isfinite(bridged).all()


@pytest.mark.parametrize("method", ["linear", "hold"])
def test_input_with_gaps_is_unchanged(method):
    x = np.array([1.0, NAN, 3.0])
    x.flags.writeable = False
    bridge_gaps(x, method)
    np.testing.assert_array_equal(x, [1.0, NAN, 3.0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("method", ["linear", "hold", "raise"])
def test_input_without_gaps_is_returned(method, dtype):
    x = np.ones((2, 5), dtype)
    assert bridge_gaps(x, method) is x


@pytest.mark.parametrize("x", [[1, 2], np.array([1, 2], np.int16), np.array([1, 2], np.float16)])
def test_bridged_signals_are_float64_unless_float32(x):
    bridged = bridge_gaps(x)
    np.testing.assert_array_equal(bridged, [1.0, 2.0])
    assert bridged.dtype == np.float64


@pytest.mark.parametrize("method", ["linear", "hold"])
def test_lead_without_samples_becomes_zero(method):
    x = np.array([[NAN, NAN, NAN], [1.0, NAN, 1.0]])
    np.testing.assert_array_equal(bridge_gaps(x, method), [[0, 0, 0], [1, 1, 1]])


@pytest.mark.parametrize("shape", [(0,), (2, 0), (0, 7)])
def test_empty_signals_remain_empty(shape):
    assert bridge_gaps(np.empty(shape)).shape == shape


def test_finite_values_whose_sum_overflows_are_accepted():
    x = np.full((1, 4), 3e38, np.float32)
    assert bridge_gaps(x) is x


@pytest.mark.parametrize("function", [bridge_gaps, as_recording])
@pytest.mark.parametrize("value", [np.inf, -np.inf])
@pytest.mark.parametrize("other", [NAN, 0.0], ids=["with a gap", "without gaps"])
def test_infinite_values_raise(function, value, other):
    x = np.zeros((2, 9))
    x[0, 2] = other
    x[1, 4] = value
    message = r"must be finite or, .* but 1 of 18 values are infinite, the first at index \[1, 4\]"
    with pytest.raises(ValueError, match=message):
        function(x)


def test_gaps_raise_with_method_raise():
    message = r"no gaps with method='raise', but 2 of 4 values are NaN, the first at index \[1\]"
    with pytest.raises(ValueError, match=message):
        bridge_gaps([1.0, NAN, NAN, 2.0], "raise")


@pytest.mark.parametrize("method", ["cubic", None, 1])
def test_unknown_method_raises(method):
    with pytest.raises(ValueError, match=f"method must be one of .*'linear'.*got {method!r}"):
        bridge_gaps([1.0], method)


# --- lists of recordings --------------------------------------------------------------


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
    ids=["empty", "ragged", "tuple", "lists", "array", "objects"],
)
def test_lists_of_recordings_are_accepted(recordings):
    assert len(check_recordings(recordings, "fit")) == len(recordings)


def test_pandas_rows_are_recordings():
    pandas = pytest.importorskip("pandas", reason="pandas is the extra 'data'")
    assert len(check_recordings(pandas.DataFrame(np.zeros((3, 50))), "fit")) == 3
    assert len(check_recordings(pandas.Series([np.zeros(4), np.zeros(5)]), "fit")) == 2


@pytest.mark.parametrize(
    "recording", [np.zeros(50), [0.0, 1.0, 2.0], np.float64(3)], ids=["array", "list", "number"]
)
def test_single_recording_instead_of_a_list_raises(recording):
    with pytest.raises(TypeError, match=r"predict takes a list of recordings"):
        check_recordings(recording, "predict")


@pytest.mark.parametrize("recordings", [None, "100", {"a": 1}, iter([np.zeros(3)])])
def test_recordings_of_another_type_raise(recordings):
    with pytest.raises(TypeError, match=f"got {type(recordings).__name__}"):
        check_recordings(recordings, "fit")


@pytest.mark.parametrize("values", [[1, 2], (1, 2), np.zeros((2, 3)), range(2)])
def test_one_entry_for_each_recording_is_accepted(values):
    check_one_per_recording("groups", values, 2)


def test_pandas_series_has_one_entry_for_each_recording():
    pandas = pytest.importorskip("pandas", reason="pandas is the extra 'data'")
    check_one_per_recording("groups", pandas.Series(["a", "b"]), 2)


@pytest.mark.parametrize("n_recordings", [None, 3])
@pytest.mark.parametrize(
    "values",
    [None, 3, "abc", ANNOTATION, {"a": 1, "b": 2, "c": 3}, iter("abc"), np.array(3)],
    ids=lambda value: type(value).__name__,
)
def test_other_than_a_list_with_one_entry_for_each_recording_raises(values, n_recordings):
    message = (
        rf"^annotations must be a list .* got {type(values).__name__}\. "
        r"For one recording, write annotations=\[annotation\]\."
    )
    with pytest.raises(TypeError, match=message):
        check_one_per_recording("annotations", values, n_recordings)


def test_single_annotation_instead_of_a_list_names_the_caller():
    with pytest.raises(TypeError, match=r"write fit\(\[recording\], \[annotation\]\)"):
        check_one_per_recording("annotations", ANNOTATION, 2, "fit")


def test_unequal_number_of_entries_raises():
    message = "annotations must have one entry for each recording, got 1 for 2 recordings"
    with pytest.raises(ValueError, match=message):
        check_one_per_recording("annotations", [ANNOTATION], 2, "fit")


def test_any_number_of_entries_is_accepted_without_a_number_of_recordings():
    check_one_per_recording("references", [ANNOTATION] * 3)


@pytest.mark.parametrize(
    ("raised", "expected"),
    [(TypeError, TypeError), (ValueError, ValueError), (UnicodeError, ValueError)],
)
@pytest.mark.parametrize("name", ["recordings", "references"])
def test_errors_name_the_recording(name, raised, expected):
    with (
        pytest.raises(expected, match=rf"^{name}\[7\]: message$"),
        error_naming_recording(7, name),
    ):
        raise raised("message")


def test_errors_of_other_types_are_unchanged():
    with pytest.raises(KeyError, match=r"^'message'$"), error_naming_recording(7):
        raise KeyError("message")


# --- sample numbers and annotations ---------------------------------------------------


@pytest.mark.parametrize(
    "samples",
    [[3, 1], (3, 1), np.array([3, 1], np.uint8), np.array([3, 1], np.int16), [np.int32(3), 1]],
)
def test_sample_numbers_become_int64_in_the_order_given(samples):
    converted = as_sample_numbers(samples, "r_peaks")
    assert converted.dtype == np.int64
    assert converted.tolist() == [3, 1]


@pytest.mark.parametrize("samples", [[], (), np.empty(0)])
def test_empty_sample_numbers_of_any_type_become_int64(samples):
    converted = as_sample_numbers(samples, "r_peaks")
    assert (converted.dtype, converted.shape) == (np.int64, (0,))


@pytest.mark.parametrize(
    ("samples", "dtype"),
    [([0.5, 1.5], "float64"), ([1.0], "float64"), ([True], "bool"), (["1"], "<U1"), (2.5, "float")],
)
def test_sample_numbers_other_than_integers_raise(samples, dtype):
    message = rf"^r_peaks must hold sample numbers, that is integers, got dtype {dtype}.*seconds"
    with pytest.raises(TypeError, match=message):
        as_sample_numbers(samples, "r_peaks")


@pytest.mark.parametrize(
    ("samples", "shape"), [([[1, 2]], r"\(1, 2\)"), (5, r"\(\)"), (np.empty((0, 2)), r"\(0, 2\)")]
)
def test_sample_numbers_of_other_than_one_axis_raise(samples, shape):
    message = f"^r_peaks must be a 1-D array of sample numbers, got shape {shape}"
    with pytest.raises(ValueError, match=message):
        as_sample_numbers(samples, "r_peaks")


@pytest.mark.parametrize("samples", [[], [4], [1, 2, 3]])
@pytest.mark.parametrize("strict", [False, True])
def test_ascending_sample_numbers_are_accepted(samples, strict):
    check_ascending(np.array(samples, np.int64), "r_peaks", strict=strict)


def test_equal_sample_numbers_are_accepted_unless_strict():
    check_ascending(np.array([1, 1, 2]), "r_peaks")
    message = r"r_peaks must be strictly ascending, but r_peaks\[1\] = 1 follows .*duplicates"
    with pytest.raises(ValueError, match=message):
        check_ascending(np.array([1, 1, 2]), "r_peaks", strict=True)


@pytest.mark.parametrize("strict", [False, True])
def test_descending_sample_numbers_raise(strict):
    message = r"ascending, but r_peaks\[2\] = 7 follows r_peaks\[1\] = 9\. Sort them"
    with pytest.raises(ValueError, match=message):
        check_ascending(np.array([5, 9, 7]), "r_peaks", strict=strict)


def test_sample_numbers_within_the_recording_are_accepted():
    check_within_recording(np.array([0, 29]), 30, "r_peaks")
    check_within_recording(np.array([], np.int64), 0, "r_peaks")


@pytest.mark.parametrize(
    ("samples", "first"), [([5, 30, 40], 30), ([5, 41, -1], 41), ([-2, 30], -2)]
)
def test_sample_numbers_outside_the_recording_raise(samples, first):
    message = f"^r_peaks must lie within the recording of 30 samples, got 2 .* first at {first}"
    with pytest.raises(ValueError, match=message):
        check_within_recording(np.array(samples), 30, "r_peaks")


@pytest.mark.parametrize(
    "annotation",
    [
        Annotation(np.array([3, 1]), np.array(["N", "V"])),
        ([3, 1], ["N", "V"]),
        [np.array([3, 1], np.uint8), ["N", "V"]],
        SimpleNamespace(sample=[3, 1], symbol=["N", "V"], aux_note=["", ""]),
    ],
    ids=["Annotation", "tuple", "list", "object"],
)
def test_annotations_of_any_form_are_accepted(annotation):
    converted = as_annotation(annotation)
    assert isinstance(converted, Annotation)
    assert converted.sample.dtype == np.int64
    assert (converted.sample.tolist(), converted.symbol.tolist()) == ([3, 1], ["N", "V"])


@pytest.mark.parametrize("labels", [[3, 7], [True, False], ["a", "bcd"]])
def test_annotations_with_labels_of_any_type_are_accepted(labels):
    assert as_annotation(([1, 2], labels)).symbol.tolist() == labels


def test_empty_annotation_is_accepted():
    assert as_annotation(([], [])).sample.dtype == np.int64


@pytest.mark.parametrize("annotation", [[1, 2, 3], None, 5, ([1, 2],), np.arange(3)])
def test_annotation_that_is_not_a_pair_raises(annotation):
    message = rf"^annotation must be a pair .* got {type(annotation).__name__}: "
    with pytest.raises(ValueError, match=message):
        as_annotation(annotation)


def test_long_annotation_is_shortened_in_the_message():
    with pytest.raises(ValueError, match=r"must be a pair") as raised:
        as_annotation(list(range(10_000)))
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize(
    ("sample", "symbol"), [([1, 2], ["N"]), ([1], ["N", "V"]), ([1, 2], [["N", "V"]]), ([1], "N")]
)
def test_unequal_numbers_of_samples_and_symbols_raise(sample, symbol):
    with pytest.raises(ValueError, match="annotation must have one symbol for each sample"):
        as_annotation((sample, symbol))


def test_annotation_with_sample_numbers_of_two_axes_raises():
    with pytest.raises(ValueError, match=r"1-D array of sample numbers, got shape \(1, 2\)"):
        as_annotation(([[1, 2]], [["N", "V"]]))


def test_annotation_with_times_in_seconds_raises():
    with pytest.raises(TypeError, match="integers, got dtype float64"):
        as_annotation(([0.5], ["N"]))


def test_annotation_is_named_in_messages():
    with pytest.raises(ValueError, match=r"^reference must have one symbol"):
        as_annotation(([1, 2], ["N"]), "reference")
    with pytest.raises(TypeError, match=r"^sample of reference must hold sample numbers"):
        as_annotation(([0.5], ["N"]), "reference")


@pytest.mark.parametrize(
    "symbols", [["N", "V"], np.array(["N", "V"], object), np.array([["N", "V"]]), []]
)
def test_symbols_become_an_array_of_str(symbols):
    converted = as_symbols(symbols)
    assert converted.dtype.kind == "U"
    assert converted.shape == np.shape(symbols)


@pytest.mark.parametrize("symbols", [[0, 1], [0.5], [True], np.array([b"N"])])
def test_symbols_other_than_strings_raise(symbols):
    with pytest.raises(ValueError, match=r"^Annotation symbols must be strings, .* got dtype"):
        as_symbols(symbols)
