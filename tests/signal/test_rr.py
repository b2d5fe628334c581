import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgbeat.signal import rr_feature_names, rr_features

FS = 250.0
FUTURE = pytest.mark.parametrize("future", [True, False])
# 0.2 s to 2 s
INTERVALS = st.lists(st.integers(50, 500), min_size=1, max_size=40)
few_examples = settings(max_examples=50, deadline=None)


def column(name, r_peaks, **options):
    future = options.get("future", True)
    features = rr_features(r_peaks, FS, **options)
    return features[:, rr_feature_names(future=future).index(name)]


def r_peaks_at_intervals(seconds):
    """Return R peaks with the given RR intervals in seconds."""
    return np.round(np.cumsum([0.2, *seconds]) * FS).astype(int)


PREMATURE = r_peaks_at_intervals([1, 1, 0.5, 1.5, 1, 1])


# --- the columns


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rr_previous", 0.5),
        ("rr_next", 1.5),
        ("rr_local_mean", 1.0),
        ("rr_previous_to_local", 0.5),
        ("rr_next_to_local", 1.5),
        ("rr_previous_to_median", 0.5),
        ("rr_next_to_median", 1.5),
        ("rr_local_to_median", 1.0),
        ("rr_previous_to_one_before", 0.5),
        ("rr_next_to_previous", 3.0),
        ("rr_local_variation", (0 + 0.5 + 1 + 0.5 + 0) / 5),
        ("rr_previous_deviation", -0.5 / 0.02),
        ("rr_next_deviation", 0.5 / 0.02),
    ],
)
def test_features_of_premature_beat(name, expected):
    assert column(name, PREMATURE)[3] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rr_previous", 0.5),
        ("rr_local_mean", 2.5 / 3),
        ("rr_previous_to_local", 0.6),
        ("rr_previous_to_median", 0.5),
        ("rr_local_to_median", 2.5 / 3),
        ("rr_previous_to_one_before", 0.5),
        ("rr_local_variation", 0.25 / (2.5 / 3)),
        ("rr_previous_deviation", -0.5 / 0.52),
    ],
)
def test_features_of_premature_beat_without_future(name, expected):
    assert column(name, PREMATURE, future=False)[3] == pytest.approx(expected)


@FUTURE
def test_each_column_has_a_unique_name(future):
    names = rr_feature_names(future=future)
    assert rr_features(PREMATURE, FS, future=future).shape == (7, len(names))
    assert len(set(names)) == len(names)


def test_names_without_future_are_a_subset():
    assert set(rr_feature_names(future=False)) < set(rr_feature_names())
    assert not [name for name in rr_feature_names(future=False) if "next" in name]


@pytest.mark.parametrize(("n_local", "mean"), [(1, 0.5), (2, 1.0), (3, 1.0), (4, 1.0), (99, 1.0)])
def test_local_mean_uses_intervals_before_and_after(n_local, mean):
    assert column("rr_local_mean", PREMATURE, n_local=n_local)[3] == pytest.approx(mean)


@pytest.mark.parametrize(("n_local", "mean"), [(1, 1.5), (2, 1.0), (3, 1.0), (4, 1.0)])
def test_local_mean_without_future_uses_intervals_before(n_local, mean):
    local = column("rr_local_mean", PREMATURE, n_local=n_local, future=False)
    assert local[4] == pytest.approx(mean)


def test_median_with_future_is_over_whole_recording():
    r_peaks = r_peaks_at_intervals([1.0] * 20 + [0.5] * 30)
    assert column("rr_previous_to_median", r_peaks)[5] == pytest.approx(2)
    assert column("rr_previous_to_median", r_peaks, future=False)[5] == pytest.approx(1)


def test_median_without_future_is_over_last_256_intervals():
    past = column(
        "rr_previous_to_median", r_peaks_at_intervals([1.0] * 300 + [0.5] * 300), future=False
    )
    np.testing.assert_allclose(past[[300, 301 + 126, 301 + 130, 600]], [1, 0.5, 1, 1])


