"""Rows of equal length from sounds of any length (layer 2)."""

from collections import deque
from typing import NamedTuple

import numpy as np

_LEAST_SOUND = 0.5  # of the last window of a file; more silence than sound tells little


class Windows(NamedTuple):
    """How a sound is divided."""

    n_times: int  # samples a window
    step: float | None  # samples from one start to the next; None is one window a sound


def window_starts(n_sound: int, windows: Windows) -> np.ndarray:
    """Return where the windows of a sound begin.

    They begin every ``step`` samples until one reaches the end. That one is left out if more
    than half of it would be silence, unless it is the first.

    Parameters
    ----------
    n_sound : int
        Samples of the sound.
    windows : Windows
        Length and step.

    Returns
    -------
    ndarray of shape (n_windows,), int64
        In samples, in rising order; the first is 0.
    """
    if windows.step is None:
        return np.zeros(1, dtype=np.int64)
    starts = np.rint(np.arange(0, max(n_sound, 1), windows.step)).astype(np.int64)
    before_reaches_end = np.r_[False, starts[:-1] + windows.n_times >= n_sound]
    is_silent = starts + _LEAST_SOUND * windows.n_times > n_sound
    is_silent[0] = False
    return starts[~before_reaches_end & ~is_silent]


class Rows(NamedTuple):
    """Rows of equal length, and where they come from."""

    data: np.ndarray  # of shape (n_rows, n_times), float32
    sound: np.ndarray  # of shape (n_rows,), int64: the number of the sound
    start: np.ndarray  # of shape (n_rows,), int64: where in the sound a row begins


def cut_rows(sounds: deque[np.ndarray], windows: Windows) -> Rows:
    """Cut sounds into windows, with zeros where a sound ends.

    Parameters
    ----------
    sounds : deque of ndarrays of shape (n_times_i,)
        At least one. They are taken out one by one, so that no sound is held twice.
    windows : Windows
        Length and step.

    Returns
    -------
    Rows
    """
    starts = [window_starts(len(sound), windows) for sound in sounds]
    index = np.repeat(np.arange(len(starts)), [len(begins) for begins in starts])
    data = np.zeros((len(index), windows.n_times), dtype=np.float32)
    rows = iter(data)
    for begins in starts:
        sound = sounds.popleft()
        for begin in begins:
            part = sound[begin : begin + windows.n_times]
            next(rows)[: len(part)] = part
    return Rows(data, index, np.concatenate(starts))
