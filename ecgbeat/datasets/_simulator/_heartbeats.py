"""Labelled windows of signal around the beats of several simulated patients."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import Bunch, check_random_state

from ecgbeat._validation import Integral, Interval, Real, validate_parameter_constraints
from ecgbeat.datasets._simulator._allotment import allot_beats
from ecgbeat.datasets._simulator._arguments import CONSTRAINTS, check_shares
from ecgbeat.datasets._simulator._patient import LEADS, draw_patient
from ecgbeat.datasets._simulator._rhythm import BASES, order_beats, time_beats
from ecgbeat.datasets._simulator._simulation import Recorder, simulate

_CONSTRAINTS = CONSTRAINTS | {
    "n_beats": [Interval(Integral, 1, None, closed="left")],
    "n_patients": [Interval(Integral, 1, None, closed="left")],
    "classes": ["array-like"],
    "before": [Interval(Real, 0.05, 60.0, closed="both")],
    "after": [Interval(Real, 0.05, 60.0, closed="both")],
    "jitter": [Interval(Real, 0.0, 10.0, closed="both")],
    "return_X_y": ["boolean"],
    "as_frame": ["boolean"],
}
# the order of MIT-BIH, with the rare classes less rare
_WEIGHTS = {"N": 0.52, "L": 0.14, "R": 0.12, "A": 0.08, "V": 0.14, "F": 0.04, "/": 0.12}
_MARGIN_S = 0.3  # signal beyond the outermost windows, so that none needs padding
_DESCR = """Simulated heartbeats: windows of ECG with one labelled beat near the middle.

