"""R peaks of continuous recordings (layer 1)."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from ecgbeat._validation import check_positive
from ecgbeat.signal._extremum import move_to_extremum
from ecgbeat.signal._gaps import as_real, check_gap_method, fill_gaps
from ecgbeat.signal._qrs_bands import decimate, decimation_step, split_bands
from ecgbeat.signal._qrs_candidates import find_candidates
from ecgbeat.signal._qrs_score import select_beats
from ecgbeat.signal._rows import as_signal

_STRETCH_S = 1800.0  # worked on at a time: bounds the memory
_MARGIN_S = 20.0  # of signal on both sides of a stretch: the level looks 7 s to either side
_LEAD_FAILS = 0.1  # of the height that another lead shows
_LARGEST = 1e100  # squares of more may overflow


def detect_r_peaks(x: Any, fs: float, *, gaps: str = "linear") -> np.ndarray:
    """Find the R peaks of one continuous recording.

    Parameters
    ----------
    x : array-like of shape (n_times,) or (n_leads, n_times)
        Recording, in any unit and of any length. Leads are merged into one list of peaks.
    fs : float
        Sampling rate in Hz; 100 to 2000 is advised.
    gaps : {"linear", "hold", "raise"}, default="linear"
        What bridges a gap, that is samples that are NaN: a line from the sample before
        it to the one after it, the sample before it, or nothing: an error. No R peak
        is ever reported where all leads are NaN.

    Returns
    -------
    ndarray of shape (n_peaks,)
        Sample numbers, int64, ascending: the extremum of each QRS complex, of either
        sign. Empty where no beat stands out, as in flat or very short recordings.

    Raises
    ------
    TypeError
        If ``fs`` is no number, or ``x`` is not made of real numbers.
    ValueError
        If ``x`` has another number of axes or is infinite, ``fs`` is not positive,
        ``gaps`` is unknown, or there are gaps and it is "raise".

    See Also
    --------
    locate_r_peaks : One R peak in each of many short windows.
    cut_beats : The beats around the peaks.

    Notes
    -----
    The outline is that of Pan and Tompkins [1]_: band-pass, square, moving mean,
    adaptive threshold, T-wave rule, and a decision against noise. Deviations:

    - The recording is first averaged down to about 120 Hz. The band-pass is the
      difference of two moving means, over 25 and 75 ms, and zero-phase; nothing is
      differentiated.
    - Jumps of the baseline and spikes are taken out first: what is steeper than the median
      beat for three samples at most, and lasts or is steeper than any beat could be.
    - The threshold is a quarter of a running median of the highest values in blocks of
      1.5 s, before and after, instead of running estimates of signal and noise. A
      maximum less than 0.25 s away from a higher one, or 0.36 s from one more than
      twice as high, is dropped. There is no search back.
    - Noise is told from beats by a logistic regression on eight quantities: the
      highest maxima within 0.8 s before and after, the floor before the complex, fast
      noise within it, slow deviation around it, the likeness to the mean complex of
      half an hour, and running medians of fast noise and floor. It was fitted on
      every second record of MIT-BIH, lead 1, clean and with simulated
      motion and muscle noise (``examples/benchmarks/fit_qrs_score.py``).
    - Leads are merged sample by sample, each weighted by the squared ratio of the height
      of its QRS complexes to what lies between them, which follows the signal.
    - Each peak is moved to the extremum of the recording itself within 50 ms (of the
      lead that weighs most, save for beats that it does not show), on the side that is
      the larger in most of the nine beats around.

    Long recordings are worked on in stretches of half an hour, with 20 s of overlap.
    Neither offset, gain nor polarity of the leads matters. Several leads help where one
    fails; they are no better than one that is clear throughout (on the 48 records of
    MIT-BIH, flutter left out, the first lead alone has an F1 of 0.9989, both 0.9984).

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
    check_gap_method(gaps, "detect_r_peaks", "gaps")
    x = as_real(x, "detect_r_peaks", "x")
    _check_is_recording(x, "detect_r_peaks", "x")
    step = decimation_step(fs)
    leads = np.atleast_2d(x)
    reduced = decimate(leads, step)
    has_gaps = False
    if not _is_summable(reduced) or not np.isfinite(leads[:, reduced.shape[1] * step :]).all():
        has_gaps = bool(np.isnan(leads).any())
        leads = _shrink(fill_gaps(leads, gaps, "detect_r_peaks", "x"))
        reduced = decimate(leads, step)
    if reduced.size == 0:
        return np.empty(0, np.int64)
    peaks, shown_by = _detect(reduced, fs / step)
    samples = peaks * step + step // 2
    moved = [move_to_extremum(leads[k], samples[shown_by == k], fs) for k in np.unique(shown_by)]
    peaks = np.unique(np.concatenate([np.empty(0, np.int64), *moved]))
    if has_gaps:
        peaks = peaks[~np.isnan(np.atleast_2d(x)[:, peaks]).all(axis=0)]
    return peaks


