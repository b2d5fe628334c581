"""Sums of asymmetric Gaussians on a sampled time axis: the pen of the simulator."""

import numpy as np

_REACH = 4.5  # widths; beyond, a wave of 1 mV is below 0.05 microvolts
_APERTURE = 0.3  # sampling intervals; see sum_gaussians


def sum_gaussians(
    center: np.ndarray, width: np.ndarray, amplitude: np.ndarray, *, fs: float, n_times: int
) -> np.ndarray:
    """Add up Gaussian waves.

    Each wave is seen through a Gaussian aperture of 0.3 sampling intervals, as through
    the anti-aliasing filter of a recorder. It leaves P, QRS and T alone and keeps a
    pacing spike of few milliseconds from falling between the samples of a slow recorder.

    Parameters
    ----------
    center : ndarray of shape (n_waves,)
        Times of the peaks, in seconds. They may lie outside of the recording.
    width : ndarray of shape (n_waves, 2)
        Standard deviations before and after the peak, in seconds.
    amplitude : ndarray of shape (n_waves, n_leads)
        In mV.
    fs : float
        Sampling rate in Hz.
    n_times : int
        Length of the recording in samples.

    Returns
    -------
    ndarray of shape (n_leads, n_times)
    """
    n_leads = amplitude.shape[1]
    seen = np.hypot(width, _APERTURE / fs)
    # spreading a wave does not change its area
    amplitude = amplitude * (width.sum(axis=1) / seen.sum(axis=1))[:, None]
    first = np.ceil((center - _REACH * seen[:, 0]) * fs).astype(np.int64).clip(0, n_times)
    last = np.floor((center + _REACH * seen[:, 1]) * fs).astype(np.int64).clip(-1, n_times - 1)
    length = (last - first + 1).clip(0)
    wave = np.repeat(np.arange(len(center)), length)
    begin = np.cumsum(length) - length
    sample = np.arange(length.sum()) - begin[wave] + first[wave]
    distance = sample / fs - center[wave]
    distance /= np.where(distance < 0, seen[wave, 0], seen[wave, 1])
    value = np.exp(-0.5 * distance**2)
    return np.stack(
        [
            np.bincount(sample, weights=value * amplitude[wave, lead], minlength=n_times)
            for lead in range(n_leads)
        ]
    )
