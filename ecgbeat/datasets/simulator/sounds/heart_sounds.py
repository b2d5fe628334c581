"""Simulated labeled heart sounds of several patients."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.utils import Bunch, check_random_state

from ecgbeat._validation import Integral, Interval, Real, validate_parameter_constraints
from ecgbeat.datasets.simulator.shares import MIN_PATIENTS_PER_CLASS, apportion, check_shares
from ecgbeat.datasets.simulator.sounds.auscultation import (
    Sound,
    Stethoscope,
    record_artifact,
    record_heart,
)
from ecgbeat.datasets.simulator.sounds.heart import draw_heart

_CLASSES = {
    "normal": "first and second sounds alone",
    "murmur": "noise between them",
    "extrastole": "extra beats",
    "artifact": "noise without a heart",
}
_CONSTRAINTS: dict[str, list[Any]] = {
    "n_sounds": [Interval(Integral, 1, None, closed="left")],
    "n_patients": [Interval(Integral, 1, None, closed="left")],
    "classes": ["array-like"],
    "weights": [Mapping, None],
    # 1000 Hz preserves the murmurs, and 1.5 s hold the longest heart cycle (1.2 s)
    "fs": [Interval(Real, 1000.0, 48000.0, closed="both")],
    "duration": [Interval(Real, 1.5, 600.0, closed="both")],
    "noise": [Interval(Real, 0.0, 100.0, closed="both")],
    "random_state": ["random_state"],
    "return_X_y": ["boolean"],
}
# the order of PASCAL's set B, with larger shares of the rare classes
_DEFAULT_WEIGHTS = {"normal": 0.5, "murmur": 0.3, "extrastole": 0.2, "artifact": 0.15}
_DESCR = """Simulated heart sounds: recordings of a stethoscope, each with one label.

