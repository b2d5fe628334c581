import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

from ecgbeat.datasets import make_recording
from ecgbeat.model_selection import DS1
from ecgbeat.signal import signal_quality, unreadable_stretches

FS = 360.0
N_TIMES = 21_600  # a minute
RNG = np.random.default_rng(0)
SECONDS = np.arange(N_TIMES) / FS
WHITE = RNG.normal(size=N_TIMES)
NO_ECG = {
    "zeros": np.zeros(N_TIMES),
    "constant": np.full(N_TIMES, 4.7),
    "missing": np.full(N_TIMES, np.nan),
    "constant with rounding": 3 + 0.005 * np.round(0.4 * WHITE),
    "constant with noise": 3 + 1e-6 * WHITE,
    "white noise": WHITE,
    "random walk": np.cumsum(WHITE),
    "50 Hz": np.sin(2 * np.pi * 50 * SECONDS),
    "60 Hz with noise": np.sin(2 * np.pi * 60 * SECONDS) + 0.03 * WHITE,
    "rails": np.clip(9 * np.sin(SECONDS / 3) + 0.01 * WHITE, -5, 5),
}


@pytest.fixture(scope="module")
def clean():
    """Return a simulated recording of a minute."""
    recording = make_recording(60, fs=FS, random_state=0).signal
    recording.flags.writeable = False
    return recording


@pytest.fixture(scope="session")
def motion(real_data):
    """Return ten minutes of electrode motion without ECG."""
    return np.load(real_data / "nstdb_em" / "em_first_10_minutes.npy")


@pytest.mark.parametrize("heart_rate", [30, 60, 120, 180])
@pytest.mark.parametrize("symbol", ["N", "R"])
def test_beats_are_readable(symbol, heart_rate):
    recording = make_recording(
        60, weights={symbol: 1.0}, heart_rate=heart_rate, random_state=1
    ).signal
    assert np.median(signal_quality(recording, FS)) > 0.8
    assert unreadable_stretches(recording, FS).shape == (0, 2)


@pytest.mark.parametrize("recording", [pytest.param(x, id=name) for name, x in NO_ECG.items()])
def test_recording_without_ecg_is_unreadable(recording):
    np.testing.assert_array_equal(unreadable_stretches(recording, FS), [[0, N_TIMES]])


@pytest.mark.parametrize("no_ecg", ["zeros", "missing", "white noise", "random walk"])
def test_stretch_without_ecg_is_found_within_two_seconds(clean, no_ecg):
    recording = clean.copy()
    recording[20 * 360 : 40 * 360] = NO_ECG[no_ecg][20 * 360 : 40 * 360]
    ((start, stop),) = unreadable_stretches(recording, FS)
    assert abs(start - 20 * 360) <= 720
    assert abs(stop - 40 * 360) <= 720


def test_gap_of_a_second_is_unreadable(clean):
    recording = clean.copy()
    recording[3640:4010] = np.nan
    np.testing.assert_array_equal(unreadable_stretches(recording, FS), [[3600, 3960]])


@pytest.mark.parametrize("noise", [0.0, 0.01])
@pytest.mark.parametrize("pause", [3.0, 5.0])
def test_pause_between_beats_is_readable(pause, noise):
    made = make_recording(60, fs=FS, random_state=4)
    at = made.r_peaks[30] + 150
    wave = made.signal[at] + noise * WHITE[: int(pause * FS)]
    recording = np.concatenate([made.signal[:at], wave, made.signal[at:]])
    assert len(unreadable_stretches(recording, FS)) == 0


def test_longer_pause_is_unreadable(simulate_beats):
    recording, _ = simulate_beats(30)
    recording = np.insert(recording, 4200, np.zeros(3600))
    assert len(unreadable_stretches(recording, FS)) == 1


def test_best_lead_counts(clean):
    recording = np.array([WHITE, clean])
    np.testing.assert_array_equal(
        signal_quality(recording, FS),
        np.maximum(signal_quality(clean, FS), signal_quality(WHITE, FS)),
    )
    for leads in (recording, recording[::-1]):
        assert len(unreadable_stretches(leads, FS)) == 0


