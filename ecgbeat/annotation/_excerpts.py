"""Random excerpts of recordings, as further recordings to train on."""

import numpy as np

_SHORTEST, _LONGEST = 60, 300  # in beats
_N_STARTS = 8  # of which one is chosen
_FLOOR = 0.2  # weight of an excerpt without rare beats, relative to that of one more rare beat


def draw_excerpts(
    n_beats: int, rare: np.ndarray, n_excerpts: int, random_state: np.random.RandomState
) -> list[tuple[int, int]]:
    """Draw runs of consecutive beats of one recording, with a preference for rare beats.

    The length of each is uniform from 60 to 300 beats, or that of the recording. It is chosen
    among eight random starts, with a probability proportional to the number of its rare beats
    + 0.2.

    Parameters
    ----------
    n_beats : int
        Number of beats of the recording.
    rare : ndarray of int
        Numbers of the rare beats, from 0 to ``n_beats - 1``.
    n_excerpts : int
        Number of excerpts.
    random_state : RandomState
        Generator of random numbers.

    Returns
    -------
    list of (int, int)
        First beat of each excerpt, and the beat after its last. Empty if there are no beats.
    """
    if n_beats == 0:
        return []
    counts = np.concatenate([[0], np.cumsum(np.bincount(rare, minlength=n_beats))])
    excerpts = []
    for _ in range(n_excerpts):
        length = min(random_state.randint(_SHORTEST, _LONGEST + 1), n_beats)
        starts = random_state.randint(0, n_beats - length + 1, size=_N_STARTS)
        weights = counts[starts + length] - counts[starts] + _FLOOR
        start = int(random_state.choice(starts, p=weights / weights.sum()))
        excerpts.append((start, start + length))
    return excerpts
