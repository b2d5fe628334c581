"""Which candidates are beats, and which are noise (layer 1)."""

import numpy as np
from scipy import ndimage

from ecgbeat.signal._extremum import windows_around
from ecgbeat.signal._qrs_bands import Bands, odd_width
from ecgbeat.signal._qrs_candidates import Candidates

_RISE_S = (0.145, 0.235)  # before a candidate: two windows of the envelope side by side
_FAST_S = 1.0
_SLOW_S = 0.2
_PEAK_S = 0.06  # half a QRS complex: how far its peak lies from the envelope's top
_SHAPE_S = 0.1
_N_NEIGHBOURS = 9  # of them give the local noise
_LOG_FLOOR = -3.0  # of log ratios: what is 20 times lower is not there
_POWER_FLOOR = 1e-6

QUANTITIES = (
    "rival before",
    "rival after",
    "floor before",
    "fast noise",
    "slow deviation",
    "likeness",
    "fast noise around",
    "floor around",
)

# Of a logistic regression (examples/benchmarks/fit_qrs_score.py). Positive speaks for a beat.
WEIGHTS = np.array([-0.97, -1.23, -1.76, -2.04, 1.15, 0.92, 2.46, -1.74])
INTERCEPT = -2.09


def select_beats(candidates: Candidates, bands: Bands) -> np.ndarray:
    """Return the samples of the peaks of the candidates that are beats, int64."""
    if len(candidates.positions) == 0:
        return candidates.positions
    peaks = qrs_peaks(candidates, bands)
    score = qrs_quantities(candidates, bands, peaks) @ WEIGHTS + INTERCEPT
    return peaks[score > 0]


def qrs_peaks(candidates: Candidates, bands: Bands) -> np.ndarray:
    """Return the sample of the largest value in the QRS band near each candidate."""
    half = round(_PEAK_S * bands.fs)
    found = [windows_around(lead, candidates.positions, half) for lead in bands.qrs]
    power = sum(np.square(waves) for waves, _ in found)
    return found[0][1] + np.argmax(power, axis=1)


def qrs_quantities(candidates: Candidates, bands: Bands, peaks: np.ndarray) -> np.ndarray:
    """Measure what tells beats from noise; none depends on the gain of the signal.

    Parameters
    ----------
    candidates : Candidates
        One or more.
    bands : Bands
        Where they were found.
    peaks : ndarray of shape (n_candidates,)
        From `qrs_peaks`.

    Returns
    -------
    ndarray of shape (n_candidates, 8)
        In the order of ``QUANTITIES``: logarithms of the highest rivals before and after,
        of the QRS band just before the complex, of fast noise and slow deviation, each over
        the candidate's height; likeness to the mean complex; running medians of fast noise
        and of the floor, over the typical height.
    """
    positions, heights, levels, rivals, energy = candidates
    fs = bands.fs
    rise = [energy[np.maximum(positions - round(s * fs), 0)] for s in _RISE_S]
    floor = _log_ratio(np.mean(rise, axis=0), heights)
    fast = _log_ratio(_mean_power(bands.fast, bands, positions, _FAST_S), heights)
    slow = _log_ratio(_mean_power(bands.slow, bands, positions, _SLOW_S), heights)
    before, after = np.log(np.maximum(rivals / heights, np.exp(_LOG_FLOOR)))
    relative = -np.log(np.maximum(levels / heights, np.exp(_LOG_FLOOR)))
    return np.column_stack(
        [
            before,
            after,
            floor,
            fast,
            slow,
            _likeness(bands.qrs, peaks, round(_SHAPE_S * fs)),
            ndimage.median_filter(fast + relative, _N_NEIGHBOURS),
            ndimage.median_filter(floor + relative, _N_NEIGHBOURS),
        ]
    )


def _mean_power(blocks: np.ndarray, bands: Bands, positions: np.ndarray, s: float) -> np.ndarray:
    """Return the mean power of a noise band over ``s`` seconds around each position."""
    width = odd_width(s, bands.fs / bands.n_block)
    means = ndimage.uniform_filter1d(blocks, width, mode="nearest")
    return np.maximum(means[positions // bands.n_block], 0.0)  # its sums may round to below 0


def _log_ratio(power: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """Logarithm of a root mean square over the height of the candidate."""
    return 0.5 * np.log(np.maximum(power / np.square(heights), _POWER_FLOOR))


def _likeness(qrs: np.ndarray, peaks: np.ndarray, half: int) -> np.ndarray:
    """Correlate each complex with the mean of all, each brought to unit length."""
    shapes = np.concatenate([windows_around(lead, peaks, half)[0] for lead in qrs], axis=1)
    tiny = np.finfo(np.float64).tiny
    shapes /= np.linalg.norm(shapes, axis=1, keepdims=True) + tiny
    mean = shapes.mean(axis=0)
    return shapes @ (mean / (np.linalg.norm(mean) + tiny))
