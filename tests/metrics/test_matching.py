import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from ecgbeat.metrics import match_beats

FS = 100.0
crowded_beats = st.lists(st.integers(0, 120), max_size=12).map(sorted)
beats = st.lists(st.integers(-1000, 5000), max_size=40).map(sorted)


def as_lists(matches):
    return [indices.tolist() for indices in matches]


def test_nearest_detection_is_paired():
    matches = match_beats([100, 400, 700], [90, 104, 450, 900], fs=360)
    assert as_lists(matches) == [[0, 1], [1, 2], [2], [0, 3]]


def test_number_of_pairs_has_priority_over_distance():
    assert as_lists(match_beats([100, 114], [114, 128], FS))[:2] == [[0, 1], [0, 1]]


def test_earlier_of_two_equally_near_detections_is_paired():
    assert match_beats([100], [98, 102], FS).detected_index.tolist() == [0]


def test_beats_at_the_same_sample_are_paired_one_to_one():
    assert as_lists(match_beats([50, 50], [50, 50, 50], FS)) == [[0, 1], [0, 1], [], [2]]


def test_indices_are_int64():
    assert {a.dtype for a in match_beats([], [], FS)} == {np.dtype(np.int64)}
    assert {a.dtype for a in match_beats([1, 90], [2, 300], FS)} == {np.dtype(np.int64)}


# 0.29 * 100 and 0.57 * 100 are less than 29 and 57 in floating point
@pytest.mark.parametrize(
    ("fs", "tolerance", "limit"),
    [(360, 0.15, 54), (100, 0.29, 29), (100, 0.57, 57), (250, 0.15, 37), (128, 0.0, 0)],
)
@pytest.mark.parametrize("side", [-1, 1])
def test_tolerance_is_inclusive_to_the_sample(fs, tolerance, limit, side):
    within = match_beats([1000], [1000 + side * limit], fs, tolerance)
    beyond = match_beats([1000], [1000 + side * (limit + 1)], fs, tolerance)
    assert len(within.reference_index) == 1
    assert len(beyond.reference_index) == 0


def best_by_brute_force(reference, detected, limit):
    """Return the number of pairs and the sum of distances of an optimal assignment."""
    distance = np.abs(np.subtract.outer(reference, detected)).astype(float)
    bonus = 10 * (limit + 1) * (len(reference) + 1)
    gain = np.where(distance <= limit, bonus - distance, 0)
    rows, columns = linear_sum_assignment(gain, maximize=True)
    paired = gain[rows, columns] > 0
    return paired.sum(), distance[rows, columns][paired].sum()


@given(crowded_beats, crowded_beats, st.integers(0, 30))
def test_pairing_is_an_optimal_assignment(reference, detected, limit):
    matches = match_beats(reference, detected, FS, limit / FS)
    distance = np.abs(
        np.array(reference, int)[matches.reference_index]
        - np.array(detected, int)[matches.detected_index]
    )
    n_pairs, total = best_by_brute_force(np.array(reference, int), np.array(detected, int), limit)
    assert (len(distance), distance.sum()) == (n_pairs, total)
    assert (distance <= limit).all()


@given(beats, beats)
def test_every_beat_is_paired_or_left_over(reference, detected):
    matches = match_beats(reference, detected, FS)
    assert sorted([*matches.reference_index, *matches.missed]) == list(range(len(reference)))
    assert sorted([*matches.detected_index, *matches.extra]) == list(range(len(detected)))


@given(beats, beats, st.integers(-(10**9), 10**9))
def test_shift_of_both_sides_changes_no_pair(reference, detected, shift):
    moved = match_beats(np.array(reference, int) + shift, np.array(detected, int) + shift, FS)
    assert as_lists(moved) == as_lists(match_beats(reference, detected, FS))


@given(beats, beats)
def test_swapped_sides_swap_the_scores(reference, detected):
    there, back = match_beats(reference, detected, FS), match_beats(detected, reference, FS)
    np.testing.assert_equal(
        (there.sensitivity, there.positive_predictivity, there.f1),
        (back.positive_predictivity, back.sensitivity, back.f1),
    )


@given(beats)
def test_beats_match_themselves(samples):
    order = list(range(len(samples)))
    assert as_lists(match_beats(samples, samples, FS)) == [order, order, [], []]


