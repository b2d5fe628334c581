"""Where a signal looks like a QRS complex, and which of these places cannot be one (layer 1)."""

from typing import NamedTuple

import numpy as np

from ecgbeat.signal._qrs_bands import Bands, local_level, moving_mean, odd_width

_ENVELOPE_S = 0.09  # about one QRS complex
_LOWEST = 0.25  # of the local level: T waves stay below
_CONSIDERED = 0.08  # of the local level: lower maxima do not even compete
_ONE_COMPLEX_S = 0.16
_REFRACTORY_S = 0.25  # no two beats are closer: 240 a minute
_T_WAVE_S = 0.36  # a maximum this close to one more than twice as high is its T or P wave
_T_WAVE_RATIO = 0.5
_RIVAL_S = 0.8
_SILENCE = 1e-4  # of the highest level: below lies rounding error, not signal


class Candidates(NamedTuple):
    """Maxima of the QRS envelope that may be beats, in order of time.

    Attributes
    ----------
    positions : ndarray of shape (n_candidates,), int64
        Samples of the bands.
    heights : ndarray of shape (n_candidates,)
        Of the envelope.
    levels : ndarray of shape (n_candidates,)
        Typical height of the QRS complexes around.
    rivals : ndarray of shape (2, n_candidates)
        Height of the highest maximum within 0.8 s before, and after; of all maxima.
    energy : ndarray of shape (n_times,)
        Mean power of the QRS band over 90 ms: the squared envelope.
    """

    positions: np.ndarray
    heights: np.ndarray
    levels: np.ndarray
    rivals: np.ndarray
    energy: np.ndarray


def find_candidates(bands: Bands) -> Candidates:
    """Find the maxima of the QRS envelope that stand out and do not stand in a higher one's way.

    Parameters
    ----------
    bands : Bands
        Of at least one sample.

    Returns
    -------
    Candidates
    """
    fs = bands.fs
    width = odd_width(_ENVELOPE_S, fs)
    power = np.square(bands.qrs[0])
    for lead in bands.qrs[1:]:
        power += np.square(lead)
    energy = moving_mean(power, width)
    positions = _local_maxima(energy)
    heights, levels = np.sqrt(energy[positions]), local_level(energy, fs, positions)
    silence = max(_SILENCE * levels.max(initial=0.0), bands.silence, np.finfo(np.float64).tiny)
    considered = heights > np.maximum(_CONSIDERED * levels, silence)
    positions, heights, levels = (v[considered] for v in (positions, heights, levels))
    apart = _is_highest(positions, heights, _ONE_COMPLEX_S * fs, ratio=1.0)
    positions, heights, levels = (v[apart] for v in (positions, heights, levels))
    accepted = heights > _LOWEST * levels
    accepted &= _is_highest(positions, heights, _REFRACTORY_S * fs, ratio=1.0)
    accepted &= _is_highest(positions, heights, _T_WAVE_S * fs, ratio=_T_WAVE_RATIO)
    rivals = np.stack(_highest_near(positions, heights, _RIVAL_S * fs))
    return Candidates(
        positions[accepted], heights[accepted], levels[accepted], rivals[:, accepted], energy
    )


def _local_maxima(x: np.ndarray) -> np.ndarray:
    """Return where a signal rises and does not rise on."""
    rises = x[1:] > x[:-1]
    return np.flatnonzero(rises[:-1] & ~rises[1:]) + 1


def _highest_near(
    positions: np.ndarray, heights: np.ndarray, reach: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the height of the highest neighbour before and after within ``reach`` samples."""
    before, after = np.zeros_like(heights), np.zeros_like(heights)
    for k in range(1, len(positions)):
        near = positions[k:] - positions[:-k] <= reach
        if not near.any():
            break
        np.maximum(after[:-k], heights[k:], out=after[:-k], where=near)
        np.maximum(before[k:], heights[:-k], out=before[k:], where=near)
    return before, after


def _is_highest(
    positions: np.ndarray, heights: np.ndarray, reach: float, *, ratio: float
) -> np.ndarray:
    """Tell which maxima no neighbour within ``reach`` exceeds by more than ``1 / ratio``."""
    before, after = _highest_near(positions, heights, reach)
    # of two equal ones the later stays
    return (heights >= ratio * before) & (heights > ratio * after)
