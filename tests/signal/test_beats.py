import numpy as np
import pytest

from ecgbeat.signal import _beats, cut_beats, resample_beats, segment_beats

FS = 360.0


# --- cut_beats


def test_window_holds_samples_around_r_peak():
    recording = np.arange(100.0)
    beats = cut_beats(recording, [20, 50], fs=10, before=0.5, after=0.7)
    np.testing.assert_array_equal(beats, [np.arange(15, 27), np.arange(45, 57)])


def test_each_lead_equals_the_same_lead_cut_alone():
    recording = np.random.default_rng(0).normal(size=(3, 500))
    beats = cut_beats(recording, [100, 200, 300, 400], FS, 0.1, 0.2)
    assert beats.shape == (4, 3, 108)
    for lead in range(3):
        np.testing.assert_array_equal(
            beats[:, lead], cut_beats(recording[lead], [100, 200, 300, 400], FS, 0.1, 0.2)
        )


def test_window_past_edge_repeats_outermost_sample():
    beats = cut_beats([1.0, 2.0, 3.0], [0, 2], fs=1, before=2, after=3)
    np.testing.assert_array_equal(beats, [[1, 1, 1, 2, 3], [1, 2, 3, 3, 3]])


@pytest.mark.parametrize(
    ("fs", "before", "after", "n_times"),
    [(360, 0.3, 0.5, 288), (125, 0.3, 0.5, 38 + 62), (360, 0, 0.5, 180), (360, 0.5, 0, 180)],
)
def test_before_and_after_are_rounded_separately(fs, before, after, n_times):
    assert cut_beats(np.zeros(999), [500], fs, before, after).shape == (1, n_times)
    assert segment_beats(np.zeros((1, 999)), fs, before, after).shape == (1, n_times)


@pytest.mark.parametrize("shape", [(50,), (2, 50), (0,), (2, 0)])
def test_empty_r_peaks_give_no_beats(shape):
    assert cut_beats(np.zeros(shape), [], FS).shape == (0, *shape[:-1], 288)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cut_beats_preserves_dtype(dtype):
    assert cut_beats(np.zeros(50, dtype), [3], FS).dtype == dtype


@pytest.mark.parametrize(
    ("r_peaks", "error", "message"),
    [
        (
            [3, 50, 60],
            ValueError,
            "r_peaks must lie within the recording of 50 samples, got 2 outside, the first at 50",
        ),
        ([-1], ValueError, "got 1 outside, the first at -1"),
        ([0.5], TypeError, r"sample numbers, that is integers, got dtype float64"),
        ([[1]], ValueError, r"1-D array of sample numbers, got shape \(1, 1\)"),
    ],
)
def test_invalid_r_peaks_raise(r_peaks, error, message):
    with pytest.raises(error, match=message):
        cut_beats(np.zeros(50), r_peaks, FS)


@pytest.mark.parametrize("n_times", [None, 187])
def test_beats_cut_in_chunks_equal_beats_cut_at_once(monkeypatch, n_times):
    recording = np.random.default_rng(0).normal(size=(2, 5000))
    r_peaks = np.arange(0, 5000, 70)
    whole = cut_beats(recording, r_peaks, FS, n_times=n_times)
    monkeypatch.setattr(_beats, "_CHUNK_SAMPLES", 2000)
    chunks = cut_beats(recording, r_peaks, FS, n_times=n_times)
    np.testing.assert_allclose(chunks, whole, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("dtype", "atol"), [(np.float32, 1e-5), (np.float64, 1e-12)])
@pytest.mark.parametrize("n_times", [1, 64, 128, 187, 288, 1000])
def test_cut_with_n_times_equals_cut_then_resample(dtype, atol, n_times):
    recording = np.random.default_rng(0).normal(size=2000).astype(dtype)
    beats = cut_beats(recording, [500, 3, 1999], FS, n_times=n_times)
    expected = resample_beats(cut_beats(recording, [500, 3, 1999], FS), n_times)
    assert beats.dtype == dtype
    np.testing.assert_allclose(beats, expected, atol=atol)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cut_and_resampled_beats_of_largest_floats_are_finite(dtype):
    recording = np.resize([1, -1, -1], 900) * np.finfo(dtype).max
    beats = cut_beats(recording.astype(dtype), [300, 500], FS, n_times=128)
    assert np.isfinite(beats).all()


