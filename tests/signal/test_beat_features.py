"""Features of beats relative to their context."""

import numpy as np
import pytest

from ecgbeat.datasets import make_recording
from ecgbeat.signal import bandpass, beat_feature_names, beat_features

FUTURES = [True, False, "none"]


@pytest.fixture(scope="module")
def ecg():
    """Return a filtered recording of two leads with ectopic beats."""
    shares = {"N": 0.8, "A": 0.1, "V": 0.1}
    made = make_recording(400.0, n_leads=2, weights=shares, random_state=1)
    return bandpass(made.signal, made.fs), made.r_peaks, made.fs, np.asarray(made.symbols)


def column(features, name):
    return features[:, beat_feature_names().index(name)]


@pytest.mark.parametrize("future", FUTURES)
@pytest.mark.parametrize("n_beats", [0, 1, 2, 3, 17, 200])
def test_any_number_of_beats_gives_finite_rows(ecg, n_beats, future):
    signal, r_peaks, fs, _ = ecg
    features = beat_features(signal, r_peaks[:n_beats], fs, future=future)
    assert features.shape == (n_beats, len(beat_feature_names(future=future)))
    assert features.dtype == np.float32
    assert np.isfinite(features).all()


@pytest.mark.parametrize(
    "change",
    [lambda x: -x, lambda x: 5 * x, lambda x: 0.2 * x, lambda x: x[::-1], lambda x: x + 3],
    ids=["upside down", "large", "small", "leads swapped", "offset"],
)
def test_gain_polarity_offset_and_order_of_leads_do_not_matter(ecg, change):
    signal, r_peaks, fs, _ = ecg
    expected = beat_features(signal, r_peaks, fs)
    np.testing.assert_allclose(beat_features(change(signal), r_peaks, fs), expected, atol=2e-3)


def test_repeated_and_empty_leads_do_not_matter(ecg):
    signal, r_peaks, fs, _ = ecg
    expected = beat_features(signal[0], r_peaks, fs)
    for leads in (signal[[0, 0, 0]], np.stack([signal[0], np.zeros_like(signal[0])])):
        np.testing.assert_allclose(beat_features(leads, r_peaks, fs), expected, atol=2e-3)


@pytest.mark.parametrize("future", FUTURES)
def test_a_lead_of_noise_does_not_matter(ecg, future):
    signal, r_peaks, fs, _ = ecg
    noise = bandpass(np.random.default_rng(0).normal(size=signal.shape[1]), fs)
    expected = beat_features(signal[0], r_peaks, fs, future=future)[40:]
    found = beat_features(np.stack([signal[0], noise]), r_peaks, fs, future=future)[40:]
    np.testing.assert_allclose(found, expected, atol=2e-3)


@pytest.mark.parametrize("fs", [128, 250, 720])
def test_sampling_rate_matters_little(fs):
    first, second = (make_recording(120.0, fs=rate, noise=0, random_state=3) for rate in (360, fs))
    a = beat_features(bandpass(first.signal, 360), first.r_peaks, 360)
    b = beat_features(bandpass(second.signal, fs), second.r_peaks, fs)
    for name in ("qrs_to_normal_mean", "rr_to_median", "aberrant_share"):
        assert np.corrcoef(column(a, name), column(b, name))[0, 1] > 0.95, name


def test_shape_and_rhythm_of_ectopic_beats(ecg):
    signal, r_peaks, fs, symbol = ecg
    features = beat_features(signal, r_peaks, fs)
    normal, ventricular, atrial = (symbol == s for s in "NVA")
    qrs, rr = column(features, "qrs_to_normal_mean"), column(features, "rr_to_sinus")
    assert np.median(qrs[normal]) > 0.95
    assert np.median(qrs[atrial]) > 0.9
    assert np.median(qrs[ventricular]) < 0.6
    assert np.median(rr[normal]) == pytest.approx(1, abs=0.1)
    assert np.median(rr[atrial]) < 0.85
    assert np.median(column(features, "aberrant_share")[ventricular]) > 0.5
    assert np.median(np.abs(column(features, "aberrant_share")[normal])) < 0.2