@given(
    gain=st.floats(1e-150, 1e150), offset=st.floats(-1e3, 1e3), sign=st.sampled_from([-1.0, 1.0])
)
@settings(max_examples=15, deadline=None)
def test_gain_offset_and_polarity_make_no_difference(gain, offset, sign):
    recording = make_recording(20, random_state=2).signal.astype(np.float64)
    expected = signal_quality(recording, FS)
    found = signal_quality(sign * gain * (recording + offset), FS)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize(("up", "down"), [(5, 18), (25, 72), (5, 9), (10, 3)])
def test_sampling_rate_makes_little_difference(clean, motion, up, down):
    fs = FS * up / down
    difference = signal_quality(resample_poly(clean, up, down), fs) - signal_quality(clean, FS)
    assert np.abs(difference).max() < 0.3
    no_ecg = resample_poly(motion.astype(np.float64), up, down)
    assert (signal_quality(no_ecg, fs) < 0.5).mean() > 0.88


@pytest.mark.parametrize(
    ("n_times", "fs", "n_seconds"),
    [(0, 360, 0), (1, 360, 1), (360, 360, 1), (361, 360, 2), (187, 125, 2), (500, 333.3, 2)],
)
def test_one_value_per_second(n_times, fs, n_seconds):
    quality = signal_quality(np.zeros(n_times), fs)
    np.testing.assert_array_equal(quality, np.zeros(n_seconds))
    assert quality.dtype == np.float64


@given(n_times=st.integers(0, 900), fs=st.floats(1, 2000), n_leads=st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_stretches_lie_within_the_recording(n_times, fs, n_leads):
    recording = np.resize(WHITE, (n_leads, n_times))
    if 0 < n_times < n_leads:
        return
    stretches = unreadable_stretches(recording, fs)
    assert stretches.dtype == np.int64
    edges = stretches.ravel()
    assert (np.diff(edges) > 0).all()
    assert len(edges) == 0 or (edges[0] >= 0 and edges[-1] <= n_times)


def test_single_beats(clean):
    beat = clean[3600 : 3600 + 540 : 3]  # 1.5 s at 120 Hz
    assert (signal_quality(beat, 120.0) > 0.5).all()
    assert (signal_quality(np.zeros(187), 125.0) == 0).all()


def test_recording_is_not_modified(clean):
    recording = clean.copy()
    recording[100:200] = np.nan
    before = recording.copy()
    signal_quality(recording, FS)
    np.testing.assert_array_equal(recording, before)


@pytest.mark.parametrize("min_quality", [0.0, 1.0])
def test_min_quality_at_its_limits(clean, min_quality):
    recording = np.concatenate([clean, WHITE])
    stretches = unreadable_stretches(recording, FS, min_quality=min_quality)
    assert len(stretches) == 0 if min_quality == 0 else stretches[-1][1] == len(recording)


@pytest.mark.parametrize(
    ("min_quality", "error", "message"),
    [
        (1.5, ValueError, "min_quality must be from 0 to 1, got 1.5"),
        (-0.1, ValueError, "min_quality must be 0 or greater and finite, got -0.1"),
        ("low", TypeError, "min_quality must be a number, got 'low'"),
    ],
)
def test_invalid_min_quality_raises(clean, min_quality, error, message):
    with pytest.raises(error, match=message):
        unreadable_stretches(clean, FS, min_quality=min_quality)


@pytest.mark.parametrize("function", [signal_quality, unreadable_stretches])
def test_invalid_sampling_rate_raises(clean, function):
    with pytest.raises(ValueError, match="fs must be"):
        function(clean, 0.0)


def test_memory_is_bounded():
    recording = np.tile(WHITE.astype(np.float32), (2, 60))
    recording = np.concatenate([recording] * 4, axis=1)  # 4 h
    recording[0, 1000:3000] = np.nan
    tracemalloc.start()
    try:
        signal_quality(recording, FS)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2.5 * recording.nbytes  # 1.2 times and 60 MB at any length


def test_electrode_motion_is_unreadable(motion):
    assert (signal_quality(motion, FS) < 0.5).mean() > 0.88


@pytest.mark.parametrize("record", ["108", "203", "205", "223"])
def test_annotated_beats_of_noisy_records_are_readable(read_record, record):
    assert record in DS1
    recording, samples, _ = read_record(record)
    quality = signal_quality(recording, FS)
    assert (quality[samples // 360] < 0.5).mean() < 0.006
