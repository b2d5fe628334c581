"""One recorded sound: a stethoscope put on a chest for some seconds."""

from typing import NamedTuple

import numpy as np

from ecgbeat.datasets._simulator._auscultation_noise import draw_noise, draw_surroundings
from ecgbeat.datasets._simulator._heart import Heart
from ecgbeat.datasets._simulator._heart_cycles import Cycles, draw_cycles
from ecgbeat.datasets._simulator._murmur import sound_murmur
from ecgbeat.datasets._simulator._oscillations import sum_oscillations

# how well mitral and tricuspid, aortic and pulmonary valve are heard
PLACES = {
    "apex": ((1.0, 0.3), (0.55, 0.2)),
    "lower left sternal border": ((0.8, 0.5), (0.6, 0.3)),
    "upper left sternal border": ((0.55, 0.3), (0.8, 0.6)),
    "upper right sternal border": ((0.5, 0.2), (1.0, 0.3)),
}


class Stethoscope(NamedTuple):
    """How is recorded; see the parameters of `make_heart_sounds`."""

    fs: float
    duration: float
    noise: float


class Sound(NamedTuple):
    """One recording; the times are samples, int64."""

    signal: np.ndarray
    s1: np.ndarray
    s2: np.ndarray


def record_heart(rng: np.random.Generator, heart: Heart, stethoscope: Stethoscope) -> Sound:
    """Listen to a heart, at one place of the chest.

    Parameters
    ----------
    rng : numpy.random.Generator
    heart : Heart
    stethoscope : Stethoscope

    Returns
    -------
    Sound
        Signal of shape (n_times,) within -1 and 1, and the samples at which the first and
        the second heart sounds within it begin.
    """
    cycle_rng, place_rng, valve_rng, murmur_rng, noise_rng = rng.spawn(5)
    fs, duration, noise = stethoscope.fs, stethoscope.duration, stethoscope.noise
    cycles = draw_cycles(cycle_rng, heart, duration)
    place = np.array(list(PLACES.values()))[place_rng.integers(len(PLACES))]
    loudness = heart.valves.amplitude * (place * place_rng.lognormal(0.0, 0.15, (2, 2)))[..., None]
    loudness /= loudness.sum(axis=(1, 2)).max()
    beats = _beat_loudness(valve_rng, heart, cycles)
    signal = _sound_valves(heart, cycles, loudness, beats, stethoscope)
    if heart.murmur is not None:
        heard = heart.murmur._replace(
            loudness=heart.murmur.loudness * place_rng.lognormal(0.0, 0.35)
        )
        time = {"duration": duration, "fs": fs}
        signal += sound_murmur(murmur_rng, heard, cycles.first, cycles.second, **time)
    if noise > 0:
        signal += noise * draw_noise(
            noise_rng,
            draw_surroundings(noise_rng),
            respiration=heart.pacemaker.respiration,
            breath=cycles.breath,
            duration=duration,
            fs=fs,
        )
    signal = _digitise(signal, float(place_rng.uniform(0.6, 1.8)))
    s1 = _within(cycles.first, beats[:, 0], stethoscope)
    s2 = _within(cycles.second, beats[:, 1], stethoscope)
    return Sound(signal, s1, s2)


def record_artifact(rng: np.random.Generator, stethoscope: Stethoscope) -> Sound:
    """Listen where no heart is heard; parameters and result are those of `record_heart`."""
    signal = draw_noise(
        rng,
        draw_surroundings(rng, artifact=True),
        respiration=float(rng.uniform(0.2, 0.33)),
        breath=float(rng.uniform(0.0, 2.0 * np.pi)),
        duration=stethoscope.duration,
        fs=stethoscope.fs,
    )
    none = np.empty(0, dtype=np.int64)
    return Sound(_digitise(signal, float(rng.uniform(0.6, 1.8))), none, none)


def _beat_loudness(rng: np.random.Generator, heart: Heart, cycles: Cycles) -> np.ndarray:
    """Draw how loud the first and the second sound of each beat are, shape (n_beats, 2)."""
    loudness = rng.lognormal(0.0, heart.restlessness, (len(cycles.first), 2))
    loudness *= 1.0 - heart.breathing * cycles.inspiration[:, None]  # lungs muffle
    if heart.ectopy is not None:
        loudness[cycles.extra] *= heart.ectopy.first, heart.ectopy.second
        loudness[1:][cycles.extra[:-1] & ~cycles.extra[1:]] *= heart.ectopy.pause
    return loudness


def _sound_valves(
    heart: Heart,
    cycles: Cycles,
    loudness: np.ndarray,
    beats: np.ndarray,
    stethoscope: Stethoscope,
) -> np.ndarray:
    """Let the valves of every beat sound."""
    shape = (len(cycles.first), *heart.valves.amplitude.shape)
    onset = np.empty(shape)
    onset[:, 0] = cycles.first[:, None, None]
    onset[:, 1] = cycles.second[:, None, None]
    onset[:, 0, 1] += heart.split[0]
    onset[:, 1, 1] += heart.split[1] + heart.inspiration * cycles.inspiration[:, None]
    amplitude = beats[:, :, None, None] * loudness
    if heart.ectopy is not None:
        amplitude[cycles.extra, 0, :, -1] *= heart.ectopy.snap
    frequency, decay, _, phase, glide = heart.valves
    return sum_oscillations(
        onset.ravel(),
        *(np.broadcast_to(x, shape).ravel() for x in (frequency, decay, amplitude, phase, glide)),
        fs=stethoscope.fs,
        n_times=round(stethoscope.duration * stethoscope.fs),
    )


def _digitise(signal: np.ndarray, gain: float) -> np.ndarray:
    """Amplify a signal; what is too loud for the converter is clipped."""
    return (gain * signal).clip(-1.0, 1.0)


def _within(onset: np.ndarray, loudness: np.ndarray, stethoscope: Stethoscope) -> np.ndarray:
    """Return the samples of the onsets that lie in the recording and are heard."""
    sample = np.round(onset * stethoscope.fs).astype(np.int64)
    n_times = round(stethoscope.duration * stethoscope.fs)
    return sample[(sample >= 0) & (sample < n_times) & (loudness > 0)]
