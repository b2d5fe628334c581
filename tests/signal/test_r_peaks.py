import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.signal import resample_poly

from ecgbeat.metrics import match_beats
from ecgbeat.signal import _r_peaks, detect_r_peaks

FS = 360.0
DYADIC = st.integers(-1024, 1024).map(lambda i: i / 64)
RECORDINGS = st.tuples(st.integers(1, 12), st.integers(12, 5000)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=DYADIC, fill=DYADIC)
)
few_examples = settings(max_examples=20, deadline=None)


@pytest.mark.parametrize("n_leads", [None, 1, 2, 12])
def test_all_r_peaks_are_found(simulate_beats, n_leads):
    recording, r_peaks = simulate_beats(n_leads=n_leads)
    detected = detect_r_peaks(recording, FS)
    assert detected.dtype == np.int64
    np.testing.assert_allclose(detected, r_peaks, atol=2)


@pytest.mark.parametrize("interval", [110, 180, 360, 700])
def test_r_peaks_are_found_in_slow_and_fast_rhythms(simulate_beats, interval):
    recording, r_peaks = simulate_beats(interval=interval)
    np.testing.assert_allclose(detect_r_peaks(recording, FS), r_peaks, atol=2)


@pytest.mark.parametrize("fs", [100, 125, 250, 500, 1000])
def test_r_peaks_are_found_at_other_sampling_rates(simulate_beats, fs):
    recording, r_peaks = simulate_beats()
    n_times = round(len(recording) * fs / FS)
    resampled = np.interp(np.arange(n_times) / fs, np.arange(len(recording)) / FS, recording)
    np.testing.assert_allclose(detect_r_peaks(resampled, fs) / fs, r_peaks / FS, atol=0.012)


