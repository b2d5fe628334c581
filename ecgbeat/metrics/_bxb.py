"""Beat-by-beat comparison of one recording, as by WFDB's ``bxb``."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ecgbeat._recordings import AnnotationLike, as_annotation, as_symbols, check_ascending
from ecgbeat.labels import BEAT_SYMBOLS, NON_BEAT_SYMBOLS, to_aami
from ecgbeat.metrics._matching import BeatMatches, Pairs, pair_beats

CLASSES = ("N", "S", "V", "F", "Q")
NO_BEAT = len(CLASSES)  # row of the extra detections, column of the missed beats

_VF_ON, _VF_OFF = "[", "]"
_NEVER = np.iinfo(np.int64).max


class RecordingBeats(NamedTuple):
    """Beats of one recording outside of flutter episodes, and these episodes."""

    sample: np.ndarray  # (n_beats,), int64
    code: np.ndarray  # (n_beats,), positions in CLASSES
    flutter: np.ndarray  # (n_episodes, 2), first and last sample


def find_beats(annotation: AnnotationLike, mapping: str | Mapping[str, str]) -> RecordingBeats:
    """Separate the beats of an annotated recording from its flutter episodes.

    Beats inside an episode (from ``"["`` to ``"]"`` or the end) are left out.
    """
    sample, symbol = as_annotation(annotation)
    symbol = as_symbols(symbol)
    names = {str(name) for name in mapping} if isinstance(mapping, Mapping) else set()
    unknown = sorted(set(symbol.tolist()) - BEAT_SYMBOLS - NON_BEAT_SYMBOLS - names)
    if unknown:  # probably names of the user's own for beats, which would all be left out
        raise ValueError(
            f"Annotation symbols must be WFDB's or the classes N, S, V, F and Q, got {unknown}. "
            "Map other names to these classes by a dict as mapping."
        )
    check_ascending(sample, "sample")
    is_inside, flutter = _find_flutter(sample, symbol)
    keep = np.isin(symbol, sorted(BEAT_SYMBOLS | names)) & ~is_inside
    classes, code = np.unique(to_aami(symbol[keep], mapping), return_inverse=True)
    positions = np.array([CLASSES.index(str(name)) for name in classes], dtype=np.int64)
    return RecordingBeats(sample[keep], positions[code], flutter)


def _find_flutter(sample: np.ndarray, symbol: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return whether each annotation is in an episode, and the first and last sample of each."""
    is_inside = np.zeros(len(sample), dtype=bool)
    ends = np.flatnonzero(symbol == _VF_OFF)
    episodes = []
    end = 0
    for onset in np.flatnonzero(symbol == _VF_ON).tolist():
        if onset < end:  # within the episode before
            continue
        later = ends[ends > onset]
        end = int(later[0]) if later.size else len(sample)
        is_inside[onset:end] = True
        episodes.append((sample[onset], sample[end] if later.size else _NEVER))
    return is_inside, np.array(episodes, dtype=np.int64).reshape(-1, 2)


def count_pairs(
    reference: RecordingBeats, prediction: RecordingBeats, limit: int, start: float
) -> np.ndarray:
    """Count true and predicted classes of the beats of one recording.

    Parameters
    ----------
    reference, prediction : RecordingBeats
        True and predicted beats.
    limit : int
        Largest distance of a pair in samples.
    start : float
        End of the learning period in samples. Beats from there on are counted.

    Returns
    -------
    ndarray of shape (6, 6), int64
        Rows are the classes of the reference, then the extra detections; columns are the
        predicted classes, then the missed beats.
    """
    first = int(np.searchsorted(reference.sample, start))
    true_samples, true_codes = reference.sample[first:], reference.code[first:]
    first = _first_detection(true_samples, prediction.sample, limit, start)
    samples, codes = prediction.sample[first:], prediction.code[first:]
    matches = pair_beats(true_samples, samples, limit, _nearest_pairs)
    extra = matches.extra[~_is_in_episode(samples[matches.extra], reference.flutter)]
    return _confusion(true_codes, codes, matches._replace(extra=extra))


def _first_detection(reference: np.ndarray, detected: np.ndarray, limit: int, start: float) -> int:
    """Return the index of the first detection to be counted.

    Pairs may straddle the end of the learning period. The last detection before it is
    counted if it belongs to the first beat after it; the first detection after it is not
    counted if it may belong to the last beat before it.
    """
    index = int(np.searchsorted(detected, start))
    if start <= 0:
        return index

    def distance(at: int) -> int:
        beat = int(reference[0]) if len(reference) else _NEVER
        return abs(beat - (int(detected[at]) if at < len(detected) else _NEVER))

    if index and distance(index - 1) <= limit and distance(index - 1) < distance(index):
        return index - 1
    is_close = index < len(detected) and detected[index] - start <= limit
    return index + 1 if is_close and distance(index + 1) < distance(index) else index


def _nearest_pairs(beats: list[int], candidates: list[int], limit: int) -> Pairs:
    """Pair competing beats in temporal order, as ``bxb`` does.

    The earlier of the next beat and the next candidate has a rival for the other one: its own
    successor. Both are paired if they are within the limit, and the rival is either farther
    away, or nearer still to the successor of the other one.
    """
    pairs = []
    i = j = 0
    while i < len(beats) and j < len(candidates):
        distance = abs(beats[i] - candidates[j])
        candidate_first = candidates[j] < beats[i]
        next_beat = beats[i + 1] if i + 1 < len(beats) else _NEVER
        next_candidate = candidates[j + 1] if j + 1 < len(candidates) else _NEVER
        rival = abs(beats[i] - next_candidate if candidate_first else next_beat - candidates[j])
        is_rival_taken = abs(next_beat - next_candidate) < rival
        is_pair = distance <= limit and (distance < rival or is_rival_taken)
        if is_pair:
            pairs.append((i, j))
        j += is_pair or candidate_first
        i += is_pair or not candidate_first
    return pairs


def _is_in_episode(samples: np.ndarray, episodes: np.ndarray) -> np.ndarray:
    """Return whether each sample is in an episode, the ends included."""
    first, last = episodes[:, :1], episodes[:, 1:]
    return np.any((first <= samples) & (samples <= last), axis=0)


def _confusion(true_codes: np.ndarray, codes: np.ndarray, matches: BeatMatches) -> np.ndarray:
    """Count pairs, missed beats and extra detections by class."""
    size = NO_BEAT + 1
    cells = np.concatenate(
        [
            true_codes[matches.reference_index] * size + codes[matches.detected_index],
            true_codes[matches.missed] * size + NO_BEAT,
            NO_BEAT * size + codes[matches.extra],
        ]
    )
    return np.bincount(cells, minlength=size**2).reshape(size, size)
