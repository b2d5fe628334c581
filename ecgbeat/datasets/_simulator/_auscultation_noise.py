"""What else a stethoscope picks up: the room, breath, friction and voices."""

from typing import NamedTuple

import numpy as np

from ecgbeat.datasets._simulator._band_noise import draw_band_noise
from ecgbeat.datasets._simulator._oscillations import sum_oscillations

_ROOM_HZ = (15.0, 2000.0)
_BREATH_HZ = (80.0, 1000.0)
_VOICE_HZ = (120.0, 1200.0)
_SYLLABLES_HZ = (1.0, 6.0)
_STROKE_S = 0.15  # how long one stroke of friction lasts
_CLICKS_PER_STROKE = 6


class Surroundings(NamedTuple):
    """How quiet it is: root mean squares at noise level 1, a first heart sound being about 1."""

    room: float
    breath: float
    friction: float  # height of the clicks
    strokes: float  # of friction, per second
    voice: float
    formant: float  # middle of the voice's spectrum, in Hz


def draw_surroundings(rng: np.random.Generator, *, artifact: bool = False) -> Surroundings:
    """Draw the surroundings of one recording; one in four is restless, an artifact always."""
    level = 4.0 if artifact else float(rng.choice([1.0, 2.5], p=[0.75, 0.25]))
    speaks = artifact or rng.uniform() < 0.15 * level
    return Surroundings(
        room=level * float(rng.lognormal(np.log(0.012), 0.5)),
        breath=level * float(rng.lognormal(np.log(0.012), 0.7)),
        friction=level * float(rng.lognormal(np.log(0.08), 0.6)),
        strokes=0.15 * level,
        voice=level * float(rng.lognormal(np.log(0.02), 0.6)) * speaks,
        formant=float(rng.uniform(220.0, 500.0)),
    )


def draw_noise(
    rng: np.random.Generator,
    surroundings: Surroundings,
    *,
    respiration: float,
    breath: float,
    duration: float,
    fs: float,
) -> np.ndarray:
    """Draw noise of level 1.

    Parameters
    ----------
    rng : numpy.random.Generator
    surroundings : Surroundings
    respiration : float
        Rate of breathing in Hz.
    breath : float
        Phase of the breathing at time 0, in radians.
    duration : float
        In seconds.
    fs : float
        Sampling rate in Hz.

    Returns
    -------
    ndarray of shape (n_times,)
    """
    time = {"duration": duration, "fs": fs}
    room_rng, breath_rng, friction_rng, voice_rng = rng.spawn(4)
    noise = surroundings.room * draw_band_noise(room_rng, _ROOM_HZ, lambda f: f**-0.8, **time)
    air = draw_band_noise(breath_rng, _BREATH_HZ, lambda f: np.exp(-f / 200.0), **time)
    phase = 2.0 * np.pi * respiration * np.arange(len(noise)) / fs + breath
    # air streams fastest in the middle of an inspiration, less fast in an expiration
    flow = np.where(np.sin(phase) > 0, 1.6, 0.8) * np.sin(phase) ** 2
    noise += surroundings.breath * air * flow
    noise += _draw_friction(friction_rng, surroundings, **time)
    if surroundings.voice > 0:
        noise += surroundings.voice * _draw_voice(voice_rng, surroundings.formant, **time)
    return noise


def _draw_friction(
    rng: np.random.Generator, surroundings: Surroundings, *, duration: float, fs: float
) -> np.ndarray:
    """Draw strokes over skin and cloth, each a shower of clicks."""
    n_strokes = rng.poisson(surroundings.strokes * duration)
    shape = (n_strokes, _CLICKS_PER_STROKE)
    stroke = rng.uniform(-_STROKE_S, duration, (n_strokes, 1))
    loudness = surroundings.friction * rng.lognormal(0.0, 0.5, (n_strokes, 1))
    return sum_oscillations(
        (stroke + rng.uniform(0.0, _STROKE_S, shape)).ravel(),
        rng.uniform(60.0, 450.0, shape).ravel(),
        rng.uniform(0.001, 0.006, shape).ravel(),
        (loudness * rng.uniform(0.1, 1.0, shape)).ravel(),
        rng.uniform(0.0, 2.0 * np.pi, shape).ravel(),
        np.zeros(n_strokes * _CLICKS_PER_STROKE),
        fs=fs,
        n_times=round(duration * fs),
    )


def _draw_voice(
    rng: np.random.Generator, formant: float, *, duration: float, fs: float
) -> np.ndarray:
    """Draw somebody's murmuring: noise around a formant, in syllables."""
    time = {"duration": duration, "fs": fs}
    tone = draw_band_noise(
        rng, _VOICE_HZ, lambda f: np.exp(-0.5 * (np.log2(f / formant) / 0.5) ** 2), **time
    )
    syllables = draw_band_noise(rng, _SYLLABLES_HZ, np.ones_like, **time)
    return tone * np.maximum(syllables, 0.0)
