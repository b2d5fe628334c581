"""Simulated labeled heartbeats: windows of the ECG of several patients."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from sklearn.utils import Bunch, check_random_state

from ecgbeat._validation import (
    Integral,
    Interval,
    Real,
    import_extra,
    validate_parameter_constraints,
)
from ecgbeat.datasets.simulator.ecg.patient import LEADS, Recorder, draw_patient, record_ecg
from ecgbeat.datasets.simulator.ecg.recording import CLASSES, RECORDER_CONSTRAINTS
from ecgbeat.datasets.simulator.rhythm import BASE_CLASSES, order_beats, time_beats
from ecgbeat.datasets.simulator.shares import MIN_PATIENTS_PER_CLASS, apportion, check_shares

if TYPE_CHECKING:
    import pandas as pd

_CONSTRAINTS = RECORDER_CONSTRAINTS | {
    "n_beats": [Interval(Integral, 1, None, closed="left")],
    "n_patients": [Interval(Integral, 1, None, closed="left")],
    "classes": ["array-like"],
    "before": [Interval(Real, 0.05, 60.0, closed="both")],
    "after": [Interval(Real, 0.05, 60.0, closed="both")],
    "jitter": [Interval(Real, 0.0, 10.0, closed="both")],
    "return_X_y": ["boolean"],
    "as_frame": ["boolean"],
}
# the order of MIT-BIH, with larger shares of the rare classes
_DEFAULT_WEIGHTS = {"N": 0.52, "L": 0.14, "R": 0.12, "A": 0.08, "V": 0.14, "F": 0.04, "/": 0.12}
_MARGIN_S = 0.3  # signal beyond the outermost windows, so that no window needs padding
_PREVALENCE = {"A": 0.4, "V": 0.6, "F": 0.3}  # share of the patients who have the class
# patients of these base classes get the class only if there are too few others
_AVOIDED_BASES = {"A": ("L", "/"), "V": (), "F": ("L", "R", "/")}
_DESCR = """Simulated heartbeats: windows of ECG with one labeled beat near the middle.

