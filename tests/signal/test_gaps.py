import numpy as np
import pytest

from ecgbeat.signal import bridge_gaps

NAN = np.nan


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
def test_each_lead_is_bridged_by_itself(method, order):
    x = np.random.default_rng(0).normal(size=(2, 3, 50))
    x[0, 1, 10:20] = x[1, 2, 48:] = NAN
    bridged = bridge_gaps(np.array(x, order=order), method)
    alone = [[bridge_gaps(lead, method) for lead in leads] for leads in x]
    np.testing.assert_array_equal(bridged, alone)


def test_what_is_no_gap_stays():
    x = np.random.default_rng(0).normal(size=(3, 40))
    x[1, 5:9] = NAN
    bridged = bridge_gaps(x)
    np.testing.assert_array_equal(bridged[~np.isnan(x)], x[~np.isnan(x)])
    assert np.isfinite(bridged).all()


@pytest.mark.parametrize("method", ["linear", "hold"])
def test_the_input_is_not_changed(method):
    x = np.array([1.0, NAN, 3.0])
    x.flags.writeable = False
    bridge_gaps(x, method)
    np.testing.assert_array_equal(x, [1.0, NAN, 3.0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("method", ["linear", "hold", "raise"])
def test_without_gaps_nothing_is_copied(method, dtype):
    x = np.ones((2, 5), dtype)
    assert bridge_gaps(x, method) is x


@pytest.mark.parametrize("x", [[1, 2], np.array([1, 2], np.int16), np.array([1, 2], np.float16)])
def test_all_but_float32_becomes_float64(x):
    bridged = bridge_gaps(x)
    np.testing.assert_array_equal(bridged, [1.0, 2.0])
    assert bridged.dtype == np.float64


@pytest.mark.parametrize("method", ["linear", "hold"])
def test_a_lead_of_gaps_alone_is_zero(method):
    x = np.array([[NAN, NAN, NAN], [1.0, NAN, 1.0]])
    np.testing.assert_array_equal(bridge_gaps(x, method), [[0, 0, 0], [1, 1, 1]])


@pytest.mark.parametrize("shape", [(0,), (2, 0), (0, 7)])
def test_empty_signals_stay_empty(shape):
    assert bridge_gaps(np.empty(shape)).shape == shape


def test_values_whose_sum_overflows_are_no_gaps():
    x = np.full((1, 4), 3e38, np.float32)
    np.testing.assert_array_equal(bridge_gaps(x), x)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
@pytest.mark.parametrize("gap", [NAN, 0.0], ids=["beside a gap", "alone"])
def test_infinite_values_are_no_gaps(value, gap):
    x = np.zeros((2, 9))
    x[0, 2] = gap
    x[1, 4] = value
    with pytest.raises(ValueError, match=r"x contains infinity.*the first at x\[1, 4\]"):
        bridge_gaps(x)


def test_gaps_raise_if_so_wished():
    with pytest.raises(ValueError, match=r"bridge_gaps: x contains NaN: 2 of 4.*at x\[1\]"):
        bridge_gaps([1.0, NAN, NAN, 2.0], "raise")


@pytest.mark.parametrize("method", ["cubic", None, 1])
def test_unknown_methods_are_refused(method):
    with pytest.raises(ValueError, match=f"one of .*'linear'.*got {method!r}"):
        bridge_gaps([1.0], method)


@pytest.mark.parametrize("x", [[1j, 2.0], ["a", "b"], [None, 1.0]])
def test_what_is_no_real_number_is_refused(x):
    with pytest.raises(TypeError, match="x must be made of real numbers, got dtype"):
        bridge_gaps(x)


@pytest.mark.parametrize("x", [NAN, 3.0])
def test_a_single_number_is_no_signal(x):
    with pytest.raises(ValueError, match=f"x must be an array of samples, got {x}"):
        bridge_gaps(x)
