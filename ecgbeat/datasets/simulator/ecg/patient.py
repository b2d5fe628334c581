"""Simulated patients: shape of their beats, electrode noise, and their recorded ECG.

A beat is a sum of ten waves (`WAVES`), each an asymmetric Gaussian with one amplitude in each of
three leads (MLII, V1, I), of which all other leads are linear combinations. Times and widths are
in seconds, at a heart rate of 60 per minute, and amplitudes in mV.
"""

from typing import NamedTuple

import numpy as np

from ecgbeat.datasets.simulator.rhythm import Pacemaker, Rhythm, draw_pacemaker
from ecgbeat.datasets.simulator.waveforms import draw_band_noise, sum_gaussians

WAVES = ("P1", "P2", "spike", "Q", "R", "R2", "S", "S2", "ST", "T")
ATRIAL = slice(0, 2)
SPIKE = 2
QRS = slice(3, 8)
REPOLARIZATION = slice(8, 10)
# coefficients of MLII, V1 and I in each lead: Einthoven's and Goldberger's laws for the limb
# leads, a coarse interpolation along the chest for V2 to V6
LEADS = {
    "MLII": (1.0, 0.0, 0.0),
    "V1": (0.0, 1.0, 0.0),
    "V5": (0.7, 0.0, 0.6),
    "I": (0.0, 0.0, 1.0),
    "III": (1.0, 0.0, -1.0),
    "aVR": (-0.5, 0.0, -0.5),
    "aVL": (-0.5, 0.0, 1.0),
    "aVF": (1.0, 0.0, -0.5),
    "V2": (0.15, 1.2, 0.1),
    "V3": (0.4, 0.8, 0.3),
    "V4": (0.7, 0.4, 0.5),
    "V6": (0.5, -0.1, 0.6),
}
_QRS_REACH = 2.2  # widths by which a QRS complex extends beyond its outermost waves
_PEAK_SHIFT_S = 0.015  # P and T move the extremum of a QRS complex by less than this
_WANDER_HZ = (0.03, 0.6)
_MUSCLE_HZ = (15.0, 150.0)
_EFFORT_HZ = (0.02, 0.3)  # rate at which muscle noise swells and fades
_SECONDS_PER_MOTION = 25.0

_Range = tuple[float, float]

_WIDE_T: _Range = (0.065, 0.090)  # after a wide QRS complex


class Morphology(NamedTuple):
    """Shape of one kind of beat."""

    time: np.ndarray  # (10,) peaks of the waves, from the middle of the QRS complex
    width: np.ndarray  # (10, 2) standard deviations before and after the peak
    amplitude: np.ndarray  # (10, 3) in MLII, V1 and I

    def qrs_window(self) -> tuple[float, float]:
        """Return the beginning and the end of the QRS complex, in seconds from its middle."""
        used = np.abs(self.amplitude[QRS]).max(axis=1) > 0.02
        time, width = self.time[QRS][used], self.width[QRS][used]
        begin, end = time - _QRS_REACH * width[:, 0], time + _QRS_REACH * width[:, 1]
        return float(begin.min()), float(end.max())


class NoiseLevels(NamedTuple):
    """Root mean squares of the noise of one recording, in mV at noise level 1."""

    wander: float
    muscle: float
    motion: float
    mains: float


class Patient(NamedTuple):
    """Properties of one patient that are constant over a recording."""

    morphologies: dict[str, Morphology]
    conduction: str  # of the supraventricular beats: "N", "L" or "R"
    pacemaker: Pacemaker
    noise_levels: NoiseLevels
    axes: np.ndarray  # (3, 3): position of the heart relative to the electrodes, and gain
    second_focus: float  # share of the ventricular beats from a second focus
    respiratory_modulation: float  # of the amplitudes, relative
    scatter: float  # relative scatter of the waves from beat to beat


class Recorder(NamedTuple):
    """Settings of a recording; see the parameters of `make_recording`."""

    fs: float
    n_leads: int
    noise: float
    mains: float


class ECG(NamedTuple):
    """Recording of a patient."""

    signal: np.ndarray  # (n_leads, n_times) in mV
    r_peaks: np.ndarray  # (n_beats,) samples, int64
    is_complete: np.ndarray  # (n_beats,) whether the QRS complex lies within the recording


