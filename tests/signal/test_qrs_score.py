import numpy as np
import pytest

from ecgbeat.signal._qrs import (
    QUANTITIES,
    WEIGHTS,
    find_candidates,
    qrs_peaks,
    qrs_quantities,
    select_beats,
    split_bands,
)

FS = 120.0
BEATS = 60 + 100 * np.arange(60)
N_TIMES = 6100


def make_beats(width=0.015):
    """Simulate QRS complexes of height 1 every 0.83 s, at 120 Hz."""
    t = (np.arange(N_TIMES) - BEATS[:, None]) / FS
    return np.exp(-((t / width) ** 2)).sum(axis=0)[None]


def noise(n_leads=1):
    return np.random.default_rng(0).normal(size=(n_leads, N_TIMES))


def candidates_and_beats(x):
    """Return the number of candidates, and the samples of those accepted as beats."""
    bands = split_bands(x, FS)
    candidates = find_candidates(bands)
    return len(candidates.positions), select_beats(candidates, bands)


def median_quantities(x):
    """Return the median of each quantity."""
    bands = split_bands(x, FS)
    candidates = find_candidates(bands)
    values = qrs_quantities(candidates, bands, qrs_peaks(candidates, bands))
    assert values.shape == (len(candidates.positions), len(QUANTITIES))
    return dict(zip(QUANTITIES, np.median(values, axis=0), strict=True))


def test_each_quantity_has_one_weight():
    assert WEIGHTS.shape == (len(QUANTITIES),)
    assert len(set(QUANTITIES)) == len(QUANTITIES)


@pytest.mark.parametrize("n_leads", [1, 3])
def test_clean_beats_are_accepted(n_leads):
    x = np.tile(make_beats(), (n_leads, 1)) + 0.01 * noise(n_leads)
    n_candidates, peaks = candidates_and_beats(x)
    assert n_candidates == len(BEATS)
    np.testing.assert_allclose(peaks, BEATS, atol=1)
    assert peaks.dtype == np.int64


def test_most_candidates_in_white_noise_are_rejected():
    n_candidates, peaks = candidates_and_beats(noise())
    assert n_candidates > 100
    assert len(peaks) < n_candidates / 3  # measured 27 %


@pytest.mark.parametrize("amplitude", [0.1, 0.3])
def test_noise_in_a_pause_is_rejected(amplitude):
    x = make_beats() + 0.01 * noise()
    x[:, 3010:3810] = amplitude * noise()[:, :800]
    n_candidates, peaks = candidates_and_beats(x)
    outside = BEATS[(BEATS < 3010) | (BEATS >= 3810)]
    assert n_candidates >= len(outside) + 8
    assert np.isin(outside, peaks).all()
    assert len(peaks) <= len(outside) + 4


def test_no_candidates_give_no_beats():
    n_candidates, peaks = candidates_and_beats(np.zeros((2, 500)))
    assert n_candidates == 0
    assert peaks.shape == (0,)
    assert peaks.dtype == np.int64


@pytest.mark.parametrize("gain", [-1.0, 2.0**-200, 2.0**200])
@pytest.mark.parametrize("n_leads", [1, 2])
def test_quantities_are_independent_of_gain_and_polarity(gain, n_leads):
    x = np.tile(make_beats(), (n_leads, 1)) + 0.1 * noise(n_leads)
    assert median_quantities(gain * x) == pytest.approx(median_quantities(x), rel=1e-9)


@pytest.mark.parametrize("n_times", [12, 30, 100])
@pytest.mark.parametrize("n_leads", [1, 2])
def test_quantities_of_short_signals_are_finite(n_times, n_leads):
    x = np.zeros((n_leads, n_times))
    x[:, n_times // 2] = 1
    bands = split_bands(x, FS)
    candidates = find_candidates(bands)
    assert len(candidates.positions) > 0
    peaks = qrs_peaks(candidates, bands)
    assert np.isfinite(qrs_quantities(candidates, bands, peaks)).all()


@pytest.mark.parametrize(
    ("name", "added"),
    [
        ("fast noise", 0.1 * noise()),
        ("fast noise around", 0.1 * noise()),
        ("slow deviation", np.sin(2 * np.pi * 2 * np.arange(N_TIMES) / FS)),
        ("floor before", 0.2 * noise()),
        ("floor around", 0.2 * noise()),
        ("rival before", 0.4 * np.roll(make_beats(), 50)),
        ("rival after", 0.4 * np.roll(make_beats(), 50)),
    ],
)
def test_disturbance_increases_its_quantity(name, added):
    assert (
        median_quantities(make_beats() + added)[name] > median_quantities(make_beats())[name] + 0.2
    )


def test_likeness_of_equal_complexes_is_1():
    assert median_quantities(make_beats())["likeness"] == pytest.approx(1, abs=1e-3)


def test_complex_of_different_shape_has_lowest_likeness():
    x = make_beats()
    x[0, 3010:3110] = make_beats(width=0.06)[0, 3010:3110]
    bands = split_bands(x, FS)
    candidates = find_candidates(bands)
    values = qrs_quantities(candidates, bands, qrs_peaks(candidates, bands))
    likeness = values[:, QUANTITIES.index("likeness")]
    assert candidates.positions[likeness.argmin()] == pytest.approx(BEATS[30], abs=6)
    assert likeness.min() < 0.9


def test_peak_is_largest_value_of_qrs_band():
    x = make_beats() * np.where(np.arange(N_TIMES) % 200 < 100, 1.0, -1.0)
    bands = split_bands(x, FS)
    candidates = find_candidates(bands)
    np.testing.assert_array_equal(qrs_peaks(candidates, bands), BEATS)
