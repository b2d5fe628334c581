"""Beats out of recordings and windows (layer 1)."""

from math import gcd
from typing import Any

import numpy as np
from scipy import ndimage
from scipy.signal import resample_poly

from ecgbeat._validation import Integral, check_positive
from ecgbeat.signal._qrs import THRESHOLD, qrs_amplitude, qrs_envelope, refine
from ecgbeat.signal._r_peaks import as_recording
from ecgbeat.signal._rows import as_r_peaks, as_signal, map_rows, row_chunks

_NEIGHBOURHOOD_S = 0.2  # a candidate is the highest point of the envelope this far around

SELECTIONS = ("center", "largest")


def cut_beats(
    recording: Any, r_peaks: Any, fs: float, before: float = 0.3, after: float = 0.5
) -> np.ndarray:
    """Cut one window around each R peak of a recording.

    Parameters
    ----------
    recording : array-like of shape (n_times,) or (n_leads, n_times)
        Recording, finite.
    r_peaks : array-like of int of shape (n_beats,)
        Sample numbers within the recording, in any order.
    fs : float
        Sampling rate in Hz.
    before, after : float, default=0.3, 0.5
        Seconds before and after the R peak. ``round(before * fs)`` samples lie
        before it; it is itself the first of the ``round(after * fs)`` others.

    Returns
    -------
    ndarray of shape (n_beats, n_window) or (n_beats, n_leads, n_window)
        float32 if the recording is, else float64. No beat is lost: where a window
        reaches past the recording, the outermost sample is repeated.

    Raises
    ------
    TypeError
        If ``r_peaks`` are no whole numbers, or a parameter is no number.
    ValueError
        If a peak lies outside the recording, the window has no length, or the recording
        is not finite or has more than 2 axes.

    See Also
    --------
    detect_r_peaks : Finds the peaks.
    segment_beats : Finds and cuts one beat in each of many windows.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgbeat.signal import cut_beats
    >>> cut_beats(np.arange(10.0), [1, 5], fs=10, before=0.2, after=0.3)
    array([[0., 0., 1., 2., 3.],
           [3., 4., 5., 6., 7.]])
    """
    n_before, n_after = window_samples(fs, before, after)
    recording = as_recording(recording, "cut_beats", "recording")
    n_times = recording.shape[-1]
    r_peaks = as_r_peaks(r_peaks)
    if r_peaks.size == 0:
        return np.empty((0, *recording.shape[:-1], n_before + n_after), recording.dtype)
    outside = r_peaks[(r_peaks < 0) | (r_peaks >= n_times)]
    if outside.size:
        raise ValueError(
            f"{outside.size} r_peaks lie outside the recording of {n_times} samples, the first at "
            f"{int(outside[0])}. Do the peaks belong to this recording and to its sampling rate?"
        )
    width = [(0, 0)] * (recording.ndim - 1) + [(n_before, n_after)]
    padded = np.pad(recording, width, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, n_before + n_after, axis=-1)
    return np.ascontiguousarray(np.moveaxis(windows[..., r_peaks, :], -2, 0))


