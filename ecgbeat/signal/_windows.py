"""R-peak location and beat segmentation in many short windows."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from ecgbeat._rows import as_rows, row_chunks
from ecgbeat._validation import check_fs
from ecgbeat.signal._beats import resample_beats, window_samples
from ecgbeat.signal._filtering import bandpass

_SELECTIONS = ("center", "largest")
_NEIGHBORHOOD_S = 0.2  # a candidate is the maximum of the envelope within this distance

# chosen on whole recordings: lead 1 of every second record of MIT-BIH
_BAND_HZ = (7.0, 20.0)
_ORDER = 1  # steeper filters ring and move the extremum
_ENVELOPE_S = 0.09  # about one QRS complex
# half a QRS complex: largest distance of the extremum from the maximum of the envelope
_REFINEMENT_S = 0.06
_THRESHOLD = 0.25  # of the highest value of the envelope; T waves are lower


def segment_beats(
    X: ArrayLike,
    fs: float,
    before: float = 0.3,
    after: float = 0.5,
    *,
    n_times: int | None = None,
    select: str = "center",
) -> np.ndarray:
    """Cut one beat out of each window.

    Parameters
    ----------
    X : array-like of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples)
        Windows of signal that contain one beat each, finite.
    fs : float
        Sampling rate in Hz.
    before, after : float, default=0.3, 0.5
        Time before and after the R peak in seconds, as in `cut_beats`.
    n_times : int or None, default=None
        Number of samples to resample each beat to. None keeps the sampling rate.
    select : {"center", "largest"}, default="center"
        R peak to select in a window, as in `locate_r_peaks`.

    Returns
    -------
    ndarray of shape (n_beats, n_window) or (n_beats, n_leads, n_window)
        One beat per window, float32 if ``X`` is float32, else float64. Windows without a
        recognizable R peak are cut around their center. ``n_window`` is ``n_times``, or
        ``round(before * fs) + round(after * fs)``.

    Raises
    ------
    TypeError, ValueError
        As `cut_beats`, `locate_r_peaks` and `resample_beats`.

    See Also
    --------
    ecgbeat.RPeakSegmenter : Equivalent transformer.

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


