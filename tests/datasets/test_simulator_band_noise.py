import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.signal import welch

from ecgbeat.datasets._simulator._band_noise import draw_band_noise


def draw(band=(20.0, 200.0), amplitude=np.ones_like, *, duration=60.0, fs=1000.0):
    rng = np.random.default_rng(0)
    return draw_band_noise(rng, band, amplitude, duration=duration, fs=fs)


def test_the_variance_is_1():
    assert draw().std() == pytest.approx(1.0, rel=0.05)


def test_power_lies_within_the_band():
    frequency, power = welch(draw(), 1000.0, nperseg=4096)
    inside = (frequency > 19.0) & (frequency < 201.0)
    assert power[inside].sum() > 0.99 * power.sum()


def test_the_amplitude_at_each_frequency_is_the_one_asked_for():
    noise = draw((10.0, 100.0), lambda frequency: 1.0 / frequency)
    frequency, power = welch(noise, 1000.0, nperseg=4096)
    low, high = (power[np.abs(frequency - f) < 4.0].mean() for f in (20.0, 80.0))
    assert low / high == pytest.approx(16.0, rel=0.35)


@pytest.mark.parametrize("fs", [2000.0, 8000.0])
def test_one_seed_gives_one_noise_at_any_sampling_rate(fs):
    assert_allclose(draw(fs=fs)[:: int(fs / 1000)], draw(), atol=1e-9)


def test_what_a_slow_recorder_cannot_hear_is_left_out():
    assert draw(fs=100.0).std() < 0.8 * draw().std()


def test_a_duration_that_is_no_whole_number_of_seconds_is_cut():
    assert_array_equal(draw(duration=1.5), draw(duration=2.0)[:1500])