def test_low_beats_after_tall_beats_are_found(simulate_beats):
    recording, r_peaks = simulate_beats()
    low = recording.copy()
    low[(r_peaks[5] + r_peaks[6]) // 2 :] *= 0.3
    np.testing.assert_allclose(detect_r_peaks(low, FS), r_peaks, atol=2)


def test_artifact_hides_adjacent_beats_only(simulate_beats):
    recording, r_peaks = simulate_beats(n_beats=30)
    recording[r_peaks[10] + 100] += 50
    missed = [r for r in r_peaks if np.abs(detect_r_peaks(recording, FS) - r).min() > 3]
    assert set(missed) <= {r_peaks[10], r_peaks[11]}


@pytest.mark.parametrize(
    "x",
    [
        [],
        [1.0],
        [1.0, 2.0],
        np.zeros(5000),
        np.full(5000, 0.1),
        np.full((3, 5000), -1e9),
        np.full(5000, 1e308),
        np.empty((2, 0)),
    ],
    ids=lambda x: str(np.shape(x)),
)
def test_short_or_constant_recording_has_no_r_peaks(x):
    detected = detect_r_peaks(x, FS)
    assert detected.shape == (0,)
    assert detected.dtype == np.int64


def test_silence_around_beats_has_no_r_peaks(simulate_beats):
    recording, r_peaks = simulate_beats()
    silence = np.zeros(20_000)
    detected = detect_r_peaks(np.concatenate([silence, recording, silence]), FS)
    np.testing.assert_allclose(detected, r_peaks + 20_000, atol=2)


@few_examples
@given(RECORDINGS, st.sampled_from([0.5, 7.0, 128.0, 360.0, 2000.0]))
def test_r_peaks_are_ascending_samples_of_recording(x, fs):
    detected = detect_r_peaks(x, fs)
    assert detected.dtype == np.int64
    assert (np.diff(detected) > 0).all()
    assert ((detected >= 0) & (detected < x.shape[1])).all()


@few_examples
@given(RECORDINGS, DYADIC, st.sampled_from([-1.0, -4.0, 0.125, 2.0**30]))
def test_result_is_independent_of_offset_gain_and_polarity(x, offset, gain):
    np.testing.assert_array_equal(detect_r_peaks(gain * (x + offset), FS), detect_r_peaks(x, FS))


@pytest.mark.parametrize("peak", [1e30, 1e300, np.finfo(float).max])
def test_r_peaks_of_extreme_values_lie_within_recording(peak):
    x = np.random.default_rng(0).choice([-peak, peak], size=(2, 3000))
    assert (detect_r_peaks(x, FS) < 3000).all()


@pytest.mark.parametrize(
    ("x", "fs", "message"),
    [
        (np.zeros((2, 3, 4)), FS, r"A recording must be .*shape \(2, 3, 4\).*segment_beats"),
        (
            [0.0, 1.0, 2.0, np.inf],
            FS,
            "A recording must be finite .* 1 of 4 values are infinite, the first at",
        ),
        ([0.0], 0, "fs must be greater than 0"),
        ([0.0], 1e8, "fs must be between 0.001 and 1e.06 Hz, got 100000000.0"),
    ],
)
def test_invalid_recording_or_sampling_rate_raises(x, fs, message):
    with pytest.raises(ValueError, match=message):
        detect_r_peaks(x, fs)


@pytest.mark.parametrize("gaps", ["cubic", None])
def test_unknown_gap_method_raises(gaps):
    with pytest.raises(ValueError, match=f"gaps must be one of .*got {gaps!r}"):
        detect_r_peaks(np.zeros(100), FS, gaps=gaps)


@pytest.mark.parametrize("x", [np.zeros(900, complex), ["a", "b"]])
def test_recording_of_complex_numbers_or_strings_raises(x):
    with pytest.raises(TypeError, match="A recording must hold real numbers"):
        detect_r_peaks(x, FS)


@pytest.mark.parametrize("n_times", [2, 5000], ids=["shorter than step", "long"])
def test_gap_raises_with_method_raise(n_times):
    x = np.zeros(n_times)
    x[1] = np.nan
    with pytest.raises(
        ValueError,
        match=r"no gaps with gaps='raise', but 1 of .* are NaN, the first at index \[0, 1\]",
    ):
        detect_r_peaks(x, FS, gaps="raise")


def test_infinite_values_of_both_signs_raise():
    x = np.zeros(900)
    x[300:302] = np.inf, -np.inf
    with pytest.raises(
        ValueError, match=r"A recording must be finite .* 2 of 900 values are infinite"
    ):
        detect_r_peaks(x, FS)


@pytest.mark.parametrize("gaps", ["linear", "hold"])
@pytest.mark.parametrize("length", [1, 100, 1500])
def test_beats_outside_gap_are_found(simulate_beats, gaps, length):
    recording, r_peaks = simulate_beats(n_beats=30)
    recording += 0.3 * np.sin(np.arange(len(recording)) / 200)
    start = 10 * 300 + 30  # 120 samples before a beat
    recording[start : start + length] = np.nan
    outside = r_peaks[(r_peaks < start) | (r_peaks >= start + length)]
    np.testing.assert_allclose(detect_r_peaks(recording, FS, gaps=gaps), outside, atol=2)


@pytest.mark.parametrize("gaps", ["linear", "hold"])
def test_no_r_peak_lies_in_gap(simulate_beats, gaps):
    recording, r_peaks = simulate_beats(n_beats=30, n_leads=2)
    recording[:, r_peaks[3] - 2 : r_peaks[3] + 20] = np.nan  # cuts a complex
    recording[:, r_peaks[20] : r_peaks[22]] = np.nan
    detected = detect_r_peaks(recording, FS, gaps=gaps)
    assert np.isfinite(recording[:, detected]).all()
    assert len(detected) >= 27


@pytest.mark.parametrize("gaps", ["linear", "hold"])
def test_lead_of_nan_does_not_change_result(simulate_beats, gaps):
    recording, _ = simulate_beats()
    leads = np.stack([np.full(len(recording), np.nan), recording])
    np.testing.assert_array_equal(
        detect_r_peaks(leads, FS, gaps=gaps), detect_r_peaks(recording, FS)
    )


@pytest.mark.parametrize("gapped", [0, 1])
def test_beats_in_gap_of_one_lead_are_found_in_other_lead(simulate_beats, gapped):
    recording, r_peaks = simulate_beats(n_beats=30, n_leads=2)
    recording[gapped, 3000:6000] = np.nan
    np.testing.assert_allclose(detect_r_peaks(recording, FS), r_peaks, atol=2)


def test_recording_of_nan_has_no_r_peaks():
    assert detect_r_peaks(np.full((2, 5000), np.nan), FS).shape == (0,)


def test_baseline_jumps_do_not_change_result(simulate_beats):
    recording, _ = simulate_beats(n_beats=30)
    clean = detect_r_peaks(recording, FS)
    # between two beats
    for start, height in ((1600, 20), (4600, -100), (5200, 2), (5800, -3), (7600, 10)):
        recording[start:] += height
    np.testing.assert_array_equal(detect_r_peaks(recording, FS), clean)


@pytest.mark.parametrize("height", [1000, -1000])
@pytest.mark.parametrize("width", [1, 3])
def test_spikes_of_one_volt_neither_add_nor_hide_r_peaks(simulate_beats, height, width):
    recording, r_peaks = simulate_beats(n_beats=30)
    for start in (1600, 4600, 4900):
        recording[start : start + width] += height
    np.testing.assert_allclose(detect_r_peaks(recording, FS), r_peaks, atol=2)


def test_flat_segment_has_no_r_peaks_and_hides_no_beats(simulate_beats):
    recording, r_peaks = simulate_beats(n_beats=40)
    recording[3000:6000] = 0.1
    outside = r_peaks[(r_peaks < 3000) | (r_peaks >= 6000)]
    np.testing.assert_allclose(detect_r_peaks(recording, FS), outside, atol=2)


@pytest.mark.parametrize("limit", [0.2, 0.5])
def test_r_peak_of_clipped_beat_is_center_of_plateau(simulate_beats, limit):
    recording, r_peaks = simulate_beats()
    detected = detect_r_peaks(np.minimum(recording, limit), FS)
    np.testing.assert_allclose(detected, r_peaks, atol=4)


@pytest.mark.parametrize("n_leads", [None, 2])
@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int16, np.int64])
def test_result_is_independent_of_dtype(simulate_beats, dtype, n_leads):
    recording = np.round(1000 * simulate_beats(n_leads=n_leads)[0])  # 11 bits: exact in all dtypes
    np.testing.assert_array_equal(
        detect_r_peaks(recording.astype(dtype), FS), detect_r_peaks(recording, FS)
    )


