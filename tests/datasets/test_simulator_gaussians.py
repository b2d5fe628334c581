import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from ecgbeat.datasets._simulator._gaussians import sum_gaussians


def draw(center, width, amplitude, *, fs=360.0, n_times=720):
    return sum_gaussians(
        np.atleast_1d(center),
        np.atleast_2d(width),
        np.atleast_2d(amplitude),
        fs=fs,
        n_times=n_times,
    )


def test_a_wave_is_the_gaussian_that_its_arguments_say():
    wave = draw(1.0, [0.04, 0.04], 2.0)[0]
    t = np.arange(720) / 360
    assert_allclose(wave, 2.0 * np.exp(-0.5 * ((t - 1.0) / 0.04) ** 2), atol=2e-3)


def test_a_wave_may_rise_and_fall_with_different_widths():
    wave = draw(1.0, [0.08, 0.02], 1.0)[0]
    above_half = np.flatnonzero(wave > 0.5) - 360
    assert -above_half[0] == pytest.approx(4 * above_half[-1], abs=4)


def test_waves_add_up():
    both = draw([0.5, 0.6], [[0.03, 0.05], [0.02, 0.02]], [[1.0], [-0.4]])
    single = draw(0.5, [0.03, 0.05], 1.0) + draw(0.6, [0.02, 0.02], -0.4)
    assert_allclose(both, single, atol=1e-12)


def test_each_lead_has_its_own_amplitude():
    leads = draw(1.0, [0.04, 0.04], [1.0, -0.5, 0.0])
    assert leads.shape == (3, 720)
    assert_allclose(leads[1], -0.5 * leads[0])
    assert not leads[2].any()


@pytest.mark.parametrize("center", [-0.05, 2.03])
def test_a_wave_at_the_edge_is_seen_in_part(center):
    padded = draw(center + 1.0, [0.05, 0.05], 1.0, n_times=1440)[0]
    assert_allclose(draw(center, [0.05, 0.05], 1.0)[0], padded[360:1080], atol=1e-12)


@pytest.mark.parametrize("center", [-50.0, 50.0])
def test_a_wave_outside_of_the_recording_leaves_it_flat(center):
    assert_array_equal(draw(center, [0.05, 0.05], 1.0), np.zeros((1, 720)))


@pytest.mark.parametrize("center", [1.0, 1.002, 1.005])
def test_a_pacing_spike_does_not_fall_between_the_samples_of_a_slow_recorder(center):
    spike = draw(center, [0.0015, 0.0015], 1.0, fs=100.0, n_times=200)[0]
    assert spike.max() > 0.1


def test_no_waves_give_a_flat_line():
    assert_array_equal(draw(np.empty(0), np.empty((0, 2)), np.empty((0, 2))), np.zeros((2, 720)))
