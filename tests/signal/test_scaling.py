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
few = settings(max_examples=25, deadline=None)


@pytest.fixture(scope="module")
def beats():
    return np.random.default_rng(0).normal(3, 2, size=(50, 2, 120))


@pytest.mark.parametrize("axis", [-1, 2, (1, 2), (0, 2), 0, (0, 1, 2)])
def test_mean_0_and_deviation_1(beats, axis):
    scores = zscore(beats, axis)
    np.testing.assert_allclose(scores.mean(axis=axis), 0, atol=1e-12)
    np.testing.assert_allclose(scores.std(axis=axis), 1)


@pytest.mark.parametrize("axis", [-1, (0, 2)])
def test_pieces_give_what_the_whole_gives(axis):
    x = np.random.default_rng(0).normal(3, 2, size=(2000, 2, 200))  # four pieces
    mean, scale = mean_and_scale(x, axis)
    np.testing.assert_allclose(mean, x.mean(axis=axis, keepdims=True))
    np.testing.assert_allclose(scale, x.std(axis=axis, keepdims=True))
    np.testing.assert_allclose(zscore(x, axis), (x - mean) / scale, atol=1e-12)


def test_agrees_with_scikit_learn(beats):
    X = beats[:, 0]
    np.testing.assert_allclose(zscore(X, axis=0), StandardScaler().fit_transform(X), atol=1e-12)


def test_without_deviation(beats):
    centred = zscore(beats, with_std=False)
    np.testing.assert_allclose(centred, beats - beats.mean(axis=-1, keepdims=True), atol=1e-12)


def test_given_mean_and_scale(beats):
    scores = zscore(beats, mean=[[1.0], [2.0]], scale=4.0)
    np.testing.assert_allclose(scores[:, 1], (beats[:, 1] - 2) / 4)
    np.testing.assert_allclose(zscore(beats, mean=1.0), beats - 1)


@pytest.mark.parametrize("value", [0.0, 0.1, 1 / 3, -1e9, 1e308, 1e-300])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_times", [1, 7, 5000])
@pytest.mark.parametrize("axis", [-1, 0, (0, 1)])
def test_constants_give_exact_zeros(value, dtype, n_times, axis):
    x = np.full((3, n_times), min(value, float(np.finfo(dtype).max)), dtype)
    assert not zscore(x, axis).any()


def test_a_constant_up_to_rounding_is_not_blown_up():
    x = 1e6 + 1e-10 * np.random.default_rng(0).normal(size=(1, 1000))
    assert np.ptp(x) > 0
    assert np.abs(zscore(x)).max() < 1e-6


@pytest.mark.parametrize("factor", [1e-300, 1e-200, 1e200, 5e307])
def test_neither_tiny_nor_huge_values_are_lost(factor):
    x = np.array([[-1.0, 0.5, 2.0, 0.0]])
    np.testing.assert_allclose(zscore(factor * x), zscore(x))


@pytest.mark.parametrize("with_std", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("axis", [-1, (0, 1)])
def test_the_largest_numbers_stay_finite(with_std, dtype, axis):
    largest = np.finfo(dtype).max
    x = np.array([[largest, -largest, largest], [1, 2, 3]], dtype)
    assert np.isfinite(zscore(x, axis, with_std=with_std)).all()


@few
@given(ROWS)
def test_shape_dtype_and_bounds(x):
    for dtype in (np.float32, np.float64):
        scores = zscore(x.astype(dtype))
        assert scores.shape == x.shape
        assert scores.dtype == dtype
        # no sample of n can lie further off than this
        assert np.abs(scores).max() <= np.sqrt(x.shape[1]) * 1.001


@few
@given(ROWS, st.sampled_from([0.25, 2.0, 1024.0]))
def test_scale_does_not_matter_and_polarity_passes_through(x, factor):
    x = np.round(x, 3)  # what lies at the limit of rounding may fall to either side
    np.testing.assert_array_equal(zscore(factor * x), zscore(x))
    np.testing.assert_array_equal(zscore(-x), -zscore(x))


@few
@given(ROWS, st.integers(-100, 100))
def test_a_constant_shift_changes_nothing(x, shift):
    x = np.round(x)
    np.testing.assert_allclose(zscore(x + shift), zscore(x), atol=1e-9)


@few
@given(ROWS, st.randoms(use_true_random=False))
def test_rows_do_not_know_each_other(x, random):
    order = np.array(random.sample(range(len(x)), len(x)))
    np.testing.assert_array_equal(zscore(x[order]), zscore(x)[order])


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0,)])
def test_nothing_in_nothing_out(shape):
    assert zscore(np.empty(shape)).shape == shape


def test_no_mean_of_nothing():
    with pytest.raises(ValueError, match=r"shape \(0, 3\) has no samples"):
        mean_and_scale(np.empty((0, 3)))


def test_scale_needs_its_mean():
    with pytest.raises(ValueError, match=r"scale=2\.0 needs a mean"):
        zscore([1.0], scale=2.0)


def test_the_smallest_numbers_there_are_do_no_harm():
    tiny = np.array([[5e-324, 0.0]])
    np.testing.assert_array_equal(mean_and_scale(tiny)[1], [[1.0]])
    assert np.isfinite(zscore(tiny)).all()