Each row is a phonocardiogram between -1 and 1, which begins anywhere in a heart cycle. groups
identifies the patients: valves, chest, heart rate, murmur and extra beats differ between them, so
split by groups. The data are synthetic. Use them to try out code, not to report the performance
of a classifier.
"""


def make_heart_sounds(
    n_sounds: int = 400,
    *,
    n_patients: int = 80,
    classes: Sequence[str] = ("normal", "murmur", "extrastole"),
    weights: Mapping[str, float] | None = None,
    fs: float = 4000.0,
    duration: float = 3.0,
    noise: float = 1.0,
    random_state: np.random.RandomState | int | None = None,
    return_X_y: bool = False,
) -> Bunch | tuple[np.ndarray, np.ndarray]:
    """Simulate labeled heart sounds of several patients.

    Each patient has one heart and one class; the recordings of a patient are made at different
    times and places of the chest. The simulator is meant for teaching and tests. Its recordings
    resemble those of [1]_, but it is not a model of physiology.

    Parameters
    ----------
    n_sounds : int, default=400
        Number of recordings, at least one for each patient.
    n_patients : int, default=80
        Number of patients, at least one for each class.
    classes : sequence of str, default=("normal", "murmur", "extrastole")
        Classes to return, named as in [1]_. Each is the class of at least four patients, if there
        are at least four for each class:

        - normal: first and second heart sounds;
        - murmur: with a systolic (ejection or holosystolic) or a diastolic murmur, of one kind
          per patient, from hardly audible to as loud as the heart sounds;
        - extrastole: with at least one premature beat in each recording. Its second sound is weak
          or missing, and a pause follows;
        - artifact: noise without audible heart sounds.
    weights : dict of str to float or None, default=None
        Share of each of ``classes`` in all recordings; the shares need not add up to 1. None
        stands for normal 0.5, murmur 0.3, extrastole 0.2, artifact 0.15.
    fs : float, default=4000.0
        Sampling rate in Hz, 1000 to 48000. A seed gives the same hearts at any rate.
    duration : float, default=3.0
        Length of each recording in seconds, 1.5 to 600; a heart cycle takes about 0.5 to 1.2.
    noise : float, default=1.0
        Level of the noise: 0 gives the heart alone, 1 a hospital ward, where one recording in
        four is noisier than the others. Does not apply to artifacts.
    random_state : int, RandomState instance or None, default=None
        Determines the patients, their hearts and the noise. The hearts are the same with and
        without noise. Pass an int for reproducible output across multiple function calls.
    return_X_y : bool, default=False
        If True, return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch, or (data, target) if ``return_X_y``
        - data : ndarray of shape (n_sounds, n_times), float32, from -1 to 1, to which the loudest
          are clipped; ``n_times`` is ``round(duration * fs)``;
        - target : ndarray of shape (n_sounds,) of str;
        - target_names : list of str: the classes in sorted order;
        - groups : ndarray of shape (n_sounds,), int64: the number of the patient;
        - s1, s2 : list of ndarray, int64: for each recording the samples at which its first and
          second heart sounds begin, including those of extra beats; each sound is loudest some 10
          to 30 ms later;
        - fs : float;
        - DESCR : str.

        The recordings are sorted by patient.

    Raises
    ------
    ValueError
        If a parameter is out of its range, a class is unknown, ``weights`` does not fit
        ``classes``, or there are fewer recordings than patients or patients than classes.

    See Also
    --------
    make_heartbeats : Simulated beats of the electrocardiogram.

    Notes
    -----
    Sources, and deviations from them:

    - Heart sounds are sums of short oscillations, as in [2]_, which fits them to recordings. Here
      they rise quickly and decay exponentially instead of having a Gaussian window, and are drawn
      at random: three for each of the four valves.
    - The frequency of the aortic and the pulmonary sound falls, as in [3]_, here exponentially;
      the pulmonary one lags by 10 to 50 ms, most in inspiration.
    - Systole shortens with the heart rate as in the regression of [4]_ for men at rest, less
      55 ms from the Q wave to the first sound; diastole is the rest of the cycle. The heart rate
      of 50 to 130 per minute is drawn, and varies with respiration and at 0.1 Hz as in
      `make_recording`, whose premature beats (atrial and ventricular) and their pauses are also
      used here.
    - Murmurs are Gaussian noise around 150 to 340 Hz with an envelope for each kind. Their
      spectrum does not change within a beat. Murmurs and sounds do not vary with the place of the
      chest as in a specific valve disease: places differ in the loudness of each valve, and at
      random in that of the murmur.
    - The chest is a low-pass filter of second order. Noise of the room, breath, friction and
      voices, its levels and its frequency are set by eye and by the energy of the normal
      recordings of [1]_ in nine bands. Third and fourth sounds, clicks, opening snaps, rubs,
      artificial valves and other arrhythmias are omitted.
    - Labels are correct, and each patient has one class: in [1]_ 35 of 165 subjects have
      recordings of several. Real collections vary far more, see [5]_.

    Statistics of MFCCs over time distinguish murmurs, but hardly extra beats, which sound like
    other beats and come too early; these need a network or features of the rhythm.

    References
    ----------
    .. [1] P. Bentley, G. Nordehn, M. Coimbra, S. Mannor, "The PASCAL Classifying Heart
       Sounds Challenge 2011 (CHSC2011) Results",
       http://www.peterjbentley.com/heartchallenge/index.html
    .. [2] X. Zhang, L.-G. Durand, L. Senhadji, H. C. Lee, J.-L. Coatrieux,
       "Analysis-synthesis of the phonocardiogram based on the matching pursuit method",
       IEEE Transactions on Biomedical Engineering 45(8), 1998, doi:10.1109/10.704865
    .. [3] J. Xu, L.-G. Durand, P. Pibarot, "Nonlinear transient chirp signal modeling of
       the aortic and pulmonary components of the second heart sound", IEEE Transactions
       on Biomedical Engineering 47(10), 2000, doi:10.1109/10.871405
    .. [4] H. Boudoulas, P. Geleris, R. P. Lewis, S. E. Rittgers, "Linear relationship
       between electrical systole, mechanical systole, and heart rate", Chest 80(5), 1981,
       doi:10.1378/chest.80.5.613
    .. [5] C. Liu et al., "An open access database for the evaluation of heart sound
       algorithms", Physiological Measurement 37(12), 2016,
       doi:10.1088/0967-3334/37/12/2181

    Examples
    --------
    >>> from ecgbeat.datasets import make_heart_sounds
    >>> sounds = make_heart_sounds(40, n_patients=12, random_state=0)
    >>> sounds.data.shape
    (40, 12000)
    >>> sounds.target_names
    ['extrastole', 'murmur', 'normal']
    """
    validate_parameter_constraints(_CONSTRAINTS, locals(), caller_name="make_heart_sounds")
    shares = check_shares(classes, weights, _DEFAULT_WEIGHTS, _CLASSES)
    _check_sizes(n_sounds, n_patients, len(shares))
    stethoscope = Stethoscope(fs, duration, noise)
    seed = check_random_state(random_state).randint(np.iinfo(np.int32).max, size=4)
    rng = np.random.default_rng(seed)
    labels, counts = _allot_sounds(rng, n_sounds, n_patients, shares)
    sounds = [
        sound
        for patient_rng, label, count in zip(rng.spawn(n_patients), labels, counts, strict=True)
        for sound in _record_patient(patient_rng, str(label), int(count), stethoscope)
    ]
    data = np.stack([sound.signal for sound in sounds])
    target = np.repeat(labels, counts)
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        target_names=sorted(shares),
        groups=np.repeat(np.arange(n_patients), counts),
        s1=[sound.s1 for sound in sounds],
        s2=[sound.s2 for sound in sounds],
        fs=float(fs),
        DESCR=_DESCR,
    )


def _check_sizes(n_sounds: int, n_patients: int, n_classes: int) -> None:
    """Raise if there are fewer patients than classes, or fewer recordings than patients."""
    if n_patients < n_classes:
        raise ValueError(
            f"n_patients={n_patients!r} is less than one patient for each of the {n_classes} "
            "classes; a patient has one class. Ask for more patients or fewer classes."
        )
    if n_sounds < n_patients:
        raise ValueError(
            f"n_sounds={n_sounds!r} is less than one recording for each of "
            f"n_patients={n_patients!r}. Ask for more recordings or fewer patients."
        )


def _allot_sounds(
    rng: np.random.Generator, n_sounds: int, n_patients: int, shares: dict[str, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the class and the number of recordings, at least 1, of each patient."""
    minimum = min(MIN_PATIENTS_PER_CLASS, n_patients // len(shares))
    sounds = apportion(n_sounds, list(shares.values()), minimum=minimum)
    # in proportion to the rounded numbers, so that no class has more patients than recordings
    patients = apportion(n_patients, sounds, minimum=minimum)
    counts = [
        apportion(int(total), rng.gamma(4.0, size=n) + 0.1, minimum=1)
        for total, n in zip(sounds, patients, strict=True)
    ]
    order = rng.permutation(n_patients)
    return np.repeat(list(shares), patients)[order], np.concatenate(counts)[order]


def _record_patient(
    rng: np.random.Generator, label: str, count: int, stethoscope: Stethoscope
) -> list[Sound]:
    """Record a new patient of class ``label`` ``count`` times; the signals are float32."""
    heart_rng, recording_rng = rng.spawn(2)
    rngs = recording_rng.spawn(count)
    if label == "artifact":
        sounds = [record_artifact(r, stethoscope) for r in rngs]
    else:
        heart = draw_heart(heart_rng, label)
        sounds = [record_heart(r, heart, stethoscope) for r in rngs]
    # converted at once: a thousand long recordings would not fit into memory as float64
    return [sound._replace(signal=sound.signal.astype(np.float32)) for sound in sounds]
