"""R peaks of continuous recordings (layer 1)."""

from typing import Any

import numpy as np
from scipy import ndimage
from scipy.signal import find_peaks

from ecgbeat._validation import check_positive
from ecgbeat.signal._qrs import THRESHOLD, qrs_amplitude, qrs_envelope, refine
from ecgbeat.signal._rows import as_signal

_REFRACTORY_S = 0.25  # no two beats are closer: 240 a minute
_BLOCK_S = 1.5  # holds a beat at 40 a minute and above
_N_LEVEL_BLOCKS = 9  # of them give the local level: one artefact does not move their median
_T_WAVE_S = 0.36  # a peak this close to one more than twice as high is its T wave
_T_WAVE_RATIO = 0.5
_SILENCE = 1e-4  # of the highest envelope: below lies rounding error, not signal


def detect_r_peaks(x: Any, fs: float) -> np.ndarray:
    """Find the R peaks of one continuous recording.

    Parameters
    ----------
    x : array-like of shape (n_times,) or (n_leads, n_times)
        Recording, finite, in any unit. Leads are merged into one list of peaks.
    fs : float
        Sampling rate in Hz; 100 or more is advised.

    Returns
    -------
    ndarray of shape (n_peaks,)
        Sample numbers, int64, ascending. Empty where no beat stands out: flat, constant
        or very short recordings.

    Raises
    ------
    TypeError
        If ``fs`` is no number, or ``x`` is complex.
    ValueError
        If ``x`` has another number of axes or is not finite, or ``fs`` is not positive.

    See Also
    --------
    locate_r_peaks : One R peak in each of many short windows.
    cut_beats : The beats around the peaks.

    Notes
    -----
    In the line of Pan and Tompkins [1]_: band-pass, square, moving mean, adaptive
    threshold. Deviations: the filter is zero-phase at 7-20 Hz; nothing is
    differentiated; the threshold is a quarter of a running median of the highest
    values in blocks of 1.5 s, before and after, instead of two running estimates of
    signal and noise; a peak less than 0.36 s away from one more than twice as high is
    taken for its T wave; there is no search back. Each peak is moved to the
    largest filtered value within 60 ms, of either sign. The result does not depend
    on offset, gain or polarity of the leads.

    References
    ----------
    .. [1] J. Pan and W. J. Tompkins, "A real-time QRS detection algorithm", IEEE Trans.
       Biomedical Engineering 32(3), 230-236, 1985. doi:10.1109/TBME.1985.325532

    Examples
    --------
    >>> import numpy as np
    >>> from ecgbeat.signal import detect_r_peaks
    >>> recording = np.zeros(3600)
    >>> recording[200::300] = 1.0
    >>> detect_r_peaks(recording, fs=360)
    array([ 200,  500,  800, 1100, 1400, 1700, 2000, 2300, 2600, 2900, 3200,
           3500])
    """
    fs = check_positive("fs", fs, unit="Hz")
    x = as_recording(x, "detect_r_peaks", "x")
    if x.size == 0:
        return np.empty(0, np.int64)
    n_block = max(1, round(_BLOCK_S * fs))
    amplitude = qrs_amplitude(np.atleast_2d(x), fs, n_block)
    envelope = qrs_envelope(amplitude, fs)
    nearby = ndimage.maximum_filter1d(envelope, 2 * round(_T_WAVE_S * fs) + 1)
    lowest = np.maximum(THRESHOLD * _level(envelope, n_block), _T_WAVE_RATIO * nearby)
    lowest = np.maximum(lowest, max(_SILENCE * envelope.max(), np.finfo(np.float64).tiny))
    distance = max(1, round(_REFRACTORY_S * fs))
    peaks, _ = find_peaks(envelope, height=lowest, distance=distance)
    return np.unique(refine(amplitude, peaks, fs))


def as_recording(x: Any, owner: str, name: str) -> np.ndarray:
    """Return a finite array of shape (n_times,) or (n_leads, n_times)."""
    x = as_signal(x, owner, name)
    if x.ndim > 2:
        raise ValueError(
            f"{owner}: {name} must be one recording, (n_times,) or (n_leads, n_times), got shape "
            f"{x.shape}. For many windows use segment_beats."
        )
    return x


def _level(envelope: np.ndarray, n_block: int) -> np.ndarray:
    """Follow the typical height of the QRS complexes through the recording."""
    starts = np.arange(0, len(envelope), n_block)
    tops = np.maximum.reduceat(envelope, starts)
    typical = ndimage.median_filter(tops, _N_LEVEL_BLOCKS, mode="nearest")
    return np.interp(np.arange(len(envelope)), starts + n_block / 2, typical)