def segment_beats(
    X: Any,
    fs: float,
    before: float = 0.3,
    after: float = 0.5,
    *,
    n_times: int | None = None,
    select: str = "center",
) -> np.ndarray:
    """Cut one beat out of each window: the function beside `RPeakSegmenter`.

    Parameters
    ----------
    X : array-like of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples)
        Windows of signal that hold a beat each, finite.
    fs : float
        Sampling rate in Hz.
    before, after : float, default=0.3, 0.5
        Seconds before and after the R peak, as in `cut_beats`.
    n_times : int or None, default=None
        Resample the beats to this length; None leaves them as they are cut.
    select : {"center", "largest"}, default="center"
        Which R peak of a window, as in `locate_r_peaks`.

    Returns
    -------
    ndarray of shape (n_beats, n_window) or (n_beats, n_leads, n_window)
        One beat for each row, always: rows without a recognisable R peak are cut
        around their middle. float32 if ``X`` is, else float64. ``n_window`` is
        ``n_times``, or ``round(before * fs) + round(after * fs)``.

    Raises
    ------
    TypeError, ValueError
        As `cut_beats`, `locate_r_peaks` and `resample_beats`.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgbeat.signal import segment_beats
    >>> windows = np.zeros((2, 360))
    >>> windows[0, 160] = windows[1, 215] = 1.0
    >>> beats = segment_beats(windows, fs=360)
    >>> beats.shape, beats.argmax(axis=1)
    ((2, 288), array([108, 108]))
    >>> segment_beats(windows, fs=360, n_times=187).shape
    (2, 187)
    """
    n_before, n_after = window_samples(fs, before, after)
    X = _as_windows(X, "segment_beats")
    r_peaks = locate_r_peaks(X, fs, select)
    offsets = np.arange(-n_before, n_after)
    beats = np.empty((*X.shape[:-1], len(offsets)), X.dtype)
    for chunk in row_chunks(len(X), beats[:1].size):
        index = np.clip(r_peaks[chunk, None] + offsets, 0, X.shape[-1] - 1)
        index = index.reshape(len(index), *[1] * (X.ndim - 2), len(offsets))
        beats[chunk] = np.take_along_axis(X[chunk], index, axis=-1)
    return beats if n_times is None else resample_beats(beats, n_times)


def locate_r_peaks(X: Any, fs: float, select: str = "center") -> np.ndarray:
    """Find one R peak in each of many short windows.

    Parameters
    ----------
    X : array-like of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples)
        Windows of signal, finite, of one or a few beats. Leads are merged.
    fs : float
        Sampling rate in Hz; 100 or more is advised.
    select : {"center", "largest"}, default="center"
        Of several R peaks in a window, take that nearest to the middle sample
        ``n_samples // 2``, or that of the largest QRS complex.

    Returns
    -------
    ndarray of shape (n_beats,)
        Sample numbers, int64. The middle of the window where nothing stands out.

    Raises
    ------
    TypeError
        If ``fs`` is no number, or ``X`` is complex.
    ValueError
        If ``select`` is unknown, or ``X`` has another number of axes, no samples, or
        values that are not finite.

    See Also
    --------
    detect_r_peaks : All R peaks of one recording.

    Notes
    -----
    The signal is filtered to 7-20 Hz, zero-phase; candidates are the maxima of its moving
    root mean square over 90 ms that reach a quarter of the row's highest. All rows are
    worked on at once. The result does not depend on offset, gain or polarity of the
    leads, nor on the other rows.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgbeat.signal import locate_r_peaks
    >>> windows = np.zeros((2, 720))
    >>> windows[0, [90, 380, 650]] = 1.0, -0.5, 2.0
    >>> locate_r_peaks(windows, fs=360)
    array([380, 360])
    >>> locate_r_peaks(windows, fs=360, select="largest")
    array([650, 360])
    """
    fs = check_positive("fs", fs, unit="Hz")
    if select not in SELECTIONS:
        raise ValueError(f"select must be one of {SELECTIONS}, got {select!r}.")
    X = _as_windows(X, "locate_r_peaks")
    leads = X if X.ndim == 3 else X[:, None, :]
    r_peaks = np.empty(len(leads), np.int64)
    for chunk in row_chunks(len(leads), leads[:1].size):
        r_peaks[chunk] = _locate_rows(leads[chunk], fs, select)
    return r_peaks