def test_scores_by_hand():
    matches = match_beats([100, 400, 700, 1000], [100, 401, 700, 1200, 1400, 1600], FS)
    assert matches.sensitivity == 3 / 4
    assert matches.positive_predictivity == 3 / 6
    assert matches.f1 == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("reference", "detected", "scores"),
    [
        ([], [], (math.nan, math.nan, math.nan)),
        ([100], [], (0.0, math.nan, 0.0)),
        ([], [100], (math.nan, 0.0, 0.0)),
        ([100], [900], (0.0, 0.0, 0.0)),
    ],
)
def test_scores_without_beats(reference, detected, scores):
    matches = match_beats(reference, detected, FS)
    np.testing.assert_equal(
        (matches.sensitivity, matches.positive_predictivity, matches.f1), scores
    )


@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.uint64, np.int32])
def test_integers_of_any_type_are_accepted(dtype):
    beats = np.array([10, 100], dtype)
    assert as_lists(match_beats(beats, [12, 90], FS)) == [[0, 1], [0, 1], [], []]


@pytest.mark.parametrize(
    ("samples", "error", "message"),
    [
        ([[1, 2]], ValueError, r"must be a 1-D array .* shape \(1, 2\)"),
        (5, ValueError, "must be a 1-D array"),
        ([0.5, 1.5], TypeError, "integers, got dtype float64"),
        ([True, False], TypeError, "integers, got dtype bool"),
        (["1"], TypeError, "integers"),
        ([5, 9, 7], ValueError, r"ascending, but {name}\[2\] = 7 follows {name}\[1\] = 9"),
    ],
)
def test_invalid_sample_numbers_raise(samples, error, message):
    with pytest.raises(error, match="^reference .*" + message.format(name="reference")):
        match_beats(samples, [1], FS)
    with pytest.raises(error, match="^detected .*" + message.format(name="detected")):
        match_beats([1], samples, FS)


@pytest.mark.parametrize(("fs", "tolerance"), [(0, 0.15), (-1, 0.15), (math.nan, 0.15), (360, -1)])
def test_invalid_fs_and_tolerance_raise(fs, tolerance):
    with pytest.raises(ValueError, match=r"must be (greater than 0|0 or greater)"):
        match_beats([1], [1], fs, tolerance)


@pytest.mark.parametrize("fs", ["360", None, True])
def test_fs_that_is_not_a_number_raises(fs):
    with pytest.raises(TypeError, match="fs must be a number in Hz"):
        match_beats([1], [1], fs)


def perturb(samples, rng):
    """Shift beats by up to 40 ms, drop some and add others."""
    kept = samples[rng.random(len(samples)) > 0.02]
    added = rng.integers(0, samples[-1], len(samples) // 50)
    return np.sort(np.r_[kept + rng.integers(-14, 15, len(kept)), added])


def test_matches_100_000_beats_within_half_a_second():
    rng = np.random.default_rng(0)
    reference = np.cumsum(rng.integers(150, 400, 100_000))
    detected = perturb(reference, rng)
    start = time.perf_counter()
    matches = match_beats(reference, detected, 360)
    assert time.perf_counter() - start < 0.5  # 0.02 s on an idle core
    assert matches.sensitivity > 0.97


@pytest.mark.parametrize("name", ["100", "207", "208", "232"])
def test_agrees_with_wfdb_on_real_recordings(real_data, name):
    processing = pytest.importorskip("wfdb.processing", reason="wfdb is the extra 'data'")
    from ecgbeat.datasets import load_wfdb
    from ecgbeat.labels import select_beats

    annotation = load_wfdb(real_data / "mitdb", [name]).annotations[0]
    reference = select_beats(annotation).sample
    detected = perturb(reference, np.random.default_rng(int(name)))
    matches = match_beats(reference, detected, 360)
    wfdb_counts = processing.compare_annotations(reference, detected, 55)  # excludes 55
    counts = (len(matches.reference_index), len(matches.missed), len(matches.extra))
    assert counts == (wfdb_counts.tp, wfdb_counts.fn, wfdb_counts.fp)
    assert matches.reference_index.tolist() == wfdb_counts.matched_ref_inds.tolist()
    assert len(matches.extra) > 10
