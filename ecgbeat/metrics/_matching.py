"""Which detected beat is which of the reference (layer 1)."""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ecgbeat._validation import check_positive

# more than the rounding error of seconds times Hz, far less than one sample in any recording
_ROUNDING = 1e-9

Pairs = list[tuple[int, int]]

# how the best pairing of the first beats and candidates comes from smaller ones
_UP, _LEFT, _TAKE = range(3)  # without this beat, without this candidate, with both as a pair


class BeatMatches(NamedTuple):
    """Pairs of reference and detected beats, and the beats without a partner.

    Attributes
    ----------
    reference_index, detected_index : ndarray of shape (n_pairs,)
        Positions of the paired beats in the two arrays, int64, ascending.
    missed : ndarray of shape (n_missed,)
        Positions in the reference that no detection belongs to, int64, ascending.
    extra : ndarray of shape (n_extra,)
        Positions of the detections that belong to no reference beat, int64, ascending.

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
        """Share of the reference beats that are detected; NaN without a reference beat."""
        n_pairs = len(self.reference_index)
        return ratio(n_pairs, n_pairs + len(self.missed))

    @property
    def positive_predictivity(self) -> float:
        """Share of the detections that are reference beats; NaN without a detection."""
        n_pairs = len(self.reference_index)
        return ratio(n_pairs, n_pairs + len(self.extra))

    @property
    def f1(self) -> float:
        """Harmonic mean of both; 0 without a pair, NaN where both sides have no beat."""
        n_pairs = len(self.reference_index)
        return ratio(2 * n_pairs, 2 * n_pairs + len(self.missed) + len(self.extra))


def match_beats(reference: Any, detected: Any, fs: float, tolerance: float = 0.15) -> BeatMatches:
    """Pair the beats of a reference with detected ones, by time and one to one.

    Of all ways to pair beats that lie at most ``tolerance`` apart, one with the most
    pairs is taken, and among these one with the smallest sum of distances. No two pairs
    cross: later reference beats get later detections.

    Parameters
    ----------
    reference : array-like of shape (n_reference,)
        Sample numbers of the true beats, ascending.
    detected : array-like of shape (n_detected,)
        Sample numbers of the detected beats, ascending.
    fs : float
        Sampling rate in Hz.
    tolerance : float, default=0.15
        Largest distance of a pair in seconds, itself included. 150 ms is the match
        window of ANSI/AAMI EC57.

    Returns
    -------
    BeatMatches
        The indices ``reference_index``, ``detected_index``, ``missed`` and ``extra``, and
        the scores ``sensitivity``, ``positive_predictivity`` and ``f1``.

    Raises
    ------
    TypeError
        If ``fs`` or ``tolerance`` is no number.
    ValueError
        If an array is not 1-D, not of integers or not ascending, ``fs`` is not positive
        or ``tolerance`` negative.

    See Also
    --------
    ec57_report : Scores of beats and their classes over many records.

    Notes
    -----
    `wfdb.processing.compare_annotations` and the program ``bxb`` give a detection to the
    nearer of two reference beats, even if the other one then has no partner. So they never
    find more pairs than this function; where no two beats compete for a partner, they find
    the same ones. (The window of the former excludes its own width: pass it one sample more.)

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
    reference = as_samples("reference", reference)
    detected = as_samples("detected", detected)
    return pair_beats(reference, detected, limit, _best_pairs)


def window_in_samples(fs: float, tolerance: float) -> int:
    """Return the largest whole number of samples that lies within the tolerance."""
    fs = check_positive("fs", fs, unit="Hz")
    tolerance = check_positive("tolerance", tolerance, unit="s", strict=False)
    return math.floor(tolerance * fs * (1 + _ROUNDING))