class _Complexes(NamedTuple):
    """Complexes of ten waves: one for a beat, two for a fusion beat, one for a lone P wave."""

    beat: np.ndarray  # (n_complexes,) index of the beat, -1 for a lone P wave
    center: np.ndarray  # (n_complexes, 10) in seconds
    width: np.ndarray  # (n_complexes, 10, 2)
    amplitude: np.ndarray  # (n_complexes, 10, 3), later (n_complexes, 10, n_leads)


def draw_patient(
    rng: np.random.Generator, *, conduction: str = "N", heart_rate: float | None = None
) -> Patient:
    """Draw a patient with a conduction of N, L or R; ``heart_rate`` in beats per minute."""
    gain = rng.lognormal(0.0, 0.15)
    return Patient(
        morphologies=draw_morphologies(rng, conduction),
        conduction=conduction,
        pacemaker=draw_pacemaker(rng, heart_rate),
        noise_levels=draw_noise_levels(rng),
        axes=gain * (np.eye(3) + 0.08 * rng.standard_normal((3, 3))),
        second_focus=float(rng.choice([0.0, 0.2], p=[0.6, 0.4])),
        respiratory_modulation=float(rng.uniform(0.02, 0.10)),
        scatter=float(rng.uniform(0.02, 0.06)),
    )


def record_ecg(
    rng: np.random.Generator,
    patient: Patient,
    symbols: np.ndarray,
    rhythm: Rhythm,
    recorder: Recorder,
    duration: float,
) -> ECG:
    """Record beats of a patient, of which some lie before 0 and after ``duration`` seconds."""
    wave_rng, noise_rng = rng.spawn(2)
    complexes = _draw_complexes(wave_rng, patient, symbols, rhythm)
    coefficients = np.array(list(LEADS.values()))[: recorder.n_leads] @ patient.axes
    complexes = complexes._replace(amplitude=complexes.amplitude @ coefficients.T)
    used = complexes.amplitude.any(axis=2)
    signal = sum_gaussians(
        complexes.center[used],
        complexes.width[used],
        complexes.amplitude[used],
        fs=recorder.fs,
        n_times=round(duration * recorder.fs),
    )
    r_peaks, is_complete = _find_r_peaks(signal[0], complexes, len(symbols), recorder.fs)
    if recorder.noise > 0:
        noise = draw_electrode_noise(noise_rng, patient.noise_levels, recorder, duration)
        signal += recorder.noise * noise
    return ECG(signal, r_peaks, is_complete)


def _draw_complexes(
    rng: np.random.Generator, patient: Patient, symbols: np.ndarray, rhythm: Rhythm
) -> _Complexes:
    """Draw the waves of every beat: the patient's morphologies with scatter."""
    beat, name, share, center = _compose_beats(rng, patient, symbols, rhythm)
    names = list(patient.morphologies)
    index = np.array([names.index(n) for n in name])
    time, width, amplitude = (
        np.stack(part)[index] for part in zip(*patient.morphologies.values(), strict=True)
    )
    # repolarization follows the mean interval, and only a little the last one
    rr = np.diff(rhythm.time, prepend=rhythm.time[0] - patient.pacemaker.rr)
    qt = np.sqrt(0.85 * patient.pacemaker.rr + 0.15 * rr).clip(0.7, 1.2)[beat]
    time[:, REPOLARIZATION] *= qt[:, None]
    width[:, REPOLARIZATION] *= qt[:, None, None]
    scatter = patient.scatter * rng.standard_normal((3, len(beat), len(WAVES)))
    time[:, ATRIAL] += 0.1 * scatter[0, :, :1]
    time[:, REPOLARIZATION] += 0.15 * scatter[0, :, REPOLARIZATION]
    width *= 1.0 + 0.5 * scatter[1, :, :, None]
    phase = 2.0 * np.pi * (patient.pacemaker.respiration * center + rng.uniform())
    modulation = 1.0 + patient.respiratory_modulation * np.sin(phase)
    gain = share * modulation[:, None] * (1.0 + scatter[2])
    return _Complexes(beat, center[:, None] + time, width, amplitude * gain[:, :, None])


