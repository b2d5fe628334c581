"""Beat-by-beat comparison of one record by the conventions of WFDB's ``bxb`` (layer 1)."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ecgbeat.labels import BEAT_SYMBOLS, is_beat, select_beats, to_aami
from ecgbeat.metrics._matching import BeatMatches, Pairs, as_samples, pair_beats

CLASSES = ("N", "S", "V", "F", "Q")
NO_BEAT = len(CLASSES)  # row of the extra detections, column of the missed beats

# all other symbols that WFDB annotation files hold
_MARKS = frozenset("[!]x()ptu`'^|~+sT*D=\"@ ")
_VF_ON, _VF_OFF = "[", "]"
_NEVER = np.iinfo(np.int64).max


class RecordBeats(NamedTuple):
    """The beats of one record outside of its flutter episodes, and these episodes."""

    sample: np.ndarray  # (n_beats,), int64
    code: np.ndarray  # (n_beats,), positions in CLASSES
    flutter: np.ndarray  # (n_episodes, 2), first and last sample


def read_beats(name: str, annotation: Any, mapping: str | Mapping[str, Any]) -> RecordBeats:
    """Check the annotations of one record, and tell beats and flutter episodes apart.

    Beats inside an episode (from ``"["`` to ``"]"`` or the end) are left out.
    """
    try:
        samples, symbols = select_beats(annotation, _known_symbols(annotation, mapping))
        samples = as_samples("sample", samples)
        inside, flutter = _flutter_episodes(samples, symbols)
        beats = is_beat(symbols)
        if isinstance(mapping, Mapping):
            beats |= np.isin(symbols, [str(symbol) for symbol in mapping])
        beats &= ~inside
        classes = to_aami(symbols[beats], mapping)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    known, code = np.unique(classes, return_inverse=True)
    positions = np.array([CLASSES.index(str(one)) for one in known], dtype=np.int64)
    return RecordBeats(samples[beats], positions[code], flutter)


def count_pairs(
    reference: RecordBeats, prediction: RecordBeats, limit: int, start: float
) -> np.ndarray:
    """Count how the beats of one record were labelled.

    Parameters
    ----------
    reference, prediction : RecordBeats
        The true beats and those found.
    limit : int
        Largest distance of a pair in samples.
    start : float
        End of the learning period in samples: beats from there on are counted.

    Returns
    -------
    ndarray of shape (6, 6), int64
        Rows are the classes of the reference, then the extra detections; columns are the
        classes predicted, then the missed beats.
    """
    first = int(np.searchsorted(reference.sample, start))
    true_samples, true_codes = reference.sample[first:], reference.code[first:]
    first = _first_detection(true_samples, prediction.sample, limit, start)
    samples, codes = prediction.sample[first:], prediction.code[first:]
    matches = pair_beats(true_samples, samples, limit, _nearest_pairs)
    extra = matches.extra[~_in_episodes(samples[matches.extra], reference.flutter)]
    return _confusion(true_codes, codes, matches._replace(extra=extra))


def _known_symbols(annotation: Any, mapping: Any) -> frozenset[str]:
    """Return the symbols that can be read, and raise where there are others.

    They could only be beats under a name of the user's own, and would all be left out.
    """
    known = BEAT_SYMBOLS | _MARKS
    if isinstance(mapping, Mapping):
        known |= {str(symbol) for symbol in mapping}
    try:
        strange = sorted({str(symbol) for symbol in np.asarray(annotation[1]).ravel()} - known)
    except (TypeError, IndexError):  # no pair: select_beats says so
        return known
    if strange and np.asarray(annotation[1]).dtype.kind in "UO":
        raise ValueError(
            f"the symbols {strange} are none of WFDB's; the classes N, S, V, F and Q are, and a "
            "dict as mapping gives other names their class."
        )
    return known


def _flutter_episodes(samples: np.ndarray, symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which annotations lie inside the episodes, and first and last sample of each."""
    inside = np.zeros(len(samples), dtype=bool)
    ends = np.flatnonzero(symbols == _VF_OFF)
    episodes = []
    behind = 0  # the episode before
    for onset in np.flatnonzero(symbols == _VF_ON).tolist():
        if onset < behind:
            continue
        later = ends[ends > onset]
        behind = int(later[0]) if later.size else len(samples)
        inside[onset:behind] = True
        episodes.append((samples[onset], samples[behind] if later.size else _NEVER))
    return inside, np.array(episodes, dtype=np.int64).reshape(-1, 2)


def _in_episodes(samples: np.ndarray, episodes: np.ndarray) -> np.ndarray:
    """Tell which samples lie inside an episode, its ends included."""
    first, last = episodes[:, :1], episodes[:, 1:]
    return np.any((first <= samples) & (samples <= last), axis=0)


def _first_detection(reference: np.ndarray, detected: np.ndarray, limit: int, start: float) -> int:
    """Return the index of the first detection that counts.

    Pairs may straddle the end of the learning period. The last detection within it counts
    if it belongs to the first beat behind; the first detection behind it does not count
    if it may belong to the last beat within.
    """
    if start <= 0 or len(reference) == 0:
        return int(np.searchsorted(detected, start))

    def distance(at: int) -> float:
        return abs(int(reference[0]) - int(detected[at])) if at < len(detected) else math.inf

    index = int(np.searchsorted(detected, start))
    if index and distance(index - 1) <= limit and distance(index - 1) < distance(index):
        return index - 1
    is_close = index < len(detected) and detected[index] - start <= limit
    return index + 1 if is_close and distance(index + 1) < distance(index) else index


def _nearest_pairs(beats: list[int], candidates: list[int], limit: int) -> Pairs:
    """Pair competing beats in order of time, as ``bxb`` does.

    The earlier of the next beat and the next candidate takes the other one, if it is
    near enough and nearer to it than its own successor is.
    """
    pairs = []
    rival: float
    i = j = 0
    while i < len(beats) and j < len(candidates):
        distance = abs(beats[i] - candidates[j])
        candidate_first = candidates[j] < beats[i]
        if candidate_first:
            rival = abs(beats[i] - candidates[j + 1]) if j + 1 < len(candidates) else math.inf
        else:
            rival = abs(beats[i + 1] - candidates[j]) if i + 1 < len(beats) else math.inf
        is_pair = distance <= limit and distance < rival
        if is_pair:
            pairs.append((i, j))
        j += is_pair or candidate_first
        i += is_pair or not candidate_first
    return pairs


def _confusion(true_codes: np.ndarray, codes: np.ndarray, matches: BeatMatches) -> np.ndarray:
    """Count pairs, missed beats and extra detections by their classes."""
    size = NO_BEAT + 1
    cells = np.concatenate(
        [
            true_codes[matches.reference_index] * size + codes[matches.detected_index],
            true_codes[matches.missed] * size + NO_BEAT,
            NO_BEAT * size + codes[matches.extra],
        ]
    )
    return np.bincount(cells, minlength=size**2).reshape(size, size)
