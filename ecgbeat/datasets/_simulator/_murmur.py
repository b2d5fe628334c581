"""Murmurs: noise of turbulent blood between the sounds of the valves."""

from typing import NamedTuple

import numpy as np

from ecgbeat.datasets._simulator._band_noise import draw_band_noise

_BAND_HZ = (60.0, 900.0)
_VALVE_DELAY_S = 0.03  # from the onset of a heart sound until blood streams


class Murmur(NamedTuple):
    """One patient's murmur."""

    kind: str  # "ejection", "holosystolic" or "diastolic"
    loudness: float  # root mean square at its loudest, the first sound being about 1
    frequency: float  # middle of its spectrum, in Hz
    width: float  # of the spectrum, in octaves
    crest: float  # when it is loudest, as a share of its duration


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


def sound_murmur(
    rng: np.random.Generator,
    murmur: Murmur,
    first: np.ndarray,
    second: np.ndarray,
    *,
    duration: float,
    fs: float,
) -> np.ndarray:
    """Let a murmur sound in every beat.

    Parameters
    ----------
    rng : numpy.random.Generator
    murmur : Murmur
    first, second : ndarray of shape (n_beats,)
        Onsets of the heart sounds in seconds, in order of time, from before 0 until after
        ``duration``.
    duration : float
        In seconds.
    fs : float
        Sampling rate in Hz.

    Returns
    -------
    ndarray of shape (n_times,)
    """
    t = np.arange(round(duration * fs)) / fs
    stream = draw_band_noise(
        rng,
        _BAND_HZ,
        lambda f: np.exp(-0.5 * (np.log2(f / murmur.frequency) / murmur.width) ** 2),
        duration=duration,
        fs=fs,
    )
    return murmur.loudness * stream * murmur_envelope(murmur, t, first, second)


def murmur_envelope(
    murmur: Murmur, t: np.ndarray, first: np.ndarray, second: np.ndarray
) -> np.ndarray:
    """Return how loud a murmur is over time, 1 at its loudest.

    An ejection murmur swells and fades between first and second sound, a holosystolic one
    fills all of systole, a diastolic one begins with the second sound and fades.

    Parameters
    ----------
    murmur : Murmur
    t : ndarray
        In seconds.
    first, second : ndarray of shape (n_beats,)
        See `sound_murmur`.

    Returns
    -------
    ndarray, shaped as ``t``
    """
    beat = (np.searchsorted(first, t, side="right") - 1).clip(0, len(first) - 2)
    if murmur.kind == "diastolic":
        begin, end = second[beat] + _VALVE_DELAY_S, first[beat + 1]
    else:
        begin, end = first[beat] + _VALVE_DELAY_S, second[beat]
    x = ((t - begin) / (end - begin)).clip(0.0, 1.0)
    if murmur.kind == "ejection":
        rise, fall = 4.0 * murmur.crest, 4.0 * (1.0 - murmur.crest)
        return (x / murmur.crest) ** rise * ((1.0 - x) / (1.0 - murmur.crest)) ** fall
    if murmur.kind == "holosystolic":
        return np.sin(0.5 * np.pi * (10.0 * np.minimum(x, 1.0 - x)).clip(0.0, 1.0)) ** 2
    return np.sin(0.5 * np.pi * (12.0 * x).clip(0.0, 1.0)) ** 2 * (1.0 - x) ** 2