@pytest.mark.parametrize("future", [True, False])
def test_deviation_is_relative_to_spread_of_rhythm(future):
    rng = np.random.default_rng(0)
    regular, irregular = (
        column(
            "rr_previous_deviation",
            r_peaks_at_intervals([*rng.uniform(0.9 - spread, 0.9 + spread, 200), 0.6]),
            future=future,
        )[-1]
        for spread in (0.02, 0.3)
    )
    assert regular < -4
    assert -1 < irregular < 0


def test_deviations_equal_values_computed_by_hand():
    # median 1 s, quartiles 0.9 s and 1.1 s
    r_peaks = r_peaks_at_intervals([0.6, 0.9, 1.0, 1.1, 1.4])
    expected = np.array([0.6, 0.6, 0.9, 1.0, 1.1, 1.4]) - 1
    np.testing.assert_allclose(
        column("rr_previous_deviation", r_peaks), expected / 0.22, atol=1e-12
    )


@pytest.mark.parametrize("n", [255, 256, 257, 1000])
def test_median_without_future_equals_direct_computation(n):
    intervals = np.random.default_rng(n).integers(50, 500, n)
    past = column("rr_previous_to_median", np.cumsum([7, *intervals]), future=False)
    for k in (1, 100, 254, 255, 256, 257, n):
        if k <= n:
            past_intervals = np.sort(intervals[max(0, k - 256) : k])
            assert past[k] == pytest.approx(
                intervals[k - 1] / past_intervals[len(past_intervals) // 2]
            )


def test_local_variation_is_large_in_irregular_rhythm_only():
    irregular = r_peaks_at_intervals(np.random.default_rng(0).uniform(0.5, 1.1, 50))
    assert column("rr_local_variation", irregular).min() > 0.1
    assert np.all(column("rr_local_variation", r_peaks_at_intervals([0.8] * 50)) == 0)


def test_interval_above_3_s_counts_as_3_s():
    r_peaks = r_peaks_at_intervals([1, 1, 600, 1, 1])
    assert column("rr_previous", r_peaks)[3] == 3
    assert column("rr_next", r_peaks)[2] == 3
    assert column("rr_previous_to_median", r_peaks)[1] == pytest.approx(1)


# --- invariances


@few_examples
@given(INTERVALS, st.integers(0, 40))
def test_features_without_future_ignore_later_beats(intervals, k):
    r_peaks = np.cumsum([7, *intervals])
    whole = rr_features(r_peaks, FS, future=False)
    cut = rr_features(r_peaks[: k + 1], FS, future=False)
    np.testing.assert_array_equal(cut, whole[: k + 1])


@few_examples
@given(INTERVALS, st.integers(-5000, 5000))
def test_features_are_independent_of_first_sample(intervals, shift):
    r_peaks = np.cumsum([7, *intervals])
    np.testing.assert_array_equal(rr_features(r_peaks + shift, FS), rr_features(r_peaks, FS))


@FUTURE
@few_examples
@given(intervals=INTERVALS, factor=st.sampled_from([2, 4, 8]))
def test_features_are_independent_of_sampling_rate(future, intervals, factor):
    r_peaks = np.cumsum([7, *intervals])
    np.testing.assert_array_equal(
        rr_features(factor * r_peaks, factor * FS, future=future),
        rr_features(r_peaks, FS, future=future),
    )


@FUTURE
def test_ratios_are_independent_of_heart_rate(future):
    names = rr_feature_names(future=future)
    ratios = [i for i, name in enumerate(names) if "_to_" in name or "variation" in name]
    fast, slow = (rr_features(k * PREMATURE, FS, future=future) for k in (1, 2))
    np.testing.assert_allclose(fast[1:, ratios], slow[1:, ratios])


@few_examples
@given(INTERVALS)
def test_time_reversal_swaps_previous_and_next(intervals):
    forward, backward = (np.cumsum([7, *step]) for step in (intervals, intervals[::-1]))
    np.testing.assert_array_equal(column("rr_previous", forward), column("rr_next", backward)[::-1])


# --- edge cases


@FUTURE
@few_examples
@given(peaks=st.sets(st.integers(0, 10**7), max_size=30))
def test_features_are_finite(future, peaks):
    assert np.isfinite(rr_features(sorted(peaks), FS, future=future)).all()


def test_rhythm_is_continued_beyond_edges():
    r_peaks = r_peaks_at_intervals([1.0, 0.8, 0.6])
    assert column("rr_previous", r_peaks)[0] == pytest.approx(1.0)
    assert column("rr_next", r_peaks)[-1] == pytest.approx(0.6)
    assert column("rr_previous_to_one_before", r_peaks)[:2].tolist() == [1, 1]


@FUTURE
def test_single_beat_has_documented_defaults(future):
    names = rr_feature_names(future=future)
    (row,) = rr_features([123], FS, future=future)
    expected = dict.fromkeys(names, 1.0)
    zero = [name for name in names if "variation" in name or "deviation" in name]
    seconds = {"rr_previous", "rr_next", "rr_local_mean"} & set(names)
    assert dict(zip(names, row, strict=True)) == expected | dict.fromkeys(
        zero, 0.0
    ) | dict.fromkeys(seconds, 0.8)


def test_first_beat_without_future_equals_single_beat():
    np.testing.assert_array_equal(
        rr_features(PREMATURE, FS, future=False)[0], rr_features([0], FS, future=False)[0]
    )


@FUTURE
@pytest.mark.parametrize("empty", [[], np.empty(0, np.int64), np.empty(0)])
def test_no_beats_give_no_rows(future, empty):
    assert rr_features(empty, FS, future=future).shape == (0, len(rr_feature_names(future=future)))


@pytest.mark.parametrize("dtype", [np.int32, np.uint32, np.uint16, np.int64])
def test_all_integer_dtypes_are_accepted(dtype):
    expected = rr_features(PREMATURE, FS)
    np.testing.assert_array_equal(rr_features(PREMATURE.astype(dtype), FS), expected)
    assert expected.dtype == np.float64


# --- errors


@pytest.mark.parametrize(
    ("r_peaks", "message"),
    [
        ([10, 300, 200], r"r_peaks\[2\] = 200 follows r_peaks\[1\] = 300"),
        ([10, 300, 300], r"r_peaks\[2\] = 300 follows r_peaks\[1\] = 300.*remove duplicates"),
    ],
)
def test_r_peaks_not_strictly_ascending_raise(r_peaks, message):
    with pytest.raises(ValueError, match=message):
        rr_features(r_peaks, FS)


@pytest.mark.parametrize("r_peaks", [[0.5, 1.5], ["1", "2"], [True, False]])
def test_r_peaks_that_are_not_integers_raise(r_peaks):
    with pytest.raises(TypeError, match="r_peaks must hold sample numbers, that is integers"):
        rr_features(r_peaks, FS)


@pytest.mark.parametrize("r_peaks", [[[1, 2]], 5])
def test_r_peaks_that_are_not_1d_raise(r_peaks):
    with pytest.raises(ValueError, match="r_peaks must be a 1-D array of sample numbers"):
        rr_features(r_peaks, FS)


@pytest.mark.parametrize("n_local", [0, -1, 2.5, None, True])
def test_invalid_n_local_raises(n_local):
    with pytest.raises(ValueError, match=f"n_local must be .* got {n_local!r}"):
        rr_features(PREMATURE, FS, n_local=n_local)


@pytest.mark.parametrize("fs", [0, -1, np.nan])
def test_invalid_fs_raises(fs):
    with pytest.raises(ValueError, match="fs must be"):
        rr_features(PREMATURE, fs)


# --- quality


def test_100_000_beats_take_less_than_200_ms():
    r_peaks = np.cumsum(np.random.default_rng(0).integers(100, 400, 100_000))
    rr_features(r_peaks, FS)
    start = time.perf_counter()
    rr_features(r_peaks, FS)
    assert time.perf_counter() - start < 0.2


@pytest.mark.parametrize(("future", "min_share"), [(True, 0.9), (False, 0.85)])
def test_real_supraventricular_beats_are_premature(read_record, future, min_share):
    _, r_peaks, symbols = read_record("209")  # 383 of them, most in short runs
    is_early = column("rr_previous_to_median", r_peaks, future=future) < 0.95
    assert is_early[symbols == "A"].mean() > min_share
    assert is_early[symbols == "N"].mean() < 0.3