Each row is the raw signal in mV around the R peak of one beat; beats before and after are
in the window where the rhythm puts them there. groups tells the patients apart: shape of
the beats, rhythm and noise differ between them, so split by groups. Nobody's heart was
recorded: use it to try things out, never to claim how well a classifier does on people.
"""


class _Windows(NamedTuple):
    """How windows are cut, in seconds; see the parameters of `make_heartbeats`."""

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
    random_state: Any = None,
    return_X_y: bool = False,
    as_frame: bool = False,
) -> Bunch | tuple[Any, Any]:
    """Simulate labelled heartbeats of several patients.

    Every patient has one recording, made as `make_recording` makes it, with an own
    conduction (N, L, R) or pacing (/), and some have atrial premature (A), premature
    ventricular (V) and fusion (F) beats. From it windows around the beats are cut.

    Parameters
    ----------
    n_beats : int, default=2000
        Number of beats, at least one for each class.
    n_patients : int, default=20
        Number of patients.
    classes : sequence of str, default=("N", "L", "R", "A", "V")
        Which of N, L, R, A, V, F and / to return. Each occurs in at least four patients,
        if there are as many patients and beats of the class.
    weights : dict of str to float or None, default=None
        Share of each of ``classes`` in all beats; they need not add up to 1. None stands
        for N 0.52, L 0.14, R 0.12, A 0.08, V 0.14, F 0.04, / 0.12.
    fs : float, default=360.0
        Sampling rate in Hz, 100 to 2000. One seed gives the same hearts at any rate.
    before, after : float, default=1.0
        Length of the window before and after its middle, in seconds, 0.05 to 60.
    jitter : float, default=0.05
        How far the R peak lies from the middle of the window at most, in seconds.
    noise : float, default=1.0
        Level of the noise: 0 gives the clean ECG, 1 an ambulatory recording.
    mains : float, default=60.0
        Frequency of the mains in Hz.
    n_leads : int, default=1
        Number of leads, 1 to 12, in the order of `make_recording`.
    random_state : int, RandomState instance or None, default=None
        Determines everything that is drawn.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` alone.
    as_frame : bool, default=False
        Whether data and target are a pandas DataFrame and Series. Several leads then
        stand one after the other in each row.

    Returns
    -------
    Bunch, or (data, target) if ``return_X_y``
        - data : ndarray of shape (n_beats, n_times), or (n_beats, n_leads, n_times) if
          ``n_leads > 1``, in mV; ``n_times`` is ``round(before * fs) + round(after * fs)``;
        - target : ndarray of shape (n_beats,) of str: WFDB's symbols;
        - target_names : list of str: the symbols in sorted order;
        - groups : ndarray of shape (n_beats,), int64: the number of the patient;
        - r_peaks : ndarray of shape (n_beats,), int64: the sample of the R peak within
          the window, as `make_recording` defines it;
        - fs : float;
        - lead_names : list of str;
        - frame : DataFrame with data and target if ``as_frame``, otherwise None;
        - DESCR : str.

        The beats are sorted by patient and time.

    Raises
    ------
    ValueError
        If a parameter is out of its range, a class is unknown, ``weights`` does not fit
        ``classes``, ``n_beats`` is less than the number of classes, or ``jitter`` reaches
        beyond the window.
    ImportError
        If ``as_frame`` and pandas is not installed.

    See Also
    --------
    make_recording : One patient's whole recording; tells the model and its source.

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
    shares = check_shares(classes, weights, _WEIGHTS)
    windows = _Windows(before, after, jitter)
    _check_sizes(n_beats, len(shares), windows)
    recorder = Recorder(fs, n_leads, noise, mains)
    seed = check_random_state(random_state).randint(np.iinfo(np.int32).max, size=4)
    rng = np.random.default_rng(seed)
    counts = allot_beats(rng, n_beats, n_patients, shares)
    parts = [
        _cut_patient(patient_rng, wanted, windows, recorder)
        for patient_rng, wanted in zip(rng.spawn(n_patients), counts, strict=True)
        if wanted
    ]
    data, target, r_peaks = (np.concatenate(part) for part in zip(*parts, strict=True))
    groups = np.repeat(np.arange(n_patients), [sum(wanted.values()) for wanted in counts])
    frame = None
    if as_frame:
        data, target, frame = _to_frame(data, target, n_leads)
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        target_names=sorted(shares),
        groups=groups,
        r_peaks=r_peaks,
        fs=float(fs),
        lead_names=list(LEADS)[:n_leads],
        frame=frame,
        DESCR=_DESCR,
    )


def _check_sizes(n_beats: int, n_classes: int, windows: _Windows) -> None:
    """Raise if there are too few beats for the classes, or R peaks outside of windows."""
    if n_beats < n_classes:
        raise ValueError(
            f"n_beats={n_beats!r} is less than one beat for each of the {n_classes} classes. "
            "Ask for more beats or fewer classes."
        )
    if windows.jitter >= min(windows.before, windows.after):
        raise ValueError(
            f"jitter={windows.jitter!r} moves the R peak out of a window of "
            f"before={windows.before!r} and after={windows.after!r} seconds: it must be less "
            "than both."
        )


def _cut_patient(
    rng: np.random.Generator, wanted: dict[str, int], windows: _Windows, recorder: Recorder
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Record one patient and cut windows around the wanted numbers of beats."""
    patient_rng, rhythm_rng, cut_rng, simulation_rng = rng.spawn(4)
    base = next((symbol for symbol in "LRN" if symbol in wanted), "N")
    patient = draw_patient(patient_rng, base=base)
    rhythm_classes = {s: n for s, n in wanted.items() if s in BASES} or {"N": 2}
    order = order_beats(rhythm_rng, rhythm_classes | wanted)
    # beats around the recorded ones, to be seen at the edges of the windows
    edge = 2 + int((max(windows.before, windows.after) + windows.jitter) / patient.pacemaker.rr)
    lead_in, lead_out = [order[0]] * edge, [next(iter(rhythm_classes))] * edge
    symbols = np.array(lead_in + order + lead_out)
    rhythm = time_beats(rhythm_rng, symbols.tolist(), patient.pacemaker)
    start = windows.before + windows.jitter + _MARGIN_S
    rhythm = rhythm.shifted(start - rhythm.time[edge])
    duration = float(rhythm.time[-edge - 1]) + windows.after + windows.jitter + _MARGIN_S
    simulation = simulate(simulation_rng, patient, symbols, rhythm, recorder, duration)
    chosen = edge + _choose(cut_rng, symbols[edge:-edge], wanted)
    offset = windows.before + cut_rng.uniform(-windows.jitter, windows.jitter, len(chosen))
    position = np.round(offset * recorder.fs).astype(np.int64)
    n_times = round(windows.before * recorder.fs) + round(windows.after * recorder.fs)
    begin = simulation.r_peaks[chosen] - position
    rows = simulation.signal[:, begin[:, None] + np.arange(n_times)].swapaxes(0, 1)
    return (rows[:, 0] if recorder.n_leads == 1 else rows), symbols[chosen], position


def _choose(rng: np.random.Generator, symbols: np.ndarray, wanted: dict[str, int]) -> np.ndarray:
    """Choose beats; the rhythm may hold more of a base class than are wanted."""
    chosen = [
        rng.choice(np.flatnonzero(symbols == symbol), size=count, replace=False)
        for symbol, count in wanted.items()
    ]
    return np.sort(np.concatenate(chosen))


def _to_frame(data: np.ndarray, target: np.ndarray, n_leads: int) -> tuple[Any, Any, Any]:
    """Return data, target and both as pandas objects."""
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            "as_frame=True needs pandas: pip install 'ecgbeat[data]', or pass as_frame=False."
        ) from error
    flat = data.reshape(len(data), -1)
    n_times = flat.shape[1] // n_leads
    names = [f"{lead}_{i}" for lead in list(LEADS)[:n_leads] for i in range(n_times)]
    frame = pd.DataFrame(flat, columns=names)
    series = pd.Series(target, name="target", dtype=object)
    return frame, series, pd.concat([frame, series], axis=1)
