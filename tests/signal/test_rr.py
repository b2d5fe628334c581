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
few = settings(max_examples=50, deadline=None)


def column(name, r_peaks, **options):
    future = options.get("future", True)
    features = rr_features(r_peaks, FS, **options)
    return features[:, rr_feature_names(future=future).index(name)]


def peaks_of(seconds):
    """Return peaks that lie so many seconds apart."""
    return np.round(np.cumsum([0.2, *seconds]) * FS).astype(int)


PREMATURE = peaks_of([1, 1, 0.5, 1.5, 1, 1])


# --- the columns


@pytest.mark.parametrize(
    ("name", "of_the_premature_beat"),
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
def test_a_premature_beat_with_its_pause(name, of_the_premature_beat):
    assert column(name, PREMATURE)[3] == pytest.approx(of_the_premature_beat)


@pytest.mark.parametrize(
    ("name", "of_the_premature_beat"),
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
def test_a_premature_beat_seen_from_the_past(name, of_the_premature_beat):
    assert column(name, PREMATURE, future=False)[3] == pytest.approx(of_the_premature_beat)


@FUTURE
def test_one_name_for_each_column(future):
    names = rr_feature_names(future=future)
    assert rr_features(PREMATURE, FS, future=future).shape == (7, len(names))
    assert len(set(names)) == len(names)


def test_what_needs_no_future_is_named_alike():
    assert set(rr_feature_names(future=False)) < set(rr_feature_names())
    assert not [name for name in rr_feature_names(future=False) if "next" in name]


@pytest.mark.parametrize(("n_local", "mean"), [(1, 0.5), (2, 1.0), (3, 1.0), (4, 1.0), (99, 1.0)])
def test_the_neighbourhood_lies_on_both_sides(n_local, mean):
    assert column("rr_local_mean", PREMATURE, n_local=n_local)[3] == pytest.approx(mean)


@pytest.mark.parametrize(("n_local", "mean"), [(1, 1.5), (2, 1.0), (3, 1.0), (4, 1.0)])
def test_the_neighbourhood_lies_before_without_the_future(n_local, mean):
    local = column("rr_local_mean", PREMATURE, n_local=n_local, future=False)
    assert local[4] == pytest.approx(mean)


def test_the_median_is_that_of_the_whole_recording():
    r_peaks = peaks_of([1.0] * 20 + [0.5] * 30)
    assert column("rr_previous_to_median", r_peaks)[5] == pytest.approx(2)
    assert column("rr_previous_to_median", r_peaks, future=False)[5] == pytest.approx(1)


def test_the_past_goes_back_256_intervals():
    past = column("rr_previous_to_median", peaks_of([1.0] * 300 + [0.5] * 300), future=False)
    np.testing.assert_allclose(past[[300, 301 + 126, 301 + 130, 600]], [1, 0.5, 1, 1])


@pytest.mark.parametrize("future", [True, False])
def test_the_deviation_measures_by_what_is_usual(future):
    rng = np.random.default_rng(0)
    regular, irregular = (
        column(
            "rr_previous_deviation",
            peaks_of([*rng.uniform(0.9 - spread, 0.9 + spread, 200), 0.6]),
            future=future,
        )[-1]
        for spread in (0.02, 0.3)
    )
    assert regular < -4
    assert -1 < irregular < 0


def test_deviations_by_hand():
    # median 1 s, quartiles 0.9 s and 1.1 s
    r_peaks = peaks_of([0.6, 0.9, 1.0, 1.1, 1.4])
    expected = np.array([0.6, 0.6, 0.9, 1.0, 1.1, 1.4]) - 1
    np.testing.assert_allclose(
        column("rr_previous_deviation", r_peaks), expected / 0.22, atol=1e-12
    )


@pytest.mark.parametrize("n", [255, 256, 257, 1000])
def test_percentiles_of_the_past_by_hand(n):
    intervals = np.random.default_rng(n).integers(50, 500, n)
    past = column("rr_previous_to_median", np.cumsum([7, *intervals]), future=False)
    for k in (1, 100, 254, 255, 256, 257, n):
        if k <= n:
            known = np.sort(intervals[max(0, k - 256) : k])
            assert past[k] == pytest.approx(intervals[k - 1] / known[len(known) // 2])


def test_variation_tells_an_irregular_rhythm():
    irregular = peaks_of(np.random.default_rng(0).uniform(0.5, 1.1, 50))
    assert column("rr_local_variation", irregular).min() > 0.1
    assert np.all(column("rr_local_variation", peaks_of([0.8] * 50)) == 0)


def test_a_gap_counts_as_three_seconds():
    r_peaks = peaks_of([1, 1, 600, 1, 1])
    assert column("rr_previous", r_peaks)[3] == 3
    assert column("rr_next", r_peaks)[2] == 3
    assert column("rr_previous_to_median", r_peaks)[1] == pytest.approx(1)


# --- invariances


@few
@given(INTERVALS, st.integers(0, 40))
def test_the_past_knows_nothing_of_what_follows(intervals, k):
    r_peaks = np.cumsum([7, *intervals])
    whole = rr_features(r_peaks, FS, future=False)
    cut = rr_features(r_peaks[: k + 1], FS, future=False)
    np.testing.assert_array_equal(cut, whole[: k + 1])


@few
@given(INTERVALS, st.integers(-5000, 5000))
def test_only_intervals_count(intervals, shift):
    r_peaks = np.cumsum([7, *intervals])
    np.testing.assert_array_equal(rr_features(r_peaks + shift, FS), rr_features(r_peaks, FS))


@FUTURE
@few
@given(intervals=INTERVALS, factor=st.sampled_from([2, 4, 8]))
def test_the_sampling_rate_does_not_matter(future, intervals, factor):
    r_peaks = np.cumsum([7, *intervals])
    np.testing.assert_array_equal(
        rr_features(factor * r_peaks, factor * FS, future=future),
        rr_features(r_peaks, FS, future=future),
    )


@FUTURE
def test_ratios_do_not_depend_on_the_heart_rate(future):
    names = rr_feature_names(future=future)
    ratios = [i for i, name in enumerate(names) if "_to_" in name or "variation" in name]
    fast, slow = (rr_features(k * PREMATURE, FS, future=future) for k in (1, 2))
    np.testing.assert_allclose(fast[1:, ratios], slow[1:, ratios])


@few
@given(INTERVALS)
def test_time_reversed_swaps_previous_and_next(intervals):
    forward, backward = (np.cumsum([7, *step]) for step in (intervals, intervals[::-1]))
    np.testing.assert_array_equal(column("rr_previous", forward), column("rr_next", backward)[::-1])


# --- edges


@FUTURE
@few
@given(peaks=st.sets(st.integers(0, 10**7), max_size=30))
def test_always_finite(future, peaks):
    assert np.isfinite(rr_features(sorted(peaks), FS, future=future)).all()


def test_the_rhythm_goes_on_past_the_edges():
    r_peaks = peaks_of([1.0, 0.8, 0.6])
    assert column("rr_previous", r_peaks)[0] == pytest.approx(1.0)
    assert column("rr_next", r_peaks)[-1] == pytest.approx(0.6)
    assert column("rr_previous_to_one_before", r_peaks)[:2].tolist() == [1, 1]


@FUTURE
def test_one_beat_gets_documented_constants(future):
    names = rr_feature_names(future=future)
    (row,) = rr_features([123], FS, future=future)
    expected = dict.fromkeys(names, 1.0)
    zero = [name for name in names if "variation" in name or "deviation" in name]
    seconds = {"rr_previous", "rr_next", "rr_local_mean"} & set(names)
    assert dict(zip(names, row, strict=True)) == expected | dict.fromkeys(
        zero, 0.0
    ) | dict.fromkeys(seconds, 0.8)


def test_the_first_beat_of_the_past_is_a_beat_all_alone():
    np.testing.assert_array_equal(
        rr_features(PREMATURE, FS, future=False)[0], rr_features([0], FS, future=False)[0]
    )


@FUTURE
@pytest.mark.parametrize("empty", [[], np.empty(0, np.int64), np.empty(0)])
def test_no_beats_no_rows(future, empty):
    assert rr_features(empty, FS, future=future).shape == (0, len(rr_feature_names(future=future)))


@pytest.mark.parametrize("dtype", [np.int32, np.uint32, np.uint16, np.int64])
def test_any_integers_will_do(dtype):
    expected = rr_features(PREMATURE, FS)
    np.testing.assert_array_equal(rr_features(PREMATURE.astype(dtype), FS), expected)
    assert expected.dtype == np.float64


# --- errors


@pytest.mark.parametrize(
    ("r_peaks", "words"),
    [
        ([10, 300, 200], r"r_peaks\[2\] = 200 follows r_peaks\[1\] = 300"),
        ([10, 300, 300], r"r_peaks\[2\] = 300 follows r_peaks\[1\] = 300.*remove duplicates"),
    ],
)
def test_peaks_must_ascend(r_peaks, words):
    with pytest.raises(ValueError, match=words):
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
def test_n_local_must_be_a_count(n_local):
    with pytest.raises(ValueError, match=f"n_local must be .* got {n_local!r}"):
        rr_features(PREMATURE, FS, n_local=n_local)


@pytest.mark.parametrize("fs", [0, -1, np.nan])
def test_fs_must_be_positive(fs):
    with pytest.raises(ValueError, match="fs must be"):
        rr_features(PREMATURE, fs)


# --- quality


def test_fast():
    r_peaks = np.cumsum(np.random.default_rng(0).integers(100, 400, 100_000))
    rr_features(r_peaks, FS)
    start = time.perf_counter()
    rr_features(r_peaks, FS)
    assert time.perf_counter() - start < 0.2


@pytest.mark.parametrize(("future", "share"), [(True, 0.9), (False, 0.85)])
def test_real_supraventricular_beats_come_early(read_record, future, share):
    _, r_peaks, symbols = read_record("209")  # 383 of them, most in short runs
    early = column("rr_previous_to_median", r_peaks, future=future) < 0.95
    assert early[symbols == "A"].mean() > share
    assert early[symbols == "N"].mean() < 0.3
