"""Simulated hearts: valves, murmur and extra beats of a patient, and the heart cycles.

Valves, chest and heart rate are drawn in the same way for every patient. The class only adds a
murmur or extra beats.
"""

from typing import NamedTuple, TypeVar

import numpy as np

from ecgbeat.datasets.simulator.rhythm import Pacemaker, draw_pacemaker, order_beats, time_beats

_RATE_PER_MIN = (50.0, 130.0)
_SHORTEST_PAUSE_S = 0.12  # between a second sound and a premature beat after it
# for the mitral and tricuspid, and the aortic and pulmonary valve; see Valves
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
# linear in the heart rate from the Q wave to the second sound; see make_heart_sounds
_SYSTOLE_AT_RATE_0_S = 0.541
_SYSTOLE_PER_RATE_S = 0.0022  # for each beat per minute
_Q_TO_FIRST_SOUND_S = 0.055
_SHORTEST_RR = 0.75  # relative to the mean RR interval, in the base rhythm
_EDGE = 3  # beats before and after the recording whose sounds may reach into it
_SYSTOLE_BEFORE_END_S = 0.3  # of a recording, after its extra beat
_PREVIOUS_BEAT_S = 0.05  # from the beginning of a recording to the beat before its extra beat

_Seconds = TypeVar("_Seconds", float, np.ndarray)


class Valves(NamedTuple):
    """Oscillations of the valves, arrays of shape (2 sounds, 2 sides, 3 oscillations).

    Each valve has two oscillations and a short snap.
    """

    frequency: np.ndarray  # in Hz
    decay: np.ndarray  # in seconds
    amplitude: np.ndarray
    phase: np.ndarray
    glide: np.ndarray  # relative fall of the frequency


class Murmur(NamedTuple):
    """Murmur of one patient."""

    kind: str  # "ejection", "holosystolic" or "diastolic"
    loudness: float  # largest root mean square, relative to a first sound of about 1
    frequency: float  # center of the spectrum, in Hz
    width: float  # of the spectrum, in octaves
    crest: float  # time of the largest amplitude, as a share of the duration


class Ectopy(NamedTuple):
    """Extra beats of one patient."""

    symbol: str  # "A" resets the sinus node, "V" is followed by a compensatory pause
    share: float  # of all beats
    first: float  # loudness of the first sound, relative to other beats
    second: float  # of the second sound; 0 if the aortic and pulmonary valves stay closed
    snap: float  # of the valves' snap in the first sound, relative to that sound
    systole: float  # duration of systole, relative to other beats
    pause: float  # loudness of the beat after the pause, relative to other beats


class Heart(NamedTuple):
    """Heart and chest of one patient."""

    pacemaker: Pacemaker
    systole_offset: float  # deviation of the duration of systole from systole_s, in seconds
    valves: Valves
    split: tuple[float, float]  # delay of the right side in each sound, in seconds
    inspiration: float  # additional split of the second sound in inspiration, in seconds
    respiratory_modulation: float  # of the loudness, relative
    scatter: float  # relative scatter of the loudness from beat to beat
    murmur: Murmur | None
    ectopy: Ectopy | None


class HeartCycles(NamedTuple):
    """Beats of one recording, with some before and after it; arrays of shape (n_beats,)."""

    first: np.ndarray  # onset of the first heart sound, in seconds
    second: np.ndarray  # of the second heart sound
    is_extra: np.ndarray  # whether the beat is an extra beat
    inspiration: np.ndarray  # 0 at the end of expiration, 1 at the end of inspiration
    respiratory_phase: float  # at time 0, in radians


def draw_heart(rng: np.random.Generator, label: str) -> Heart:
    """Draw the heart of a patient of class ``label``."""
    pacemaker_rng, valve_rng, murmur_rng, ectopy_rng = rng.spawn(4)
    return Heart(
        pacemaker=_draw_pacemaker(pacemaker_rng),
        systole_offset=float(rng.normal(0.0, 0.012)),
        valves=_draw_valves(valve_rng),
        split=(float(rng.uniform(0.015, 0.030)), float(rng.uniform(0.010, 0.025))),
        inspiration=float(rng.uniform(0.005, 0.025)),
        respiratory_modulation=float(rng.uniform(0.03, 0.20)),
        scatter=float(rng.uniform(0.04, 0.15)),
        murmur=draw_murmur(murmur_rng) if label == "murmur" else None,
        ectopy=_draw_ectopy(ectopy_rng) if label == "extrastole" else None,
    )


def _draw_pacemaker(rng: np.random.Generator) -> Pacemaker:
    """Draw a rate of 50 to 130 per minute and a variability, which is large in the young."""
    rate = float(np.clip(rng.lognormal(np.log(80.0), 0.22), *_RATE_PER_MIN))
    pacemaker = draw_pacemaker(rng, rate)
    earliest = (systole_s(pacemaker.rr) + _SHORTEST_PAUSE_S) / pacemaker.rr
    return pacemaker._replace(
        variability=float(np.clip(rng.lognormal(np.log(0.03), 0.5), 0.01, 0.08)),
        coupling={symbol: max(at, earliest) for symbol, at in pacemaker.coupling.items()},
    )


