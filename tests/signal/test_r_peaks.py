import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ecgbeat.signal import detect_r_peaks

FS = 360.0
DYADIC = st.integers(-1024, 1024).map(lambda i: i / 64)
RECORDINGS = st.tuples(st.integers(1, 12), st.integers(1, 5000)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=DYADIC, fill=DYADIC)
)
few = settings(max_examples=20, deadline=None)


@pytest.mark.parametrize("n_leads", [None, 1, 2, 12])
def test_every_beat_is_found_in_its_place(synthetic, n_leads):
    recording, r_peaks = synthetic(n_leads=n_leads)
    detected = detect_r_peaks(recording, FS)
    assert detected.dtype == np.int64
    np.testing.assert_allclose(detected, r_peaks, atol=2)


@pytest.mark.parametrize("interval", [110, 180, 360, 700])
def test_slow_and_fast_rhythms(synthetic, interval):
    recording, r_peaks = synthetic(interval=interval)
    np.testing.assert_allclose(detect_r_peaks(recording, FS), r_peaks, atol=2)


@pytest.mark.parametrize("fs", [100, 125, 250, 500, 1000])
def test_other_sampling_rates(synthetic, fs):
    recording, r_peaks = synthetic()
    n_times = round(len(recording) * fs / FS)
    resampled = np.interp(np.arange(n_times) / fs, np.arange(len(recording)) / FS, recording)
    np.testing.assert_allclose(detect_r_peaks(resampled, fs) / fs, r_peaks / FS, atol=0.012)


def test_low_beats_beside_tall_ones(synthetic):
    recording, r_peaks = synthetic()
    low = recording.copy()
    low[(r_peaks[5] + r_peaks[6]) // 2 :] *= 0.3
    np.testing.assert_allclose(detect_r_peaks(low, FS), r_peaks, atol=2)


def test_one_artefact_costs_no_beat_but_its_own(synthetic):
    recording, r_peaks = synthetic(n_beats=30)
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
def test_no_beats_where_there_are_none(x):
    detected = detect_r_peaks(x, FS)
    assert detected.shape == (0,)
    assert detected.dtype == np.int64


def test_silence_between_beats_stays_silent(synthetic):
    recording, r_peaks = synthetic()
    silence = np.zeros(20_000)
    detected = detect_r_peaks(np.concatenate([silence, recording, silence]), FS)
    np.testing.assert_allclose(detected, r_peaks + 20_000, atol=2)


@few
@given(RECORDINGS, st.sampled_from([0.5, 7.0, 128.0, 360.0, 2000.0]))
def test_any_input_gives_ascending_samples_of_the_recording(x, fs):
    detected = detect_r_peaks(x, fs)
    assert detected.dtype == np.int64
    assert (np.diff(detected) > 0).all()
    assert ((detected >= 0) & (detected < x.shape[1])).all()


@few
@given(RECORDINGS, DYADIC, st.sampled_from([-1.0, -4.0, 0.125, 2.0**30]))
def test_neither_offset_nor_gain_nor_polarity_matters(x, offset, gain):
    np.testing.assert_array_equal(detect_r_peaks(gain * (x + offset), FS), detect_r_peaks(x, FS))


@pytest.mark.parametrize("peak", [1e30, 1e300, np.finfo(float).max])
def test_absurd_values_do_no_harm(peak):
    x = np.random.default_rng(0).choice([-peak, peak], size=(2, 3000))
    assert (detect_r_peaks(x, FS) < 3000).all()


@pytest.mark.parametrize(
    ("x", "fs", "message"),
    [
        (np.zeros((2, 3, 4)), FS, r"one recording.*shape \(2, 3, 4\).*segment_beats"),
        ([0.0, 1.0, 2.0, np.inf], FS, "x contains infinity"),
        ([0.0], 0, "fs must be greater than 0"),
    ],
)
def test_what_is_no_recording_is_told(x, fs, message):
    with pytest.raises(ValueError, match=message):
        detect_r_peaks(x, fs)


# F1 at 150 ms, rounded down; none of these records had a part in choosing the constants
@pytest.mark.parametrize(
    ("name", "least"), [("103", 0.999), ("105", 0.989), ("200", 0.998), ("208", 0.996)]
)
def test_quality_on_real_recordings(read_record, name, least):
    signals, r_peaks, _ = read_record(name)
    detected = detect_r_peaks(signals[0], FS)
    # the nearest detection of each beat; detections are farther apart than the tolerance is wide
    after = np.clip(np.searchsorted(detected, r_peaks), 1, len(detected) - 1)
    distance = np.minimum(np.abs(detected[after - 1] - r_peaks), np.abs(detected[after] - r_peaks))
    n_found = (distance <= 0.15 * FS).sum()
    assert 2 * n_found / (len(r_peaks) + len(detected)) >= least
