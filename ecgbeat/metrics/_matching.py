"""Matching of detected beats with those of a reference."""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ecgbeat._recordings import as_sample_numbers, check_ascending
from ecgbeat._validation import check_fs, check_positive

# more than the rounding error of seconds times Hz, far less than one sample in any recording
_ROUNDING = 1e-9

Pairs = list[tuple[int, int]]

# steps of the dynamic programming: skip the beat, skip the candidate, or pair both
_UP, _LEFT, _TAKE = range(3)


class BeatMatches(NamedTuple):
    """Pairs of reference and detected beats, and the beats without a partner.

    Attributes
    ----------
    reference_index, detected_index : ndarray of shape (n_pairs,)
        Positions of the paired beats in the two arrays, int64, ascending.
    missed : ndarray of shape (n_missed,)
        Positions of the reference beats without a detection, int64, ascending.
    extra : ndarray of shape (n_extra,)
        Positions of the detections without a reference beat, int64, ascending.

    Examples
    --------
    >>> from ecgbeat.metrics import match_beats
    >>> matches = match_beats([100, 400, 700], [103, 701], fs=360)
    >>> matches.missed
    array([1])
    >>> round(matches.sensitivity, 3), matches.positive_predictivity, matches.f1
    (0.667, 1.0, 0.8)
    """

    reference_index: np.ndarray
    detected_index: np.ndarray
    missed: np.ndarray
    extra: np.ndarray

    @property
    def sensitivity(self) -> float:
        """Fraction of the reference beats that are detected; NaN without a reference beat."""
        n_pairs = len(self.reference_index)
        return _ratio(n_pairs, n_pairs + len(self.missed))

    @property
    def positive_predictivity(self) -> float:
        """Fraction of the detections that are reference beats; NaN without a detection."""
        n_pairs = len(self.reference_index)
        return _ratio(n_pairs, n_pairs + len(self.extra))

    @property
    def f1(self) -> float:
        """Harmonic mean of both; 0 without a pair, NaN if neither side has a beat."""
        n_pairs = len(self.reference_index)
        return _ratio(2 * n_pairs, 2 * n_pairs + len(self.missed) + len(self.extra))


def _ratio(part: int, whole: int) -> float:
    """Divide, with NaN if the whole is 0."""
    return part / whole if whole else math.nan


def match_beats(
    reference: ArrayLike, detected: ArrayLike, fs: float, tolerance: float = 0.15
) -> BeatMatches:
    """Pair the beats of a reference with detected ones, one to one.

    Of all pairings of beats at most ``tolerance`` apart, return one with the most pairs
    and, among these, the smallest sum of distances. Pairs do not cross: later reference
    beats are paired with later detections. This is not the rule of ``bxb``, which `ec57_report`
    follows.

    Parameters
    ----------
    reference : array-like of shape (n_reference,)
        Sample numbers of the true beats, ascending.
    detected : array-like of shape (n_detected,)
        Sample numbers of the detected beats, ascending.
    fs : float
        Sampling rate in Hz.
    tolerance : float, default=0.15
        Largest distance of a pair in seconds, inclusive. 150 ms is the match window of
        ANSI/AAMI EC57.

    Returns
    -------
    BeatMatches
        Indices ``reference_index``, ``detected_index``, ``missed`` and ``extra``, and scores
        ``sensitivity``, ``positive_predictivity`` and ``f1``.

    Raises
    ------
    TypeError
        If sample numbers are not integers, or ``fs`` or ``tolerance`` is not a number.
    ValueError
        If an array is not 1-D or not ascending, ``fs`` is not positive or ``tolerance``
        is negative.

    See Also
    --------
    ec57_report : Compute scores of beats and their classes over many recordings.

    Notes
    -----
    `wfdb.processing.compare_annotations` and the program ``bxb`` pair beats in temporal order:
    a detection with the nearer of two reference beats, even if the other one is then missed.
    They never find more pairs than this function, and the same ones where no two beats compete
    for a partner. (The window of the former excludes its own width: pass it one sample more.)

    Examples
    --------
    >>> from ecgbeat.metrics import match_beats
    >>> matches = match_beats([100, 400, 700], [90, 110, 450, 900], fs=360)
    >>> matches.reference_index, matches.detected_index
    (array([0, 1]), array([0, 2]))
    >>> matches.missed, matches.extra
    (array([2]), array([1, 3]))
    """
    limit = window_in_samples(fs, tolerance)
    reference = as_sample_numbers(reference, "reference")
    detected = as_sample_numbers(detected, "detected")
    check_ascending(reference, "reference")
    check_ascending(detected, "detected")
    return pair_beats(reference, detected, limit, _best_pairs)


