import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.signal import welch

from ecgbeat.datasets.simulator.waveforms import draw_band_noise, sum_gaussians, sum_oscillations


def gaussians(center, width, amplitude, *, fs=360.0, n_times=720):
    return sum_gaussians(
        np.atleast_1d(center),
        np.atleast_2d(width),
        np.atleast_2d(amplitude),
        fs=fs,
        n_times=n_times,
    )


def test_wave_is_gaussian():
    wave = gaussians(1.0, [0.04, 0.04], 2.0)[0]
    t = np.arange(720) / 360
    assert_allclose(wave, 2.0 * np.exp(-0.5 * ((t - 1.0) / 0.04) ** 2), atol=2e-3)


def test_gaussian_rises_and_falls_with_different_widths():
    wave = gaussians(1.0, [0.08, 0.02], 1.0)[0]
    above_half = np.flatnonzero(wave > 0.5) - 360
    assert -above_half[0] == pytest.approx(4 * above_half[-1], abs=4)


def test_gaussians_add_up():
    both = gaussians([0.5, 0.6], [[0.03, 0.05], [0.02, 0.02]], [[1.0], [-0.4]])
    single = gaussians(0.5, [0.03, 0.05], 1.0) + gaussians(0.6, [0.02, 0.02], -0.4)
    assert_allclose(both, single, atol=1e-12)


def test_leads_have_separate_amplitudes():
    leads = gaussians(1.0, [0.04, 0.04], [1.0, -0.5, 0.0])
    assert leads.shape == (3, 720)
    assert_allclose(leads[1], -0.5 * leads[0])
    assert not leads[2].any()


@pytest.mark.parametrize("center", [-0.05, 2.03])
def test_gaussian_at_edge_is_cut(center):
    padded = gaussians(center + 1.0, [0.05, 0.05], 1.0, n_times=1440)[0]
    assert_allclose(gaussians(center, [0.05, 0.05], 1.0)[0], padded[360:1080], atol=1e-12)


@pytest.mark.parametrize("center", [-50.0, 50.0])
def test_gaussian_outside_of_recording_is_omitted(center):
    assert_array_equal(gaussians(center, [0.05, 0.05], 1.0), np.zeros((1, 720)))


@pytest.mark.parametrize("center", [1.0, 1.002, 1.005])
def test_pacing_spike_does_not_fall_between_samples_at_low_sampling_rate(center):
    spike = gaussians(center, [0.0015, 0.0015], 1.0, fs=100.0, n_times=200)[0]
    assert spike.max() > 0.1


def test_no_gaussians_give_zeros():
    assert_array_equal(
        gaussians(np.empty(0), np.empty((0, 2)), np.empty((0, 2))), np.zeros((2, 720))
    )


def oscillation(
    onset=0.1, frequency=100.0, decay=0.01, amplitude=1.0, phase=0.0, glide=0.0, *, fs=4000.0
):
    parts = np.broadcast_arrays(onset, frequency, decay, amplitude, phase, glide)
    return sum_oscillations(*map(np.atleast_1d, parts), fs=fs, n_times=round(fs))


def dominant_frequency(signal, fs=4000.0):
    return np.abs(np.fft.rfft(signal, 8 * len(signal))).argmax() * fs / (8 * len(signal))


def test_oscillation_is_zero_before_onset():
    signal = oscillation(onset=0.1)
    assert not signal[:401].any()
    assert signal[402:].any()


def test_amplitude_is_largest_two_decays_after_onset():
    signal = oscillation(frequency=1000.0, amplitude=0.7)
    assert np.abs(signal).argmax() == pytest.approx(400 + 80, abs=2)
    assert np.abs(signal).max() == pytest.approx(0.7, rel=0.01)


def test_oscillation_decays():
    signal = np.abs(oscillation())
    assert signal[400 + 400 :].max() < 0.02


def test_oscillation_has_given_frequency():
    assert dominant_frequency(oscillation(decay=0.05)) == pytest.approx(100.0, abs=1.0)


def test_glide_starts_at_higher_frequency():
    level, gliding = oscillation(frequency=60.0), oscillation(frequency=60.0, glide=0.5)
    assert dominant_frequency(gliding) > dominant_frequency(level) + 5.0
    crossings = np.flatnonzero(np.diff(np.sign(gliding[402:800])))
    assert crossings[1] - crossings[0] < crossings[-1] - crossings[-2]


def test_oscillations_add_up():
    both = oscillation(onset=[0.1, 0.15], frequency=[100.0, 50.0])
    assert_allclose(both, oscillation() + oscillation(onset=0.15, frequency=50.0), atol=1e-12)


def test_oscillation_from_before_the_recording_reaches_into_it():
    assert_allclose(oscillation(onset=-0.02)[:100], oscillation(onset=0.1)[480:580], atol=1e-12)


@pytest.mark.parametrize("onset", [-1.0, 1.0, 7.0])
def test_oscillation_outside_of_recording_is_omitted(onset):
    assert not oscillation(onset=onset).any()


@pytest.mark.parametrize("glide", [0.0, 0.5])
def test_oscillation_above_nyquist_frequency_is_omitted(glide):
    assert not oscillation(frequency=500.0 / (1.0 + glide), glide=glide, fs=1000.0).any()
    assert oscillation(frequency=499.0 / (1.0 + glide), glide=glide, fs=1000.0).any()


def test_oscillation_is_the_same_at_any_sampling_rate():
    assert_allclose(oscillation(fs=12000.0)[::3], oscillation(), atol=1e-9)


def test_no_oscillations_give_zeros():
    assert_array_equal(oscillation(onset=np.empty(0)), np.zeros(4000))


def band_noise(band=(20.0, 200.0), amplitude=np.ones_like, *, duration=60.0, fs=1000.0):
    rng = np.random.default_rng(0)
    return draw_band_noise(rng, band, amplitude, duration=duration, fs=fs)


def test_noise_has_variance_1():
    assert band_noise().std() == pytest.approx(1.0, rel=0.05)


def test_noise_power_lies_within_band():
    frequency, power = welch(band_noise(), 1000.0, nperseg=4096)
    inside = (frequency > 19.0) & (frequency < 201.0)
    assert power[inside].sum() > 0.99 * power.sum()


def test_noise_has_given_spectrum():
    noise = band_noise((10.0, 100.0), lambda frequency: 1.0 / frequency)
    frequency, power = welch(noise, 1000.0, nperseg=4096)
    low, high = (power[np.abs(frequency - f) < 4.0].mean() for f in (20.0, 80.0))
    assert low / high == pytest.approx(16.0, rel=0.35)


@pytest.mark.parametrize("fs", [2000.0, 8000.0])
def test_noise_is_the_same_at_any_sampling_rate(fs):
    assert_allclose(band_noise(fs=fs)[:: int(fs / 1000)], band_noise(), atol=1e-9)


def test_noise_above_nyquist_frequency_is_omitted():
    assert band_noise(fs=100.0).std() < 0.8 * band_noise().std()


def test_noise_of_fractional_duration_is_cut():
    assert_array_equal(band_noise(duration=1.5), band_noise(duration=2.0)[:1500])