def locate_r_peaks(X: ArrayLike, fs: float, select: str = "center") -> np.ndarray:
    """Find one R peak in each of many short windows.

    Parameters
    ----------
    X : array-like of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples)
        Windows of signal, finite, of one or a few beats. Leads are merged.
    fs : float
        Sampling rate in Hz; 100 or more is recommended.
    select : {"center", "largest"}, default="center"
        R peak to select if a window contains several: the one nearest to the center,
        ``n_samples // 2``, or the one of the largest QRS complex.

    Returns
    -------
    ndarray of shape (n_beats,)
        Sample numbers, int64. The center of the window if no R peak is found.

    Raises
    ------
    TypeError
        If ``fs`` is not a number, or ``X`` does not hold real numbers.
    ValueError
        If ``select`` is unknown, or ``X`` has another number of axes, no samples, or
        values that are not finite.

    See Also
    --------
    detect_r_peaks : Detection of all R peaks of a recording.

    Notes
    -----
    The signal is filtered to 7-20 Hz, zero-phase; candidates are the maxima of its moving
    root mean square over 90 ms that reach a quarter of the highest maximum of the row. The
    result does not depend on offset, gain and polarity of the leads, nor on the other rows.

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
    fs = check_fs(fs)
    if select not in _SELECTIONS:
        raise ValueError(f"select must be one of {_SELECTIONS}, got {select!r}.")
    X = _as_windows(X, "locate_r_peaks")
    leads = X if X.ndim == 3 else X[:, None, :]
    r_peaks = np.empty(len(leads), np.int64)
    for chunk in row_chunks(len(leads), leads[:1].size):
        r_peaks[chunk] = _locate_rows(leads[chunk], fs, select)
    return r_peaks


class LocationSettings(NamedTuple):
    """Filter and distances of `locate_r_peaks` at one sampling rate."""

    low: float  # edges of the band in Hz
    high: float
    order: int
    envelope: int  # samples of the moving mean, odd
    neighborhood: int  # samples on either side of a candidate
    refinement: int  # samples on either side of a maximum of the envelope
    threshold: float  # of the highest value of the envelope


def location_settings(fs: float) -> LocationSettings:
    """Return the settings of `locate_r_peaks` at a sampling rate."""
    high = min(_BAND_HZ[1], 0.45 * fs)
    return LocationSettings(
        low=min(_BAND_HZ[0], high / 2),
        high=high,
        order=_ORDER,
        envelope=round(_ENVELOPE_S * fs) | 1,
        neighborhood=round(_NEIGHBORHOOD_S * fs),
        refinement=round(_REFINEMENT_S * fs),
        threshold=_THRESHOLD,
    )


def _locate_rows(leads: np.ndarray, fs: float, select: str) -> np.ndarray:
    """Find one R peak in each window of shape (n_leads, n_times)."""
    n_times = leads.shape[-1]
    settings = location_settings(fs)
    amplitude = _qrs_amplitude(leads, fs)
    envelope = _qrs_envelope(amplitude, fs)
    nearby = ndimage.maximum_filter1d(envelope, 2 * settings.neighborhood + 1, axis=-1)
    highest = envelope.max(axis=-1, keepdims=True)
    is_candidate = (envelope == nearby) & (envelope > settings.threshold * highest)
    from_middle = np.abs(np.arange(n_times) - n_times // 2)
    wanted = from_middle if select == "center" else -envelope
    # samples that are not candidates rank last, those near the center first
    rank = np.where(is_candidate, wanted, from_middle + n_times)
    return _move_to_extremum(amplitude, rank.argmin(axis=-1), fs)


def _qrs_amplitude(leads: np.ndarray, fs: float) -> np.ndarray:
    """Filter windows ``(n_beats, n_leads, n_times)`` to the QRS band, and merge their leads.

    The root of the summed squares over the leads is independent of their polarity and gain.
    """
    low, high, order = location_settings(fs)[:3]
    filtered = np.abs(bandpass(leads.astype(np.float64), fs, low, high, order=order))
    largest = filtered.max(axis=-1, keepdims=True)
    filtered /= np.where(largest > 0, largest, 1.0)  # avoid overflow of the squares
    if leads.shape[1] == 1:
        return filtered[:, 0]
    filtered *= _lead_weights(filtered)
    return np.sqrt(np.square(filtered).sum(axis=1))


def _lead_weights(filtered: np.ndarray) -> np.ndarray:
    """Return weights that favor leads with QRS complexes high above the signal between them."""
    height = filtered.max(axis=-1, keepdims=True)
    floor = filtered.mean(axis=-1, keepdims=True)
    # (height / floor)², for leads scaled to one height
    weights = np.divide(height, floor**2, out=np.zeros_like(height), where=floor > 0)
    best = weights.max(axis=1, keepdims=True)
    return np.divide(weights, best, out=np.ones_like(weights), where=best > 0)


def _qrs_envelope(amplitude: np.ndarray, fs: float) -> np.ndarray:
    """Compute the moving root mean square along the last axis."""
    width = location_settings(fs).envelope
    energy = ndimage.uniform_filter1d(np.square(amplitude), width, axis=-1)
    return np.sqrt(np.maximum(energy, 0.0))  # the running sum may round to below 0


def _move_to_extremum(amplitude: np.ndarray, positions: np.ndarray, fs: float) -> np.ndarray:
    """Move the position in each row of ``amplitude`` to the extremum of its QRS complex."""
    half = location_settings(fs).refinement
    # nearest first, so that a flat neighborhood keeps the position
    offsets = np.array(sorted(range(-half, half + 1), key=abs))
    around = np.clip(positions[:, None] + offsets, 0, amplitude.shape[-1] - 1)
    values = np.take_along_axis(amplitude, around, axis=1)
    return around[np.arange(len(positions)), values.argmax(axis=1)].astype(np.int64)


def _as_windows(X: ArrayLike, caller: str) -> np.ndarray:
    """Return a finite array of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples)."""
    X = as_rows(X, caller, "X")
    if X.ndim not in (2, 3):
        raise ValueError(
            f"{caller}: X must be of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples), "
            f"got shape {X.shape}. For a continuous recording, use detect_r_peaks and cut_beats."
        )
    if 0 in X.shape[1:]:
        raise ValueError(
            f"{caller}: X of shape {X.shape} has windows without samples; pass at least one "
            "sample per window."
        )
    return X
