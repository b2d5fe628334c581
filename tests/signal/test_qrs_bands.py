import numpy as np
import pytest

from ecgbeat.signal._qrs import (
    decimate,
    decimation_step,
    local_level,
    moving_mean,
    odd_width,
    qrs_heights,
    split_bands,
    steep_onset,
)

FS = 120.0
BEATS = 60 + 100 * np.arange(40)
N_TIMES = 4100


@pytest.fixture
def lead():
    """A QRS complex of height 1 every 0.83 s, at 120 Hz."""
    t = (np.arange(N_TIMES) - BEATS[:, None]) / FS
    return np.exp(-((t / 0.015) ** 2)).sum(axis=0)


def noise(seed=0, shape=N_TIMES):
    return np.random.default_rng(seed).normal(size=shape)


def heights_at_beats(x):
    """Return the largest absolute value of a signal near each beat."""
    return np.abs(x[..., BEATS[:, None] + np.arange(-6, 7)]).max(axis=-1)


@pytest.mark.parametrize(
    ("fs", "step"),
    [(0.5, 1), (100, 1), (128, 1), (250, 2), (360, 3), (500, 4), (1000, 8), (2000, 17)],
)
def test_decimated_rate_is_near_120_hz(fs, step):
    assert decimation_step(fs) == step


@pytest.mark.parametrize("step", [1, 2, 3, 17])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_decimation_of_integers_is_exact(step, dtype):
    x = np.random.default_rng(0).integers(-(2**24), 2**24, size=(2, 1000))
    n = 1000 // step
    decimated = decimate(x.astype(dtype), step)
    np.testing.assert_array_equal(decimated, x[:, : n * step].reshape(2, n, step).sum(axis=2))
    assert decimated.dtype == np.float64


@pytest.mark.parametrize("step", [1, 3])
def test_decimation_does_not_modify_input(step):
    x = np.ones((2, 30))
    decimate(x, step)[:] = 5
    assert (x == 1).all()


def test_signal_shorter_than_step_is_decimated_to_empty():
    assert decimate(np.ones((2, 2)), 3).shape == (2, 0)


@pytest.mark.parametrize(
    ("seconds", "width"), [(0.0, 1), (0.025, 3), (0.0333, 5), (0.075, 9), (0.09, 11)]
)
def test_width_of_centered_window_is_odd(seconds, width):
    assert odd_width(seconds, FS) == width


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ([0, 0, 0, 3, 0, 0], [0, 0, 1, 1, 1, 0]),
        ([3, 0, 6], [1, 3, 2]),
        ([3, 6], [3, 3]),
        ([3], [1]),
    ],
)
def test_moving_mean_pads_with_zeros(x, expected):
    np.testing.assert_allclose(moving_mean(np.array(x, dtype=float), 3), expected)


