"""The frequency bands in which a QRS complex shows itself (layer 1).

Everything here runs at about 120 Hz, whatever the rate of the recording: passes over the
samples are then cheap, and widths in samples mean the same everywhere.
"""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

_RATE_HZ = 120.0  # enough for the band of the QRS complex, 40 Hz and below
_FINE_S = 0.025
_COARSE_S = 0.075
_NOISE_BLOCK_S = 0.05
_SLOW_S = 0.45
_LEVEL_BLOCK_S = 1.5  # holds a beat at 40 a minute and above
# so many give the local level: one artefact does not move their median, not at the ends
# either, where they are mirrored (the outermost repeated would decide alone)
_N_LEVEL_BLOCKS = 9
_SILENT = 1e-3  # of a lead's highest level
_STEEP_RATIO = 1.5  # of the steepest rise of a usual beat, between two samples
_SPIKE_RATIO = 6.0  # of the same
_JUMP_SAMPLES = 3  # at most
_LASTING = 0.6  # of a jump is left soon after it, and later, when the widest beat is over
_SOON_S, _LATER_S, _N_LEVEL = (0.04, 0.25), (0.6, 1.1), 8
_ROUNDING = 1e-13  # of the range of a signal: below lies what arithmetic leaves of silence


class Bands(NamedTuple):
    """One stretch of signal at about 120 Hz.

    Attributes
    ----------
    fs : float
        Sampling rate in Hz.
    qrs : ndarray of shape (n_leads, n_times)
        Mean over 25 ms less mean over 75 ms: the band of the QRS complex.
    fast : ndarray of shape (n_blocks,)
        Power of the second difference in blocks of 50 ms: muscle noise.
    slow : ndarray of shape (n_blocks,)
        Power of the deviation of a block's mean from the mean over 0.45 s: electrode
        motion and T waves.
    n_block : int
        Samples in a block.
    silence : float
        Below lies what rounding leaves of a constant signal.
    """

    fs: float
    qrs: np.ndarray
    fast: np.ndarray
    slow: np.ndarray
    n_block: int
    silence: float


def decimation_step(fs: float) -> int:
    """Return the number of samples that are added up to one."""
    return max(1, round(fs / _RATE_HZ))


def decimate(x: np.ndarray, step: int) -> np.ndarray:
    """Add up every ``step`` samples of each row; a rest is left out.

    Sums instead of means, since they are exact for whole numbers: so an offset makes
    no difference, not even by rounding.

    Parameters
    ----------
    x : ndarray of shape (n_leads, n_times)
    step : int

    Returns
    -------
    ndarray of shape (n_leads, n_times // step), float64
    """
    end = x.shape[1] // step * step
    if step == 1:
        return x.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):  # the caller looks for infinity
        # slices added up are several times faster than a sum over a short axis
        total = np.add(x[:, 0:end:step], x[:, 1:end:step], dtype=np.float64)
        for offset in range(2, step):
            total += x[:, offset:end:step]
    return total


def odd_width(seconds: float, fs: float) -> int:
    """Return the number of samples of a centred window, odd."""
    return max(1, round(seconds * fs)) | 1


def moving_mean(x: np.ndarray, width: int) -> np.ndarray:
    """Return the mean over ``width`` samples around each; beyond the ends are zeros.

    So the energy of a beat that the recording cuts off still has a maximum within it.
    """
    half = width // 2
    return np.convolve(x, np.full(width, 1 / width))[half : half + len(x)]


def split_bands(leads: np.ndarray, fs: float) -> Bands:
    """Split a stretch of signal into its bands, and merge the noise of its leads.

    Parameters
    ----------
    leads : ndarray of shape (n_leads, n_times)
        Signal at about 120 Hz, finite, of at most 1e100; at least one sample.
    fs : float
        Its sampling rate in Hz.

    Returns
    -------
    Bands
        With several leads each is divided by the height of its own QRS complexes, and
        weighted by how they stand out from what lies between them.
    """
    parts = [_split_lead(lead, fs) for lead in leads]
    if len(parts) == 1:
        qrs, fast, slow, silence = parts[0]
        return Bands(fs, qrs[np.newaxis], fast, slow, _block_length(fs), silence)
    qrs, fast, slow = (np.stack([part[k] for part in parts]) for k in range(3))
    # by the leads as they are: where jumps were taken out of one, another is to be trusted more
    gains = _lead_gains(np.stack([_qrs_band(np.diff(lead), fs) for lead in leads]), fs)
    qrs *= gains
    weights = gains[:, :: _block_length(fs)]
    silence = max(part[3] * gain.max() for part, gain in zip(parts, gains, strict=True))
    # twice, since the square of a gain may overflow
    fast, slow = ((power * weights * weights).sum(axis=0) for power in (fast, slow))
    return Bands(fs, qrs, fast, slow, _block_length(fs), float(silence))