def test_cut_and_resampled_beats_of_constant_recording_are_constant():
    beats = cut_beats(np.full(900, 0.1), [3, 500], FS, n_times=128)
    np.testing.assert_array_equal(beats, np.full((2, 128), 0.1))


@pytest.mark.parametrize("n_leads", [1, 2])
def test_cut_and_resampled_beats_do_not_depend_on_later_ones(n_leads):
    recording = np.random.default_rng(0).normal(size=(n_leads, 20_000)).astype(np.float32)
    r_peaks = np.arange(200, 19_500, 250)
    beats = cut_beats(recording, r_peaks, FS, n_times=96)
    for n_beats in (1, 17, 70):
        first = cut_beats(recording, r_peaks[:n_beats], FS, n_times=96)
        np.testing.assert_array_equal(first, beats[:n_beats])


def test_beats_are_in_order_of_r_peaks():
    beats = cut_beats(np.arange(100.0), [50, 20, 80], fs=10, before=0, after=0.1)
    np.testing.assert_array_equal(beats, [[50], [20], [80]])


@pytest.mark.parametrize("function", [cut_beats, segment_beats])
@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (0, 0, "before=0.0 s and after=0.0 s at fs=360.0 Hz give an empty window"),
        (0.001, 0.001, "their sum must be at least 1 / fs = 0.00278 s"),
        (-0.1, 0.5, "before must be 0 or greater .* got -0.1"),
        (0.3, -0.5, "after must be 0 or greater .* got -0.5"),
    ],
)
def test_window_of_zero_or_negative_length_raises(function, before, after, message):
    arguments = (np.zeros(50), [3]) if function is cut_beats else (np.zeros((2, 50)),)
    with pytest.raises(ValueError, match=message):
        function(*arguments, FS, before, after)


# --- resample_beats


@pytest.mark.parametrize("n_times", [96, 187, 288, 576, 1000])
def test_resampling_preserves_slow_waves(n_times):
    def wave(t):
        return np.exp(-(((t - 0.4) / 0.05) ** 2))

    resampled = resample_beats(wave(np.arange(288) / FS), n_times)
    np.testing.assert_allclose(resampled, wave(np.arange(n_times) / n_times * 0.8), atol=2e-3)


def test_downsampling_does_not_alias():
    fast = np.sin(2 * np.pi * 100 * np.arange(288) / FS)  # above the new Nyquist frequency
    assert np.abs(resample_beats(fast, 100)[10:-10]).max() < 0.02


@pytest.mark.parametrize("value", [0.0, 0.1, -7e20, 1e308])
@pytest.mark.parametrize(("n", "n_times"), [(1, 5), (2, 187), (288, 1), (288, 187), (100, 101)])
def test_resampled_constant_rows_are_exactly_constant(value, n, n_times):
    resampled = resample_beats(np.full((2, n), value), n_times)
    np.testing.assert_array_equal(resampled, np.full((2, n_times), value))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_resampled_largest_floats_are_finite(dtype):
    signs = np.random.default_rng(0).choice([-1, 1], size=(3, 100))
    resampled = resample_beats((signs * np.finfo(dtype).max).astype(dtype), 187)
    assert resampled.dtype == dtype
    assert np.isfinite(resampled).all()


def test_resampling_to_same_length_returns_copy():
    x = np.arange(5.0)
    resampled = resample_beats(x, 5)
    np.testing.assert_array_equal(resampled, x)
    assert not np.shares_memory(resampled, x)


@pytest.mark.parametrize(
    ("shape", "n_times", "message"),
    [
        ((2, 5), 0, "n_times must be an integer of 1 or more, got 0"),
        ((2, 5), 2.5, "got 2.5"),
        ((2, 0), 5, r"shape \(2, 0\) has rows without samples"),
    ],
)
def test_invalid_length_raises(shape, n_times, message):
    with pytest.raises(ValueError, match=message):
        resample_beats(np.zeros(shape), n_times)