def _compose_beats(
    rng: np.random.Generator, patient: Patient, symbols: np.ndarray, rhythm: Rhythm
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the beat, the morphology, the share of each wave and the time of each complex.

    A fusion beat is the P wave of the base beat, followed by the weighted sum of that beat and a
    ventricular one. P waves of blocked impulses belong to beat -1.
    """
    n_beats, n_blocked = len(symbols), len(rhythm.blocked)
    fusion = np.flatnonzero(symbols == "F")
    beat = np.concatenate([np.arange(n_beats), fusion, np.full(n_blocked, -1)])
    name = np.concatenate(
        [symbols, np.full(len(fusion), "V"), np.full(n_blocked, patient.conduction)]
    ).astype("<U2")
    from_second_focus = rng.uniform(size=n_beats) < patient.second_focus
    name[:n_beats][(symbols == "V") & from_second_focus] = "V2"
    name[fusion] = patient.conduction
    share = np.ones((len(beat), len(WAVES)))
    ventricular = rng.uniform(0.3, 0.6, (len(fusion), 1))
    share[fusion, ATRIAL.stop :] = 1.0 - ventricular
    share[n_beats : n_beats + len(fusion)] = ventricular
    share[beat == -1, ATRIAL.stop :] = 0.0
    center = np.concatenate([rhythm.time, rhythm.time[fusion], rhythm.blocked])
    return beat, name, share, center


def _find_r_peaks(
    lead: np.ndarray, complexes: _Complexes, n_beats: int, fs: float
) -> tuple[np.ndarray, np.ndarray]:
    """Find the largest deflection of each QRS complex in a clean lead.

    It is found without T waves and pacing spikes, and moved to the extremum of the whole lead.
    """
    is_qrs = np.zeros(complexes.center.shape, dtype=bool)
    is_qrs[:, QRS] = complexes.amplitude[:, QRS, 0] != 0
    is_qrs[complexes.beat < 0] = False
    center, width = complexes.center[is_qrs], complexes.width[is_qrs]
    amplitude = complexes.amplitude[is_qrs, :1]
    qrs_lead = sum_gaussians(center, width, amplitude, fs=fs, n_times=len(lead))[0]
    beat = complexes.beat[np.nonzero(is_qrs)[0]]
    begin, end = np.full(n_beats, np.inf), np.full(n_beats, -np.inf)
    np.minimum.at(begin, beat, center - _QRS_REACH * width[:, 0])
    np.maximum.at(end, beat, center + _QRS_REACH * width[:, 1])
    first = np.floor(begin * fs).astype(np.int64)
    last = np.ceil(end * fs).astype(np.int64)
    is_complete = (first >= 0) & (last < len(lead))
    reach = int(_PEAK_SHIFT_S * fs)
    r_peaks = np.full(n_beats, -1, dtype=np.int64)
    for i in np.flatnonzero(is_complete):
        peak = first[i] + int(np.abs(qrs_lead[first[i] : last[i] + 1]).argmax())
        near = slice(max(peak - reach, 0), peak + reach + 1)
        r_peaks[i] = near.start + int((np.sign(qrs_lead[peak]) * lead[near]).argmax())
    return r_peaks, is_complete


def draw_noise_levels(rng: np.random.Generator) -> NoiseLevels:
    """Draw the noise levels of one recording."""
    return NoiseLevels(
        wander=float(rng.lognormal(np.log(0.08), 0.5)),
        muscle=float(rng.lognormal(np.log(0.015), 0.5)),
        motion=float(rng.lognormal(np.log(0.2), 0.5)),
        mains=float(rng.lognormal(np.log(0.006), 0.7)),
    )


def draw_electrode_noise(
    rng: np.random.Generator, levels: NoiseLevels, recorder: Recorder, duration: float
) -> np.ndarray:
    """Draw noise of level 1 in mV, of shape (n_leads, n_times), independent in each lead."""
    fs, n_times = recorder.fs, round(duration * recorder.fs)
    signal = np.empty((recorder.n_leads, n_times))
    t = np.arange(n_times) / fs
    for lead in signal:
        wander = _draw_power_law_noise(rng, _WANDER_HZ, -1.0, duration=duration, fs=fs)
        muscle = _draw_power_law_noise(rng, _MUSCLE_HZ, -0.25, duration=duration, fs=fs)
        effort = _draw_power_law_noise(rng, _EFFORT_HZ, -0.5, duration=duration, fs=fs)
        lead[:] = levels.wander * wander
        # muscles rest most of the time and then contract for seconds
        lead += levels.muscle * muscle * (0.7 + 0.5 * np.maximum(effort, 0.0) ** 2)
        lead += _draw_electrode_motion(rng, levels.motion, duration=duration, fs=fs)
        if recorder.mains < fs / 2:
            hum = np.sin(2.0 * np.pi * (recorder.mains * t + rng.uniform()))
            lead += np.sqrt(2.0) * levels.mains * hum
    return signal


def _draw_power_law_noise(
    rng: np.random.Generator, band: _Range, slope: float, *, duration: float, fs: float
) -> np.ndarray:
    """Draw Gaussian noise of variance 1 with amplitudes proportional to frequency**slope."""
    return draw_band_noise(rng, band, lambda frequency: frequency**slope, duration=duration, fs=fs)


def _draw_electrode_motion(
    rng: np.random.Generator, level: float, *, duration: float, fs: float
) -> np.ndarray:
    """Draw the slow waves caused by motion of an electrode."""
    n = rng.poisson(duration / _SECONDS_PER_MOTION)
    center = rng.uniform(0.0, duration, n)
    width = rng.uniform(0.05, 0.5, (n, 2))
    amplitude = level * rng.standard_normal((n, 1))
    return sum_gaussians(center, width, amplitude, fs=fs, n_times=round(duration * fs))[0]


class _BeatBuilder:
    """Builder of a `Morphology`, wave by wave; missing waves have an amplitude of 0."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.morphology = Morphology(
            np.zeros(len(WAVES)), np.full((len(WAVES), 2), 0.01), np.zeros((len(WAVES), 3))
        )

    def add(self, wave: str, time: _Range, width: _Range, *amplitude: float) -> None:
        """Add a wave, with time and width drawn from the ranges."""
        i = WAVES.index(wave)
        self.morphology.time[i] = self.rng.uniform(*time)
        self.morphology.width[i] = self.rng.uniform(*width)
        self.morphology.amplitude[i] = amplitude

    def add_t(self, time: _Range, *amplitude: float, width: _Range = (0.050, 0.072)) -> None:
        """Add a T wave, which rises more slowly than it falls."""
        self.add("T", time, width, *amplitude)
        self.morphology.width[WAVES.index("T"), 1] *= self.rng.uniform(0.55, 0.8)

    def add_p(self) -> None:
        """Add a P wave: right, then left atrium; in V1 the second half may be negative."""
        u = self.rng.uniform
        size = self.rng.choice([u(0.06, 0.18), u(0.01, 0.06)], p=[0.85, 0.15])
        begin = u(-0.19, -0.14)
        ratio = u(0.5, 1.0)
        self.add("P1", (begin, begin), (0.016, 0.022), size, u(0.3, 0.8) * size, 0.5 * size)
        begin += u(0.026, 0.040)
        self.add(
            "P2", (begin, begin), (0.016, 0.022), ratio * size, u(-0.6, 0.2) * size, 0.5 * size
        )


