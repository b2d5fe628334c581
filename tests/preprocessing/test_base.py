"""What holds for all three transformers."""

import inspect
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import estimator_html_repr, get_tags
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

import ecgbeat.preprocessing
from ecgbeat import BandpassFilter, RPeakSegmenter, ZScoreScaler
from ecgbeat.preprocessing import BeatTransformer

ALL = [
    BandpassFilter(),
    RPeakSegmenter(),
    RPeakSegmenter(n_times=187, select="largest"),
    ZScoreScaler(),
    ZScoreScaler("dataset"),
]
VARIED = [
    *ALL,
    BandpassFilter(120, low=1, high=30, order=4),
    BandpassFilter(notch=50, n_leads=2),
    BandpassFilter(notch=60, n_leads=12),
    RPeakSegmenter(100, before=0, after=0.01),
    RPeakSegmenter(before=1.0, after=2.0, n_leads=2),
    RPeakSegmenter(n_times=187, n_leads=3),
    RPeakSegmenter(n_times=1, n_leads=12, select="largest"),
    ZScoreScaler(with_std=False),
    ZScoreScaler(n_leads=12),
    ZScoreScaler("dataset", n_leads=2),
    ZScoreScaler("dataset", with_std=False, n_leads=3),
]
any_transformer = pytest.mark.parametrize("transformer", ALL, ids=str)


@parametrize_with_checks(VARIED)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("transformer", VARIED, ids=str)
def test_there_are_checks_enough(transformer):
    assert len(list(estimator_checks_generator(transformer))) >= 45


def test_no_transformer_is_forgotten():
    names = {type(transformer).__name__ for transformer in ALL}
    assert names == set(ecgbeat.preprocessing.__all__)


@any_transformer
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_flattened_equals_3d(transformer, leads, dtype):
    leads = leads.astype(dtype)
    from_3d = clone(transformer).fit_transform(leads)
    from_2d = clone(transformer).set_params(n_leads=3).fit_transform(leads.reshape(30, -1))
    assert from_3d.dtype == from_2d.dtype == dtype
    assert from_3d.ndim == 3
    np.testing.assert_array_equal(from_2d, from_3d.reshape(30, -1))


@any_transformer
def test_the_forms_are_interchangeable(transformer, leads):
    fitted = clone(transformer).fit(leads)
    assert fitted.n_leads_ == 3
    assert fitted.n_features_in_ == 3 * 720
    flat = fitted.transform(leads.reshape(30, -1))
    np.testing.assert_array_equal(flat, fitted.transform(leads).reshape(30, -1))
    np.testing.assert_array_equal(flat, fitted.transform(leads.reshape(30, -1).tolist()))


@any_transformer
def test_another_number_of_leads_is_told(transformer, leads):
    flat = leads.reshape(30, -1)
    with pytest.raises(ValueError, match=r"X has 3 leads, but \w+ was fitted with 1"):
        clone(transformer).fit(flat).transform(leads)
    with pytest.raises(ValueError, match="that is 3 leads, but n_leads=2"):
        clone(transformer).set_params(n_leads=2).fit(leads)
    with pytest.raises(ValueError, match="n_leads=7 does not divide X"):
        clone(transformer).set_params(n_leads=7).fit(flat)


@any_transformer
def test_one_beat_at_a_time_is_enough(transformer, leads):
    fitted = clone(transformer).fit(leads)
    whole = fitted.transform(leads)
    np.testing.assert_array_equal(np.concatenate([fitted.transform(x[None]) for x in leads]), whole)


@any_transformer
def test_the_input_is_left_alone(transformer, leads):
    before = leads.copy()
    clone(transformer).fit_transform(leads)
    np.testing.assert_array_equal(leads, before)


@any_transformer
def test_pandas_in_and_out(transformer, leads):
    frame = pd.DataFrame(leads[:, 0], index=range(100, 130)).add_prefix("t")
    transformer = clone(transformer).set_output(transform="pandas")
    result = transformer.fit_transform(frame)
    np.testing.assert_array_equal(result.columns, transformer.get_feature_names_out())
    np.testing.assert_array_equal(result.index, frame.index)
    expected = clone(transformer).set_output(transform="default").fit_transform(leads[:, 0])
    # the columns of a frame lie apart in memory, so sums may round otherwise
    np.testing.assert_allclose(result, expected, atol=1e-12)


