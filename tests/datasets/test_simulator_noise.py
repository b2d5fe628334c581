import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.signal import welch

from ecgbeat.datasets._simulator._noise import Electrodes, draw_electrodes, draw_noise

SILENT = Electrodes(wander=0.0, muscle=0.0, bump=0.0, mains=0.0)


def draw(electrodes, *, seed=0, duration=120.0, fs=360.0, n_leads=1, mains=60.0):
    return draw_noise(
        np.random.default_rng(seed),
        electrodes,
        duration=duration,
        fs=fs,
        n_leads=n_leads,
        mains=mains,
    )


def share_within(noise, low, high, fs=360.0):
    frequency, power = welch(noise, fs, nperseg=8192)
    return power[(frequency >= low) & (frequency <= high)].sum() / power.sum()


def test_baseline_wander_is_slow():
    assert share_within(draw(SILENT._replace(wander=0.1))[0], 0.0, 0.8) > 0.98


def test_muscle_noise_is_fast():
    assert share_within(draw(SILENT._replace(muscle=0.02))[0], 14.0, 152.0) > 0.98


@pytest.mark.parametrize("mains", [50.0, 60.0])
def test_hum_has_the_frequency_of_the_mains(mains):
    noise = draw(SILENT._replace(mains=0.01), mains=mains)[0]
    assert share_within(noise, mains - 0.5, mains + 0.5) > 0.99


def test_a_recorder_too_slow_for_the_mains_does_not_alias_it():
    assert not draw(SILENT._replace(mains=0.01), fs=100.0).any()


def test_bumps_are_rare_and_short():
    noise = np.abs(draw(SILENT._replace(bump=0.3), duration=600.0)[0])
    assert noise.max() > 0.2
    assert np.mean(noise > 0.02) < 0.2


@pytest.mark.parametrize("part", ["wander", "mains"])
def test_electrodes_state_root_mean_squares(part):
    noise = draw(SILENT._replace(**{part: 0.1}), duration=600.0)
    assert np.sqrt(np.mean(noise**2)) == pytest.approx(0.1, rel=0.3)


@pytest.mark.parametrize("fs", [720.0, 1440.0])
def test_one_seed_gives_one_noise_at_any_sampling_rate(fs):
    electrodes = draw_electrodes(np.random.default_rng(0))
    fast = draw(electrodes, fs=fs, duration=20.5)
    assert_allclose(fast[:, :: int(fs / 360)], draw(electrodes, duration=20.5), atol=1e-3)


def test_leads_have_their_own_noise():
    first, second = draw(draw_electrodes(np.random.default_rng(0)), n_leads=2)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.5


def test_a_duration_that_is_no_whole_number_of_samples_is_rounded():
    assert draw(SILENT, duration=10.001).shape == (1, 3600)


def test_silent_electrodes_are_silent():
    assert_array_equal(draw(SILENT), np.zeros((1, 43200)))
