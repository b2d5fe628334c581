import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.preprocessing import StandardScaler

from ecgbeat.signal import mean_and_scale, zscore

ROWS = st.tuples(st.integers(1, 4), st.integers(1, 5000)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.floats(-1e3, 1e3))
)
few_examples = settings(max_examples=25, deadline=None)


@pytest.fixture(scope="module")
def beats():
    return np.random.default_rng(0).normal(3, 2, size=(50, 2, 120))


@pytest.mark.parametrize("axis", [-1, 2, (1, 2), (0, 2), 0, (0, 1, 2)])
def test_scores_have_mean_0_and_standard_deviation_1(beats, axis):
    scores = zscore(beats, axis)
    np.testing.assert_allclose(scores.mean(axis=axis), 0, atol=1e-12)
    np.testing.assert_allclose(scores.std(axis=axis), 1)


@pytest.mark.parametrize("axis", [-1, (0, 2)])
def test_chunked_result_equals_result_at_once(axis):
    x = np.random.default_rng(0).normal(3, 2, size=(2000, 2, 200))  # four chunks
    mean, scale = mean_and_scale(x, axis)
    np.testing.assert_allclose(mean, x.mean(axis=axis, keepdims=True))
    np.testing.assert_allclose(scale, x.std(axis=axis, keepdims=True))
    np.testing.assert_allclose(zscore(x, axis), (x - mean) / scale, atol=1e-12)


def test_result_equals_standard_scaler(beats):
    X = beats[:, 0]
    np.testing.assert_allclose(zscore(X, axis=0), StandardScaler().fit_transform(X), atol=1e-12)


def test_with_std_false_only_removes_mean(beats):
    centered = zscore(beats, with_std=False)
    np.testing.assert_allclose(centered, beats - beats.mean(axis=-1, keepdims=True), atol=1e-12)


def test_given_mean_and_scale_are_used(beats):
    scores = zscore(beats, mean=[[1.0], [2.0]], scale=4.0)
    np.testing.assert_allclose(scores[:, 1], (beats[:, 1] - 2) / 4)
    np.testing.assert_allclose(zscore(beats, mean=1.0), beats - 1)


@pytest.mark.parametrize("value", [0.0, 0.1, 1 / 3, -1e9, 1e308, 1e-300])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_times", [1, 7, 5000])
@pytest.mark.parametrize("axis", [-1, 0, (0, 1)])
def test_constant_values_become_exact_zeros(value, dtype, n_times, axis):
    x = np.full((3, n_times), min(value, float(np.finfo(dtype).max)), dtype)
    assert not zscore(x, axis).any()


def test_rounding_error_of_constant_row_is_not_amplified():
    x = 1e6 + 1e-10 * np.random.default_rng(0).normal(size=(1, 1000))
    assert np.ptp(x) > 0
    assert np.abs(zscore(x)).max() < 1e-6


@pytest.mark.parametrize("factor", [1e-300, 1e-200, 1e200, 5e307])
def test_tiny_and_huge_values_neither_underflow_nor_overflow(factor):
    x = np.array([[-1.0, 0.5, 2.0, 0.0]])
    np.testing.assert_allclose(zscore(factor * x), zscore(x))


@pytest.mark.parametrize("with_std", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("axis", [-1, (0, 1)])
def test_scores_of_largest_floats_are_finite(with_std, dtype, axis):
    largest = np.finfo(dtype).max
    x = np.array([[largest, -largest, largest], [1, 2, 3]], dtype)
    assert np.isfinite(zscore(x, axis, with_std=with_std)).all()


@few_examples
@given(ROWS)
def test_scores_preserve_shape_and_dtype_and_are_bounded(x):
    for dtype in (np.float32, np.float64):
        scores = zscore(x.astype(dtype))
        assert scores.shape == x.shape
        assert scores.dtype == dtype
        # upper bound for one of n samples
        assert np.abs(scores).max() <= np.sqrt(x.shape[1]) * 1.001


@few_examples
@given(ROWS, st.sampled_from([0.25, 2.0, 1024.0]))
def test_scores_are_independent_of_gain_and_change_sign_with_polarity(x, factor):
    x = np.round(x, 3)  # at the limit of rounding error, a row may count as constant or not
    np.testing.assert_array_equal(zscore(factor * x), zscore(x))
    np.testing.assert_array_equal(zscore(-x), -zscore(x))


@few_examples
@given(ROWS, st.integers(-100, 100))
def test_scores_are_independent_of_offset(x, shift):
    x = np.round(x)
    np.testing.assert_allclose(zscore(x + shift), zscore(x), atol=1e-9)


@few_examples
@given(ROWS, st.randoms(use_true_random=False))
def test_rows_are_scaled_independently(x, random):
    order = np.array(random.sample(range(len(x)), len(x)))
    np.testing.assert_array_equal(zscore(x[order]), zscore(x)[order])


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0,)])
def test_empty_input_gives_empty_result(shape):
    assert zscore(np.empty(shape)).shape == shape


def test_mean_of_empty_array_raises():
    with pytest.raises(ValueError, match=r"shape \(0, 3\) has no samples"):
        mean_and_scale(np.empty((0, 3)))


def test_scale_without_mean_raises():
    with pytest.raises(ValueError, match=r"scale=2\.0 requires a mean"):
        zscore([1.0], scale=2.0)


def test_smallest_floats_are_scaled_by_1():
    tiny = np.array([[5e-324, 0.0]])
    np.testing.assert_array_equal(mean_and_scale(tiny)[1], [[1.0]])
    assert np.isfinite(zscore(tiny)).all()
