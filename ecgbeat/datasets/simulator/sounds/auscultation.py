"""Simulated auscultation: the signal of a stethoscope on the chest, with its noise."""

from typing import NamedTuple

import numpy as np

from ecgbeat.datasets.simulator.sounds.heart import Heart, HeartCycles, Murmur, draw_cycles
from ecgbeat.datasets.simulator.waveforms import draw_band_noise, sum_oscillations

# loudness of the mitral and tricuspid, and of the aortic and pulmonary valve
AUSCULTATION_SITES = {
    "apex": ((1.0, 0.3), (0.55, 0.2)),
    "lower left sternal border": ((0.8, 0.5), (0.6, 0.3)),
    "upper left sternal border": ((0.55, 0.3), (0.8, 0.6)),
    "upper right sternal border": ((0.5, 0.2), (1.0, 0.3)),
}
_MURMUR_HZ = (60.0, 900.0)
_VALVE_DELAY_S = 0.03  # from the onset of a heart sound to the onset of blood flow
_ROOM_HZ = (15.0, 2000.0)
_BREATH_HZ = (80.0, 1000.0)
_VOICE_HZ = (120.0, 1200.0)
_SYLLABLES_HZ = (1.0, 6.0)
_STROKE_S = 0.15  # duration of one stroke of friction
_CLICKS_PER_STROKE = 6


class Stethoscope(NamedTuple):
    """Settings of a recording; see the parameters of `make_heart_sounds`."""

    fs: float
    duration: float
    noise: float

    @property
    def n_times(self) -> int:
        """Length of the recording in samples."""
        return round(self.duration * self.fs)


class Sound(NamedTuple):
    """One recording; the onsets of the heart sounds are samples, int64."""

    signal: np.ndarray
    s1: np.ndarray
    s2: np.ndarray


class NoiseSources(NamedTuple):
    """Root mean squares at noise level 1, relative to a first heart sound of about 1."""

    room: float
    breath: float
    friction: float  # height of the clicks
    strokes: float  # of friction, per second
    voice: float
    formant: float  # center of the voice's spectrum, in Hz


def record_heart(rng: np.random.Generator, heart: Heart, stethoscope: Stethoscope) -> Sound:
    """Record a heart at one auscultation site, with a signal of shape (n_times,) in [-1, 1]."""
    cycle_rng, site_rng, valve_rng, murmur_rng, noise_rng = rng.spawn(5)
    cycles = draw_cycles(cycle_rng, heart, stethoscope.duration)
    site = np.array(list(AUSCULTATION_SITES.values()))[site_rng.integers(len(AUSCULTATION_SITES))]
    amplitude = heart.valves.amplitude * (site * site_rng.lognormal(0.0, 0.15, (2, 2)))[..., None]
    amplitude /= amplitude.sum(axis=(1, 2)).max()
    loudness = _draw_loudness(valve_rng, heart, cycles)
    signal = _valve_signal(heart, cycles, amplitude, loudness, stethoscope)
    if heart.murmur is not None:
        murmur = heart.murmur._replace(
            loudness=heart.murmur.loudness * site_rng.lognormal(0.0, 0.35)
        )
        signal += draw_murmur_signal(murmur_rng, murmur, cycles.first, cycles.second, stethoscope)
    if stethoscope.noise > 0:
        signal += stethoscope.noise * draw_noise(
            noise_rng,
            draw_noise_sources(noise_rng),
            stethoscope,
            respiration=heart.pacemaker.respiration,
            phase=cycles.respiratory_phase,
        )
    signal = _digitize(site_rng, signal)
    s1 = _audible_samples(cycles.first, loudness[:, 0], stethoscope)
    s2 = _audible_samples(cycles.second, loudness[:, 1], stethoscope)
    return Sound(signal, s1, s2)


