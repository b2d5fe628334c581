"""Where a short window looks like a QRS complex (layer 1): what `locate_r_peaks` asks.

The constants were chosen on whole recordings, every second record of MIT-BIH, lead 1.
"""

import numpy as np
from scipy import ndimage

from ecgbeat.signal._filtering import bandpass

_BAND_HZ = (7.0, 20.0)  # of order 1: steeper filters ring, which moves the extremum
_ENVELOPE_S = 0.09  # about one QRS complex
_REFINEMENT_S = 0.06  # half a QRS complex: how far the extremum lies from the envelope's top

THRESHOLD = 0.25  # of the typical height of the envelope; T waves stay below


def qrs_amplitude(x: np.ndarray, fs: float, n_block: int) -> np.ndarray:
    """Filter to the band of the QRS complex and merge the leads.

    Parameters
    ----------
    x : ndarray of shape (..., n_leads, n_times)
        Signals, finite.
    fs : float
        Sampling rate in Hz.
    n_block : int
        Number of samples that should hold at least one beat.

    Returns
    -------
    ndarray of shape (..., n_times)
        Root of the summed squares over the leads, 0 or more. Unaffected by polarity
        and gain of any lead.
    """
    high = min(_BAND_HZ[1], 0.45 * fs)
    filtered = bandpass(x.astype(np.float64), fs, min(_BAND_HZ[0], high / 2), high, order=1)
    filtered = np.abs(filtered)
    largest = filtered.max(axis=-1, keepdims=True)
    filtered /= np.where(largest > 0, largest, 1.0)  # or squares overflow
    if x.shape[-2] == 1:
        return filtered[..., 0, :]
    filtered *= _lead_weights(filtered, n_block)
    return np.sqrt(np.square(filtered).sum(axis=-2))


def _lead_weights(filtered: np.ndarray, n_block: int) -> np.ndarray:
    """Give more weight to leads whose QRS complexes stand out from what lies between them."""
    starts = np.arange(0, filtered.shape[-1], n_block)
    lengths = np.diff(starts, append=filtered.shape[-1])
    tops = np.maximum.reduceat(filtered, starts, axis=-1)
    means = np.add.reduceat(filtered, starts, axis=-1) / lengths
    height = np.median(tops, axis=-1, keepdims=True)
    floor = np.median(means, axis=-1, keepdims=True)
    # (height / floor)², for leads brought to one height
    weights = np.divide(height, floor**2, out=np.zeros_like(height), where=floor > 0)
    best = weights.max(axis=-2, keepdims=True)
    return np.divide(weights, best, out=np.ones_like(weights), where=best > 0)


def qrs_envelope(amplitude: np.ndarray, fs: float) -> np.ndarray:
    """Take the moving root mean square along the last axis."""
    width = round(_ENVELOPE_S * fs) | 1
    energy = ndimage.uniform_filter1d(np.square(amplitude), width, axis=-1)
    return np.sqrt(np.maximum(energy, 0.0))  # its running sum may round to below 0


def refine(amplitude: np.ndarray, positions: np.ndarray, fs: float) -> np.ndarray:
    """Move positions to the extremum of their QRS complex.

    Parameters
    ----------
    amplitude : ndarray of shape (n_positions, n_times) or (n_times,)
        One row for each position, or one for all.
    positions : ndarray of shape (n_positions,)
        Sample numbers.
    fs : float
        Sampling rate in Hz.

    Returns
    -------
    ndarray of shape (n_positions,)
        int64.
    """
    half = round(_REFINEMENT_S * fs)
    # nearest first, so that a flat neighbourhood leaves the position where it is
    offsets = np.array(sorted(range(-half, half + 1), key=abs))
    around = np.clip(positions[:, None] + offsets, 0, amplitude.shape[-1] - 1)
    if amplitude.ndim == 1:
        values = amplitude[around]
    else:
        values = np.take_along_axis(amplitude, around, axis=1)
    return around[np.arange(len(positions)), values.argmax(axis=1)].astype(np.int64)
