"""A labelled continuous recording of one simulated patient."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.utils import Bunch, check_random_state

from ecgbeat._validation import Interval, Real, validate_parameter_constraints
from ecgbeat.datasets._simulator._allotment import apportion
from ecgbeat.datasets._simulator._arguments import CONSTRAINTS, check_weights
from ecgbeat.datasets._simulator._patient import LEADS, draw_patient
from ecgbeat.datasets._simulator._rhythm import BASES, order_beats, time_beats
from ecgbeat.datasets._simulator._simulation import Recorder, simulate
from ecgbeat.labels import Annotation

_CONSTRAINTS = CONSTRAINTS | {
    "duration": [Interval(Real, 2.0, 86400.0, closed="both")],
    "heart_rate": [Interval(Real, 30.0, 180.0, closed="both"), None],
}
_DEFAULT_WEIGHTS = {"N": 0.88, "A": 0.05, "V": 0.07}
_DESCR = """One simulated ECG recording with its beats labelled.

The patient is drawn at random, and with the patient the shape of the beats, the rhythm
and the noise. Nobody's heart was recorded: use it to try things out, never to claim how
well a classifier does on people.
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
    random_state: Any = None,
) -> Bunch:
    """Simulate one patient's ECG with labelled beats.

    The waves of each beat are Gaussians, after the dynamical model of [1]_, in the classes
    normal (N), left and right bundle branch block (L, R), atrial premature (A), premature
    ventricular (V), fusion (F) and paced (/).

    Parameters
    ----------
    duration : float, default=60.0
        Length in seconds, 2 to 86400.
    fs : float, default=360.0
        Sampling rate in Hz, 100 to 2000. One seed gives the same heart at any rate.
    weights : dict of str to float or None, default=None
        Share of each class, for example ``{"L": 0.9, "V": 0.1}``. The shares need not add
        up to 1. At least one of N, L, R and / must be there, as the rhythm that A, V and F
        disturb; those three together reach about half of the beats at most. None stands
        for ``{"N": 0.88, "A": 0.05, "V": 0.07}``.
    heart_rate : float or None, default=None
        In beats per minute, 30 to 180. None draws one between 50 and 110.
    noise : float, default=1.0
        Level of the noise: 0 gives the clean ECG, 1 an ambulatory recording; baseline
        wander, muscle noise, electrode motion and mains hum grow with it.
    mains : float, default=60.0
        Frequency of the mains in Hz.
    n_leads : int, default=1
        Number of leads, 1 to 12: the first of MLII, V1, V5, I, III, aVR, aVL, aVF, V2,
        V3, V4, V6.
    random_state : int, RandomState instance or None, default=None
        Determines the patient, the rhythm and the noise. The heart is the same with and
        without noise.

    Returns
    -------
    Bunch
        - signal : ndarray of shape (n_times,), or (n_leads, n_times) if ``n_leads > 1``,
          in mV;
        - fs : float;
        - r_peaks : ndarray of shape (n_beats,), int64: the sample of the largest
          deflection of each QRS complex in the first lead, without noise;
        - symbols : ndarray of shape (n_beats,) of str: WFDB's symbols;
        - annotation : `Annotation`, the two above as one;
        - lead_names : list of str;
        - DESCR : str.

    Raises
    ------
    ValueError
        If a parameter is out of its range, or ``weights`` names an unknown class, has a
        negative share or no class that can be the base rhythm.

    Notes
    -----
    Deviations from [1]_:

    - the Gaussians are evaluated directly over each beat, where the original integrates a
      differential equation along a limit cycle, which tends to the same sum of Gaussians;
    - they may rise and fall with different widths, there are up to ten a beat instead of
      five, and each has an amplitude in three leads, of which all others are mixtures;
    - only ST and T move with the rate (QT with the square root of RR), PR and QRS do not;
    - premature, fusion and paced beats with their timing, lone P waves of blocked sinus
      impulses and all noise but the baseline wander are additions.

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
    shares = check_weights(_DEFAULT_WEIGHTS if weights is None else weights)
    bases = _base_classes(shares)
    seed = check_random_state(random_state).randint(np.iinfo(np.int32).max, size=4)
    patient_rng, rhythm_rng, simulation_rng = np.random.default_rng(seed).spawn(3)
    base = next((symbol for symbol in bases if symbol != "/"), "N")
    patient = draw_patient(patient_rng, base=base, heart_rate=heart_rate)
    counts = apportion(int(duration / patient.pacemaker.rr) + 2, list(shares.values()))
    order = order_beats(rhythm_rng, dict(zip(shares, counts.tolist(), strict=True)))
    # runs of premature beats may use up the order before the time is over
    symbols = np.array(order + bases[:1] * (len(order) // 2 + 5))
    rhythm = time_beats(rhythm_rng, symbols.tolist(), patient.pacemaker)
    rhythm = rhythm.shifted(-float(rhythm_rng.uniform(0.2, 1.0)) * patient.pacemaker.rr)
    recorder = Recorder(fs, n_leads, noise, mains)
    simulation = simulate(simulation_rng, patient, symbols, rhythm, recorder, duration)
    annotation = Annotation(simulation.r_peaks[simulation.whole], symbols[simulation.whole])
    return Bunch(
        signal=simulation.signal[0] if n_leads == 1 else simulation.signal,
        fs=float(fs),
        r_peaks=annotation.sample,
        symbols=annotation.symbol,
        annotation=annotation,
        lead_names=list(LEADS)[:n_leads],
        DESCR=_DESCR,
    )


def _base_classes(shares: dict[str, float]) -> list[str]:
    """Return the classes that can be a rhythm, or say that there is none."""
    bases = [symbol for symbol in shares if symbol in BASES]
    if not bases:
        raise ValueError(
            f"weights must hold at least one of {BASES}, the rhythms that premature beats and "
            f"fusions disturb, got {shares!r}. Add for example 'N': 0.8."
        )
    return bases
