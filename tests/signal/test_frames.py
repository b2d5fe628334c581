import numpy as np
import pytest
from scipy import stats

from ecgbeat.signal._frames import STATISTICS, frame_statistics, normalize_frames


@pytest.fixture
def coefficients():
    return np.random.default_rng(0).gamma(2.0, size=(4, 3, 50)) * 30 - 100


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("mean", np.mean),
        ("std", np.std),
        ("min", np.min),
        ("median", np.median),
        ("max", np.max),
        ("skew", stats.skew),
    ],
)
def test_statistics(coefficients, name, function):
    described = frame_statistics(coefficients)
    assert described.shape == (4, 3, 6)
    expected = function(coefficients, axis=-1)
    np.testing.assert_allclose(described[..., STATISTICS.index(name)], expected)


def test_normalised_frames_have_mean_0_and_deviation_1(coefficients):
    normal = normalize_frames(coefficients)
    np.testing.assert_allclose(normal.mean(axis=-1), 0, atol=1e-12)
    np.testing.assert_allclose(normal.std(axis=-1), 1)


@pytest.mark.parametrize("rounding", [0.0, 1e-12])
def test_what_is_constant_but_for_rounding_has_no_spread(coefficients, rounding):
    coefficients[1, 2] = 0.1 + rounding * coefficients[0, 0]
    assert not normalize_frames(coefficients)[1, 2].any()
    described = dict(zip(STATISTICS, frame_statistics(coefficients)[1, 2], strict=True))
    assert described["std"] == described["skew"] == 0
    assert described["mean"] == pytest.approx(0.1)


def test_a_small_spread_is_no_rounding(coefficients):
    small = coefficients.copy()
    small[:, 1] *= 1e-6
    np.testing.assert_allclose(normalize_frames(small), normalize_frames(coefficients), atol=1e-9)


@pytest.mark.parametrize("function", [normalize_frames, frame_statistics])
def test_one_frame(function):
    result = function(np.array([[[3.0], [-2.0]]]))
    assert np.isfinite(result).all()


@pytest.mark.parametrize("function", [normalize_frames, frame_statistics])
def test_the_input_is_left_alone(coefficients, function):
    before = coefficients.copy()
    function(coefficients)
    np.testing.assert_array_equal(coefficients, before)