def record_artifact(rng: np.random.Generator, stethoscope: Stethoscope) -> Sound:
    """Record noise without a heart; see `record_heart`."""
    signal = draw_noise(
        rng,
        draw_noise_sources(rng, artifact=True),
        stethoscope,
        respiration=float(rng.uniform(0.2, 0.33)),
        phase=float(rng.uniform(0.0, 2.0 * np.pi)),
    )
    no_onsets = np.empty(0, dtype=np.int64)
    return Sound(_digitize(rng, signal), no_onsets, no_onsets)


def _draw_loudness(rng: np.random.Generator, heart: Heart, cycles: HeartCycles) -> np.ndarray:
    """Draw the loudness of the first and the second sound of each beat, shape (n_beats, 2)."""
    loudness = rng.lognormal(0.0, heart.scatter, (len(cycles.first), 2))
    # the lungs muffle the sounds in inspiration
    loudness *= 1.0 - heart.respiratory_modulation * cycles.inspiration[:, None]
    if heart.ectopy is not None:
        is_extra = cycles.is_extra
        loudness[is_extra] *= heart.ectopy.first, heart.ectopy.second
        loudness[1:][is_extra[:-1] & ~is_extra[1:]] *= heart.ectopy.pause
    return loudness


def _valve_signal(
    heart: Heart,
    cycles: HeartCycles,
    amplitude: np.ndarray,
    loudness: np.ndarray,
    stethoscope: Stethoscope,
) -> np.ndarray:
    """Return the sum of the valves' oscillations in all beats."""
    shape = (len(cycles.first), *amplitude.shape)
    onset = np.empty(shape)
    onset[:, 0] = cycles.first[:, None, None]
    onset[:, 1] = cycles.second[:, None, None]
    onset[:, 0, 1] += heart.split[0]
    onset[:, 1, 1] += heart.split[1] + heart.inspiration * cycles.inspiration[:, None]
    amplitude = loudness[:, :, None, None] * amplitude
    if heart.ectopy is not None:
        amplitude[cycles.is_extra, 0, :, -1] *= heart.ectopy.snap
    frequency, decay, _, phase, glide = heart.valves
    return sum_oscillations(
        onset.ravel(),
        *(np.broadcast_to(x, shape).ravel() for x in (frequency, decay, amplitude, phase, glide)),
        fs=stethoscope.fs,
        n_times=stethoscope.n_times,
    )


def draw_murmur_signal(
    rng: np.random.Generator,
    murmur: Murmur,
    first: np.ndarray,
    second: np.ndarray,
    stethoscope: Stethoscope,
) -> np.ndarray:
    """Draw the noise of a murmur in all beats; ``first`` and ``second`` as in `HeartCycles`."""
    t = np.arange(stethoscope.n_times) / stethoscope.fs
    noise = draw_band_noise(
        rng,
        _MURMUR_HZ,
        lambda f: np.exp(-0.5 * (np.log2(f / murmur.frequency) / murmur.width) ** 2),
        duration=stethoscope.duration,
        fs=stethoscope.fs,
    )
    return murmur.loudness * noise * murmur_envelope(murmur, t, first, second)


def murmur_envelope(
    murmur: Murmur, t: np.ndarray, first: np.ndarray, second: np.ndarray
) -> np.ndarray:
    """Return the relative loudness of a murmur, at most 1, at times ``t`` in seconds."""
    beat = (np.searchsorted(first, t, side="right") - 1).clip(0, len(first) - 2)
    if murmur.kind == "diastolic":  # begins with the second sound
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


def draw_noise_sources(rng: np.random.Generator, *, artifact: bool = False) -> NoiseSources:
    """Draw the noise of one recording: one in four is noisier, artifacts are the noisiest."""
    level = 4.0 if artifact else float(rng.choice([1.0, 2.5], p=[0.75, 0.25]))
    has_voice = artifact or rng.uniform() < 0.15 * level
    return NoiseSources(
        room=level * float(rng.lognormal(np.log(0.012), 0.5)),
        breath=level * float(rng.lognormal(np.log(0.012), 0.7)),
        friction=level * float(rng.lognormal(np.log(0.08), 0.6)),
        strokes=0.15 * level,
        voice=level * float(rng.lognormal(np.log(0.02), 0.6)) * has_voice,
        formant=float(rng.uniform(220.0, 500.0)),
    )