def draw_morphologies(rng: np.random.Generator, conduction: str) -> dict[str, Morphology]:
    """Draw all kinds of beats of one patient, with two ventricular foci, ``"V"`` and ``"V2"``.

    Atrial premature beats have the given conduction (N, L or R).
    """
    atria = _BeatBuilder(rng)
    atria.add_p()
    morphologies = {
        "N": _draw_normal(rng),
        "L": _draw_left_bundle_branch_block(rng),
        "R": _draw_right_bundle_branch_block(rng),
        "V": _draw_ventricular(rng),
        "V2": _draw_ventricular(rng),
        "/": _draw_paced(rng),
    }
    for symbol in ("N", "L", "R"):
        for part, source in zip(morphologies[symbol], atria.morphology, strict=True):
            part[ATRIAL] = source[ATRIAL]
    morphologies["A"] = _draw_atrial_premature(rng, morphologies[conduction])
    return morphologies


def _draw_normal(rng: np.random.Generator) -> Morphology:
    """Draw a narrow QRS complex of one of five shapes and a mostly upright T wave."""
    u = rng.uniform
    beat = _BeatBuilder(rng)
    shape = rng.choice(["qR", "Rs", "qRs", "R", "rS"], p=[0.28, 0.32, 0.23, 0.09, 0.08])
    size = float(np.clip(rng.lognormal(0.1, 0.35), 0.45, 2.4))
    r, s = (u(0.25, 0.5) * size, -u(0.6, 0.9) * size) if shape == "rS" else (size, 0.0)
    q = -u(0.05, 0.18) * size if "q" in shape else 0.0
    if shape in ("Rs", "qRs"):
        s = -u(0.10, 0.45) * size
    beat.add("Q", (-0.030, -0.024), (0.006, 0.009), q, 0.0, 1.2 * q)
    beat.add("R", (0.0, 0.0), (0.009, 0.0135), r, u(0.1, 0.35), u(0.3, 0.9))
    beat.add("S", (0.024, 0.034), (0.009, 0.013), s, -u(0.5, 1.4), 0.4 * s)
    beat.add("ST", (0.10, 0.13), (0.035, 0.050), u(-0.07, 0.09), u(-0.02, 0.1), 0.0)
    upright, inverted = u(0.12, 0.32) * np.sqrt(size), -u(0.05, 0.25)
    t = rng.choice([upright, inverted, u(-0.05, 0.08)], p=[0.80, 0.10, 0.10])
    beat.add_t((0.27, 0.33), t, u(-0.15, 0.3), 0.7 * t)
    return beat.morphology


