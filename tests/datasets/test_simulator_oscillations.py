import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from ecgbeat.datasets._simulator._oscillations import sum_oscillations


def sound(
    onset=0.1, frequency=100.0, decay=0.01, amplitude=1.0, phase=0.0, glide=0.0, *, fs=4000.0
):
    parts = np.broadcast_arrays(onset, frequency, decay, amplitude, phase, glide)
    return sum_oscillations(*map(np.atleast_1d, parts), fs=fs, n_times=round(fs))


def dominant_frequency(signal, fs=4000.0):
    return np.abs(np.fft.rfft(signal, 8 * len(signal))).argmax() * fs / (8 * len(signal))


def test_nothing_is_heard_before_the_onset():
    signal = sound(onset=0.1)
    assert not signal[:401].any()
    assert signal[402:].any()


def test_the_amplitude_is_largest_two_decays_after_the_onset():
    signal = sound(frequency=1000.0, amplitude=0.7)
    assert np.abs(signal).argmax() == pytest.approx(400 + 80, abs=2)
    assert np.abs(signal).max() == pytest.approx(0.7, rel=0.01)


def test_it_dies_away():
    signal = np.abs(sound())
    assert signal[400 + 400 :].max() < 0.02


def test_the_frequency_is_the_one_asked_for():
    assert dominant_frequency(sound(decay=0.05)) == pytest.approx(100.0, abs=1.0)


def test_a_glide_begins_higher():
    level, gliding = sound(frequency=60.0), sound(frequency=60.0, glide=0.5)
    assert dominant_frequency(gliding) > dominant_frequency(level) + 5.0
    crossings = np.flatnonzero(np.diff(np.sign(gliding[402:800])))
    assert crossings[1] - crossings[0] < crossings[-1] - crossings[-2]


def test_oscillations_add_up():
    both = sound(onset=[0.1, 0.15], frequency=[100.0, 50.0])
    assert_allclose(both, sound() + sound(onset=0.15, frequency=50.0), atol=1e-12)


def test_an_oscillation_from_before_the_recording_is_still_heard():
    assert_allclose(sound(onset=-0.02)[:100], sound(onset=0.1)[480:580], atol=1e-12)


@pytest.mark.parametrize("onset", [-1.0, 1.0, 7.0])
def test_one_far_outside_is_not_heard(onset):
    assert not sound(onset=onset).any()


@pytest.mark.parametrize("glide", [0.0, 0.5])
def test_one_too_high_for_the_recorder_is_left_out(glide):
    assert not sound(frequency=500.0 / (1.0 + glide), glide=glide, fs=1000.0).any()
    assert sound(frequency=499.0 / (1.0 + glide), glide=glide, fs=1000.0).any()


def test_it_is_the_same_at_any_sampling_rate():
    assert_allclose(sound(fs=12000.0)[::3], sound(), atol=1e-9)


def test_without_any_there_is_silence():
    assert_array_equal(sound(onset=np.empty(0)), np.zeros(4000))
