import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from ecgbeat.datasets import make_recording

ALL = {"N": 0.4, "L": 0.1, "R": 0.1, "A": 0.1, "V": 0.1, "F": 0.1, "/": 0.1}


@pytest.fixture(scope="module")
def recordings():
    return [
        make_recording(120, weights={"N": 0.84, "A": 0.08, "V": 0.08}, noise=0, random_state=seed)
        for seed in range(12)
    ]


def relative_intervals(recordings, symbol):
    """Intervals before and after the single beats of a class, in sinus intervals."""
    pairs = []
    for recording in recordings:
        rr = np.diff(recording.r_peaks)
        s = recording.symbols
        sinus = np.median(rr[(s[1:] == "N") & (s[:-1] == "N")])
        alone = (s[1:-1] == symbol) & (s[:-2] == "N") & (s[2:] == "N")
        pairs.append(np.stack([rr[:-1][alone], rr[1:][alone]], axis=1) / sinus)
    return np.concatenate(pairs)


@pytest.mark.parametrize("n_leads", [1, 2, 12])
def test_signal_has_given_number_of_leads(n_leads):
    recording = make_recording(10, n_leads=n_leads, random_state=0)
    assert recording.signal.shape == ((3600,) if n_leads == 1 else (n_leads, 3600))
    assert recording.signal.dtype == np.float64
    assert len(recording.lead_names) == n_leads


def test_r_peaks_are_sorted_samples_within_the_recording():
    recording = make_recording(60, random_state=0)
    assert recording.r_peaks.dtype == np.int64
    assert len(recording.r_peaks) == len(recording.symbols)
    assert (np.diff(recording.r_peaks) > 0).all()
    assert recording.r_peaks[0] >= 0
    assert recording.r_peaks[-1] < len(recording.signal)


def test_annotation_has_r_peaks_and_symbols():
    recording = make_recording(10, random_state=0)
    assert_array_equal(recording.annotation.sample, recording.r_peaks)
    assert_array_equal(recording.annotation.symbol, recording.symbols)


def test_beats_reach_the_end_of_the_recording():
    for seed in range(10):
        recording = make_recording(60, weights={"N": 0.6, "A": 0.4}, random_state=seed)
        assert len(recording.signal) - recording.r_peaks[-1] < 2.5 * 360


def test_same_seed_gives_same_recording():
    first, second = (make_recording(20, random_state=7) for _ in range(2))
    assert_array_equal(first.signal, second.signal)
    assert_array_equal(first.symbols, second.symbols)


def test_different_seeds_give_different_patients():
    first, second = (make_recording(20, random_state=seed) for seed in (1, 2))
    assert np.abs(first.signal - second.signal).max() > 0.1


@pytest.mark.usefixtures("untouched_numpy_state")
def test_seed_does_not_change_global_random_state():
    make_recording(5, random_state=0)


def test_random_state_instance_gives_different_recordings():
    generator = np.random.RandomState(0)
    first, second = (make_recording(5, random_state=generator).signal for _ in range(2))
    assert np.abs(first - second).max() > 0.1


@pytest.mark.parametrize("symbol", ALL)
def test_r_peaks_are_extrema_of_the_clean_lead(symbol):
    weights = {symbol: 0.3, "N": 0.7} if symbol != "N" else {"N": 1.0}
    recording = make_recording(60, weights=weights, noise=0, random_state=3)
    peaks = recording.r_peaks[recording.symbols == symbol]
    peaks = peaks[(peaks > 10) & (peaks < len(recording.signal) - 10)]
    assert len(peaks) > 5
    near = recording.signal[peaks[:, None] + np.arange(-5, 6)]
    highest, lowest = near.argmax(axis=1) == 5, near.argmin(axis=1) == 5
    assert (highest | lowest).all()


@pytest.mark.parametrize("symbol", ["A", "V"])
def test_premature_beats_are_early(recordings, symbol):
    before = relative_intervals(recordings, symbol)[:, 0]
    assert len(before) > 30
    assert np.quantile(before, 0.95) < 0.9