def test_lists_are_accepted(simulate_beats):
    recording, _ = simulate_beats(n_leads=2)
    np.testing.assert_array_equal(
        detect_r_peaks(recording.tolist(), FS), detect_r_peaks(recording, FS)
    )


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("has_gap", [False, True])
def test_input_is_not_modified(simulate_beats, has_gap, order):
    recording = np.array(simulate_beats(n_leads=2)[0], order=order)
    if has_gap:
        recording[:, 1000:1050] = np.nan
    before = recording.copy()
    recording.flags.writeable = False
    detect_r_peaks(recording, FS)
    np.testing.assert_array_equal(recording, before)


@pytest.mark.parametrize("n_leads", [1, 2])
def test_recordings_of_any_length_are_accepted(n_leads):
    x = np.random.default_rng(0).normal(size=(n_leads, 72))
    for n_times in range(n_leads, 73):
        detected = detect_r_peaks(x[:, :n_times], FS)
        assert ((detected >= 0) & (detected < n_times)).all(), n_times


@pytest.mark.parametrize("position", [40, 500, 960])
@pytest.mark.parametrize("n_leads", [1, 3])
def test_single_beat_of_recording_is_found(simulate_beats, n_leads, position):
    beat = simulate_beats(n_beats=1)[0][120:190]  # QRS complex around its R peak at 30
    recording = np.zeros((n_leads, 1000))
    recording[:, position - 30 : position + 40] = beat
    np.testing.assert_allclose(detect_r_peaks(recording, FS), [position], atol=2)