def _draw_left_bundle_branch_block(rng: np.random.Generator) -> Morphology:
    """Draw a wide QRS complex with a notch or slur and without q wave; ST and T discordant."""
    u = rng.uniform
    beat = _BeatBuilder(rng)
    size = u(0.6, 1.9)
    shape = rng.choice(["upright", "downward", "low"], p=[0.78, 0.12, 0.10])
    first, second = {
        "upright": (size, u(0.45, 1.0) * size),
        "downward": (-0.7 * size, -u(0.5, 1.0) * size),
        "low": (u(0.35, 0.6), u(0.4, 0.9)),
    }[shape]
    s = -u(0.1, 0.35) * size if shape != "downward" and u() < 0.4 else 0.0
    deep = -u(0.7, 1.6)
    beat.add("R", (-0.004, 0.004), (0.017, 0.025), first, 0.7 * deep, u(0.5, 1.0))
    beat.add("R2", (0.044, 0.060), (0.017, 0.027), second, deep, u(0.4, 1.0))
    beat.add("S", (0.105, 0.12), (0.016, 0.024), s, 0.0, 0.0)
    main = first + second
    beat.add("ST", (0.16, 0.19), (0.045, 0.060), -u(0.03, 0.12) * main, -0.2 * deep, -0.08)
    t = -u(0.10, 0.24) * main
    beat.add_t((0.33, 0.38), t, -u(0.25, 0.5) * deep, -u(0.1, 0.3), width=_WIDE_T)
    return beat.morphology


def _draw_right_bundle_branch_block(rng: np.random.Generator) -> Morphology:
    """Draw a narrow initial QRS, then a wide terminal wave: S (rarely R') in MLII, R' in V1."""
    u = rng.uniform
    beat = _BeatBuilder(rng)
    size = float(np.clip(rng.lognormal(0.05, 0.35), 0.4, 2.2))
    q = -u(0.05, 0.15) * size if u() < 0.5 else 0.0
    terminal_s = u() < 0.88
    s, late = (-u(0.15, 0.3), -u(0.25, 0.7)) if terminal_s else (-u(0.2, 0.45), u(0.25, 0.5))
    late_v1 = u(0.5, 1.5)
    beat.add("Q", (-0.030, -0.024), (0.006, 0.009), q, 0.0, q)
    beat.add("R", (0.0, 0.0), (0.009, 0.014), size, u(0.15, 0.5), u(0.4, 0.9))
    beat.add("S", (0.024, 0.032), (0.009, 0.013), s * size, -u(0.2, 0.6), s * size)
    beat.add("S2", (0.056, 0.076), (0.017, 0.028), late * size, late_v1, -u(0.15, 0.5))
    beat.add("ST", (0.13, 0.16), (0.035, 0.050), u(-0.06, 0.08), -0.1 * late_v1, 0.0)
    t = rng.choice([u(0.12, 0.35), -u(0.05, 0.25)], p=[0.75, 0.25])
    beat.add_t((0.30, 0.36), t, -u(0.15, 0.4) * late_v1, 0.6 * t)
    return beat.morphology