def as_samples(name: str, samples: Any) -> np.ndarray:
    """Return ascending sample numbers as int64, or say why they are none."""
    array = np.asarray(samples)
    if array.ndim != 1:
        raise ValueError(
            f"{name} must be a 1-D array of sample numbers, got shape {array.shape}. "
            "Beats of several recordings are matched one recording at a time."
        )
    if array.size and array.dtype.kind not in "iu":
        raise ValueError(
            f"{name} must hold sample numbers, that is integers, got dtype {array.dtype}; "
            "seconds times fs, rounded, are samples."
        )
    array = array.astype(np.int64)
    falls = np.flatnonzero(array[1:] < array[:-1])
    if falls.size:
        at = int(falls[0])
        raise ValueError(
            f"{name} must be ascending, but {name}[{at + 1}] = {array[at + 1]} follows "
            f"{name}[{at}] = {array[at]}. Sort it, and its labels with it."
        )
    return array


def pair_beats(
    reference: np.ndarray,
    detected: np.ndarray,
    limit: int,
    resolve: Callable[[list[int], list[int], int], Pairs],
) -> BeatMatches:
    """Pair beats, and let ``resolve`` decide where they compete for a partner.

    Parameters
    ----------
    reference, detected : ndarray of int64
        Ascending sample numbers.
    limit : int
        Largest distance of a pair in samples.
    resolve : callable
        Takes the sample numbers of one cluster (a set of competing beats, see `_clusters`)
        on both sides and the limit; returns pairs of positions in these.

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


def ratio(part: int, whole: int) -> float:
    """Return a share, NaN where there is nothing to share."""
    return part / whole if whole else math.nan


def _clusters(
    reference: np.ndarray, detected: np.ndarray, limit: int
) -> tuple[np.ndarray, np.ndarray, Iterator[tuple[slice, slice]]]:
    """Divide the beats into clusters: no pair reaches from one cluster into another.

    Nearly every cluster is one beat and its detection. Those come as two arrays of
    indices; the others, as slices of both arrays.
    """
    first = np.searchsorted(detected, reference - limit, side="left")
    last = np.searchsorted(detected, reference + limit, side="right")
    near = np.flatnonzero(first < last)  # the others have no partner
    first, last = first[near], last[near]
    # a cluster starts where no candidate is shared with the beat before
    starts = np.flatnonzero(np.r_[True, first[1:] >= last[:-1]][: len(near)])
    ends = np.r_[starts[1:], len(near)][: len(starts)]
    low, high = first[starts], last[ends - 1]
    is_single = (ends - starts == 1) & (high - low == 1)
    # beats without a candidate may lie between, but never inside a cluster
    contested = (
        (slice(near[start], near[end - 1] + 1), slice(i, j))
        for start, end, i, j in zip(
            *(array[~is_single].tolist() for array in (starts, ends, low, high)), strict=True
        )
    )
    return near[starts[is_single]], low[is_single], contested


def _best_pairs(beats: list[int], candidates: list[int], limit: int) -> Pairs:
    """Find the most pairs, and among these the smallest sum of distances.

    Dynamic programming over both ascending lists, row by row of beats, within the band of
    each beat's candidates. A pair is worth ``bonus`` less its distance; no sum of distances
    reaches the bonus, so one more pair always counts for more.
    """
    lows, highs = _bands(beats, candidates, limit)
    bonus = len(beats) * limit + 1
    best = [0]  # best[j]: the most that candidates[:j] are worth to the beats so far
    moves = []  # one row a beat, one move a candidate of its band
    for beat, low, high in zip(beats, lows, highs, strict=True):
        best += [best[-1]] * (high + 1 - len(best))  # candidates that come into sight
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
    """Return the first candidate of each beat, and the one behind its last."""
    times, middles = np.array(candidates), np.array(beats)
    lows = np.searchsorted(times, middles - limit, side="left")
    highs = np.searchsorted(times, middles + limit, side="right")
    return lows.tolist(), highs.tolist()


def _trace_back(moves: list[list[int]], lows: list[int], highs: list[int]) -> Pairs:
    """Read the pairs off the moves, from the last beat to the first."""
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