@pytest.mark.parametrize("stretch", [40.0, 61.7])
@pytest.mark.parametrize("n_leads", [1, 2])
def test_result_is_independent_of_stretch_length(simulate_beats, monkeypatch, stretch, n_leads):
    recording = np.tile(simulate_beats(n_beats=20, n_leads=n_leads)[0], 20)
    whole = detect_r_peaks(recording, FS)
    monkeypatch.setattr(_r_peaks, "_STRETCH_S", stretch)
    np.testing.assert_array_equal(detect_r_peaks(recording, FS), whole)
    assert len(whole) == 400


def test_stretches_cover_recording_with_margins():
    fs, n_times = 10.0, 100_000
    stretches = np.array(list(_r_peaks.stretches(n_times, fs)))
    start, stop, first, last = stretches.T
    np.testing.assert_array_equal(np.append(first, n_times), np.append(0, last))
    np.testing.assert_array_equal(start, np.maximum(first - 20 * fs, 0))
    np.testing.assert_array_equal(stop, np.minimum(last + 20 * fs, n_times))
    assert len(stretches) == 6  # of 28 minutes each


def test_beats_in_overlap_of_stretches_are_reported_once(simulate_beats, monkeypatch):
    recording = np.tile(simulate_beats(n_beats=20)[0], 20)
    monkeypatch.setattr(_r_peaks, "_STRETCH_S", 40.0)
    samples, _ = _r_peaks.find_qrs_complexes(recording[None], FS)
    assert (np.diff(samples) > 180).all()


def test_result_on_real_recording_is_independent_of_stretch_length(read_record, monkeypatch):
    lead = read_record("103")[0][0]
    whole = detect_r_peaks(lead, FS)
    monkeypatch.setattr(_r_peaks, "_STRETCH_S", 300.0)
    np.testing.assert_array_equal(detect_r_peaks(lead, FS), whole)


@pytest.mark.parametrize("has_gap", [False, True])
def test_memory_for_long_recording_is_bounded(simulate_beats, has_gap):
    beats = simulate_beats(n_beats=100)[0].astype(np.float32)
    recording = np.resize(beats, round(4 * 3600 * FS))
    if has_gap:
        recording[100_000:200_000] = np.nan
    tracemalloc.start()
    try:
        detected = detect_r_peaks(recording, FS)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(detected) > 15_000
    # half an hour at a time, and a copy without gaps
    assert peak < (1.3 if has_gap else 0.3) * recording.nbytes + 2**24


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("gain", [1e-3, -3.7, 1e-30, 1e30])
def test_gain_makes_no_difference_for_quantized_signals(read_record, gain, dtype):
    lead = read_record("119")[0][1, :108_000]
    detected = detect_r_peaks((gain * lead).astype(dtype), FS)
    np.testing.assert_array_equal(detected, detect_r_peaks(lead.astype(dtype), FS))


@pytest.mark.parametrize("gain", [1e-290, 1e-160, 1e160, 1e305])
def test_tiny_and_huge_gains_make_no_difference(simulate_beats, gain):
    recording, _ = simulate_beats()
    np.testing.assert_array_equal(
        detect_r_peaks(gain * recording, FS), detect_r_peaks(recording, FS)
    )