def _split_lead(x: np.ndarray, fs: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Return the bands of one lead: QRS complex, fast and slow noise, and what is silence."""
    x = x - x[0]
    rises = np.diff(x)
    silence = _ROUNDING * float(np.ptp(x))
    jumps = _find_jumps(x, rises, fs, silence)
    if len(jumps):
        rises[jumps] = 0.0
        x = np.concatenate([[0.0], np.cumsum(rises)])
    n_block = _block_length(fs)
    curvature = np.zeros_like(x)
    np.subtract(rises[1:], rises[:-1], out=curvature[1:-1])
    np.square(curvature, out=curvature)
    return _qrs_band(rises, fs), _block_means(curvature, n_block), _slow_power(x, fs), silence


def _block_length(fs: float) -> int:
    """Return the number of samples in a block of the noise bands."""
    return max(1, round(_NOISE_BLOCK_S * fs))


def _find_jumps(x: np.ndarray, rises: np.ndarray, fs: float, silence: float) -> np.ndarray:
    """Find jumps of the baseline, and spikes.

    A jump is steep for three samples at most, and the signal stays where it has brought it. A
    spike is much steeper than any beat. What is steep for longer is a wave: a beat beside
    silence, or an artefact of another kind.

    Parameters
    ----------
    x : ndarray of shape (n_times,)
        Signal.
    rises : ndarray of shape (n_times - 1,)
        Its differences.
    fs : float
        Sampling rate in Hz.
    silence : float
        What rounding leaves of a constant signal.

    Returns
    -------
    ndarray
        Indices of ``rises``, int64.
    """
    if len(rises) == 0:
        return np.empty(0, np.int64)
    starts = _level_blocks(rises, fs)
    tops = np.maximum(np.maximum.reduceat(rises, starts), -np.minimum.reduceat(rises, starts))
    typical = np.median(tops)
    high = np.flatnonzero(tops > _STEEP_RATIO * typical)
    if len(high) == 0 or _STEEP_RATIO * typical <= silence:
        return np.empty(0, np.int64)
    # of most recordings few blocks are left to look at
    samples = (starts[high, None] + np.arange(_level_block_length(fs))).ravel()
    samples = samples[samples < len(rises)]
    steep = samples[np.abs(rises[samples]) > _STEEP_RATIO * typical]
    begin = np.flatnonzero(np.diff(steep, prepend=-2) > 1)  # of runs of steep samples
    length = np.diff(begin, append=len(steep))
    is_spike = np.maximum.reduceat(np.abs(rises[steep]), begin) > _SPIKE_RATIO * typical
    is_jump = length <= _JUMP_SAMPLES
    lasts = _lasts(x, steep[begin[is_jump]], length[is_jump], fs)
    is_jump[is_jump] = is_spike[is_jump] | lasts
    return steep[np.repeat(is_jump, length)]


def _lasts(x: np.ndarray, first: np.ndarray, length: np.ndarray, fs: float) -> np.ndarray:
    """Tell whether a signal stays where its rises from ``first`` on have brought it."""
    change = x[first + length] - x[first]
    lasts = np.ones(len(first), dtype=bool)
    for window in (_SOON_S, _LATER_S):
        rows = np.flatnonzero(lasts)  # most are beats, which the first window tells
        after = _level(x, first[rows] + length[rows], window, fs)
        left = (after - _level(x, first[rows], window, -fs)) * np.sign(change[rows])
        lasts[rows] = left > _LASTING * np.abs(change[rows])
    return lasts


def _level(
    x: np.ndarray, positions: np.ndarray, window: tuple[float, float], fs: float
) -> np.ndarray:
    """Return the median of a signal in a window after positions; before them for a rate below 0."""
    offsets = np.round(np.linspace(*window, _N_LEVEL) * fs).astype(int)
    return np.median(x[np.clip(positions[:, None] + offsets, 0, len(x) - 1)], axis=1)


def _qrs_band(rises: np.ndarray, fs: float) -> np.ndarray:
    """Return the mean over 25 ms less the mean over 75 ms, from the differences of a signal.

    The weights of such a filter add up to zero, so it can be had from differences: beyond the
    ends of the signal, where these are zero, its outermost samples are repeated.
    """
    fine, coarse = odd_width(_FINE_S, fs), odd_width(_COARSE_S, fs)
    half = coarse // 2
    weights = np.full(coarse, -1 / coarse)
    weights[half - fine // 2 : half + fine // 2 + 1] += 1 / fine
    if len(rises) == 0 or half == 0:
        return np.zeros(len(rises) + 1)
    return np.convolve(rises, np.cumsum(weights)[:-1])[half - 1 : half + len(rises)]


def _slow_power(x: np.ndarray, fs: float) -> np.ndarray:
    """Return the squared deviation of each block's mean from the mean of its surroundings."""
    n_block = _block_length(fs)
    means = _block_means(x, n_block)
    width = odd_width(_SLOW_S, fs / n_block)
    return np.square(means - ndimage.uniform_filter1d(means, width, mode="nearest"))


def _block_means(x: np.ndarray, n_block: int) -> np.ndarray:
    """Return the mean of each block; the last may be shorter."""
    n_whole = len(x) // n_block
    means = _in_blocks(x, n_block) @ np.full(n_block, 1 / n_block)
    rest = x[n_whole * n_block :]
    return np.append(means, rest.mean()) if len(rest) else means


def _in_blocks(x: np.ndarray, n_block: int) -> np.ndarray:
    """Return the whole blocks of a signal, one a row."""
    return x[: len(x) // n_block * n_block].reshape(-1, n_block)


def _level_blocks(x: np.ndarray, fs: float) -> np.ndarray:
    """Return the first samples of blocks of 1.5 s."""
    return np.arange(0, x.shape[-1], _level_block_length(fs))


def _level_block_length(fs: float) -> int:
    """Return the number of samples in a block of 1.5 s."""
    return max(1, round(_LEVEL_BLOCK_S * fs))


def _block_tops(amplitude: np.ndarray, fs: float) -> np.ndarray:
    """Return the highest value in each block of 1.5 s."""
    return np.maximum.reduceat(amplitude, _level_blocks(amplitude, fs), axis=-1)


def local_level(power: np.ndarray, fs: float, positions: np.ndarray) -> np.ndarray:
    """Return the typical height of the QRS complexes around positions: a running median."""
    tops = _block_tops(power, fs)
    typical = ndimage.median_filter(np.sqrt(tops), _N_LEVEL_BLOCKS)
    # np.interp, for nodes that are known to be equally far apart
    places = np.clip(positions / _level_block_length(fs) - 0.5, 0, len(typical) - 1)
    before = places.astype(np.intp)
    rise = np.diff(typical, append=typical[-1])
    return typical[before] + rise[before] * (places - before)


def _lead_gains(qrs: np.ndarray, fs: float) -> np.ndarray:
    """Bring leads to one height, and favour where QRS complexes stand out.

    Returns
    -------
    ndarray of shape (n_leads, n_times)
        They follow the signal, and bring the best lead of each moment to a height of 1.
    """
    amplitude = np.abs(qrs)
    starts, tops = _level_blocks(amplitude, fs), _block_tops(amplitude, fs)
    lengths = np.diff(starts, append=amplitude.shape[-1])
    means = np.add.reduceat(amplitude, starts, axis=-1) / lengths
    size = (1, _N_LEVEL_BLOCKS)
    height = ndimage.median_filter(tops, size)
    floor = ndimage.median_filter(means, size)
    clarity = np.divide(height, floor, out=np.zeros_like(height), where=floor > 0) ** 2
    # a lead that falls silent is not raised to the height of the others
    lowest = _SILENT * height.max(axis=1, keepdims=True)
    scale = clarity.max(axis=0) * np.maximum(height, lowest)
    # a beat amid silence has no level: there all leads count alike
    peak = amplitude.max(axis=1, keepdims=True)
    equal = np.divide(1.0, peak, out=np.zeros_like(peak), where=peak > 0)
    gains = np.divide(clarity, scale, out=equal + np.zeros_like(height), where=scale > 0)
    middles, times = starts + lengths / 2, np.arange(amplitude.shape[-1])
    return np.stack([np.interp(times, middles, gain) for gain in gains])
