import numpy as np
import pytest

from ecgbeat.signal._qrs import Bands, find_candidates

FS = 120.0
REGULAR = 100 + 120 * np.arange(30)  # one beat per second
MIDDLE = REGULAR[15] + 60
N_TIMES = 3800


def bands_of(positions, heights, n_leads=1):
    """Return bands without noise, whose QRS band holds short bumps of equal shape."""
    x = np.zeros(N_TIMES)
    for position, height in zip(positions, np.broadcast_to(heights, len(positions)), strict=True):
        x[position - 1 : position + 2] += height * np.array([0.5, 1.0, 0.5])
    n_blocks = -(-N_TIMES // 6)
    qrs = np.tile(x, (n_leads, 1)) / np.sqrt(n_leads)
    return Bands(FS, qrs, np.zeros(n_blocks), np.zeros(n_blocks), 6, 0.0, qrs)


def candidates_near_middle(shifts, heights):
    """Return the shifts of candidates near MIDDLE, where bumps replace two regular beats."""
    others = np.delete(REGULAR, [15, 16])
    positions = np.concatenate([others, MIDDLE + np.asarray(shifts)])
    found = find_candidates(
        bands_of(positions, np.concatenate([np.ones(len(others)), heights]))
    ).positions
    # the envelope of a bump has a plateau: its first sample is some samples early
    near = found[np.abs(found - MIDDLE) < 90]
    return [min(shifts, key=lambda s: abs(s - (p - MIDDLE))) for p in near]


@pytest.mark.parametrize("n_leads", [1, 3])
def test_every_beat_is_a_candidate(n_leads):
    candidates = find_candidates(bands_of(REGULAR, 1.0, n_leads))
    np.testing.assert_allclose(candidates.positions, REGULAR, atol=6)
    np.testing.assert_allclose(candidates.heights, candidates.heights[0])
    np.testing.assert_allclose(candidates.levels, candidates.heights)
    assert candidates.positions.dtype == np.int64


@pytest.mark.parametrize(
    ("gap", "heights", "expected"),
    [
        (24, [1.0, 0.9], [0]),
        (24, [0.9, 1.0], [24]),
        (30, [0.9, 1.0], [30]),
        (31, [0.9, 1.0], [0, 31]),
    ],
)
def test_highest_maximum_within_250_ms_is_kept(gap, heights, expected):
    assert candidates_near_middle([0, gap], heights) == expected


def test_later_of_two_equal_maxima_is_kept():
    assert candidates_near_middle([0, 24], [1.0, 1.0]) == [24]


@pytest.mark.parametrize(
    ("gap", "low", "is_kept"),
    [(36, 0.45, False), (36, 0.55, True), (43, 0.45, False), (44, 0.45, True)],
)
@pytest.mark.parametrize("is_before", [True, False])
def test_maximum_within_360_ms_of_one_twice_as_high_is_dropped(gap, low, is_kept, is_before):
    shifts, heights = ([-gap, 0], [low, 1.0]) if is_before else ([0, gap], [1.0, low])
    assert candidates_near_middle(shifts, heights) == (shifts if is_kept else [0])


@pytest.mark.parametrize(("height", "is_found"), [(0.24, False), (0.26, True), (5.0, True)])
def test_threshold_is_a_quarter_of_local_level(height, is_found):
    assert candidates_near_middle([0], [height]) == ([0] if is_found else [])


def test_dropped_maximum_suppresses_lower_neighbor():
    # each of the three suppresses the one before it
    assert candidates_near_middle([-25, 0, 25], [0.8, 0.9, 1.0]) == [25]


def test_rivals_include_maxima_that_are_dropped():
    positions = np.sort(np.append(REGULAR, [REGULAR[10] + 48, REGULAR[20] + 48]))
    heights = np.ones(len(positions))
    heights[11], heights[22] = 0.2, 0.5  # the first is below the threshold
    candidates = find_candidates(bands_of(positions, heights))
    before, after = candidates.rivals / candidates.heights[0]
    assert len(candidates.positions) == len(REGULAR) + 1
    np.testing.assert_allclose(after[[9, 10, 20]], [0, 0.2, 0.5], rtol=1e-6)
    np.testing.assert_allclose(before[[11, 21, 22]], [0.2, 1, 0.5], rtol=1e-6)


@pytest.mark.parametrize("gain", [-1.0, 2.0**-200, 2.0**200])
def test_candidates_are_independent_of_gain_and_polarity(gain):
    heights = np.random.default_rng(0).uniform(0.1, 2, len(REGULAR))
    bands = bands_of(REGULAR, heights)
    other = find_candidates(bands._replace(qrs=gain * bands.qrs))
    np.testing.assert_array_equal(other.positions, find_candidates(bands).positions)


@pytest.mark.parametrize("n_times", [1, 2, 3, 500])
def test_silence_has_no_candidates(n_times):
    silent = np.zeros((2, n_times))
    bands = Bands(FS, silent, np.zeros(1), np.zeros(1), 6, 0.0, silent)
    candidates = find_candidates(bands)
    assert candidates.positions.shape == candidates.heights.shape == candidates.levels.shape == (0,)
    assert candidates.rivals.shape == (2, 0)
    assert candidates.energy.shape == (n_times,)


def test_maximum_below_rounding_error_is_dropped():
    bands = bands_of(REGULAR, 1.0)
    height = find_candidates(bands).heights[0]
    assert len(find_candidates(bands._replace(silence=0.99 * height)).positions) == len(REGULAR)
    assert len(find_candidates(bands._replace(silence=1.01 * height)).positions) == 0


def test_maximum_far_below_highest_level_is_dropped():
    bands = bands_of(REGULAR, np.where(np.arange(30) < 15, 1.0, 1e-5))
    assert find_candidates(bands).positions.max() < REGULAR[15]


def test_a_beat_of_usual_height_may_follow_a_signal_that_goes_on():
    bands = bands_of([*REGULAR, 3770], [*np.ones(30), 0.4])  # N_TIMES is 3800
    ended, ongoing = (find_candidates(bands, is_ongoing=is_ongoing) for is_ongoing in (False, True))
    np.testing.assert_array_equal(ongoing.positions, ended.positions)
    np.testing.assert_array_equal(ongoing.rivals[:, :-1], ended.rivals[:, :-1])
    assert ended.rivals[1, -1] == 0
    assert ongoing.rivals[1, -1] == ongoing.levels[-1] > 2 * ongoing.heights[-1]
