"""R-peak detection in continuous recordings."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage
from scipy.signal import find_peaks

from ecgbeat._recordings import GAP_METHODS, as_recording
from ecgbeat._rows import in_threads
from ecgbeat._validation import check_fs
from ecgbeat.signal._qrs import (
    decimate,
    decimation_step,
    find_candidates,
    odd_width,
    running_median,
    select_beats,
    split_bands,
    windows_around,
)

_STRETCH_S = 1800.0  # processed at a time, which bounds the memory
_MARGIN_S = 20.0  # on both sides of a stretch: the local level depends on 7 s on either side
_LEAD_FAILS = 0.1  # of the height in another lead
_LARGEST = 1e100  # squares of larger values may overflow, and of smaller ones than 1 / it vanish

_REACH_S = 0.05  # half a QRS complex
_ISOELECTRIC_S = (0.08, 0.12)  # distance from the peak where the signal is near its baseline
_N_ISOELECTRIC = 3  # samples on each side; more do not improve the result
_OTHER_SIDE = 0.2  # balance of a wave one and a half times as high as the opposite one
_TIE = 1e-6  # balance of equal waves, up to rounding
_N_BEATS = 9  # beats in the majority vote on the side of the extremum


def detect_r_peaks(x: ArrayLike, fs: float, *, gaps: str = "linear") -> np.ndarray:
    """Find the R peaks of a continuous recording.

    Parameters
    ----------
    x : array-like of shape (n_times,) or (n_leads, n_times)
        Recording, in any unit and of any length. Leads are merged into one list of peaks.
    fs : float
        Sampling rate in Hz, from 0.001 to 1e6; 100 to 2000 is recommended.
    gaps : {"linear", "hold", "raise"}, default="linear"
        Method to fill gaps, that is samples that are NaN, as in `bridge_gaps`: a line from the
        sample before the gap to the one after it, the sample before it, or an error. No R peak
        is reported where all leads are NaN.

    Returns
    -------
    ndarray of shape (n_peaks,)
        Sample numbers, int64, ascending: the extremum of each QRS complex, of either sign. Each
        is a local maximum or minimum of the recording, as given and without gaps, in one lead:
        no neighbor is beyond it, nor are the samples next to a plateau. A sample at the end of
        the recording has one neighbor. Empty if no beat is found, as in flat or very short
        recordings.

    Raises
    ------
    TypeError
        If ``fs`` is not a number, or ``x`` does not hold real numbers.
    ValueError
        If ``x`` has another number of axes, more leads than samples or infinite values,
        ``fs`` is not positive, ``gaps`` is unknown, or there are gaps with ``gaps="raise"``.

    See Also
    --------
    locate_r_peaks : Detection of one R peak in each of many short windows.
    cut_beats : Segmentation of the beats around R peaks.

    Notes
    -----
    The outline is that of Pan and Tompkins [1]_: band-pass, square, moving mean, adaptive
    threshold, T-wave rule, and rejection of noise. Deviations:

    - The recording is first averaged down to about 120 Hz. The band-pass is the difference of
      two moving means, over 25 and 75 ms, and zero-phase. There is no differentiation.
    - Jumps of the baseline and spikes are removed first: rises that are steeper than the median
      beat for three samples at most, and either persist or are steeper than any beat.
    - The threshold is a quarter of a running median of the highest values in blocks of 1.5 s,
      before and after, instead of running estimates of signal and noise. A maximum is dropped
      if it is less than 0.25 s away from a higher one, or 0.36 s from one more than twice as
      high. There is no search back.
    - Beats are separated from noise by a logistic regression on eight quantities: the highest
      maxima within 0.8 s before and after, the floor before the complex, fast noise within it,
      slow deviation around it, the likeness to the mean complex of half an hour, and running
      medians of fast noise and floor. It was fitted on every second record of MIT-BIH, lead 1,
      clean and with simulated motion and muscle noise (``examples/benchmarks/fit_qrs_score.py``).
    - Where more than a tenth of about 120 candidates have a low score, a second score drops
      artifacts, and restores beats if it is high. It adds the likeness to 60 candidates,
      weighted by their first score, the sharpness, the slow waves before, and the rhythm: the
      scores of candidates that are closer than 0.6 of the usual RR interval, and of those one
      interval away. It was fitted on DS1 of MIT-BIH, lead 1, with recorded electrode motion
      and simulated noise (``examples/benchmarks/fit_qrs_noise_score.py``). Beats that are both
      premature and of rare shape are missed more often where it decides.
    - Leads are merged sample by sample, each weighted by the squared ratio of the height of its
      QRS complexes to the signal between them, which varies over time. The weight is smaller
      where a lead is much higher than usual while another one is not, or varies in height.
    - Each peak is moved to the extremum of the recording itself within 50 ms (in the lead of
      the largest weight, or the clearest one for beats that this lead does not show), on the
      side that is larger in most of the nine surrounding beats. If that is on a slope, the end
      of the slope within another 50 ms is returned, else the highest wave in between.

    Long recordings are processed in stretches of half an hour, with 20 s of overlap; gaps take
    one copy of the recording. Up to rounding, the result does not depend on offset, gain and
    polarity of the leads. Several leads help if one fails and amid noise (on the 48 records of
    MIT-BIH without flutter, the F1 score is 0.9990 with the first lead, 0.9991 with both).

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
    fs = check_fs(fs)
    if gaps not in GAP_METHODS:
        raise ValueError(f"gaps must be one of {GAP_METHODS}, got {gaps!r}.")
    given = np.atleast_2d(as_recording(x, gaps=None))
    leads = as_recording(given, gaps=gaps)
    complexes = find_qrs_complexes(leads, fs)
    lead = int(complexes.strength.sum(axis=1).argmax()) if len(leads) else 0
    peaks = move_to_r_peaks(leads, complexes, fs, lead)
    if leads is not given:  # gaps were filled
        peaks = peaks[~np.isnan(given[:, peaks]).all(axis=0)]
    return peaks