@pytest.mark.parametrize("fs", [100, 128, 250, 500, 1000, 2000])
@pytest.mark.parametrize("name", ["103", "200"])
def test_resampled_recording_has_same_r_peaks(read_record, name, fs):
    lead = read_record(name)[0][0, 3600 : 190 * 360]
    divisor = math.gcd(fs, 360)
    resampled = resample_poly(lead, fs // divisor, 360 // divisor, padtype="line")
    seconds, other = detect_r_peaks(lead, FS) / FS, detect_r_peaks(resampled, fs) / fs
    assert len(other) == len(seconds)
    # the extremum of one ventricular beat of record 200 changes its sign
    np.testing.assert_allclose(other, seconds, atol=0.06)
    assert np.median(np.abs(other - seconds)) < 0.004


def f1(detected, r_peaks):
    return match_beats(r_peaks, detected, fs=FS, tolerance=0.15).f1


# F1 at 150 ms, rounded down; none of these records was used to choose the constants
@pytest.mark.parametrize(
    ("name", "min_f1"),
    [("103", 1.0), ("105", 0.992), ("200", 0.999), ("208", 0.997), ("210", 0.994)],
)
def test_quality_on_real_recordings(read_record, name, min_f1):
    signals, r_peaks, _ = read_record(name)
    assert f1(detect_r_peaks(signals[0], FS), r_peaks) >= min_f1


def test_quality_on_two_leads(read_record):
    signals, r_peaks, _ = read_record("200")
    assert f1(detect_r_peaks(signals, FS), r_peaks) >= 0.979


def test_quality_with_ventricular_flutter(read_record):
    # the whole record: flutter waves are not beats, and most false detections lie there
    signals, r_peaks, _ = read_record("207")
    assert f1(detect_r_peaks(signals[0], FS), r_peaks) >= 0.925


def add_motion(lead, motion, shift):
    """Add electrode motion with a standard deviation of 0.3 mV within a second, in the median."""
    noise = np.resize(np.roll(motion, shift), len(lead))
    return lead + 0.3 * noise / np.median(noise[: len(noise) // 360 * 360].reshape(-1, 360).std(1))


@pytest.fixture(scope="session")
def motion(real_data):
    """Return ten minutes of electrode motion without ECG."""
    return np.load(real_data / "nstdb_em" / "em_first_10_minutes.npy")


@pytest.mark.parametrize(("name", "min_f1"), [("101", 0.945), ("220", 0.989)])
def test_quality_under_electrode_motion(read_record, motion, name, min_f1):
    signals, r_peaks, _ = read_record(name)
    assert f1(detect_r_peaks(add_motion(signals[0], motion, 0), FS), r_peaks) >= min_f1


def test_artifacts_of_one_lead_leave_the_beats_of_another(simulate_beats):
    recording, r_peaks = simulate_beats(n_beats=120, n_leads=2)
    rng = np.random.default_rng(0)
    jumps = np.zeros(recording.shape[1])  # an electrode that moves every few seconds
    jumps[rng.choice(len(jumps), 40, replace=False)] = rng.normal(scale=2, size=40)
    recording[1] += np.convolve(jumps, np.exp(-np.arange(70) / 12))[: len(jumps)]
    matches = match_beats(r_peaks, detect_r_peaks(recording, FS), FS)
    alone = match_beats(r_peaks, detect_r_peaks(recording[1], FS), FS)
    assert len(alone.missed) + len(alone.extra) >= 15
    assert len(matches.missed) + len(matches.extra) <= 3


@pytest.mark.parametrize("name", ["101", "220"])
def test_two_leads_with_electrode_motion_are_better_than_one(read_record, motion, name):
    signals, r_peaks, _ = read_record(name)
    leads = [add_motion(lead, motion, 90_000 * k) for k, lead in enumerate(signals)]
    single = [f1(detect_r_peaks(lead, FS), r_peaks) for lead in leads]
    assert f1(detect_r_peaks(leads, FS), r_peaks) > max(single)


@pytest.mark.parametrize(("name", "min_f1"), [("105", 0.99), ("117", 0.999)])
def test_quality_under_muscle_noise(read_record, name, min_f1):
    signals, r_peaks, _ = read_record(name)
    white = np.random.default_rng(0).normal(size=signals.shape[1])
    noise = np.diff(white, prepend=0.0) / np.sqrt(2)  # 1 mV, mostly high frequencies
    assert f1(detect_r_peaks(signals[0] + 0.3 * noise, FS), r_peaks) >= min_f1


@pytest.mark.parametrize(("height", "min_f1"), [(1.0, 0.989), (3.0, 0.991), (10.0, 0.998)])  # mV
def test_quality_with_baseline_jumps(read_record, height, min_f1):
    signals, r_peaks, _ = read_record("101")  # held out
    recording = signals[0].copy()
    for number, start in enumerate(range(3000, len(recording), 7000)):
        recording[start:] += height if number % 2 else -height
    assert f1(detect_r_peaks(recording, FS), r_peaks) >= min_f1