def _detect(leads: np.ndarray, fs: float) -> tuple[np.ndarray, np.ndarray]:
    """Find the R peaks stretch by stretch, and the lead that shows each.

    It is the one that weighs most in all, save where it fails to show a peak.

    Parameters
    ----------
    leads : ndarray of shape (n_leads, n_times)
        At about 120 Hz.
    fs : float
        Sampling rate in Hz.

    Returns
    -------
    peaks : ndarray of shape (n_peaks,), int64
    shown_by : ndarray of shape (n_peaks,), int64
    """
    found, strengths = [], []
    for start, stop, first, last in _stretches(leads.shape[1], fs):
        bands = split_bands(leads[:, start:stop], fs)
        peaks = select_beats(find_candidates(bands), bands)
        peaks = peaks[(peaks + start >= first) & (peaks + start < last)]
        strengths.append(np.abs(bands.qrs[:, peaks]))
        found.append(peaks + start)
    strength = np.concatenate(strengths, axis=1)
    main = int(strength.sum(axis=1).argmax())
    fails = strength[main] < _LEAD_FAILS * strength.max(axis=0)
    return np.concatenate(found), np.where(fails, strength.argmax(axis=0), main)


def _stretches(n_times: int, fs: float) -> Iterator[tuple[int, int, int, int]]:
    """Yield the stretches to work on: where they start and stop, with margin and without."""
    length, margin = round(_STRETCH_S * fs), round(_MARGIN_S * fs)
    n_stretches = max(1, round(n_times / length))
    bounds = np.linspace(0, n_times, n_stretches + 1).astype(int).tolist()
    for first, last in pairwise(bounds):
        yield max(0, first - margin), min(n_times, last + margin), first, last


def _is_summable(leads: np.ndarray) -> bool:
    """Tell whether a signal is finite and its squares can be summed."""
    with np.errstate(over="ignore", invalid="ignore"):
        return all(np.isfinite(lead @ lead) for lead in leads)


def _shrink(leads: np.ndarray) -> np.ndarray:
    """Bring absurdly large leads to where their squares can be summed."""
    largest = np.abs(leads).max(axis=1, keepdims=True)
    return np.where(largest > _LARGEST, leads / np.maximum(largest, 1), leads)


def as_recording(x: Any, owner: str, name: str) -> np.ndarray:
    """Return a finite array of shape (n_times,) or (n_leads, n_times)."""
    x = as_signal(x, owner, name)
    _check_is_recording(x, owner, name)
    return x


def _check_is_recording(x: np.ndarray, owner: str, name: str) -> None:
    """Raise unless the shape is (n_times,) or (n_leads, n_times)."""
    if x.ndim not in (1, 2):
        raise ValueError(
            f"{owner}: {name} must be one recording, (n_times,) or (n_leads, n_times), got shape "
            f"{x.shape}. For many windows use segment_beats."
        )
