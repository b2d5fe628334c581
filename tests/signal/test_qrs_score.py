import numpy as np
import pytest

from ecgbeat.signal._qrs import (
    QUANTITIES,
    RHYTHM_QUANTITIES,
    RHYTHM_WEIGHTS,
    SHAPE_QUANTITIES,
    SHAPE_WEIGHTS,
    WEIGHTS,
    Candidates,
    amid_noise,
    find_candidates,
    qrs_peaks,
    qrs_quantities,
    rhythm_quantities,
    select_beats,
    shape_quantities,
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


def with_artifacts(seed=0):
    """Return beats with slow waves, and artifacts of random size and width between them."""
    rng = np.random.default_rng(seed)
    x = make_beats()[0]
    t = np.arange(N_TIMES) / FS
    at = BEATS[rng.random(len(BEATS)) < 0.4] + rng.integers(35, 65)
    for center, size, width in zip(
        at / FS, rng.normal(0, 2, len(at)), rng.uniform(0.03, 0.1, len(at)), strict=True
    ):
        x += size * np.exp(-(((t - center) / width) ** 2))
    return (x + np.sin(3 * t) + 0.03 * rng.normal(size=N_TIMES))[None]


def described(x):
    """Return candidates, quantities of the shape, and which candidates are amid noise."""
    bands = split_bands(x, FS)
    candidates = find_candidates(bands)
    peaks = qrs_peaks(candidates, bands)
    quantities = qrs_quantities(candidates, bands, peaks)
    shape = shape_quantities(candidates, bands, peaks, quantities)
    return candidates, shape, amid_noise(shape[:, 0])


@pytest.mark.parametrize(
    ("names", "weights"),
    [(SHAPE_QUANTITIES, SHAPE_WEIGHTS), (RHYTHM_QUANTITIES, RHYTHM_WEIGHTS)],
)
def test_each_quantity_of_second_score_has_one_weight(names, weights):
    assert weights.shape == (len(names),)


def test_clean_beats_are_not_amid_noise():
    assert not described(make_beats() + 0.01 * noise())[2].any()


def test_few_ectopic_beats_are_not_amid_noise():
    x = make_beats()
    x[0, 3010:3310] = -make_beats(width=0.06)[0, 3010:3310]
    assert not described(x)[2].any()


def test_beats_with_artifacts_are_amid_noise():
    x = with_artifacts()
    assert described(x + 0.1 * noise())[2].all()


def test_second_score_drops_artifacts_and_keeps_beats():
    x = with_artifacts()
    x += 0.1 * noise()
    bands = split_bands(x, FS)
    candidates = find_candidates(bands)
    first = described(x)[1][:, 0]
    wrong_before = (np.abs(candidates.positions[first > 0, None] - BEATS).min(axis=1) > 6).sum()
    peaks = select_beats(candidates, bands)
    distance = np.abs(peaks[:, None] - BEATS)
    assert (distance.min(axis=0) <= 6).mean() > 0.95
    assert (distance.min(axis=1) > 6).sum() < wrong_before / 2


def test_artifacts_are_less_like_the_complexes_around():
    x = with_artifacts()
    candidates, shape, _ = described(x)
    likeness = shape[:, SHAPE_QUANTITIES.index("likeness around")]
    is_beat = np.abs(candidates.positions[:, None] - BEATS).min(axis=1) <= 6
    assert np.median(likeness[is_beat]) > 0.9
    assert np.median(likeness[~is_beat]) < 0.5


@pytest.mark.parametrize("gain", [-1.0, 2.0**-200, 2.0**200])
@pytest.mark.parametrize("n_leads", [1, 2])
def test_quantities_of_shape_are_independent_of_gain_and_polarity(gain, n_leads):
    x = np.tile(with_artifacts(), (n_leads, 1)) + 0.1 * noise(n_leads)
    np.testing.assert_allclose(described(gain * x)[1], described(x)[1], rtol=1e-6, atol=1e-9)


def rhythm_at(positions, score, n_times=N_TIMES):
    """Return the quantities of the rhythm of candidates of equal height."""
    ones = np.ones(len(positions))
    candidates = Candidates(positions, ones, ones, np.stack([ones, ones]), np.zeros(n_times))
    return rhythm_quantities(candidates, score)


def test_regular_beats_have_partners_and_no_rivals():
    _, rivals, partners = rhythm_at(BEATS, np.full(len(BEATS), 3.0), BEATS[-1] + 90).T
    np.testing.assert_array_equal(rivals, -12)
    np.testing.assert_array_equal(partners, 6)  # the first and last one, too


def test_candidate_between_beats_has_them_as_rivals():
    positions = np.sort(np.append(BEATS, BEATS[10] + 50))
    score = np.where(np.isin(positions, BEATS), 3.0, 1.0)
    _, rivals, partners = rhythm_at(positions, score)[11]
    assert (rivals, partners) == (6, -8)
    assert rhythm_at(positions, score)[10, 1] == 1 - 6


def test_missing_beat_has_no_partner():
    positions = np.delete(BEATS, 20)
    partners = rhythm_at(positions, np.full(len(positions), 3.0))[:, 2]
    np.testing.assert_array_equal(partners[[18, 19, 20, 21]], [6, -1, -1, 6])


@pytest.mark.parametrize("n", [1, 2, 3])
def test_rhythm_of_few_candidates_is_finite(n):
    for score in (np.full(n, -1.0), np.full(n, 100.0)):
        quantities = rhythm_at(BEATS[:n], score)
        assert quantities.shape == (n, len(RHYTHM_QUANTITIES))
        assert np.isfinite(quantities).all()
