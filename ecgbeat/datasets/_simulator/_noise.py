"""What else the electrodes pick up: wander, muscles, movement, mains.

Everything is drawn as a continuous function of time (Fourier coefficients up to a fixed
frequency, or Gaussians), so that one seed gives the same noise at any sampling rate.
"""

from typing import NamedTuple

import numpy as np

from ecgbeat.datasets._simulator._band_noise import draw_band_noise
from ecgbeat.datasets._simulator._gaussians import sum_gaussians

_WANDER_HZ = (0.03, 0.6)
_MUSCLE_HZ = (15.0, 150.0)
_EFFORT_HZ = (0.02, 0.3)  # how muscle noise swells and fades
_SECONDS_PER_BUMP = 25.0


class Electrodes(NamedTuple):
    """How well one patient is wired up: root mean squares in mV at noise level 1."""

    wander: float
    muscle: float
    bump: float
    mains: float


def draw_electrodes(rng: np.random.Generator) -> Electrodes:
    """Draw the quality of one recording."""
    return Electrodes(
        wander=float(rng.lognormal(np.log(0.08), 0.5)),
        muscle=float(rng.lognormal(np.log(0.015), 0.5)),
        bump=float(rng.lognormal(np.log(0.2), 0.5)),
        mains=float(rng.lognormal(np.log(0.006), 0.7)),
    )


def draw_noise(
    rng: np.random.Generator,
    electrodes: Electrodes,
    *,
    duration: float,
    fs: float,
    n_leads: int,
    mains: float,
) -> np.ndarray:
    """Draw noise of level 1.

    Parameters
    ----------
    rng : numpy.random.Generator
    electrodes : Electrodes
    duration : float
        In seconds.
    fs : float
        Sampling rate in Hz.
    n_leads : int
        Number of leads, which differ in all but their quality.
    mains : float
        Frequency of the mains in Hz.

    Returns
    -------
    ndarray of shape (n_leads, n_times)
        In mV.
    """
    n_times = round(duration * fs)
    signal = np.empty((n_leads, n_times))
    t = np.arange(n_times) / fs
    for lead in signal:
        wander = _power_law_noise(rng, _WANDER_HZ, -1.0, duration=duration, fs=fs)
        muscle = _power_law_noise(rng, _MUSCLE_HZ, -0.25, duration=duration, fs=fs)
        effort = _power_law_noise(rng, _EFFORT_HZ, -0.5, duration=duration, fs=fs)
        lead[:] = electrodes.wander * wander
        # muscles rest most of the time and then work for seconds
        lead += electrodes.muscle * muscle * (0.7 + 0.5 * np.maximum(effort, 0.0) ** 2)
        lead += _bumps(rng, electrodes.bump, duration=duration, fs=fs)
        if mains < fs / 2:
            hum = np.sin(2.0 * np.pi * (mains * t + rng.uniform()))
            lead += np.sqrt(2.0) * electrodes.mains * hum
    return signal


def _power_law_noise(
    rng: np.random.Generator, band: tuple[float, float], slope: float, *, duration: float, fs: float
) -> np.ndarray:
    """Draw Gaussian noise of variance 1 whose amplitude goes with frequency**slope."""
    return draw_band_noise(rng, band, lambda frequency: frequency**slope, duration=duration, fs=fs)


def _bumps(rng: np.random.Generator, size: float, *, duration: float, fs: float) -> np.ndarray:
    """Draw the slow waves that follow when an electrode is pulled."""
    n = rng.poisson(duration / _SECONDS_PER_BUMP)
    center = rng.uniform(0.0, duration, n)
    width = rng.uniform(0.05, 0.5, (n, 2))
    amplitude = size * rng.standard_normal((n, 1))
    return sum_gaussians(center, width, amplitude, fs=fs, n_times=round(duration * fs))[0]
