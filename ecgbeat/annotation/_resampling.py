"""Resampling of whole recordings, with their R peaks."""

from fractions import Fraction

import numpy as np
from scipy.signal import resample_poly

_LARGEST_FACTOR = 1000  # of the lower rate, which bounds the length of the filter
_BLOCK_SAMPLES = 2**18  # resampled at a time, which bounds the memory
_REACH = 11  # of the filter of resample_poly to each side, in samples at the lower rate


def resample_recording(
    leads: np.ndarray, r_peaks: np.ndarray, fs: float, new_fs: float
) -> tuple[np.ndarray, np.ndarray]:
    """Resample leads of shape (n_leads, n_times), finite, and move their R peaks along.

    The ratio of the rates is rounded to a fraction, in error by 0.05 % at most; the R peaks are
    moved by this fraction, so that they do not drift along the recording. R peaks remain
    strictly ascending: those that would fall on one sample are placed on neighboring samples.
    """
    ratio = _as_fraction(new_fs / fs)
    n_times = -(-leads.shape[1] * ratio.numerator // ratio.denominator)
    if n_times < len(r_peaks):
        raise ValueError(
            f"A recording of {leads.shape[1]} samples at fs={fs:g} Hz has {n_times} samples at "
            f"{new_fs:g} Hz, which are too few for {len(r_peaks)} R peaks. Check fs."
        )
    resampled = np.empty((len(leads), n_times), leads.dtype)
    for lead, row in zip(leads, resampled, strict=True):
        _resample_lead(lead, row, ratio.numerator, ratio.denominator)
    return resampled, _move(r_peaks, ratio, n_times)


def _as_fraction(ratio: float) -> Fraction:
    """Approximate a ratio of rates by a fraction with a small numerator or denominator."""
    if ratio < 1:
        return 1 / Fraction(1 / ratio).limit_denominator(_LARGEST_FACTOR)
    return Fraction(ratio).limit_denominator(_LARGEST_FACTOR)


def _resample_lead(lead: np.ndarray, resampled: np.ndarray, up: int, down: int) -> None:
    """Write a lead at ``up / down`` times its rate to ``resampled``, block by block.

    Blocks begin at multiples of ``down`` samples, which are samples of the result as well, and
    are resampled together with the samples around them that the filter reaches.
    """
    margin = _next_multiple(_REACH * max(1, down / up), down)
    length = _next_multiple(_BLOCK_SAMPLES, down)
    offset = float(lead[0])  # the filter keeps a constant up to 0.3 %, and 0 exactly
    for start in range(0, len(lead), length):
        first = max(start - margin, 0)
        block = lead[first : start + length + margin].astype(np.float64) - offset
        values = offset + resample_poly(block, up, down, padtype="edge")
        part = resampled[start // down * up : (start + length) // down * up]
        part[:] = values[(start - first) // down * up :][: len(part)]


def _next_multiple(number: float, divisor: int) -> int:
    """Return the smallest multiple of ``divisor`` that is not less than ``number``."""
    return int(-(-number // divisor)) * divisor


def _move(r_peaks: np.ndarray, ratio: Fraction, n_times: int) -> np.ndarray:
    """Return the nearest samples of ``n_times`` at the new rate, strictly ascending."""
    up, down = ratio.numerator, ratio.denominator
    order = np.arange(len(r_peaks))
    moved = (2 * r_peaks * up + down) // (2 * down)
    moved = np.maximum.accumulate(moved - order) + order
    return np.minimum(moved, n_times - len(r_peaks) + order)