@pytest.mark.parametrize("n_leads", [1, 3])
@pytest.mark.parametrize("n_times", [1, 2, 3, 7, 9, 181])
def test_bands_of_short_signals_are_finite(n_leads, n_times):
    bands = split_bands(noise(shape=(n_leads, n_times)), FS)
    assert bands.qrs.shape == (n_leads, n_times)
    assert bands.fast.shape == bands.slow.shape == (-(-n_times // bands.n_block),)
    assert all(np.isfinite(band).all() for band in (bands.qrs, bands.fast, bands.slow))


@pytest.mark.parametrize("n_leads", [1, 2])
def test_bands_of_flat_leads_are_zero(n_leads):
    bands = split_bands(np.full((n_leads, 500), 0.1), FS)
    assert not bands.qrs.any()
    assert not bands.fast.any()
    assert not bands.slow.any()


def test_bands_separate_frequencies():
    t = np.arange(N_TIMES) / FS
    wander, qrs, muscle = (split_bands(np.sin(2 * np.pi * f * t)[None], FS) for f in (2, 14, 50))
    assert np.ptp(qrs.qrs) > 2 * max(np.ptp(wander.qrs), np.ptp(muscle.qrs))
    assert muscle.fast.mean() > 5 * max(qrs.fast.mean(), wander.fast.mean())
    assert wander.slow.mean() > 5 * max(qrs.slow.mean(), muscle.slow.mean())


def test_bands_are_independent_of_offset(lead):
    x = np.round(1024 * lead)[None]
    for before, after in zip(split_bands(x, FS), split_bands(x + 2.0**30, FS), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("gain", [-1.0, 2.0**-12, -(2.0**30)])
def test_bands_are_independent_of_gain_of_single_lead(lead, gain):
    leads = np.stack([lead + 0.01 * noise(1), lead + 0.01 * noise(2)])
    bands = split_bands(leads, FS)
    other = split_bands(leads * np.array([[1.0], [gain]]), FS)
    np.testing.assert_array_equal(np.abs(other.qrs), np.abs(bands.qrs))
    np.testing.assert_allclose(other.fast, bands.fast)
    np.testing.assert_allclose(other.slow, bands.slow)


@pytest.mark.parametrize("gain", [1e-160, 1e-300])
def test_bands_with_a_lead_of_tiny_amplitude_are_finite(lead, gain):
    bands = split_bands(np.stack([lead, gain * lead]), FS)
    assert all(np.isfinite(band).all() for band in (bands.qrs, bands.fast, bands.slow))


def test_noisy_lead_has_smaller_weight(lead):
    clear, noisy = heights_at_beats(split_bands(np.stack([lead, lead + 0.2 * noise()]), FS).qrs)
    assert np.median(noisy) < 0.5 * np.median(clear)


def test_lead_has_smaller_weight_only_while_noisy(lead):
    noisy = lead.copy()
    noisy[N_TIMES // 2 :] += 0.5 * noise()[N_TIMES // 2 :]
    before, after = np.split(heights_at_beats(split_bands(np.stack([lead, noisy]), FS).qrs)[1], 2)
    assert np.median(after[10:]) < 0.5 * np.median(before[:10])


def test_best_lead_is_scaled_to_height_1(lead):
    heights = heights_at_beats(split_bands(7 * np.stack([lead, lead + 0.2 * noise()]), FS).qrs)[0]
    np.testing.assert_allclose(heights, 1, rtol=0.1)


def test_flat_lead_has_zero_weight(lead):
    clear = lead + 0.01 * noise()
    bands = split_bands(np.stack([clear, np.full(N_TIMES, 0.1), clear]), FS)
    without = split_bands(np.stack([clear, clear]), FS)
    assert not bands.qrs[1].any()
    np.testing.assert_array_equal(bands.qrs[[0, 2]], without.qrs)
    np.testing.assert_array_equal(bands.fast, without.fast)
    np.testing.assert_array_equal(bands.slow, without.slow)


def test_lead_that_falls_silent_is_not_amplified(lead):
    fallen = lead + 1e-9 * noise(1)
    fallen[N_TIMES // 2 :] = 1e-9 * noise(1)[N_TIMES // 2 :]
    qrs = split_bands(np.stack([lead + 0.01 * noise(2), fallen]), FS).qrs
    assert np.abs(qrs[1, 3 * N_TIMES // 4 :]).max() < 1e-4


def test_baseline_jumps_are_removed(lead):
    jumping = lead.copy()
    jumping[2010:] += 500  # between two beats
    np.testing.assert_allclose(
        split_bands(jumping[None], FS).qrs, split_bands(lead[None], FS).qrs, atol=1e-9
    )


@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("height", [1000, -50])
def test_spikes_are_removed(lead, width, height):
    spiked = lead.copy()
    spiked[2008 : 2008 + width] += height
    np.testing.assert_allclose(
        split_bands(spiked[None], FS).qrs, split_bands(lead[None], FS).qrs, atol=1e-9
    )


def test_tall_beats_are_not_removed_as_jumps(lead):
    tall = lead.copy()
    tall[2100:2200] *= 5
    assert (
        heights_at_beats(split_bands(tall[None], FS).qrs)[0, 21] > 4 * heights_at_beats(lead)[5] / 2
    )


@pytest.mark.parametrize("floor", [0.0, 1e-4], ids=["silence", "faint noise"])
def test_beats_beside_silence_are_not_removed_as_jumps(lead, floor):
    x = np.concatenate([lead[:1000], np.zeros(30_000)]) + floor * noise(shape=31_000)
    heights = np.abs(split_bands(x[None], FS).qrs[0, BEATS[:9]])
    np.testing.assert_allclose(heights, heights[0], rtol=0.01)
    assert heights[0] > 0.2


def test_local_level_follows_beat_heights():
    power = np.zeros(36_000)
    power[60::100] = 4.0
    power[18_000:] *= 25
    level = local_level(power, FS, np.array([0, 5000, 30_000, 35_999]))
    np.testing.assert_allclose(level, [2, 2, 10, 10])


def test_local_level_ignores_single_artifact():
    power = np.zeros(6000)
    power[60::100] = 4.0
    power[3000:3300] = 1e6
    np.testing.assert_array_equal(local_level(power, FS, np.arange(6000)), 2.0)


def test_local_level_is_interpolated_between_block_centers():
    power = np.repeat([1.0, 9.0], 20 * 180)  # blocks of 1.5 s
    positions = np.array([20 * 180 - 91, 20 * 180, 20 * 180 + 91])
    np.testing.assert_allclose(local_level(power, FS, positions), [1, 2, 3])


def wave(height, n_times=60, at=30):
    """Return a lead of 120 Hz with a wave of 50 ms."""
    return np.convolve(np.eye(1, n_times, at)[0], height * np.hanning(9)[1:-1], "same")


def test_onset_is_that_of_the_first_steep_wave():
    limits = 0.15 * qrs_heights(wave(1.0)[np.newaxis], 120.0)
    low, high = wave(0.1)[np.newaxis], wave(0.5)[np.newaxis]
    assert steep_onset(low, 120.0, limits) is None
    assert 20 < steep_onset(high, 120.0, limits) <= 30
    assert 20 < steep_onset(np.concatenate([low, high]), 120.0, np.repeat(limits, 2)) <= 30
    assert 60 < steep_onset(np.repeat(high, 3, axis=1), 360.0, limits) <= 90


def test_onset_is_not_that_of_a_p_wave():
    limits = 0.15 * qrs_heights(wave(1.0)[np.newaxis], 120.0)
    p_wave, beat = wave(0.2, at=15)[np.newaxis], wave(1.0, at=38)[np.newaxis]
    assert 10 < steep_onset(p_wave, 120.0, limits) <= 15
    assert 30 < steep_onset(p_wave + beat, 120.0, limits) <= 38


def test_missing_samples_are_steep():
    lead = wave(0.0)[np.newaxis]
    assert steep_onset(lead, 120.0, np.zeros(1)) is None
    lead[0, 40] = np.nan
    assert 30 < steep_onset(lead, 120.0, np.ones(1)) <= 40
