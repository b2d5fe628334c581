import numpy as np
import pytest

from ecgbeat.annotation._block_filter import bandpass_recording, settling_samples
from ecgbeat.signal import bandpass
from ecgbeat.signal._filtering import bandpass_sections

FS = 360.0
SETTINGS = [
    {"low": 0.5, "high": 40.0},
    {"low": 0.5, "high": 40.0, "notch": 60.0},
    {"low": 0.05, "high": 100.0},
    {"low": 5.0, "high": 15.0, "order": 4},
]


def make_leads(n_times, n_leads=2, seed=0):
    rng = np.random.default_rng(seed)
    t = np.arange(n_times) / FS
    wander = 3 * np.sin(2 * np.pi * 0.1 * t) + 50
    return rng.normal(size=(n_leads, n_times)).cumsum(axis=1) * 0.1 + wander


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_blocks_give_what_the_whole_gives(settings):
    leads = make_leads(100_000)
    expected = bandpass(leads, FS, **settings)
    filtered = bandpass_recording(leads, FS, block=20.0, **settings)
    np.testing.assert_allclose(filtered, expected, atol=2e-6 * np.abs(expected).max())


@pytest.mark.parametrize("n_times", [1, 2, 7, 100, 179, 180, 181, 2000, 7199, 7200, 7201, 14_500])
def test_lengths_around_padding_and_block(n_times):
    leads = make_leads(n_times)
    filtered = bandpass_recording(leads, FS, 0.5, 40.0, block=20.0)
    assert filtered.shape == leads.shape
    expected = bandpass(leads, FS)
    np.testing.assert_allclose(filtered, expected, atol=2e-6 * np.abs(expected).max() + 1e-12)


def test_no_samples_give_none():
    assert bandpass_recording(np.empty((1, 0)), FS, 0.5, 40.0).shape == (1, 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
def test_any_number_gives_float32_and_is_left_alone(dtype):
    leads = (100 * make_leads(5000)).astype(dtype)
    leads.flags.writeable = False
    before = leads.copy()
    assert bandpass_recording(leads, FS, 0.5, 40.0).dtype == np.float32
    np.testing.assert_array_equal(leads, before)


def test_constant_leads_become_exact_zeros():
    leads = np.full((1, 20_000), 0.1)
    assert not bandpass_recording(leads, FS, 0.5, 40.0, block=20.0).any()


def test_a_sharper_filter_takes_longer_to_settle():
    wide = settling_samples(bandpass_sections(FS, 0.5, 40.0))
    narrow = settling_samples(bandpass_sections(FS, 0.05, 40.0))
    assert 10 * FS < wide < 60 * FS
    assert narrow == pytest.approx(10 * wide, rel=0.05)