def draw_noise(
    rng: np.random.Generator,
    sources: NoiseSources,
    stethoscope: Stethoscope,
    *,
    respiration: float,
    phase: float,
) -> np.ndarray:
    """Draw noise of level 1, for a respiratory rate in Hz and its phase at time 0 in radians."""
    duration, fs = stethoscope.duration, stethoscope.fs
    room_rng, breath_rng, friction_rng, voice_rng = rng.spawn(4)
    noise = sources.room * draw_band_noise(
        room_rng, _ROOM_HZ, lambda f: f**-0.8, duration=duration, fs=fs
    )
    air = draw_band_noise(
        breath_rng, _BREATH_HZ, lambda f: np.exp(-f / 200.0), duration=duration, fs=fs
    )
    angle = 2.0 * np.pi * respiration * np.arange(len(noise)) / fs + phase
    # air flows fastest in the middle of an inspiration, and more slowly in an expiration
    flow = np.where(np.sin(angle) > 0, 1.6, 0.8) * np.sin(angle) ** 2
    noise += sources.breath * air * flow
    noise += _draw_friction(friction_rng, sources, stethoscope)
    if sources.voice > 0:
        noise += sources.voice * _draw_voice(voice_rng, sources.formant, stethoscope)
    return noise


def _draw_friction(
    rng: np.random.Generator, sources: NoiseSources, stethoscope: Stethoscope
) -> np.ndarray:
    """Draw strokes over skin and clothes, each a series of clicks."""
    n_strokes = rng.poisson(sources.strokes * stethoscope.duration)
    shape = (n_strokes, _CLICKS_PER_STROKE)
    stroke = rng.uniform(-_STROKE_S, stethoscope.duration, (n_strokes, 1))
    loudness = sources.friction * rng.lognormal(0.0, 0.5, (n_strokes, 1))
    return sum_oscillations(
        (stroke + rng.uniform(0.0, _STROKE_S, shape)).ravel(),
        rng.uniform(60.0, 450.0, shape).ravel(),
        rng.uniform(0.001, 0.006, shape).ravel(),
        (loudness * rng.uniform(0.1, 1.0, shape)).ravel(),
        rng.uniform(0.0, 2.0 * np.pi, shape).ravel(),
        np.zeros(n_strokes * _CLICKS_PER_STROKE),
        fs=stethoscope.fs,
        n_times=stethoscope.n_times,
    )


def _draw_voice(rng: np.random.Generator, formant: float, stethoscope: Stethoscope) -> np.ndarray:
    """Draw a voice: noise around a formant, modulated by syllables."""
    duration, fs = stethoscope.duration, stethoscope.fs
    tone = draw_band_noise(
        rng,
        _VOICE_HZ,
        lambda f: np.exp(-0.5 * (np.log2(f / formant) / 0.5) ** 2),
        duration=duration,
        fs=fs,
    )
    syllables = draw_band_noise(rng, _SYLLABLES_HZ, np.ones_like, duration=duration, fs=fs)
    return tone * np.maximum(syllables, 0.0)


def _digitize(rng: np.random.Generator, signal: np.ndarray) -> np.ndarray:
    """Amplify a signal by a random gain and clip it to the range of the converter."""
    return (rng.uniform(0.6, 1.8) * signal).clip(-1.0, 1.0)


def _audible_samples(
    onset: np.ndarray, loudness: np.ndarray, stethoscope: Stethoscope
) -> np.ndarray:
    """Return the samples of the onsets within the recording whose sounds are audible."""
    sample = np.round(onset * stethoscope.fs).astype(np.int64)
    return sample[(sample >= 0) & (sample < stethoscope.n_times) & (loudness > 0)]