@any_transformer
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_told(transformer, leads, value):
    spoilt = leads.copy()
    spoilt[4, 0, 7] = value
    with pytest.raises(ValueError, match=r"X contains (NaN|infinity): 1 of .*first at X\[4, 7\]"):
        clone(transformer).fit(spoilt)
    with pytest.raises(ValueError, match="Interpolate over gaps"):
        clone(transformer).fit(leads).transform(spoilt)


@any_transformer
@pytest.mark.parametrize(
    "recording", [np.zeros(100), [0.0] * 100, pd.Series(np.zeros(100))], ids=lambda x: type(x)
)
@pytest.mark.parametrize("method", ["fit", "transform", "fit_transform"])
def test_a_recording_is_told_where_to_go(transformer, recording, method):
    elsewhere = {
        BandpassFilter: r"ecgbeat\.signal\.bandpass",
        RPeakSegmenter: r"RPeakSegmenter\(\.\.\.\)\.segment\(recording\)",
        ZScoreScaler: r"ecgbeat\.signal\.zscore",
    }[type(transformer)]
    with pytest.raises(ValueError, match=f"1-D array of 100 values.*{elsewhere}"):
        getattr(clone(transformer), method)(recording)


@any_transformer
def test_unfitted(transformer, leads):
    with pytest.raises(NotFittedError):
        clone(transformer).transform(leads)


@any_transformer
@pytest.mark.parametrize("n_leads", [0, -1, 1.5, "two"])
def test_no_leads_are_told(transformer, leads, n_leads):
    with pytest.raises(ValueError, match=f"'n_leads' parameter .* Got {n_leads!r} instead"):
        clone(transformer).set_params(n_leads=n_leads).fit(leads)


@any_transformer
def test_a_failed_fit_changes_nothing(transformer, leads):
    fitted = clone(transformer).fit(leads)
    before = pickle.dumps(fitted)
    with pytest.raises(ValueError, match="NaN"):
        fitted.fit(np.full((3, 100), np.nan))
    assert pickle.dumps(fitted) == before


@any_transformer
def test_a_refit_forgets_the_old(transformer, leads):
    fitted = clone(transformer).fit(leads).fit(leads[:, 0, :100])
    fresh = clone(transformer).fit(leads[:, 0, :100])
    assert pickle.dumps(fitted) == pickle.dumps(fresh)


@any_transformer
def test_html_display(transformer, leads):
    assert type(transformer).__name__ in estimator_html_repr(clone(transformer).fit(leads))


@any_transformer
def test_tags(transformer):
    tags = get_tags(transformer)
    assert tags.input_tags.three_d_array
    assert tags.input_tags.two_d_array
    assert set(tags.transformer_tags.preserves_dtype) == {"float32", "float64"}


@any_transformer
def test_all_but_the_first_argument_are_keyword_only(transformer):
    first, *others = list(inspect.signature(type(transformer)).parameters.values())
    assert first.kind is first.POSITIONAL_OR_KEYWORD
    assert others
    assert all(p.kind is p.KEYWORD_ONLY for p in others)


@any_transformer
@pytest.mark.parametrize("width", range(1, 25))
def test_rows_too_short_for_beats_are_filled_up_and_cropped(transformer, width):
    X = np.random.default_rng(0).normal(size=(4, width))
    transformer = clone(transformer).set_params(n_leads=3)
    result = transformer.fit_transform(X)
    assert np.isfinite(result).all()
    assert result.shape == (4, len(transformer.get_feature_names_out()))
    if not isinstance(transformer, RPeakSegmenter):
        assert result.shape == X.shape


SHAPES = st.tuples(st.integers(1, 4), st.integers(1, 12), st.integers(1, 5000)).filter(
    lambda shape: shape[1] * shape[2] <= 10_000
)
BEATS = SHAPES.flatmap(
    lambda shape: arrays(np.float32, shape, elements=st.floats(-100, 100, width=32))
)


@any_transformer
@settings(max_examples=15, deadline=None)
@given(X=BEATS, dtype=st.sampled_from([np.float32, np.float64]))
def test_any_beats_give_finite_ones(transformer, X, dtype):
    result = clone(transformer).fit_transform(X.astype(dtype))
    assert result.dtype == dtype
    assert result.shape[:2] == X.shape[:2]
    assert np.isfinite(result).all()


def test_the_base_is_no_transformer_by_itself():
    assert "BeatTransformer" not in ecgbeat.preprocessing.__all__
    with pytest.raises(NotImplementedError):
        BeatTransformer()._transform_leads(np.zeros((1, 1, 1)))
