"""Whose heart is heard: what stays the same from one sound of a patient to the next.

Valves, chest and heart rate are drawn for every patient in the same way; the class adds a
murmur or extra beats, and nothing else.
"""

from typing import NamedTuple, TypeVar

import numpy as np

from ecgbeat.datasets._simulator._murmur import Murmur, draw_murmur
from ecgbeat.datasets._simulator._rhythm import Pacemaker, draw_pacemaker

_RATE_PER_MIN = (50.0, 130.0)
_SHORTEST_PAUSE_S = 0.12  # between a second sound and the premature beat after it
# oscillations of mitral and tricuspid, of aortic and pulmonary valve, see Valves
_FREQUENCY_HZ = np.array(
    [
        [[47.0, 85.0, 150.0], [60.0, 105.0, 170.0]],
        [[63.0, 120.0, 230.0], [55.0, 105.0, 200.0]],
    ]
)
_DECAY_S = np.array(
    [
        [[0.012, 0.008, 0.004], [0.010, 0.007, 0.004]],
        [[0.009, 0.006, 0.003], [0.009, 0.006, 0.003]],
    ]
)
_AMPLITUDE = np.array(
    [
        [[1.0, 0.6, 0.6], [0.5, 0.3, 0.3]],
        [[1.0, 0.8, 1.2], [0.6, 0.5, 0.6]],
    ]
)
# see systole_s
_SYSTOLE_AT_STANDSTILL_S = 0.541
_SYSTOLE_PER_RATE_S = 0.0022  # for each beat per minute
_Q_TO_FIRST_SOUND_S = 0.055

_Seconds = TypeVar("_Seconds", float, np.ndarray)


class Valves(NamedTuple):
    """How the valves sound: arrays of shape (2 sounds, 2 sides, 3 oscillations).

    The first sound is made of mitral and tricuspid, the second of aortic and pulmonary
    valve; each valve of two oscillations and a short snap.
    """

    frequency: np.ndarray  # Hz
    decay: np.ndarray  # seconds
    amplitude: np.ndarray
    phase: np.ndarray
    glide: np.ndarray  # by which share the frequency falls


class Ectopy(NamedTuple):
    """How one patient's extra beats come and sound."""

    symbol: str  # "A" resets the clock of the sinus node, "V" is followed by a full pause
    share: float  # of all beats
    first: float  # loudness of the first sound, relative to other beats
    second: float  # of the second sound, 0 where the valves to the arteries do not open
    snap: float  # of the valves' snap in the first sound, relative to that sound
    systole: float  # duration of systole, relative to other beats
    pause: float  # loudness of the beat after the pause, relative to other beats


class Heart(NamedTuple):
    """One patient's heart, and the chest around it."""

    pacemaker: Pacemaker
    systole: float  # how much longer than usual it lasts, in seconds
    valves: Valves
    split: tuple[float, float]  # seconds by which the right side lags, per sound
    inspiration: float  # seconds by which inspiration widens the split of the second sound
    breathing: float  # relative swing of the loudness with respiration
    restlessness: float  # relative scatter of the loudness from beat to beat
    murmur: Murmur | None
    ectopy: Ectopy | None


def systole_s(rr: _Seconds) -> _Seconds:
    """Return the usual time from first to second sound, for intervals between beats.

    Systole from the Q wave to the second sound is a linear function of the heart rate (see
    the references of `make_heart_sounds`); the first sound follows on the Q wave.
    """
    return _SYSTOLE_AT_STANDSTILL_S - _SYSTOLE_PER_RATE_S * 60.0 / rr - _Q_TO_FIRST_SOUND_S


def draw_heart(rng: np.random.Generator, kind: str) -> Heart:
    """Draw the heart of a patient of one class.

    Parameters
    ----------
    rng : numpy.random.Generator
    kind : str
        ``"murmur"`` and ``"extrastole"`` add what their names say.

    Returns
    -------
    Heart
    """
    pacemaker_rng, valve_rng, murmur_rng, ectopy_rng = rng.spawn(4)
    pacemaker = _draw_pacemaker(pacemaker_rng)
    return Heart(
        pacemaker=pacemaker,
        systole=float(rng.normal(0.0, 0.012)),
        valves=_draw_valves(valve_rng),
        split=(float(rng.uniform(0.015, 0.030)), float(rng.uniform(0.010, 0.025))),
        inspiration=float(rng.uniform(0.005, 0.025)),
        breathing=float(rng.uniform(0.03, 0.20)),
        restlessness=float(rng.uniform(0.04, 0.15)),
        murmur=draw_murmur(murmur_rng) if kind == "murmur" else None,
        ectopy=_draw_ectopy(ectopy_rng) if kind == "extrastole" else None,
    )


def _draw_pacemaker(rng: np.random.Generator) -> Pacemaker:
    """Draw a rate of 50 to 130 a minute and its variability, large in the young."""
    rate = float(np.clip(rng.lognormal(np.log(80.0), 0.22), *_RATE_PER_MIN))
    pacemaker = draw_pacemaker(rng, rate)
    earliest = (systole_s(pacemaker.rr) + _SHORTEST_PAUSE_S) / pacemaker.rr
    return pacemaker._replace(
        variability=float(np.clip(rng.lognormal(np.log(0.03), 0.5), 0.01, 0.08)),
        coupling={symbol: max(at, earliest) for symbol, at in pacemaker.coupling.items()},
    )


def _draw_valves(rng: np.random.Generator) -> Valves:
    """Draw the sound of four valves, muffled by the chest."""
    shape = (2, 2, 3)
    pitch = rng.lognormal(0.0, 0.15)
    chest = rng.lognormal(np.log(150.0), 0.35)  # Hz
    frequency = pitch * _FREQUENCY_HZ * rng.lognormal(0.0, 0.12, shape)
    amplitude = _AMPLITUDE * rng.lognormal(0.0, 0.25, shape)
    amplitude[1] *= rng.lognormal(-0.1, 0.35)  # second sound against first
    return Valves(
        frequency=frequency,
        decay=_DECAY_S * rng.lognormal(0.0, 0.12, shape) / pitch,
        amplitude=amplitude / np.sqrt(1.0 + (frequency / chest) ** 4),
        phase=rng.uniform(0.0, 2.0 * np.pi, shape),
        glide=np.stack([np.zeros((2, 3)), rng.uniform(0.1, 0.5, (2, 3))]),
    )


def _draw_ectopy(rng: np.random.Generator) -> Ectopy:
    """Draw extra beats, which come when valves stand wide open and the heart is half full.

    The valves to the atria slam, less blood leaves the heart, or none at all, and what has
    stayed there makes the next beat stronger.
    """
    closed = rng.uniform() < 0.4  # too weak to open the valves to the arteries
    return Ectopy(
        symbol=str(rng.choice(["V", "A"], p=[0.7, 0.3])),
        share=float(rng.uniform(0.1, 0.4)),
        first=float(rng.uniform(0.9, 1.8)),
        second=0.0 if closed else float(rng.uniform(0.2, 0.7)),
        snap=float(rng.uniform(1.0, 4.0)),
        systole=float(rng.uniform(0.75, 0.92)),
        pause=float(rng.uniform(1.0, 1.5)),
    )
