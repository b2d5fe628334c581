"""Tests common to all transformers."""

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
def test_estimator_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("transformer", VARIED, ids=str)
def test_minimum_number_of_estimator_checks(transformer):
    assert len(list(estimator_checks_generator(transformer))) >= 45


def test_all_public_transformers_are_tested():
    names = {type(transformer).__name__ for transformer in ALL}
    assert names == set(ecgbeat.preprocessing.__all__)


@any_transformer
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_flattened_input_equals_3d_input(transformer, leads, dtype):
    leads = leads.astype(dtype)
    from_3d = clone(transformer).fit_transform(leads)
    from_2d = clone(transformer).set_params(n_leads=3).fit_transform(leads.reshape(30, -1))
    assert from_3d.dtype == from_2d.dtype == dtype
    assert from_3d.ndim == 3
    np.testing.assert_array_equal(from_2d, from_3d.reshape(30, -1))


@any_transformer
def test_transform_accepts_flattened_input_after_fit_on_3d_input(transformer, leads):
    fitted = clone(transformer).fit(leads)
    assert fitted.n_leads_ == 3
    assert fitted.n_features_in_ == 3 * 720
    flat = fitted.transform(leads.reshape(30, -1))
    np.testing.assert_array_equal(flat, fitted.transform(leads).reshape(30, -1))
    np.testing.assert_array_equal(flat, fitted.transform(leads.reshape(30, -1).tolist()))


@any_transformer
def test_mismatch_in_number_of_leads_raises(transformer, leads):
    flat = leads.reshape(30, -1)
    with pytest.raises(ValueError, match=r"X has 3 leads, but \w+ was fitted with 1"):
        clone(transformer).fit(flat).transform(leads)
    with pytest.raises(ValueError, match="that is 3 leads, but n_leads=2"):
        clone(transformer).set_params(n_leads=2).fit(leads)
    with pytest.raises(ValueError, match="n_leads=7 does not divide X"):
        clone(transformer).set_params(n_leads=7).fit(flat)


@any_transformer
def test_beats_transformed_one_by_one_equal_all_at_once(transformer, leads):
    fitted = clone(transformer).fit(leads)
    whole = fitted.transform(leads)
    np.testing.assert_array_equal(np.concatenate([fitted.transform(x[None]) for x in leads]), whole)


@any_transformer
def test_input_is_not_modified(transformer, leads):
    before = leads.copy()
    clone(transformer).fit_transform(leads)
    np.testing.assert_array_equal(leads, before)


@any_transformer
def test_pandas_input_and_output(transformer, leads):
    frame = pd.DataFrame(leads[:, 0], index=range(100, 130)).add_prefix("t")
    transformer = clone(transformer).set_output(transform="pandas")
    result = transformer.fit_transform(frame)
    np.testing.assert_array_equal(result.columns, transformer.get_feature_names_out())
    np.testing.assert_array_equal(result.index, frame.index)
    expected = clone(transformer).set_output(transform="default").fit_transform(leads[:, 0])
    # columns of a frame are not contiguous in memory, so sums may round differently
    np.testing.assert_allclose(result, expected, atol=1e-12)


@any_transformer
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_non_finite_values_raise(transformer, leads, value):
    broken = leads.copy()
    broken[4, 0, 7] = value
    with pytest.raises(ValueError, match=r"X contains (NaN|infinity): 1 of .*first at X\[4, 7\]"):
        clone(transformer).fit(broken)
    with pytest.raises(ValueError, match="Interpolate over gaps"):
        clone(transformer).fit(leads).transform(broken)


@any_transformer
@pytest.mark.parametrize(
    "recording", [np.zeros(100), [0.0] * 100, pd.Series(np.zeros(100))], ids=lambda x: type(x)
)
@pytest.mark.parametrize("method", ["fit", "transform", "fit_transform"])
def test_1d_recording_raises_and_names_alternative(transformer, recording, method):
    alternative = {
        BandpassFilter: r"ecgbeat\.signal\.bandpass",
        RPeakSegmenter: r"RPeakSegmenter\(\.\.\.\)\.segment\(recording\)",
        ZScoreScaler: r"ecgbeat\.signal\.zscore",
    }[type(transformer)]
    with pytest.raises(ValueError, match=f"1-D array of 100 values.*{alternative}"):
        getattr(clone(transformer), method)(recording)


@any_transformer
def test_transform_before_fit_raises(transformer, leads):
    with pytest.raises(NotFittedError):
        clone(transformer).transform(leads)


@any_transformer
@pytest.mark.parametrize("n_leads", [0, -1, 1.5, "two"])
def test_invalid_n_leads_raises(transformer, leads, n_leads):
    with pytest.raises(ValueError, match=f"'n_leads' parameter .* Got {n_leads!r} instead"):
        clone(transformer).set_params(n_leads=n_leads).fit(leads)


@any_transformer
def test_failed_fit_keeps_former_state(transformer, leads):
    fitted = clone(transformer).fit(leads)
    before = pickle.dumps(fitted)
    with pytest.raises(ValueError, match="NaN"):
        fitted.fit(np.full((3, 100), np.nan))
    assert pickle.dumps(fitted) == before


@any_transformer
def test_refit_equals_fresh_fit(transformer, leads):
    fitted = clone(transformer).fit(leads).fit(leads[:, 0, :100])
    fresh = clone(transformer).fit(leads[:, 0, :100])
    assert pickle.dumps(fitted) == pickle.dumps(fresh)


@any_transformer
def test_html_representation_contains_class_name(transformer, leads):
    assert type(transformer).__name__ in estimator_html_repr(clone(transformer).fit(leads))


@any_transformer
def test_tags_allow_3d_input_and_preserve_float32(transformer):
    tags = get_tags(transformer)
    assert tags.input_tags.three_d_array
    assert tags.input_tags.two_d_array
    assert set(tags.transformer_tags.preserves_dtype) == {"float32", "float64"}


@any_transformer
def test_arguments_after_the_first_are_keyword_only(transformer):
    first, *others = list(inspect.signature(type(transformer)).parameters.values())
    assert first.kind is first.POSITIONAL_OR_KEYWORD
    assert others
    assert all(p.kind is p.KEYWORD_ONLY for p in others)


@any_transformer
@pytest.mark.parametrize("width", range(1, 25))
def test_very_short_rows_are_padded_and_cropped(transformer, width):
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
def test_result_is_finite_for_all_finite_beats(transformer, X, dtype):
    result = clone(transformer).fit_transform(X.astype(dtype))
    assert result.dtype == dtype
    assert result.shape[:2] == X.shape[:2]
    assert np.isfinite(result).all()


def test_base_class_is_private_and_abstract():
    assert "BeatTransformer" not in ecgbeat.preprocessing.__all__
    with pytest.raises(NotImplementedError):
        BeatTransformer()._transform_leads(np.zeros((1, 1, 1)))
