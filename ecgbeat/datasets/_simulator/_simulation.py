"""One patient's recording: from symbols and their times to millivolts."""

from typing import NamedTuple

import numpy as np

from ecgbeat.datasets._simulator._gaussians import sum_gaussians
from ecgbeat.datasets._simulator._morphology import ATRIAL, QRS, REPOLARISATION, SLOTS
from ecgbeat.datasets._simulator._noise import draw_noise
from ecgbeat.datasets._simulator._patient import LEADS, Patient
from ecgbeat.datasets._simulator._rhythm import Rhythm

_QRS_REACH = 2.2  # widths of the outermost waves of a QRS complex that count as part of it
_SUMMIT_S = 0.015  # P and T move the extremum of a QRS complex by less than this


class Recorder(NamedTuple):
    """How a heart is recorded; see the parameters of `make_recording`."""

    fs: float
    n_leads: int
    noise: float
    mains: float


class Simulation(NamedTuple):
    """One recording, see `simulate`."""

    signal: np.ndarray
    r_peaks: np.ndarray
    whole: np.ndarray


class _Waves(NamedTuple):
    """Complexes of ten waves: a beat has one, a fusion beat two, a lone P wave one."""

    beat: np.ndarray  # (n_complexes,) the beat's number, -1 where there is none
    center: np.ndarray  # (n_complexes, 10) in seconds
    width: np.ndarray  # (n_complexes, 10, 2)
    amplitude: np.ndarray  # (n_complexes, 10, 3), later (n_complexes, 10, n_leads)


def simulate(
    rng: np.random.Generator,
    patient: Patient,
    symbols: np.ndarray,
    rhythm: Rhythm,
    recorder: Recorder,
    duration: float,
) -> Simulation:
    """Record given beats of a patient.

    Parameters
    ----------
    rng : numpy.random.Generator
    patient : Patient
    symbols : ndarray of shape (n_beats,)
    rhythm : Rhythm
        When the beats come, in seconds; also before 0 and after ``duration``.
    recorder : Recorder
    duration : float
        In seconds.

    Returns
    -------
    Simulation
        The signal (n_leads, n_times) in mV; for each beat the sample of its R peak, and
        whether its QRS complex lies wholly within the recording.
    """
    wave_rng, noise_rng = rng.spawn(2)
    waves = _draw_waves(wave_rng, patient, symbols, rhythm)
    mixture = np.array(list(LEADS.values()))[: recorder.n_leads] @ patient.axes
    waves = waves._replace(amplitude=waves.amplitude @ mixture.T)
    drawn = waves.amplitude.any(axis=2)
    signal = sum_gaussians(
        waves.center[drawn],
        waves.width[drawn],
        waves.amplitude[drawn],
        fs=recorder.fs,
        n_times=round(duration * recorder.fs),
    )
    r_peaks, whole = _find_r_peaks(signal[0], waves, len(symbols), recorder.fs)
    if recorder.noise > 0:
        signal += recorder.noise * draw_noise(
            noise_rng,
            patient.electrodes,
            duration=duration,
            fs=recorder.fs,
            n_leads=recorder.n_leads,
            mains=recorder.mains,
        )
    return Simulation(signal, r_peaks, whole)


def _draw_waves(
    rng: np.random.Generator, patient: Patient, symbols: np.ndarray, rhythm: Rhythm
) -> _Waves:
    """Draw the waves of every beat: the patient's own, a little different each time."""
    beat, name, share, center = _compose(rng, patient, symbols, rhythm)
    names = list(patient.morphologies)
    kind = np.array([names.index(n) for n in name])
    time, width, amplitude = (
        np.stack(part)[kind] for part in zip(*patient.morphologies.values(), strict=True)
    )
    # repolarisation follows the rate of the last beats, not the last interval alone
    rr = np.diff(rhythm.time, prepend=rhythm.time[0] - patient.pacemaker.rr)
    qt = np.sqrt(0.85 * patient.pacemaker.rr + 0.15 * rr).clip(0.7, 1.2)[beat]
    time[:, REPOLARISATION] *= qt[:, None]
    width[:, REPOLARISATION] *= qt[:, None, None]
    scatter = patient.restlessness * rng.standard_normal((3, len(beat), len(SLOTS)))
    time[:, ATRIAL] += 0.1 * scatter[0, :, :1]
    time[:, REPOLARISATION] += 0.15 * scatter[0, :, REPOLARISATION]
    width *= 1.0 + 0.5 * scatter[1, :, :, None]
    phase = 2.0 * np.pi * (patient.pacemaker.respiration * center + rng.uniform())
    gain = share * (1.0 + patient.breathing * np.sin(phase))[:, None] * (1.0 + scatter[2])
    return _Waves(beat, center[:, None] + time, width, amplitude * gain[:, :, None])