class QRSComplexes(NamedTuple):
    """QRS complexes of a recording, ascending."""

    samples: np.ndarray  # (n_complexes,) int64, close to the R peaks
    strength: np.ndarray  # (n_leads, n_complexes), height in each lead, by its weight


def find_qrs_complexes(leads: np.ndarray, fs: float, *, is_ongoing: bool = False) -> QRSComplexes:
    """Find the QRS complexes of leads without gaps, of a signal that ends or goes on."""
    step = decimation_step(fs)
    if leads.shape[0] == 0 or leads.shape[1] < step:
        return QRSComplexes(np.empty(0, np.int64), np.empty((len(leads), 0)))
    rate = fs / step

    def find(stretch: tuple[int, int, int, int]) -> tuple[np.ndarray, np.ndarray]:
        start, stop, first, last = stretch
        bands = split_bands(decimate_scaled(leads[:, start * step : stop * step], step), rate)
        found = select_beats(find_candidates(bands, is_ongoing=is_ongoing), bands)
        found = found[(found + start >= first) & (found + start < last)]
        strength = np.abs(bands.qrs)
        if is_ongoing:  # weights change fast: the peak of a lead may be beside that of their sum
            strength = ndimage.maximum_filter1d(strength, odd_width(2 * _REACH_S, rate))
        return found + start, strength[:, found]

    in_stretches = in_threads(find, list(stretches(leads.shape[1] // step, rate)))
    found, strengths = zip(*in_stretches, strict=True)
    samples = np.concatenate(found) * step + step // 2
    return QRSComplexes(samples, np.concatenate(strengths, axis=1))


def move_to_r_peaks(leads: np.ndarray, complexes: QRSComplexes, fs: float, lead: int) -> np.ndarray:
    """Return the R peaks of QRS complexes in a lead, or in the clearest one where it lacks them."""
    samples, strength = complexes
    if len(samples) == 0:
        return np.empty(0, np.int64)
    lacks = strength[lead] < _LEAD_FAILS * strength.max(axis=0)
    shown_by = np.where(lacks, strength.argmax(axis=0), lead)
    moved = [move_to_extremum(leads[k], samples[shown_by == k], fs) for k in np.unique(shown_by)]
    return np.unique(np.concatenate(moved))


def stretches(n_times: int, fs: float) -> Iterator[tuple[int, int, int, int]]:
    """Yield start and stop of each stretch, with margin and without."""
    length, margin = round(_STRETCH_S * fs), round(_MARGIN_S * fs)
    n_stretches = max(1, round(n_times / length))
    bounds = np.linspace(0, n_times, n_stretches + 1).astype(int).tolist()
    for first, last in pairwise(bounds):
        yield max(0, first - margin), min(n_times, last + margin), first, last


def decimate_scaled(leads: np.ndarray, step: int) -> np.ndarray:
    """Average leads down, and scale very large and very small ones, whose squares are no numbers.

    A power of two is an exact factor.
    """
    reduced = decimate(leads, step)
    for lead, x in zip(reduced, leads, strict=True):
        largest = max(lead.max(), -lead.min())
        if largest > 0 and not 1 / _LARGEST < largest < _LARGEST:
            exponent = np.frexp(np.abs(x).max())[1]
            lead[:] = decimate(np.ldexp(x.astype(np.float64), -exponent)[np.newaxis], step)[0]
    return reduced


def move_to_extremum(x: np.ndarray, positions: np.ndarray, fs: float) -> np.ndarray:
    """Move samples within QRS complexes, ascending, to the extrema of one lead; merge equal ones.

    The majority of the surrounding beats decides between up and down, such that complexes with R
    and S waves of similar size do not change sides from beat to beat. A complex that is clearly
    larger on the other side is an exception. Where the extremum of the window is at its edge, the
    signal may reach its extremum beyond: see `_turning_point`.
    """
    if len(positions) == 0:
        return positions
    windows, first = windows_around(x, positions, round(_REACH_S * fs))
    centers = positions - first
    tops = _nearest(windows, windows.argmax(axis=1), centers)
    bottoms = _nearest(windows, windows.argmin(axis=1), centers)
    rows = np.arange(len(positions))
    high, low = (_sixteenth(windows[rows, columns]) for columns in (tops, bottoms))
    baseline = _baseline(x, positions, fs)
    balance = _balance(high - baseline, baseline - low)
    usual = _sign(running_median(balance, _N_BEATS))
    side = _sign(balance + _OTHER_SIDE * usual)
    tied = side == 0
    columns = np.where(side > 0, tops, bottoms)
    columns[tied] = _nearer(tops[tied], bottoms[tied], centers[tied])
    side[tied] = np.where(columns == tops, 1, -1)[tied]
    moved = first + columns
    extremes = windows[rows, columns]
    at_edge = (windows[:, 0] == extremes) | (windows[:, -1] == extremes)
    is_flat = windows[rows, tops] == windows[rows, bottoms]
    for k in np.flatnonzero(at_edge & ~is_flat):
        window = slice(int(first[k]), int(first[k]) + windows.shape[1])
        moved[k] = _turning_point(x, int(moved[k]), window, int(side[k]))
    return moved[np.diff(np.maximum.accumulate(moved), prepend=-1) > 0]


def _sign(values: np.ndarray) -> np.ndarray:
    """Return the sign, 0 for rounding errors."""
    return np.where(np.abs(values) < _TIE, 0, np.sign(values)).astype(np.int64)


def _turning_point(x: np.ndarray, at: int, window: slice, side: int) -> int:
    """Return the local maximum, or minimum if ``side`` is -1, for the extremum of a window.

    That is the sample itself unless the window ends on a slope. Then it is the end of that slope
    if that is within half the width of the window, else the highest local maximum inside the
    window, else the end of the slope.
    """
    reach = max(1, (window.stop - window.start) // 2)
    end = _slope_end(x, at, side, reach)
    if end is None:
        wave = side * x[window]
        inside, _ = find_peaks(wave)
        if len(inside):
            return window.start + int(inside[wave[inside].argmax()])
    while end is None:
        reach *= 8
        end = _slope_end(x, at, side, reach)
    return end


def _slope_end(x: np.ndarray, at: int, side: int, reach: int) -> int | None:
    """Return the sample up to which a signal rises from a sample, None if it is out of reach.

    A plateau ends a slope if the signal falls behind it. Its nearest sample is returned.
    """
    ends, is_known = [], True
    for step in (-1, 1):
        ahead = x[at : at + reach + 1] if step > 0 else x[max(0, at - reach) : at + 1][::-1]
        ahead = side * ahead
        falls = np.flatnonzero(ahead[1:] < ahead[:-1])
        stop = int(falls[0]) if len(falls) else len(ahead) - 1
        if len(falls) == 0 and len(ahead) > reach:  # neither the slope nor the recording ends
            is_known = False
        elif ahead[stop] > ahead[0]:
            ends.append(step * int(ahead[: stop + 1].argmax()))
    if ends:
        return at + min(ends, key=abs)
    return at if is_known else None


def _nearest(windows: np.ndarray, columns: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """Return the column nearest to the center among those equal to the given one of each row."""
    rows = np.arange(len(windows))
    extremes = windows[rows, columns]
    following = windows[rows, np.minimum(columns + 1, windows.shape[1] - 1)]
    flat = np.flatnonzero(following == extremes)  # a clipped signal
    if len(flat):
        distance = np.abs(np.arange(windows.shape[1]) - centers[flat, None])
        is_equal = windows[flat] == extremes[flat, None]
        columns[flat] = np.where(is_equal, distance, windows.shape[1]).argmin(axis=1)
    return columns


def _nearer(a: np.ndarray, b: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """Return the one of two columns nearer to the center, the earlier one if tied."""
    earlier, later = np.minimum(a, b), np.maximum(a, b)
    return np.where(later - centers < centers - earlier, later, earlier)


def _balance(up: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Return the balance of both sides, from -1 (all below the baseline) to 1 (all above)."""
    up, down = np.maximum(up, 0.0), np.maximum(down, 0.0)
    total = up + down
    return np.divide(up - down, total, out=np.zeros_like(total), where=total > 0)


def _baseline(x: np.ndarray, positions: np.ndarray, fs: float) -> np.ndarray:
    """Return the mean of short windows before and after each complex."""
    seconds = np.linspace(*_ISOELECTRIC_S, _N_ISOELECTRIC)
    offsets = np.round(np.concatenate([-seconds, seconds]) * fs).astype(int)
    return _sixteenth(x[np.clip(positions[:, None] + offsets, 0, len(x) - 1)]).mean(axis=1)


def _sixteenth(x: np.ndarray) -> np.ndarray:
    """Return a sixteenth in float64, so that no sum of a few values overflows."""
    return np.multiply(x, 1 / 16, dtype=np.float64)
