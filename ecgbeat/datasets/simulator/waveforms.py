"""Waveforms on a sampled time axis: Gaussians, damped oscillations and band-limited noise.

All are continuous functions of time, so one seed gives the same signal at any sampling rate.
"""

from collections.abc import Callable

import numpy as np

_GAUSSIAN_REACH = 4.5  # widths; a Gaussian of 1 mV is below 0.05 microvolts there
_APERTURE = 0.3  # sampling intervals
_OSCILLATION_REACH = 14.0  # decays; an oscillation is 70 dB below its crest there
_CREST = 2.0  # decays from the onset to the largest amplitude
_FALL = 4  # decays in which the frequency falls by 63 %; exp(-x) is exp(-x / 4)**4


def sum_gaussians(
    center: np.ndarray, width: np.ndarray, amplitude: np.ndarray, *, fs: float, n_times: int
) -> np.ndarray:
    """Return the sum of asymmetric Gaussians, of shape (n_leads, n_times).

    ``center`` holds the times of the peaks and ``width``, of shape (n_waves, 2), the standard
    deviations before and after them, in seconds; ``amplitude`` has the shape (n_waves, n_leads).
    A Gaussian aperture of 0.3 sampling intervals acts as the anti-aliasing filter of a recorder:
    a pacing spike of a few milliseconds does not fall between two samples.
    """
    widened = np.hypot(width, _APERTURE / fs)
    # the aperture preserves the area of a wave
    amplitude = amplitude * (width.sum(axis=1) / widened.sum(axis=1))[:, None]
    begin = center - _GAUSSIAN_REACH * widened[:, 0]
    end = center + _GAUSSIAN_REACH * widened[:, 1]
    sample, wave = _samples_between(begin, end, fs, n_times)
    distance = sample / fs - center[wave]
    distance /= np.where(distance < 0, widened[wave, 0], widened[wave, 1])
    value = np.exp(-0.5 * distance**2)
    return np.stack(
        [np.bincount(sample, weights=value * a[wave], minlength=n_times) for a in amplitude.T]
    )


def sum_oscillations(
    onset: np.ndarray,
    frequency: np.ndarray,
    decay: np.ndarray,
    amplitude: np.ndarray,
    phase: np.ndarray,
    glide: np.ndarray,
    *,
    fs: float,
    n_times: int,
) -> np.ndarray:
    """Return the sum of oscillations that rise quickly and decay exponentially, shape (n_times,).

    With x = (t - onset) / decay >= 0, each is::

        amplitude / 4 * x**2 * exp(2 - x)
        * sin(2 * pi * frequency * decay * (x + 4 * glide * (1 - exp(-x / 4))) + phase)

    so its amplitude is largest after two decays, and its frequency falls from
    ``(1 + glide) * frequency`` to ``frequency``, in Hz. Those that start at ``fs / 2`` or above
    are omitted, as by the anti-aliasing filter of a recorder.
    """
    audible = (amplitude != 0) & ((1.0 + glide) * frequency < fs / 2)
    onset, frequency, decay, amplitude, phase, glide = (
        part[audible] for part in (onset, frequency, decay, amplitude, phase, glide)
    )
    sample, wave = _samples_between(onset, onset + _OSCILLATION_REACH * decay, fs, n_times)
    x = (sample / fs - onset[wave]) / decay[wave]
    fall = np.exp(-x / _FALL)
    cycles = (frequency * decay)[wave] * (x + _FALL * glide[wave] * (1.0 - fall))
    crest = np.exp(_CREST) / _CREST**2 * amplitude
    value = crest[wave] * (x * fall**2) ** 2 * np.sin(2.0 * np.pi * cycles + phase[wave])
    return np.bincount(sample, weights=value, minlength=n_times)


def _samples_between(
    begin: np.ndarray, end: np.ndarray, fs: float, n_times: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the samples of each wave from ``begin`` to ``end``, and the wave of each sample."""
    first = np.ceil(begin * fs).astype(np.int64).clip(0, n_times)
    last = np.floor(end * fs).astype(np.int64).clip(-1, n_times - 1)
    length = (last - first + 1).clip(0)
    wave = np.repeat(np.arange(len(length)), length)
    offset = np.cumsum(length) - length
    return np.arange(length.sum()) - offset[wave] + first[wave], wave


def draw_band_noise(
    rng: np.random.Generator,
    band: tuple[float, float],
    amplitude: Callable[[np.ndarray], np.ndarray],
    *,
    duration: float,
    fs: float,
) -> np.ndarray:
    """Draw Gaussian noise of variance 1 between two frequencies in Hz, up to ``fs / 2``.

    ``amplitude`` maps frequencies in Hz to amplitudes on any scale.
    """
    period = np.ceil(duration)
    # all coefficients of the band are drawn, so that their number does not depend on fs
    bins = np.arange(np.floor(band[0] * period) + 1, np.ceil(band[1] * period) + 1)
    size = amplitude(bins / period)
    phasor = rng.standard_normal((2, len(bins)))
    coefficient = size * (phasor[0] + 1j * phasor[1]) / np.sqrt(2.0 * (size**2).sum())
    n = round(period * fs)
    spectrum = np.zeros(n // 2 + 1, dtype=complex)
    kept = bins < n / 2
    spectrum[bins[kept].astype(int)] = coefficient[kept]
    return np.fft.irfft(spectrum, n)[: round(duration * fs)] * n / np.sqrt(2.0)
