"""Simulated continuous ECG recording of one patient, with labeled beats."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.utils import Bunch, check_random_state

from ecgbeat._validation import Integral, Interval, Real, validate_parameter_constraints
from ecgbeat.datasets.simulator.ecg.patient import LEADS, Recorder, draw_patient, record_ecg
from ecgbeat.datasets.simulator.rhythm import BASE_CLASSES, order_beats, time_beats
from ecgbeat.datasets.simulator.shares import apportion, check_weights
from ecgbeat.labels import Annotation

CLASSES = {
    "N": "normal",
    "L": "left bundle branch block",
    "R": "right bundle branch block",
    "A": "atrial premature",
    "V": "premature ventricular",
    "F": "fusion of ventricular and normal",
    "/": "paced",
}
RECORDER_CONSTRAINTS: dict[str, list[Any]] = {
    "fs": [Interval(Real, 100.0, 2000.0, closed="both")],
    "weights": [Mapping, None],
    "noise": [Interval(Real, 0.0, 100.0, closed="both")],
    "mains": [Interval(Real, 1.0, 1000.0, closed="both")],
    "n_leads": [Interval(Integral, 1, len(LEADS), closed="both")],
    "random_state": ["random_state"],
}
_CONSTRAINTS = RECORDER_CONSTRAINTS | {
    "duration": [Interval(Real, 2.0, 86400.0, closed="both")],
    "heart_rate": [Interval(Real, 30.0, 180.0, closed="both"), None],
}
_DEFAULT_WEIGHTS = {"N": 0.88, "A": 0.05, "V": 0.07}
_DESCR = """One simulated ECG recording with labeled beats.

The patient is drawn at random: the shape of the beats, the rhythm and the noise. The data are
synthetic. Use them to try out code, not to report the performance of a classifier.
"""


def make_recording(
    duration: float = 60.0,
    *,
    fs: float = 360.0,
    weights: Mapping[str, float] | None = None,
    heart_rate: float | None = None,
    noise: float = 1.0,
    mains: float = 60.0,
    n_leads: int = 1,
    random_state: np.random.RandomState | int | None = None,
) -> Bunch:
    """Simulate the ECG of one patient with labeled beats.

    The waves of each beat are Gaussians, after the dynamical model of [1]_, in the classes
    normal (N), left and right bundle branch block (L, R), atrial premature (A), premature
    ventricular (V), fusion (F) and paced (/).

    Parameters
    ----------
    duration : float, default=60.0
        Length in seconds, 2 to 86400.
    fs : float, default=360.0
        Sampling rate in Hz, 100 to 2000. A seed gives the same heart at any rate.
    weights : dict of str to float or None, default=None
        Share of each class, for example ``{"L": 0.9, "V": 0.1}``. The shares need not add up
        to 1. At least one of N, L, R and / is required as the base rhythm, which A, V and F
        interrupt; those three make up at most about half of the beats. None stands for
        ``{"N": 0.88, "A": 0.05, "V": 0.07}``.
    heart_rate : float or None, default=None
        In beats per minute, 30 to 180. With None, drawn between 50 and 110.
    noise : float, default=1.0
        Level of the noise: 0 gives the clean ECG, 1 an ambulatory recording. Scales baseline
        wander, muscle noise, electrode motion and mains hum.
    mains : float, default=60.0
        Mains frequency in Hz.
    n_leads : int, default=1
        Number of leads, 1 to 12: the first of MLII, V1, V5, I, III, aVR, aVL, aVF, V2, V3, V4,
        V6.
    random_state : int, RandomState instance or None, default=None
        Determines the patient, the rhythm and the noise. The heart is the same with and without
        noise. Pass an int for reproducible output across multiple function calls.

    Returns
    -------
    Bunch
        - signal : ndarray of shape (n_times,), or (n_leads, n_times) if ``n_leads > 1``, in mV;
        - fs : float;
        - r_peaks : ndarray of shape (n_beats,), int64: the sample of the largest deflection of
          each QRS complex in the first lead, without noise;
        - symbols : ndarray of shape (n_beats,) of str: WFDB's symbols;
        - annotation : `Annotation` of ``r_peaks`` and ``symbols``;
        - lead_names : list of str;
        - DESCR : str.

    Raises
    ------
    ValueError
        If a parameter is out of its range, or ``weights`` has an unknown class, a negative share
        or no class of the base rhythm.

    See Also
    --------
    make_heartbeats : Simulated beats of several patients.

    Notes
    -----
    Deviations from [1]_:

    - The Gaussians are evaluated directly over each beat. The original integrates a differential
      equation along a limit cycle, which converges to the same sum of Gaussians.
    - They may rise and fall with different widths, a beat has up to ten of them instead of five,
      and each has an amplitude in three leads, of which all other leads are linear combinations.
    - Only ST segment and T wave move with the heart rate (QT with the square root of RR); PR
      interval and QRS complex do not.
    - Premature, fusion and paced beats with their timing, P waves of blocked sinus impulses and
      all noise except the baseline wander are additions.

    References
    ----------
    .. [1] P. E. McSharry, G. D. Clifford, L. Tarassenko, L. A. Smith, "A dynamical model
       for generating synthetic electrocardiogram signals", IEEE Transactions on
       Biomedical Engineering 50(3), 2003, doi:10.1109/TBME.2003.808805

    Examples
    --------
    >>> from ecgbeat.datasets import make_recording
    >>> recording = make_recording(30, weights={"N": 0.8, "V": 0.2}, random_state=0)
    >>> recording.signal.shape
    (10800,)
    >>> sorted(set(recording.symbols.tolist()))
    ['N', 'V']
    """
    validate_parameter_constraints(_CONSTRAINTS, locals(), caller_name="make_recording")
    shares = check_weights(_DEFAULT_WEIGHTS if weights is None else weights, CLASSES)
    bases = [symbol for symbol in shares if symbol in BASE_CLASSES]
    if not bases:
        raise ValueError(
            f"weights must hold at least one of {BASE_CLASSES}, the base rhythms that premature "
            f"and fusion beats interrupt, got {shares!r}. Add for example 'N': 0.8."
        )
    seed = check_random_state(random_state).randint(np.iinfo(np.int32).max, size=4)
    patient_rng, rhythm_rng, recorder_rng = np.random.default_rng(seed).spawn(3)
    conduction = next((symbol for symbol in bases if symbol != "/"), "N")
    patient = draw_patient(patient_rng, conduction=conduction, heart_rate=heart_rate)
    counts = apportion(int(duration / patient.pacemaker.rr) + 2, list(shares.values()))
    order = order_beats(rhythm_rng, dict(zip(shares, counts.tolist(), strict=True)))
    # runs of premature beats take less time than as many base beats
    symbols = np.array(order + bases[:1] * (len(order) // 2 + 5))
    rhythm = time_beats(rhythm_rng, symbols.tolist(), patient.pacemaker)
    rhythm = rhythm.shifted(-float(rhythm_rng.uniform(0.2, 1.0)) * patient.pacemaker.rr)
    recorder = Recorder(fs, n_leads, noise, mains)
    ecg = record_ecg(recorder_rng, patient, symbols, rhythm, recorder, duration)
    annotation = Annotation(ecg.r_peaks[ecg.is_complete], symbols[ecg.is_complete])
    return Bunch(
        signal=ecg.signal[0] if n_leads == 1 else ecg.signal,
        fs=float(fs),
        r_peaks=annotation.sample,
        symbols=annotation.symbol,
        annotation=annotation,
        lead_names=list(LEADS)[:n_leads],
        DESCR=_DESCR,
    )