def systole_s(rr: _Seconds) -> _Seconds:
    """Return the mean time from first to second sound for given RR intervals, in seconds."""
    return _SYSTOLE_AT_RATE_0_S - _SYSTOLE_PER_RATE_S * 60.0 / rr - _Q_TO_FIRST_SOUND_S


def _draw_valves(rng: np.random.Generator) -> Valves:
    """Draw the oscillations of four valves, low-pass filtered by the chest."""
    shape = (2, 2, 3)
    pitch = rng.lognormal(0.0, 0.15)
    cutoff = rng.lognormal(np.log(150.0), 0.35)  # of the chest, in Hz
    frequency = pitch * _FREQUENCY_HZ * rng.lognormal(0.0, 0.12, shape)
    amplitude = _AMPLITUDE * rng.lognormal(0.0, 0.25, shape)
    amplitude[1] *= rng.lognormal(-0.1, 0.35)  # ratio of second to first sound
    return Valves(
        frequency=frequency,
        decay=_DECAY_S * rng.lognormal(0.0, 0.12, shape) / pitch,
        amplitude=amplitude / np.sqrt(1.0 + (frequency / cutoff) ** 4),
        phase=rng.uniform(0.0, 2.0 * np.pi, shape),
        glide=np.stack([np.zeros((2, 3)), rng.uniform(0.1, 0.5, (2, 3))]),
    )


def draw_murmur(rng: np.random.Generator) -> Murmur:
    """Draw a murmur of any kind and grade."""
    kind = str(rng.choice(["ejection", "holosystolic", "diastolic"], p=[0.45, 0.35, 0.2]))
    grade = float(np.clip(rng.lognormal(np.log(0.12), 0.6), 0.02, 0.4))
    return Murmur(
        kind=kind,
        loudness=grade * (0.6 if kind == "diastolic" else 1.0),
        frequency=float(rng.uniform(150.0, 260.0) * (1.3 if kind == "diastolic" else 1.0)),
        width=float(rng.uniform(0.35, 0.7)),
        crest=float(rng.uniform(0.35, 0.6)),
    )


def _draw_ectopy(rng: np.random.Generator) -> Ectopy:
    """Draw extra beats, which begin with a snap of wide open valves and eject less blood."""
    stay_closed = rng.uniform() < 0.4  # too weak to open the aortic and pulmonary valves
    return Ectopy(
        symbol=str(rng.choice(["V", "A"], p=[0.7, 0.3])),
        share=float(rng.uniform(0.1, 0.4)),
        first=float(rng.uniform(0.9, 1.8)),
        second=0.0 if stay_closed else float(rng.uniform(0.2, 0.7)),
        snap=float(rng.uniform(1.0, 4.0)),
        systole=float(rng.uniform(0.75, 0.92)),
        pause=float(rng.uniform(1.0, 1.5)),
    )


def draw_cycles(rng: np.random.Generator, heart: Heart, duration: float) -> HeartCycles:
    """Draw the beats of a recording of ``duration`` seconds, which begins anywhere in a cycle.

    Of a heart with extra beats, it contains at least one of them and the beat before it.
    """
    symbols = np.array(_order_symbols(rng, heart, duration))
    rhythm = time_beats(rng, symbols.tolist(), heart.pacemaker)
    is_extra = symbols != "N"
    start = rhythm.time[_EDGE] - rng.uniform() * heart.pacemaker.rr
    if is_extra.any():
        start = _draw_start_around_extra_beat(rng, rhythm.time, is_extra, duration)
    first = rhythm.time - start
    rr = np.diff(first, prepend=first[0] - heart.pacemaker.rr)
    systole = systole_s(0.7 * heart.pacemaker.rr + 0.3 * rr) + heart.systole_offset
    if heart.ectopy is not None:
        systole[is_extra] *= heart.ectopy.systole
    phase_0 = float(rng.uniform(0.0, 2.0 * np.pi))
    phase = 2.0 * np.pi * heart.pacemaker.respiration * first + phase_0
    return HeartCycles(first, first + systole, is_extra, 0.5 - 0.5 * np.cos(phase), phase_0)


def _order_symbols(rng: np.random.Generator, heart: Heart, duration: float) -> list[str]:
    """Order base beats and extra beats, enough for a recording around any extra beat."""
    n = int(duration / (_SHORTEST_RR * heart.pacemaker.rr)) + 1
    if heart.ectopy is None:
        return ["N"] * (n + 2 * _EDGE)
    n_extra = max(1, int(rng.binomial(n, heart.ectopy.share)))
    order = order_beats(rng, {"N": n, heart.ectopy.symbol: n_extra})
    return ["N"] * (n + _EDGE) + order + ["N"] * (n + _EDGE)


def _draw_start_around_extra_beat(
    rng: np.random.Generator, time: np.ndarray, is_extra: np.ndarray, duration: float
) -> float:
    """Draw the start of a recording that contains an extra beat and the beat before it."""
    chosen = int(rng.choice(np.flatnonzero(is_extra)))
    earliest = time[chosen] - time[chosen - 1] + _PREVIOUS_BEAT_S
    latest = max(duration - _SYSTOLE_BEFORE_END_S, earliest)
    return float(time[chosen] - rng.uniform(earliest, latest))