def _draw_ventricular(rng: np.random.Generator) -> Morphology:
    """Draw a wide QRS complex of any direction, without P wave; T large and discordant."""
    u = rng.uniform
    beat = _BeatBuilder(rng)
    size = float(np.clip(rng.lognormal(0.45, 0.35), 0.6, 3.0))
    shape = rng.choice(["upright", "downward", "RS", "QR"], p=[0.45, 0.25, 0.18, 0.12])
    first, second, third = {
        "upright": (size, u(0.2, 0.7) * size, -u(0.0, 0.3) * size),
        "downward": (-size, -u(0.2, 0.7) * size, u(0.0, 0.2) * size),
        "RS": (u(0.5, 0.9) * size, -u(0.5, 1.1) * size, -u(0.2, 0.6) * size),
        "QR": (-u(0.3, 0.6) * size, u(0.7, 1.1) * size, u(0.2, 0.5) * size),
    }[shape]
    v1 = u(0.6, 1.8) * rng.choice([-1.0, 1.0])
    side = u(-1.2, 1.2)
    beat.add("R", (-0.01, 0.0), (0.021, 0.034), first, v1, side)
    beat.add("R2", (0.045, 0.070), (0.022, 0.034), second, u(0.2, 0.8) * v1, 0.6 * side)
    beat.add("S", (0.100, 0.125), (0.020, 0.030), third, 0.0, -0.2 * side)
    main = float(np.sum([first, second, third]))
    t = -np.sign(main) * u(0.25, 0.5) * size
    beat.add("ST", (0.17, 0.20), (0.045, 0.065), 0.25 * t, -0.1 * v1, -0.1 * side)
    beat.add_t((0.32, 0.38), t, -u(0.2, 0.5) * v1, -u(0.2, 0.5) * side, width=_WIDE_T)
    return beat.morphology


def _draw_paced(rng: np.random.Generator) -> Morphology:
    """Draw a spike and, 20 to 40 ms later, a wide QRS complex; T discordant."""
    u = rng.uniform
    beat = _BeatBuilder(rng)
    size = u(0.6, 1.9) * rng.choice([-1.0, 1.0], p=[0.65, 0.35])
    v1 = -u(0.7, 1.6)
    second = u(0.3, 0.9)
    beat.add("R", (0.0, 0.0), (0.020, 0.030), size, v1, u(0.2, 0.8))
    beat.add("R2", (0.045, 0.065), (0.020, 0.030), second * size, second * v1, u(0.2, 0.6))
    beat.add("ST", (0.16, 0.19), (0.045, 0.060), -0.1 * size, -0.1 * v1, 0.0)
    t = -u(0.25, 0.5) * size
    beat.add_t((0.34, 0.39), t, -u(0.25, 0.5) * v1, -u(0.1, 0.3), width=_WIDE_T)
    before = beat.morphology.qrs_window()[0] - u(0.02, 0.04)
    unipolar, bipolar = u(0.8, 2.5), u(0.15, 0.45)
    spike = rng.choice([unipolar, bipolar], p=[0.4, 0.6]) * rng.choice([-1.0, 1.0])
    beat.add("spike", (before, before), (0.0012, 0.002), spike, u(0.4, 1.0) * spike, spike)
    return beat.morphology


def _draw_atrial_premature(rng: np.random.Generator, base_beat: Morphology) -> Morphology:
    """Draw the base beat with an ectopic P wave or without P wave."""
    u = rng.uniform
    beat = Morphology(*(part.copy() for part in base_beat))
    change = rng.choice(["inverted", "peaked", "absent"], p=[0.4, 0.4, 0.2])
    low, high = {"inverted": (-1.3, -0.5), "peaked": (0.7, 1.6), "absent": (0.0, 0.0)}[change]
    beat.amplitude[ATRIAL] *= u(low, high)
    beat.time[ATRIAL] += 0.03 * (change == "inverted") + u(-0.02, 0.01)
    beat.width[ATRIAL] *= u(0.7, 1.0)
    beat.amplitude[QRS] *= u(0.92, 1.05)
    beat.amplitude[REPOLARIZATION] *= u(0.8, 1.05)
    return beat