Each row is the raw signal in mV around the R peak of one beat; the window also shows the beats
before and after it. groups identifies the patients: the shape of the beats, the rhythm and the
noise differ between them, so split by groups. The data are synthetic. Use them to try out code,
not to report the performance of a classifier.
"""


class _Window(NamedTuple):
    """Length of a window, in seconds; see the parameters of `make_heartbeats`."""

    before: float
    after: float
    jitter: float


def make_heartbeats(
    n_beats: int = 2000,
    *,
    n_patients: int = 20,
    classes: Sequence[str] = ("N", "L", "R", "A", "V"),
    weights: Mapping[str, float] | None = None,
    fs: float = 360.0,
    before: float = 1.0,
    after: float = 1.0,
    jitter: float = 0.05,
    noise: float = 1.0,
    mains: float = 60.0,
    n_leads: int = 1,
    random_state: np.random.RandomState | int | None = None,
    return_X_y: bool = False,
    as_frame: bool = False,
) -> "Bunch | tuple[np.ndarray, np.ndarray] | tuple[pd.DataFrame, pd.Series]":
    """Simulate labeled heartbeats of several patients.

    Each patient has one recording, simulated as by `make_recording`, with a conduction (N, L, R)
    or pacing (/); some patients have atrial premature (A), premature ventricular (V) and fusion
    (F) beats. Windows around the beats are cut from the recordings.

    Parameters
    ----------
    n_beats : int, default=2000
        Number of beats, at least one for each class.
    n_patients : int, default=20
        Number of patients.
    classes : sequence of str, default=("N", "L", "R", "A", "V")
        Classes to return, among N, L, R, A, V, F and /. Each occurs in at least four patients,
        if there are at least four patients and four beats of the class.
    weights : dict of str to float or None, default=None
        Share of each of ``classes`` in all beats; the shares need not add up to 1. None stands
        for N 0.52, L 0.14, R 0.12, A 0.08, V 0.14, F 0.04, / 0.12.
    fs : float, default=360.0
        Sampling rate in Hz, 100 to 2000. A seed gives the same hearts at any rate.
    before, after : float, default=1.0
        Length of the window before and after its middle, in seconds, 0.05 to 60.
    jitter : float, default=0.05
        Largest distance between the R peak and the middle of the window, in seconds.
    noise : float, default=1.0
        Level of the noise: 0 gives the clean ECG, 1 an ambulatory recording.
    mains : float, default=60.0
        Mains frequency in Hz.
    n_leads : int, default=1
        Number of leads, 1 to 12, in the order of `make_recording`.
    random_state : int, RandomState instance or None, default=None
        Determines the patients, their beats and the noise. Pass an int for reproducible output
        across multiple function calls.
    return_X_y : bool, default=False
        If True, return ``(data, target)`` instead of a Bunch.
    as_frame : bool, default=False
        If True, data and target are a pandas DataFrame and Series. Several leads are stored one
        after the other in each row.

    Returns
    -------
    Bunch, or (data, target) if ``return_X_y``
        - data : ndarray of shape (n_beats, n_times), or (n_beats, n_leads, n_times) if
          ``n_leads > 1``, in mV; ``n_times`` is ``round(before * fs) + round(after * fs)``;
        - target : ndarray of shape (n_beats,) of str: WFDB's symbols;
        - target_names : list of str: the symbols in sorted order;
        - groups : ndarray of shape (n_beats,), int64: the number of the patient;
        - r_peaks : ndarray of shape (n_beats,), int64: the sample of the R peak within the
          window, as defined in `make_recording`;
        - fs : float;
        - lead_names : list of str;
        - frame : DataFrame with data and target if ``as_frame``, otherwise None;
        - DESCR : str.

        The beats are sorted by patient and time.

    Raises
    ------
    ValueError
        If a parameter is out of its range, a class is unknown, ``weights`` does not fit
        ``classes``, ``n_beats`` is less than the number of classes, or ``jitter`` reaches beyond
        the window.
    ImportError
        If ``as_frame`` is True and pandas is not installed.

    See Also
    --------
    make_recording : Simulated recording of one patient; describes the model and its source.

    Examples
    --------
    >>> from ecgbeat.datasets import make_heartbeats
    >>> beats = make_heartbeats(200, n_patients=8, random_state=0)
    >>> beats.data.shape
    (200, 720)
    >>> beats.target_names
    ['A', 'L', 'N', 'R', 'V']
    """
    validate_parameter_constraints(_CONSTRAINTS, locals(), caller_name="make_heartbeats")
    shares = check_shares(classes, weights, _DEFAULT_WEIGHTS, CLASSES)
    window = _Window(before, after, jitter)
    _check_sizes(n_beats, len(shares), window)
    recorder = Recorder(fs, n_leads, noise, mains)
    seed = check_random_state(random_state).randint(np.iinfo(np.int32).max, size=4)
    rng = np.random.default_rng(seed)
    counts = allot_beats(rng, n_beats, n_patients, shares)
    parts = [
        _simulate_beats(patient_rng, patient_counts, window, recorder)
        for patient_rng, patient_counts in zip(rng.spawn(n_patients), counts, strict=True)
        if patient_counts
    ]
    data, target, r_peaks = (np.concatenate(part) for part in zip(*parts, strict=True))
    frame = None
    if as_frame:
        data, target, frame = _to_frame(data, target, n_leads)
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        target_names=sorted(shares),
        groups=np.repeat(np.arange(n_patients), [sum(c.values()) for c in counts]),
        r_peaks=r_peaks,
        fs=float(fs),
        lead_names=list(LEADS)[:n_leads],
        frame=frame,
        DESCR=_DESCR,
    )


def _check_sizes(n_beats: int, n_classes: int, window: _Window) -> None:
    """Raise if there are fewer beats than classes, or if R peaks may lie outside of windows."""
    if n_beats < n_classes:
        raise ValueError(
            f"n_beats={n_beats!r} is less than one beat for each of the {n_classes} classes. "
            "Ask for more beats or fewer classes."
        )
    if window.jitter >= min(window.before, window.after):
        raise ValueError(
            f"jitter={window.jitter!r} moves the R peak out of a window of "
            f"before={window.before!r} and after={window.after!r} seconds: it must be less "
            "than both."
        )


def allot_beats(
    rng: np.random.Generator, n_beats: int, n_patients: int, shares: dict[str, float]
) -> list[dict[str, int]]:
    """Draw the number of beats of each class for each patient, at least one of each class.

    Conduction (N, L, R) and pacing divide the patients into groups, which overlap only if there
    are too few patients for four of each. The other classes go to any patient, atrial premature
    and fusion beats first to those with normal conduction.
    """
    minimum = min(MIN_PATIENTS_PER_CLASS, n_patients)
    totals = dict(zip(shares, apportion(n_beats, list(shares.values()), minimum=1), strict=True))
    base_shares = {s: share for s, share in shares.items() if s in BASE_CLASSES}
    carriers = _allot_base_classes(rng, base_shares, n_patients, minimum)
    for symbol in (s for s in shares if s not in BASE_CLASSES):
        n = max(minimum, round(_PREVALENCE[symbol] * n_patients)) if base_shares else n_patients
        order = rng.permutation(n_patients)
        avoided = [p for base in _AVOIDED_BASES[symbol] for p in carriers.get(base, [])]
        carriers[symbol] = order[np.argsort(np.isin(order, avoided), kind="stable")][:n]
    counts: list[dict[str, int]] = [{} for _ in range(n_patients)]
    for symbol, total in totals.items():
        patients = carriers[symbol][:total]
        spread = rng.gamma(12.0 if symbol in BASE_CLASSES else 1.5, size=len(patients)) + 0.1
        minimum_each = min(3, int(total) // len(patients))
        for patient, n in zip(
            patients, apportion(int(total), spread, minimum=minimum_each), strict=True
        ):
            counts[patient][symbol] = int(n)
    return counts


def _allot_base_classes(
    rng: np.random.Generator, shares: dict[str, float], n_patients: int, minimum: int
) -> dict[str, np.ndarray]:
    """Draw the patients of each base class, so that each patient has at least one."""
    if not shares:
        return {}
    order = rng.permutation(n_patients)
    total = max(n_patients, minimum * len(shares))
    sizes = np.minimum(apportion(total, list(shares.values()), minimum=minimum), n_patients)
    stops = np.cumsum(sizes)
    return {
        symbol: order[np.arange(stop - size, stop) % n_patients]
        for symbol, size, stop in zip(shares, sizes, stops, strict=True)
    }


def _simulate_beats(
    rng: np.random.Generator, counts: dict[str, int], window: _Window, recorder: Recorder
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the windows, symbols and R peaks of the given numbers of beats of a new patient."""
    patient_rng, rhythm_rng, window_rng, recorder_rng = rng.spawn(4)
    conduction = next((symbol for symbol in "LRN" if symbol in counts), "N")
    patient = draw_patient(patient_rng, conduction=conduction)
    base_counts = {s: n for s, n in counts.items() if s in BASE_CLASSES} or {"N": 2}
    order = order_beats(rhythm_rng, base_counts | counts)
    # the first and last windows show neighboring beats too
    edge = 2 + int((max(window.before, window.after) + window.jitter) / patient.pacemaker.rr)
    symbols = np.array([order[0]] * edge + order + [next(iter(base_counts))] * edge)
    rhythm = time_beats(rhythm_rng, symbols.tolist(), patient.pacemaker)
    start = window.before + window.jitter + _MARGIN_S
    rhythm = rhythm.shifted(start - rhythm.time[edge])
    duration = float(rhythm.time[-edge - 1]) + window.after + window.jitter + _MARGIN_S
    ecg = record_ecg(recorder_rng, patient, symbols, rhythm, recorder, duration)
    chosen = edge + _choose_beats(window_rng, symbols[edge:-edge], counts)
    offset = window.before + window_rng.uniform(-window.jitter, window.jitter, len(chosen))
    r_peaks = np.round(offset * recorder.fs).astype(np.int64)
    n_times = round(window.before * recorder.fs) + round(window.after * recorder.fs)
    begin = ecg.r_peaks[chosen] - r_peaks
    data = ecg.signal[:, begin[:, None] + np.arange(n_times)].swapaxes(0, 1)
    return (data[:, 0] if recorder.n_leads == 1 else data), symbols[chosen], r_peaks


def _choose_beats(
    rng: np.random.Generator, symbols: np.ndarray, counts: dict[str, int]
) -> np.ndarray:
    """Choose beats at random; a rhythm may have more beats of a base class than requested."""
    chosen = [
        rng.choice(np.flatnonzero(symbols == symbol), size=count, replace=False)
        for symbol, count in counts.items()
    ]
    return np.sort(np.concatenate(chosen))


def _to_frame(
    data: np.ndarray, target: np.ndarray, n_leads: int
) -> "tuple[pd.DataFrame, pd.Series, pd.DataFrame]":
    """Return data, target and both together as pandas objects."""
    pd = import_extra("pandas", extra="data", purpose="as_frame=True")
    flat = data.reshape(len(data), -1)
    n_times = flat.shape[1] // n_leads
    names = [f"{lead}_{i}" for lead in list(LEADS)[:n_leads] for i in range(n_times)]
    frame = pd.DataFrame(flat, columns=names)
    series = pd.Series(target, name="target", dtype=object)
    return frame, series, pd.concat([frame, series], axis=1)
