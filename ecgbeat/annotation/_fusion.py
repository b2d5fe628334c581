"""Simulated fusion beats, for training."""

import numpy as np
from numpy.typing import ArrayLike

from ecgbeat._recordings import Annotation, AnnotationLike, as_recording, check_within_recording
from ecgbeat._validation import check_fs
from ecgbeat.labels import select_beats, to_aami

_WINDOW_S = (-0.35, 0.45)  # QRS complex and T wave around the R peak
_TAPER_S = 0.04  # of the ends of the window
_SHIFT_S = 0.025  # largest difference in time between the two activations
_SHARE = (0.3, 0.7)  # of the ventricular beat in the sum
_FEWEST_VENTRICULAR = 15  # of a recording
_ONE_IN = 12  # normal beats of which one becomes a fusion beat
_NEAREST = 10  # ventricular beats from which the partner of a normal beat is drawn


def simulate_fusion_beats(
    recording: ArrayLike,
    annotation: AnnotationLike,
    fs: float,
    *,
    random_state: int | np.random.Generator | None = None,
) -> tuple[np.ndarray, Annotation]:
    """Replace some normal beats of a recording by sums of a normal and a ventricular beat.

    Fusion beats are rare: in the training records of the MIT-BIH database nine of ten are of one
    patient. Simulated ones show a classifier those of other patients.

    Parameters
    ----------
    recording : array-like of shape (n_times,) or (n_leads, n_times)
        Recording. NaN marks gaps.
    annotation : Annotation
        Beats of the recording, with WFDB symbols.
    fs : float
        Sampling rate in Hz.
    random_state : int, numpy.random.Generator or None, default=None
        Seed.

    Returns
    -------
    recording : ndarray of the same shape
        Changed copy, float32 if the recording is float32, else float64.
    annotation : Annotation
        The simulated beats, with the symbol ``"F"``: one in twelve of the normal beats. Empty if
        the recording has fewer than 15 ventricular beats.

    Raises
    ------
    TypeError, ValueError
        If an argument is invalid.

    Notes
    -----
    From 0.15 s before the R peak to 0.45 s after it, a normal beat is replaced by the weighted sum
    of itself and one of the ten nearest ventricular beats, shifted by up to 25 ms. The
    ventricular beat has a weight between 0.3 and 0.7.

    Examples
    --------
    >>> from ecgbeat.annotation import simulate_fusion_beats
    >>> from ecgbeat.datasets import make_recording
    >>> ecg = make_recording(duration=120, weights={"N": 0.8, "V": 0.2}, random_state=0)
    >>> changed, fusion = simulate_fusion_beats(ecg.signal, ecg.annotation, 360, random_state=0)
    >>> set(fusion.symbol.tolist())
    {'F'}
    """
    fs = check_fs(fs)
    signal = as_recording(recording, gaps=None)
    changed = signal.copy()
    beats = select_beats(annotation)
    check_within_recording(beats.sample, changed.shape[-1], "annotation")
    classes = to_aami(beats.symbol)
    first, last = round(_WINDOW_S[0] * fs), round(_WINDOW_S[1] * fs)
    largest_shift = round(_SHIFT_S * fs)
    margin = last - first + largest_shift
    inside = (beats.sample >= margin) & (beats.sample < changed.shape[-1] - margin)
    normal = beats.sample[(classes == "N") & inside]
    ventricular = beats.sample[(classes == "V") & inside]
    if len(ventricular) < _FEWEST_VENTRICULAR:
        return changed, Annotation(np.empty(0, np.int64), np.empty(0, "<U1"))
    random = np.random.default_rng(random_state)
    chosen = np.sort(random.choice(normal, len(normal) // _ONE_IN, replace=False))
    window = np.arange(first, last)
    taper = np.clip(np.minimum(window - first + 1, last - window) / (_TAPER_S * fs), 0, 1)
    for r_peak in chosen:
        nearest = ventricular[np.argsort(np.abs(ventricular - r_peak))[:_NEAREST]]
        shift = random.integers(-largest_shift, largest_shift + 1)
        other = signal[..., random.choice(nearest) + shift + window]  # not of a changed beat
        own = signal[..., r_peak + window]
        other = other - np.median(other - own, axis=-1, keepdims=True)
        changed[..., r_peak + window] += random.uniform(*_SHARE) * taper * (other - own)
    return changed, Annotation(chosen, np.full(len(chosen), "F"))