def test_pause_of_ventricular_beats_is_compensatory(recordings):
    assert np.median(relative_intervals(recordings, "V").sum(axis=1)) == pytest.approx(2, abs=0.05)


def test_pause_of_atrial_beats_is_not_compensatory(recordings):
    assert np.median(relative_intervals(recordings, "A").sum(axis=1)) < 1.9


@pytest.mark.parametrize("weights", [{"N": 0.5, "V": 0.5}, {"L": 3, "R": 1}, ALL])
def test_classes_have_their_shares(weights):
    recording = make_recording(900, weights=weights, noise=0, fs=100, random_state=0)
    total = sum(weights.values())
    for symbol, share in weights.items():
        assert np.mean(recording.symbols == symbol) == pytest.approx(share / total, abs=0.06)


def test_recording_has_given_heart_rate():
    recording = make_recording(120, heart_rate=80, weights={"N": 1}, random_state=0)
    assert len(recording.r_peaks) == pytest.approx(160, abs=3)


@pytest.mark.parametrize("fs", [100, 128.5, 250, 1000, 2000])
def test_beats_are_the_same_at_any_sampling_rate(fs):
    slow = make_recording(20, fs=fs, weights=ALL, random_state=4)
    reference = make_recording(20, fs=360, weights=ALL, random_state=4)
    assert slow.signal.shape == (round(20 * fs),)
    assert_array_equal(slow.symbols, reference.symbols)
    # a plateau of two equal humps may have its maximum on either one
    apart = np.abs(slow.r_peaks / fs - reference.r_peaks / 360)
    assert np.median(apart) <= max(1 / fs, 1 / 360)
    assert apart.max() < 0.08


def test_signal_is_the_same_at_twice_the_sampling_rate():
    # without pacing spikes, which a slower recorder sees lower and wider
    weights = {s: share for s, share in ALL.items() if s != "/"}
    fast = make_recording(20, fs=720, weights=weights, random_state=4).signal
    slow = make_recording(20, fs=360, weights=weights, random_state=4).signal
    assert_allclose(fast[::2], slow, atol=0.01)


def test_amplitudes_are_those_of_surface_ecgs(recordings):
    peaks = [np.ptp(recording.signal) for recording in recordings]
    assert min(peaks) > 0.5
    assert max(peaks) < 9.0


def test_clean_ecg_has_little_power_above_100_hz():
    signal = make_recording(60, fs=1000, noise=0, weights={"N": 1}, random_state=0).signal
    power = np.abs(np.fft.rfft(signal - signal.mean())) ** 2
    frequency = np.fft.rfftfreq(len(signal), 1e-3)
    assert power[frequency > 100].sum() < 1e-4 * power.sum()
    assert power[(frequency > 1) & (frequency < 40)].sum() > 0.8 * power.sum()


def test_noise_grows_with_its_level():
    clean, noisy, worse = (make_recording(30, noise=n, random_state=0).signal for n in (0, 1, 3))
    assert 0.02 < (noisy - clean).std() < 0.5
    assert_allclose(worse - clean, 3 * (noisy - clean), atol=1e-12)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fs", 50),
        ("fs", 4000),
        ("duration", 1),
        ("duration", float("inf")),
        ("heart_rate", 500),
        ("noise", -1),
        ("n_leads", 13),
        ("mains", 0),
        ("weights", ["N", "V"]),
    ],
)
def test_parameter_out_of_range_raises(name, value):
    with pytest.raises(ValueError, match=f"'{name}' parameter of make_recording must be .* Got "):
        make_recording(**{name: value})


def test_weights_without_base_class_raise():
    with pytest.raises(ValueError, match=r"at least one of .*'N'.* got \{'V': 1\.0\}"):
        make_recording(weights={"V": 1.0})


def test_unknown_class_raises():
    with pytest.raises(ValueError, match="weights contains 'X'"):
        make_recording(weights={"N": 0.5, "X": 0.5})