@pytest.mark.parametrize("future", [False, "none"])
@pytest.mark.parametrize("n_beats", [5, 40, 130, 333])
def test_later_beats_do_not_matter(ecg, future, n_beats):
    signal, r_peaks, fs, _ = ecg
    expected = beat_features(signal, r_peaks, fs, future=future)[:n_beats]
    n_known = n_beats + (future is False)
    known = signal.copy()
    known[:, r_peaks[n_beats - 1] + round(0.5 * fs) :] = 0
    found = beat_features(known, r_peaks[:n_known], fs, future=future)[:n_beats]
    np.testing.assert_array_equal(found, expected)


def test_a_context_is_some_minutes(ecg):
    signal, r_peaks, fs, _ = ecg
    expected = beat_features(signal, r_peaks, fs)[:64]
    other = signal.copy()
    other[:, r_peaks[300] :] *= -7
    found = beat_features(other, r_peaks, fs)[:64]
    np.testing.assert_array_equal(found, expected)


@pytest.fixture(scope="module")
def patients():
    """Return filtered recordings of two patients with other leads, levels and rates."""
    made = [
        make_recording(200.0, n_leads=2, heart_rate=rate, random_state=seed)
        for seed, rate in enumerate((55, 95))
    ]
    first, second = (bandpass(ecg.signal, ecg.fs) for ecg in made)
    return (first, 0.4 * second[::-1] * [[1], [-1]]), [ecg.r_peaks for ecg in made], made[0].fs


def join(signals, r_peaks):
    """Return one recording and its R peaks."""
    shifts = np.cumsum([0, *(signal.shape[1] for signal in signals[:-1])])
    shifted = [peaks + shift for peaks, shift in zip(r_peaks, shifts, strict=True)]
    return np.concatenate(signals, axis=1), np.concatenate(shifted)


def test_joined_patients_are_described_separately(patients):
    signals, r_peaks, fs = patients
    separately = [
        beat_features(signal, peaks, fs) for signal, peaks in zip(signals, r_peaks, strict=True)
    ]
    together = beat_features(*join(signals, r_peaks), fs)
    # the windows of the beats beside the junction hold samples of both patients
    distance = np.arange(len(together)) - len(r_peaks[0])
    rows = (distance < -4) | (distance >= 4)
    np.testing.assert_allclose(together[rows], np.concatenate(separately)[rows], atol=0.01)


def test_a_run_of_other_beats_is_compared_with_the_beats_around(patients):
    signals, r_peaks, fs = patients
    first, peaks = signals[0], r_peaks[0]
    stop = r_peaks[1][50] + round(0.3 * fs)
    run = signals[1][:, :stop], r_peaks[1][:51]
    signal, joined = join((first, run[0], first), (peaks, run[1], peaks))
    likeness = column(beat_features(signal, joined, fs), "qrs_to_normal_mean")
    is_run = np.arange(len(joined)) - len(peaks) < 51
    is_run[: len(peaks)] = False
    assert np.median(likeness[is_run]) < 0.5
    assert np.median(likeness[~is_run]) > 0.9


def test_noise_does_not_divide_a_recording():
    rng = np.random.default_rng(0)
    r_peaks = 100 + np.cumsum(rng.integers(150, 250, 290))
    features = beat_features(rng.normal(size=(2, 60_000)), r_peaks, 250)
    of_context = column(features, "variation")
    np.testing.assert_array_equal(np.flatnonzero(np.diff(of_context)) + 1, [128, 256])


@pytest.mark.parametrize("future", FUTURES)
def test_names(future):
    assert beat_feature_names(future=future) == beat_feature_names(
        future=future if future == "none" else np.bool_(future)
    )
    names = beat_feature_names(future=future)
    assert len(set(names)) == len(names)
    assert "rr_to_previous" in names
    assert ("next_to_rr" in names) == (future != "none")


def test_numpy_bools_are_bools(ecg):
    signal, r_peaks, fs, _ = ecg
    for future in (True, False):
        np.testing.assert_array_equal(
            beat_features(signal, r_peaks[:50], fs, future=np.bool_(future)),
            beat_features(signal, r_peaks[:50], fs, future=future),
        )


@pytest.mark.parametrize("future", ["past", None, 1, "True"])
def test_unknown_future_raises(future):
    with pytest.raises(ValueError, match="future must be"):
        beat_features(np.zeros(1000), [100, 400], 250, future=future)


def test_invalid_r_peaks_raise(ecg):
    signal, r_peaks, fs, _ = ecg
    with pytest.raises(ValueError, match="ascending"):
        beat_features(signal, r_peaks[::-1], fs)
    with pytest.raises(ValueError, match="within the recording"):
        beat_features(signal, [10**9], fs)