def _locate_rows(leads: np.ndarray, fs: float, select: str) -> np.ndarray:
    """Find one R peak in each ``(n_leads, n_times)``."""
    n_times = leads.shape[-1]
    amplitude = qrs_amplitude(leads, fs, n_times)
    envelope = qrs_envelope(amplitude, fs)
    nearby = ndimage.maximum_filter1d(envelope, 2 * round(_NEIGHBOURHOOD_S * fs) + 1, axis=-1)
    highest = envelope.max(axis=-1, keepdims=True)
    is_candidate = (envelope == nearby) & (envelope > THRESHOLD * highest)
    from_middle = np.abs(np.arange(n_times) - n_times // 2)
    wanted = from_middle if select == "center" else -envelope
    # without a candidate the middle wins, as what is not one ranks behind
    rank = np.where(is_candidate, wanted, from_middle + n_times)
    return refine(amplitude, rank.argmin(axis=-1), fs)


def resample_beats(x: Any, n_times: int) -> np.ndarray:
    """Resample the last axis to a fixed length, band-limited.

    Parameters
    ----------
    x : array-like of shape (..., n)
        Beats, finite.
    n_times : int
        Samples that each row shall have.

    Returns
    -------
    ndarray of shape (..., n_times)
        float32 if ``x`` is, else float64. Sample ``k`` of the result lies at ``k * n /
        n_times`` of the old ones, so the first keeps its place. Constant rows
        remain exactly constant.

    Raises
    ------
    TypeError
        If ``x`` is complex.
    ValueError
        If ``n_times`` is no whole number of 1 or more, or ``x`` is not finite or has rows
        of no samples.

    See Also
    --------
    scipy.signal.resample_poly : Does the work; each row's ends are joined by a line,
        which is taken off before and put back afterwards.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgbeat.signal import resample_beats
    >>> t = np.arange(288) / 360
    >>> beats = resample_beats(np.sin(2 * np.pi * 5 * t), 187)
    >>> bool(np.abs(beats - np.sin(2 * np.pi * 5 * np.arange(187) / 187 * 0.8)).max() < 0.02)
    True
    """
    if not isinstance(n_times, Integral) or n_times < 1:
        raise ValueError(f"n_times must be a whole number of 1 or more, got {n_times!r}.")
    x = as_signal(x, "resample_beats")
    n = x.shape[-1]
    if n == 0:
        raise ValueError(f"x of shape {x.shape} has rows of no samples; nothing to resample.")
    if n == n_times:
        return x.copy()
    if n == 1:
        return np.repeat(x, n_times, axis=-1)
    divisor = gcd(n, int(n_times))
    up, down = int(n_times) // divisor, n // divisor

    def resample(rows: np.ndarray) -> np.ndarray:
        first = rows[:, :1].copy()  # taken off, so that constant rows are exact zeros meanwhile
        return first + resample_poly(rows - first, up, down, axis=-1, padtype="line")

    return map_rows(resample, x, int(n_times))


def window_samples(fs: float, before: float, after: float) -> tuple[int, int]:
    """Return how many samples of a window lie before the R peak, and how many from it on."""
    fs = check_positive("fs", fs, unit="Hz")
    before = check_positive("before", before, unit="s", strict=False)
    after = check_positive("after", after, unit="s", strict=False)
    n_before, n_after = round(before * fs), round(after * fs)
    if n_before + n_after < 1:
        raise ValueError(
            f"before={before!r} s and after={after!r} s at fs={fs!r} Hz make a window of no "
            f"samples: together they must reach 1 / fs = {1 / fs:.3g} s, such as before=0.3, "
            "after=0.5."
        )
    return n_before, n_after


def _as_windows(X: Any, owner: str) -> np.ndarray:
    """Return a finite array of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples)."""
    X = as_signal(X, owner, "X")
    if X.ndim not in (2, 3):
        raise ValueError(
            f"{owner}: X must be (n_beats, n_samples) or (n_beats, n_leads, n_samples), got shape "
            f"{X.shape}. For one continuous recording use detect_r_peaks and cut_beats."
        )
    if 0 in X.shape[1:]:
        raise ValueError(f"{owner}: X of shape {X.shape} has windows of no samples.")
    return X
