"""When the valves close: the beats of one recorded sound."""

from typing import NamedTuple

import numpy as np

from ecgbeat.datasets._simulator._heart import Heart, systole_s
from ecgbeat.datasets._simulator._rhythm import order_beats, time_beats

_SHORTEST_RR = 0.75  # of the mean one, in the base rhythm
_EDGE = 3  # beats beyond both ends of the recording, which may still be heard in it
_SYSTOLE_BEFORE_END_S = 0.3  # of a recording, for the extra beat that must be heard
_PREVIOUS_BEAT_S = 0.05  # from the beginning of a recording, before that extra beat


class Cycles(NamedTuple):
    """The beats of one recording, with some before and after it; arrays of shape (n_beats,)."""

    first: np.ndarray  # onset of the first heart sound, in seconds
    second: np.ndarray  # of the second
    extra: np.ndarray  # bool: whether the beat is an extra beat
    inspiration: np.ndarray  # 0 at the end of an expiration, 1 at the end of an inspiration
    breath: float  # phase of the breathing at time 0, in radians


def draw_cycles(rng: np.random.Generator, heart: Heart, duration: float) -> Cycles:
    """Draw the beats of one recording, which begins anywhere in a heart cycle.

    Parameters
    ----------
    rng : numpy.random.Generator
    heart : Heart
        If it has extra beats, the recording holds at least one of them, and the onset of
        the beat before.
    duration : float
        In seconds.

    Returns
    -------
    Cycles
    """
    symbols = np.array(_order_symbols(rng, heart, duration))
    rhythm = time_beats(rng, symbols.tolist(), heart.pacemaker)
    extra = symbols != "N"
    start = rhythm.time[_EDGE] - rng.uniform() * heart.pacemaker.rr
    if extra.any():
        start = _begin_around(rng, rhythm.time, extra, duration)
    first = rhythm.time - start
    rr = np.diff(first, prepend=first[0] - heart.pacemaker.rr)
    systole = systole_s(0.7 * heart.pacemaker.rr + 0.3 * rr) + heart.systole
    if heart.ectopy is not None:
        systole[extra] *= heart.ectopy.systole
    breath = float(rng.uniform(0.0, 2.0 * np.pi))
    phase = 2.0 * np.pi * heart.pacemaker.respiration * first + breath
    return Cycles(first, first + systole, extra, 0.5 - 0.5 * np.cos(phase), breath)


def _order_symbols(rng: np.random.Generator, heart: Heart, duration: float) -> list[str]:
    """Order base beats and extra beats; enough for the recording around any extra beat."""
    n = int(duration / (_SHORTEST_RR * heart.pacemaker.rr)) + 1
    if heart.ectopy is None:
        return ["N"] * (n + 2 * _EDGE)
    n_extra = max(1, int(rng.binomial(n, heart.ectopy.share)))
    order = order_beats(rng, {"N": n, heart.ectopy.symbol: n_extra})
    return ["N"] * (n + _EDGE) + order + ["N"] * (n + _EDGE)


def _begin_around(
    rng: np.random.Generator, time: np.ndarray, extra: np.ndarray, duration: float
) -> float:
    """Tell when to begin a recording so that an extra beat and the beat before are in it."""
    chosen = int(rng.choice(np.flatnonzero(extra)))
    earliest = time[chosen] - time[chosen - 1] + _PREVIOUS_BEAT_S
    latest = max(duration - _SYSTOLE_BEFORE_END_S, earliest)
    return float(time[chosen] - rng.uniform(earliest, latest))