def _compose(
    rng: np.random.Generator, patient: Patient, symbols: np.ndarray, rhythm: Rhythm
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Tell of which complexes the beats are made, and where else a P wave stands.

    A fusion beat is the sum of a share of the patient's own beat and the rest of a
    ventricular one, after the P wave of the former.

    Returns
    -------
    beat, name, share, center
        Of each complex: the number of the beat, -1 for a lone P wave; the kind of beat;
        how much of each of its ten waves; the time in seconds.
    """
    n_lone = len(rhythm.blocked)
    fusion = np.flatnonzero(symbols == "F")
    beat = np.concatenate([np.arange(len(symbols)), fusion, np.full(n_lone, -1)])
    name = np.concatenate([symbols, np.full(len(fusion), "V"), np.full(n_lone, patient.base)])
    name = name.astype("<U2")
    elsewhere = rng.uniform(size=len(symbols)) < patient.second_focus
    name[: len(symbols)][(symbols == "V") & elsewhere] = "V2"
    name[fusion] = patient.base
    share = np.ones((len(beat), len(SLOTS)))
    ventricular = rng.uniform(0.3, 0.6, (len(fusion), 1))
    share[fusion, ATRIAL.stop :] = 1.0 - ventricular
    share[len(symbols) : len(symbols) + len(fusion)] = ventricular
    share[beat == -1, ATRIAL.stop :] = 0.0
    center = np.concatenate([rhythm.time, rhythm.time[fusion], rhythm.blocked])
    return beat, name, share, center


def _find_r_peaks(
    lead: np.ndarray, waves: _Waves, n_beats: int, fs: float
) -> tuple[np.ndarray, np.ndarray]:
    """Find the dominant deflection of each QRS complex in a clean lead.

    The QRS waves alone tell which deflection that is, so that neither T wave nor pacing
    spike is taken for it; its summit is then that of the lead with all waves.
    """
    qrs = np.zeros(waves.center.shape, dtype=bool)
    qrs[:, QRS] = waves.amplitude[:, QRS, 0] != 0
    qrs[waves.beat < 0] = False
    center, width = waves.center[qrs], waves.width[qrs]
    alone = sum_gaussians(center, width, waves.amplitude[qrs, :1], fs=fs, n_times=len(lead))[0]
    beat = waves.beat[np.nonzero(qrs)[0]]
    begin, end = np.full(n_beats, np.inf), np.full(n_beats, -np.inf)
    np.minimum.at(begin, beat, center - _QRS_REACH * width[:, 0])
    np.maximum.at(end, beat, center + _QRS_REACH * width[:, 1])
    first = np.floor(begin * fs).astype(np.int64)
    last = np.ceil(end * fs).astype(np.int64)
    whole = (first >= 0) & (last < len(lead))
    reach = int(_SUMMIT_S * fs)
    r_peaks = np.full(n_beats, -1, dtype=np.int64)
    for i in np.flatnonzero(whole):
        peak = first[i] + int(np.abs(alone[first[i] : last[i] + 1]).argmax())
        around = slice(max(peak - reach, 0), peak + reach + 1)
        r_peaks[i] = around.start + int((np.sign(alone[peak]) * lead[around]).argmax())
    return r_peaks, whole
