import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ecgbeat.signal._qrs import windows_around
from ecgbeat.signal._r_peaks import _turning_point, move_to_extremum

FS = 360.0
BEATS = 200 + 300 * np.arange(12)
DYADIC = st.integers(-64, 64).map(lambda i: i / 8)
few_examples = settings(max_examples=30, deadline=None)


def complexes(up, down):
    """Simulate complexes at BEATS, an R wave of ``up`` 6 samples before an S wave of ``down``."""
    x = np.zeros(BEATS[-1] + 200)
    for shift, heights in ((-3, np.broadcast_to(up, 12)), (3, -np.broadcast_to(down, 12))):
        x[BEATS + shift - 1] = x[BEATS + shift + 1] = heights / 2
        x[BEATS + shift] = heights
    return x


@pytest.mark.parametrize(("up", "down", "shift"), [(1.0, 0.3, -3), (0.3, 1.0, 3)])
def test_position_moves_to_larger_of_r_and_s_wave(up, down, shift):
    moved = move_to_extremum(complexes(up, down), BEATS, FS)
    np.testing.assert_array_equal(moved, BEATS + shift)
    assert moved.dtype == np.int64


@pytest.mark.parametrize("sign", [1, -1])
def test_complexes_with_similar_r_and_s_waves_follow_majority(sign):
    down = np.where(np.arange(12) % 3 == 0, 1.05, 0.95)  # a third of them has a larger S wave
    moved = move_to_extremum(sign * complexes(1.0, down), BEATS, FS)
    np.testing.assert_array_equal(moved, BEATS - 3)


def test_complex_clearly_larger_on_other_side_is_an_exception():
    down = np.full(12, 0.9)
    down[5] = 2.0
    moved = move_to_extremum(complexes(1.0, down), BEATS, FS)
    np.testing.assert_array_equal(moved - BEATS, np.where(np.arange(12) == 5, 3, -3))


def test_extremum_is_relative_to_local_baseline():
    wander = 5 * np.sin(np.arange(BEATS[-1] + 200) / 2000)
    moved = move_to_extremum(complexes(1.0, 0.3) + wander, BEATS, FS)
    np.testing.assert_array_equal(moved, BEATS - 3)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("position", "expected"), [(200, 200), (190, 195), (210, 205), (203, 203)])
def test_nearest_sample_of_plateau_is_chosen(sign, position, expected):
    x = np.zeros(500)
    x[195:206] = sign
    assert move_to_extremum(x, np.array([position]), FS).tolist() == [expected]


def test_positions_in_flat_signal_are_unchanged():
    positions = np.array([0, 3, 100, 199])
    np.testing.assert_array_equal(move_to_extremum(np.full(200, 0.1), positions, FS), positions)


def test_positions_with_same_extremum_are_merged():
    x = np.zeros(400)
    x[200] = 1
    assert move_to_extremum(x, np.array([190, 205, 300]), FS).tolist() == [200, 300]


def test_position_moves_within_50_ms_unless_the_signal_still_rises_there():
    x = np.zeros(400)
    x[[181, 219]] = 1  # 19 samples away, the reach is 18
    assert move_to_extremum(x, np.array([200]), FS).tolist() == [200]
    x[182] = 0.5
    assert move_to_extremum(x, np.array([200]), FS).tolist() == [181]


@pytest.mark.parametrize("sign", [1, -1])
def test_slope_beyond_the_window_is_left_for_the_wave_inside(sign):
    x = sign * np.linspace(0, 8, 400)
    x[200:203] += sign * np.array([0.1, 0.2, 0.1])
    assert _turning_point(x, 218, slice(182, 219), sign) == 201


def test_slope_without_a_wave_is_followed_to_its_end():
    x = np.r_[np.arange(300.0), 299.0 - np.arange(300.0)]
    assert move_to_extremum(x, np.array([100]), FS).tolist() in ([299], [0])


@few_examples
@given(arrays(np.float64, st.integers(40, 300), elements=st.integers(-5, 5), fill=st.just(0)))
def test_results_are_local_extrema_or_in_a_constant_stretch(x):
    for at in move_to_extremum(x, np.arange(0, len(x), 25), FS):
        runs = np.split(x, np.flatnonzero(np.diff(x)) + 1)
        values = np.array([run[0] for run in runs])
        k = int(np.searchsorted(np.cumsum([len(run) for run in runs]), at, side="right"))
        around = values[[j for j in (k - 1, k + 1) if 0 <= j < len(values)]]
        is_extremum = (around < values[k]).all() or (around > values[k]).all()
        assert is_extremum or len(runs[k]) >= 37


def test_no_positions_give_empty_result():
    assert move_to_extremum(np.zeros(10), np.empty(0, np.int64), FS).shape == (0,)


@pytest.mark.parametrize("n_times", [1, 2, 5, 36, 37, 38])
def test_signals_shorter_than_window_are_accepted(n_times):
    x = np.zeros(n_times)
    x[-1] = 1
    assert move_to_extremum(x, np.arange(n_times), FS)[-1] == n_times - 1


@few_examples
@given(
    arrays(np.float64, st.integers(1, 300), elements=DYADIC, fill=DYADIC),
    DYADIC,
    st.sampled_from([4.0, 2.0**-40, -1.0, -0.5]),
)
def test_result_is_independent_of_offset_gain_and_polarity(x, offset, gain):
    positions = np.arange(0, len(x), 25)
    moved = move_to_extremum(x, positions, FS)
    np.testing.assert_array_equal(move_to_extremum(gain * (x + offset), positions, FS), moved)
    assert (np.diff(moved) > 0).all()


@pytest.mark.parametrize(
    ("position", "first"), [(0, 0), (2, 0), (3, 0), (4, 1), (16, 13), (17, 13), (19, 13)]
)
def test_windows_lie_within_signal(position, first):
    windows, starts = windows_around(np.arange(20.0), np.array([position]), 3)
    assert starts.tolist() == [first]
    np.testing.assert_array_equal(windows, [np.arange(first, first + 7)])


def test_window_of_short_signal_is_whole_signal():
    windows, first = windows_around(np.arange(4.0), np.array([0, 3]), 3)
    np.testing.assert_array_equal(windows, [np.arange(4.0)] * 2)
    assert first.tolist() == [0, 0]


def test_windows_are_copies():
    x = np.zeros(20)
    windows_around(x, np.array([10]), 3)[0][:] = 1
    assert not x.any()
