import numpy as np
import pytest

from ecgbeat.annotation import _resampling
from ecgbeat.annotation._resampling import resample_recording

NO_R_PEAKS = np.empty(0, np.int64)


def waves(fs, duration=20.0, dtype=np.float64):
    """Return two leads of slow waves, which any of the rates can hold."""
    t = np.arange(round(duration * fs)) / fs
    return np.stack([np.sin(2 * np.pi * 7 * t), 3 + np.cos(2 * np.pi * t)]).astype(dtype)


@pytest.mark.parametrize("fs", [128, 250, 257, 360.5, 500, 1000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_resampled_signal_is_that_of_the_new_rate(fs, dtype):
    resampled, _ = resample_recording(waves(fs, dtype=dtype), NO_R_PEAKS, fs, 360)
    expected = waves(360)[:, 360:6000]
    assert resampled.dtype == dtype
    np.testing.assert_allclose(resampled[:, 360:6000], expected, atol=0.02)


@pytest.mark.parametrize(("fs", "new_fs"), [(250, 360), (1000, 360), (257, 360), (360, 128)])
@pytest.mark.parametrize("n_block", [700, 2000])
def test_blocks_equal_the_whole(monkeypatch, fs, new_fs, n_block):
    leads = np.random.default_rng(0).normal(size=(2, 6011))
    whole, _ = resample_recording(leads, NO_R_PEAKS, fs, new_fs)
    monkeypatch.setattr(_resampling, "_BLOCK_SAMPLES", n_block)
    blocks, _ = resample_recording(leads, NO_R_PEAKS, fs, new_fs)
    np.testing.assert_allclose(blocks, whole, atol=1e-12)


@pytest.mark.parametrize("n_times", [1, 2, 50, 1001])
@pytest.mark.parametrize(("fs", "new_fs"), [(128, 360), (1000, 360), (250, 250.0001)])
def test_constant_remains_constant(n_times, fs, new_fs):
    resampled, _ = resample_recording(np.full((1, n_times), 3.7), NO_R_PEAKS, fs, new_fs)
    assert resampled.shape[1] == np.ceil(n_times * round(new_fs) / fs)
    np.testing.assert_array_equal(resampled, 3.7)


@pytest.mark.parametrize("fs", [128, 250, 257, 359.93, 999.7])
def test_r_peaks_do_not_drift(fs):
    n_times = round(3600 * fs)
    leads = np.zeros((1, n_times))
    r_peaks = np.arange(500, n_times - 500, 9973)
    for r_peak in r_peaks:
        leads[0, r_peak - 20 : r_peak + 21] = np.hanning(41)
    resampled, moved = resample_recording(leads, r_peaks, fs, 360)
    for r_peak in moved:
        window = resampled[0, r_peak - 8 : r_peak + 9]
        assert abs(int(window.argmax()) - 8) <= 1


def test_r_peaks_are_rounded():
    _, moved = resample_recording(np.zeros((1, 1000)), np.array([0, 1, 100, 999]), 250, 360)
    assert moved.tolist() == [0, 1, 144, 1439]
    assert moved.dtype == np.int64


@pytest.mark.parametrize(
    "r_peaks", [[0, 1, 2, 3], [500, 501, 502], [996, 997, 998, 999], [0, 2, 998, 999]]
)
def test_r_peaks_remain_strictly_ascending_and_within_the_recording(r_peaks):
    resampled, moved = resample_recording(np.zeros((1, 1000)), np.array(r_peaks), 1000, 360)
    assert (np.diff(moved) > 0).all()
    assert moved[0] >= 0
    assert moved[-1] < resampled.shape[1]
    assert np.abs(moved - np.array(r_peaks) * 0.36).max() <= 3


def test_more_r_peaks_than_samples_raise():
    with pytest.raises(ValueError, match="4 samples at 360 Hz, which are too few for 8 R peaks"):
        resample_recording(np.zeros((1, 10)), np.arange(8), 1000, 360)
