"""The exact place of an R peak (layer 1)."""

import numpy as np
from scipy import ndimage

_REACH_S = 0.05  # half a QRS complex
_ISOELECTRIC_S = (0.08, 0.12)  # so far before and after the peak the signal is near its baseline
_N_ISOELECTRIC = 3  # samples on each side: more are no better
_OTHER_SIDE = 0.2  # a balance of so much: one and a half times as high
_N_BEATS = 9  # of them agree on the side of the extremum


def move_to_extremum(x: np.ndarray, positions: np.ndarray, fs: float) -> np.ndarray:
    """Move positions to the extremum of their QRS complexes.

    Up or down is decided by the majority of the beats around, so that a complex whose
    R and S waves are of about one size does not change sides from beat to beat; only a
    complex that is clearly larger on the other side keeps its own.

    Parameters
    ----------
    x : ndarray of shape (n_times,)
        One lead, finite.
    positions : ndarray of shape (n_positions,), int64
        Samples within the complexes, ascending.
    fs : float
        Sampling rate in Hz.

    Returns
    -------
    ndarray of shape (n_positions,)
        int64, ascending; equal ones are merged.
    """
    if len(positions) == 0:
        return positions
    windows, first = windows_around(x, positions, round(_REACH_S * fs))
    centers = positions - first
    tops = _nearest(windows, windows.argmax(axis=1), centers)
    bottoms = _nearest(windows, windows.argmin(axis=1), centers)
    rows = np.arange(len(positions))
    baseline = _baseline(x, positions, fs)
    balance = _balance(windows[rows, tops] - baseline, baseline - windows[rows, bottoms])
    usual = np.sign(ndimage.median_filter(balance, _N_BEATS))
    side = balance + _OTHER_SIDE * usual
    moved = first + np.where(side > 0, tops, bottoms)
    tied = side == 0
    moved[tied] = first[tied] + _nearer(tops[tied], bottoms[tied], centers[tied])
    return moved[np.diff(np.maximum.accumulate(moved), prepend=-1) > 0]


def _nearest(windows: np.ndarray, columns: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """Of the columns equal to the given one of each row, return that nearest to the center."""
    rows = np.arange(len(windows))
    extremes = windows[rows, columns]
    following = windows[rows, np.minimum(columns + 1, windows.shape[1] - 1)]
    flat = np.flatnonzero(following == extremes)  # where the signal is cut off
    if len(flat):
        distance = np.abs(np.arange(windows.shape[1]) - centers[flat, None])
        is_equal = windows[flat] == extremes[flat, None]
        columns[flat] = np.where(is_equal, distance, windows.shape[1]).argmin(axis=1)
    return columns


def _nearer(a: np.ndarray, b: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """Return the one of two columns that is nearer to the center, the earlier of equals."""
    earlier, later = np.minimum(a, b), np.maximum(a, b)
    return np.where(later - centers < centers - earlier, later, earlier)


def _balance(up: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Tell from -1, all below the baseline, to 1, all above it."""
    up, down = np.maximum(up, 0.0), np.maximum(down, 0.0)
    total = up + down
    return np.divide(up - down, total, out=np.zeros_like(total), where=total > 0)


def _baseline(x: np.ndarray, positions: np.ndarray, fs: float) -> np.ndarray:
    """Mean of short windows before and after each complex."""
    seconds = np.linspace(*_ISOELECTRIC_S, _N_ISOELECTRIC)
    offsets = np.round(np.concatenate([-seconds, seconds]) * fs).astype(int)
    return x[np.clip(positions[:, None] + offsets, 0, len(x) - 1)].mean(axis=1, dtype=np.float64)


def windows_around(
    x: np.ndarray, positions: np.ndarray, half: int
) -> tuple[np.ndarray, np.ndarray]:
    """Copy the samples around positions.

    Parameters
    ----------
    x : ndarray of shape (n_times,)
    positions : ndarray of shape (n_positions,)
        Samples of ``x``.
    half : int
        Samples on each side.

    Returns
    -------
    windows : ndarray of shape (n_positions, min(2 * half + 1, n_times))
        Near the ends of the signal they lie aside, so that none reaches past it.
    first : ndarray of shape (n_positions,)
        Sample of ``x`` where each starts.
    """
    width = min(2 * half + 1, len(x))
    first = np.clip(positions - half, 0, len(x) - width)
    # whole windows are copied several times faster than single samples
    return np.lib.stride_tricks.sliding_window_view(x, width)[first], first
