import numpy as np
import pytest

from ecgbeat import BandpassFilter
from ecgbeat.signal import bandpass


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "parameters",
    [{}, {"fs": 250, "low": 1.0, "high": 20.0}, {"order": 4}, {"notch": 50}, {"zero_phase": False}],
    ids=str,
)
def test_result_equals_bandpass_function(leads, parameters, dtype):
    X = leads.astype(dtype)
    filtered = BandpassFilter(**parameters).fit_transform(X)
    np.testing.assert_array_equal(filtered, bandpass(X, **({"fs": 360} | parameters)))


def test_output_feature_names_equal_input_names():
    np.testing.assert_array_equal(
        BandpassFilter().fit(np.zeros((2, 3))).get_feature_names_out(), ["x0", "x1", "x2"]
    )


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"fs": 80}, "high=40.0 Hz must be below fs / 2 = 40.0 Hz.*decrease high, or set fs"),
        ({"low": 50.0}, "low=50.0 Hz must be below high=40.0 Hz.*decrease low or increase high"),
        ({"low": 40.0}, "low=40.0 Hz must be below high=40.0 Hz"),
        ({"notch": 200}, "notch=200.0 Hz must be below fs / 2 = 180.0 Hz.*notch=None"),
        ({"fs": np.inf}, "'fs' parameter of BandpassFilter .* Got inf instead"),
        ({"fs": -1}, "'fs' parameter of BandpassFilter .* Got -1 instead"),
        ({"low": 0}, "'low' parameter of BandpassFilter .* Got 0 instead"),
        ({"high": "40"}, "'high' parameter of BandpassFilter .* Got '40' instead"),
        ({"zero_phase": 2}, "'zero_phase' parameter of BandpassFilter .* Got 2 instead"),
        ({"order": 0}, "'order' parameter of BandpassFilter .* Got 0 instead"),
    ],
    ids=str,
)
def test_invalid_parameters_raise_and_leave_estimator_unfitted(leads, parameters, message):
    transformer = BandpassFilter(**parameters)
    with pytest.raises(ValueError, match=message):
        transformer.fit(leads)
    assert not hasattr(transformer, "n_features_in_")
