import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator

from ecgbeat import _validation
from ecgbeat._validation import (
    check_finite,
    check_positive,
    flatten_beats,
    lead_layout,
    split_leads,
    unchanged_on_error,
    validate_beats,
)


@given(n_times=st.integers(1, 500), n_leads=st.integers(1, 12), n_aux=st.integers(0, 6))
def test_rows_made_of_leads_divide_into_them(n_times, n_leads, n_aux):
    layout = lead_layout(n_times * n_leads + n_aux, n_leads, n_aux)
    assert layout == (n_leads, n_times, 0, n_aux)


@given(width=st.integers(1, 7), n_leads=st.integers(1, 12))
def test_rows_too_short_for_beats_are_filled_up(width, n_leads):
    layout = lead_layout(width, n_leads)
    assert layout.n_leads * layout.n_times == width + layout.n_padding


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((187, 2), "n_leads=2 does not divide X: its rows hold 187 samples"),
        ((190, 2, 3), "its rows hold 187 samples"),
        ((20, 1, 20), "n_aux_features=20 leaves no waveform: X has 20 columns"),
    ],
)
def test_rows_that_do_not_divide_are_an_error(arguments, message):
    with pytest.raises(ValueError, match=message):
        lead_layout(*arguments)


def test_splitting_undoes_flattening():
    X = np.arange(24.0).reshape(2, 3, 4)
    flat, n_leads = flatten_beats(X)
    assert (flat.shape, n_leads) == ((2, 12), 3)
    np.testing.assert_array_equal(split_leads(flat, 3), X)
    assert np.shares_memory(split_leads(flat, 3), flat)


@pytest.mark.parametrize("X", [[[1, 2], [3, 4]], np.zeros((2, 2)), np.zeros(3), [], "text", [[]]])
def test_what_is_not_three_deep_stays_as_it_is(X):
    assert flatten_beats(X) == (X, None) or flatten_beats(X)[0] is X


def test_nested_lists_are_flattened():
    flat, n_leads = flatten_beats([[[1, 2], [3, 4]]])
    assert (flat.tolist(), n_leads) == ([[1, 2, 3, 4]], 2)


def test_announced_leads_must_be_there():
    with pytest.raises(ValueError, match="that is 3 leads, but n_leads=2"):
        flatten_beats(np.zeros((2, 3, 4)), 2)


@pytest.mark.parametrize(("value", "name"), [(np.nan, "NaN"), (np.inf, "infinity")])
def test_values_that_are_not_finite_are_counted_and_placed(value, name):
    X = np.zeros((3, 4))
    X[1, 2] = X[2, 0] = value
    with pytest.raises(ValueError, match=rf"Me: X contains {name}: 2 of 12 .* first at X\[1, 2\]"):
        check_finite(X, "Me")


def test_finite_values_may_overflow_their_sum():
    check_finite(np.full((2, 2), 1e308), "Me")


@pytest.mark.parametrize("value", [-1, 0, np.nan, np.inf])
def test_numbers_must_be_positive(value):
    with pytest.raises(ValueError, match=r"fs must be greater than 0 \(in Hz\) and finite, got"):
        check_positive("fs", value, unit="Hz")


@pytest.mark.parametrize("value", ["360", None, True, [360]])
def test_numbers_must_be_numbers(value):
    with pytest.raises(TypeError, match="fs must be a number in Hz, got"):
        check_positive("fs", value, unit="Hz")


def test_an_error_gives_attributes_back():
    estimator = BaseEstimator()
    estimator.kept = 1

    def spoil():
        estimator.kept, estimator.added = 2, 3
        raise RuntimeError

    with pytest.raises(RuntimeError), unchanged_on_error(estimator):
        spoil()
    assert vars(estimator) == {"kept": 1}


class Fitted(BaseEstimator):
    n_features_in_ = 3


@pytest.mark.parametrize(
    "X",
    [
        [[1.0, 2.0, 3.0]],
        np.ones((1, 3), np.int64),
        np.ones((1, 3), ">f4"),
        np.ones((1, 2)),
        np.ones((0, 3)),
        np.ma.masked_array(np.ones((1, 3))),
    ],
    ids=["list", "integers", "big-endian", "narrow", "empty", "masked"],
)
def test_only_what_needs_no_change_goes_past_scikit_learn(monkeypatch, X):
    def validate_data(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(_validation, "validate_data", validate_data)
    array = np.ones((1, 3), np.float32)
    assert validate_beats(Fitted(), array, reset=False) is array
    with pytest.raises(ZeroDivisionError):
        validate_beats(Fitted(), X, reset=False)
    with pytest.raises(ZeroDivisionError):
        validate_beats(Fitted(), array, reset=True)
    with pytest.raises(ZeroDivisionError):
        validate_beats(Fitted(), array, reset=False, dtype=np.float64)
    named = Fitted()
    named.feature_names_in_ = np.array(["a", "b", "c"], object)
    with pytest.raises(ZeroDivisionError):
        validate_beats(named, array, reset=False)


def test_the_short_way_still_refuses_nan():
    with pytest.raises(ValueError, match=r"Fitted: X contains NaN"):
        validate_beats(Fitted(), np.full((1, 3), np.nan), reset=False)


def test_missing_extra_raises_with_the_command_that_installs_it():
    message = r'^A table needs no_such_module: pip install "ecgbeat\[data\]"\.$'
    with pytest.raises(ImportError, match=message):
        _validation.import_extra("no_such_module.part", extra="data", purpose="A table")
