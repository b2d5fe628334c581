"""Gaussian noise of any spectrum, drawn as a continuous function of time.

The Fourier coefficients are drawn up to a fixed frequency, so that one seed gives the
same noise at any sampling rate.
"""

from collections.abc import Callable

import numpy as np


def draw_band_noise(
    rng: np.random.Generator,
    band: tuple[float, float],
    amplitude: Callable[[np.ndarray], np.ndarray],
    *,
    duration: float,
    fs: float,
) -> np.ndarray:
    """Draw Gaussian noise of variance 1.

    Parameters
    ----------
    rng : numpy.random.Generator
    band : tuple of float
        Lowest and highest frequency in Hz. What lies above ``fs / 2`` is left out, as by
        the anti-aliasing filter of a recorder.
    amplitude : callable
        Takes frequencies in Hz, gives the amplitude at each on any scale.
    duration : float
        In seconds.
    fs : float
        Sampling rate in Hz.

    Returns
    -------
    ndarray of shape (n_times,)
    """
    period = np.ceil(duration)
    bins = np.arange(np.floor(band[0] * period) + 1, np.ceil(band[1] * period) + 1)
    size = amplitude(bins / period)
    phasor = rng.standard_normal((2, len(bins)))
    weight = size * (phasor[0] + 1j * phasor[1]) / np.sqrt(2.0 * (size**2).sum())
    n = round(period * fs)
    spectrum = np.zeros(n // 2 + 1, dtype=complex)
    kept = bins < n / 2
    spectrum[bins[kept].astype(int)] = weight[kept]
    return np.fft.irfft(spectrum, n)[: round(duration * fs)] * n / np.sqrt(2.0)