def window_in_samples(fs: float, tolerance: float) -> int:
    """Return the largest number of samples within the tolerance."""
    fs = check_fs(fs)
    tolerance = check_positive("tolerance", tolerance, unit="s", strict=False)
    return math.floor(tolerance * fs * (1 + _ROUNDING))


def pair_beats(
    reference: np.ndarray,
    detected: np.ndarray,
    limit: int,
    resolve: Callable[[list[int], list[int], int], Pairs],
) -> BeatMatches:
    """Pair beats, with ``resolve`` for those that compete for a partner.

    Parameters
    ----------
    reference, detected : ndarray of int64
        Ascending sample numbers.
    limit : int
        Largest distance of a pair in samples.
    resolve : callable
        Function of the sample numbers of one cluster of competing beats on both sides, and
        of the limit, that returns pairs of positions in these; see `_clusters`.

    Returns
    -------
    BeatMatches
    """
    partner = np.full(len(reference), -1, dtype=np.int64)
    single, single_partner, contested = _clusters(reference, detected, limit)
    partner[single] = single_partner
    for beats, candidates in contested:
        pairs = resolve(reference[beats].tolist(), detected[candidates].tolist(), limit)
        for i, j in pairs:
            partner[beats.start + i] = candidates.start + j
    paired = np.flatnonzero(partner >= 0)
    is_extra = np.ones(len(detected), dtype=bool)
    is_extra[partner[paired]] = False
    return BeatMatches(
        paired, partner[paired], np.flatnonzero(partner < 0), np.flatnonzero(is_extra)
    )


def _clusters(
    reference: np.ndarray, detected: np.ndarray, limit: int
) -> tuple[np.ndarray, np.ndarray, Iterator[tuple[slice, slice]]]:
    """Divide the beats into clusters, so that no pair is possible between two of them.

    Nearly every cluster is one beat and its detection. These are returned as two arrays of
    indices, and the others as slices of both arrays.
    """
    first = np.searchsorted(detected, reference - limit, side="left")
    last = np.searchsorted(detected, reference + limit, side="right")
    near = np.flatnonzero(first < last)  # beats with a candidate
    first, last = first[near], last[near]
    # a cluster starts at a beat that shares no candidate with the beat before
    starts = np.flatnonzero(np.r_[True, first[1:] >= last[:-1]][: len(near)])
    ends = np.r_[starts[1:], len(near)][: len(starts)]
    low, high = first[starts], last[ends - 1]
    is_single = (ends - starts == 1) & (high - low == 1)
    # beats without a candidate may be between clusters, but never inside one
    contested = (
        (slice(near[start], near[end - 1] + 1), slice(i, j))
        for start, end, i, j in zip(
            *(array[~is_single].tolist() for array in (starts, ends, low, high)), strict=True
        )
    )
    return near[starts[is_single]], low[is_single], contested


def _best_pairs(beats: list[int], candidates: list[int], limit: int) -> Pairs:
    """Find the most pairs and, among these pairings, the smallest sum of distances.

    Dynamic programming over both ascending lists, beat by beat, within the band of each
    beat's candidates. The value of a pair is ``bonus`` less its distance. No sum of distances
    reaches the bonus, so that one more pair always has the greater value.
    """
    lows, highs = _bands(beats, candidates, limit)
    bonus = len(beats) * limit + 1
    best = [0]  # best[j]: largest value of pairs of the beats so far with candidates[:j]
    moves = []  # one row for each beat, one step for each candidate of its band
    for beat, low, high in zip(beats, lows, highs, strict=True):
        best += [best[-1]] * (high + 1 - len(best))  # new candidates
        row = []
        diagonal = best[low]
        for j in range(low, high):
            above, left = best[j + 1], best[j]
            taken = diagonal + bonus - abs(beat - candidates[j])
            best[j + 1] = max(above, left, taken)
            row.append(_TAKE if taken > max(above, left) else _LEFT if left >= above else _UP)
            diagonal = above
        moves.append(row)
    return _trace_back(moves, lows, highs)


def _bands(beats: list[int], candidates: list[int], limit: int) -> tuple[list[int], list[int]]:
    """Return for each beat the index of its first candidate, and of the one after its last."""
    centers = np.array(beats)
    lows = np.searchsorted(candidates, centers - limit, side="left")
    highs = np.searchsorted(candidates, centers + limit, side="right")
    return lows.tolist(), highs.tolist()


def _trace_back(moves: list[list[int]], lows: list[int], highs: list[int]) -> Pairs:
    """Collect the pairs along the best steps, from the last beat to the first."""
    pairs = []
    j = highs[-1]
    for i in range(len(moves) - 1, -1, -1):
        j = min(j, highs[i])
        while j > lows[i] and moves[i][j - 1 - lows[i]] == _LEFT:
            j -= 1
        if j > lows[i] and moves[i][j - 1 - lows[i]] == _TAKE:
            j -= 1
            pairs.append((i, j))
    return pairs[::-1]
