"""Detection of QRS complexes: frequency bands, candidates, and rejection of noise.

All functions operate on signals of about 120 Hz, independent of the sampling rate of the
recording. This reduces the number of samples, and a width in samples has the same duration for
all recordings.
"""

from typing import NamedTuple

import numpy as np
from scipy import ndimage
from scipy.special import expit

# Relative difference of equal values. In recordings of few bits, many values are equal or an exact
# multiple of others, and are rounded differently for each gain and offset. With this margin, they
# compare as in exact arithmetic.
_EQUAL = 1e-9

# --- bands ----------------------------------------------------------------------------

_RATE_HZ = 120.0  # enough for the band of the QRS complex, 40 Hz and below
_FINE_S = 0.025
_COARSE_S = 0.075
_NOISE_BLOCK_S = 0.05
_SLOW_BAND_S = 0.45
_LEVEL_BLOCK_S = 1.5  # holds a beat at 40 beats per minute and above
# number of blocks in the running median of the local level: robust to a single artifact, also at
# the ends, where the blocks are mirrored
_N_LEVEL_BLOCKS = 9
_AS_CLEAR = 0.5  # of the clarity of the clearest lead; others show nothing about its artifacts
_LEAST_STEADY = 0.2  # lowest over highest top of these blocks; those of artifacts vary most
_SILENT = 1e-3  # of a lead's highest level
_STEEP_RATIO = 1.5 + _EQUAL  # of the steepest rise of a typical beat between two samples
_SPIKE_RATIO = 6.0 + _EQUAL  # of the same rise
_JUMP_SAMPLES = 3  # longest jump
_LASTING = 0.6 + _EQUAL  # share of a jump that remains soon after it, and after the widest beat
_SOON_S, _LATER_S, _N_LEVEL = (0.04, 0.25), (0.6, 1.1), 8
_ROUNDING = 1e-13  # of the range of a signal: rounding error of a constant signal
_ONE_WAVE_S = 0.3  # a maximum this close to one more than twice as high is no beat
_TINY = 1e-300
_FEW = 64  # positions, for which calls of NumPy take longer than what they compute


class Bands(NamedTuple):
    """Frequency bands of a stretch of signal at about 120 Hz."""

    fs: float
    qrs: np.ndarray  # (n_leads, n_times), mean over 25 ms minus mean over 75 ms
    fast: np.ndarray  # (n_blocks,), power of the second difference: muscle noise
    # (n_blocks,), power of the deviation from the mean over 0.45 s: electrode motion and T waves
    slow: np.ndarray
    n_block: int  # samples in a block of 50 ms
    silence: float  # rounding error of a constant signal
    wave: np.ndarray  # (n_leads, n_times), all frequencies, without jumps


def decimation_step(fs: float) -> int:
    """Return the number of samples that `decimate` sums into one."""
    return max(1, round(fs / _RATE_HZ))


def decimate(x: np.ndarray, step: int) -> np.ndarray:
    """Sum every ``step`` samples of each row, ``(n_leads, n_times)``; leave out the rest.

    Sums are exact for integers, unlike means: an offset makes no difference, not even by rounding.
    """
    end = x.shape[1] // step * step
    if step == 1:
        return x.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):  # the caller checks for infinity
        # adding slices is several times faster than a sum over a short axis
        total = np.add(x[:, 0:end:step], x[:, 1:end:step], dtype=np.float64)
        for offset in range(2, step):
            total += x[:, offset:end:step]
    return total


def odd_width(seconds: float, fs: float) -> int:
    """Return the odd number of samples of a centered window."""
    return max(1, round(seconds * fs)) | 1


def moving_mean(x: np.ndarray, width: int) -> np.ndarray:
    """Return the mean over ``width`` samples around each sample, with zeros beyond the ends.

    With zeros, the energy of a beat at the edge has its maximum within the recording.
    """
    half = width // 2
    return np.convolve(x, np.full(width, 1 / width))[half : half + len(x)]


def split_bands(leads: np.ndarray, fs: float) -> Bands:
    """Split leads at about 120 Hz, finite and at most 1e100, into bands; merge their noise.

    Each of several leads is divided by the height of its QRS complexes, and weighted by its
    clarity, see `_lead_gains`.
    """
    parts = [_split_lead(lead, fs) for lead in leads]
    if len(parts) == 1:
        qrs, fast, slow, silence, wave = parts[0]
        n_block = block_length(fs)
        return Bands(fs, qrs[np.newaxis], fast, slow, n_block, silence, wave[np.newaxis])
    qrs, fast, slow, wave = (np.stack([part[k] for part in parts]) for k in (0, 1, 2, 4))
    # computed from the unmodified leads, so that a lead with jumps has a smaller weight
    gains = _lead_gains(np.stack([qrs_band(np.diff(lead), fs) for lead in leads]), fs)
    qrs *= gains
    wave *= gains
    weights = gains[:, :: block_length(fs)]
    silence = max(part[3] * gain.max() for part, gain in zip(parts, gains, strict=True))
    # multiplied twice, since the square of a gain may overflow
    fast, slow = ((power * weights * weights).sum(axis=0) for power in (fast, slow))
    return Bands(fs, qrs, fast, slow, block_length(fs), float(silence), wave)


def _split_lead(
    x: np.ndarray, fs: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float, np.ndarray]:
    """Return the bands of one lead (QRS, fast and slow), its rounding error and its wave."""
    x = x - x[0]
    rises = np.diff(x)
    silence = _ROUNDING * float(np.ptp(x))
    jumps = _find_jumps(x, rises, fs, silence)
    if len(jumps):
        rises[jumps] = 0.0
        x = np.concatenate([[0.0], np.cumsum(rises)])
    n_block = block_length(fs)
    curvature = np.zeros_like(x)
    np.subtract(rises[1:], rises[:-1], out=curvature[1:-1])
    np.square(curvature, out=curvature)
    fast = block_means(curvature, n_block)
    return qrs_band(rises, fs), fast, slow_power(x, fs), silence, x


def block_length(fs: float) -> int:
    """Return the number of samples in a block of the noise bands."""
    return max(1, round(_NOISE_BLOCK_S * fs))


def _find_jumps(x: np.ndarray, rises: np.ndarray, fs: float, silence: float) -> np.ndarray:
    """Return the indices of ``rises`` that belong to jumps of the baseline or to spikes.

    A jump is steep for three samples at most, and the signal stays at the new level. A spike is
    much steeper than any beat. Longer steep stretches are waves: a beat beside silence, or an
    artifact of another kind.
    """
    if len(rises) == 0:
        return np.empty(0, np.int64)
    starts = _level_blocks(rises, fs)
    tops = np.maximum(np.maximum.reduceat(rises, starts), -np.minimum.reduceat(rises, starts))
    typical = np.median(tops)
    high = np.flatnonzero(tops > _STEEP_RATIO * typical)
    if len(high) == 0 or _STEEP_RATIO * typical <= silence:
        return np.empty(0, np.int64)
    # in most recordings, few blocks remain
    samples = (starts[high, None] + np.arange(level_block_length(fs))).ravel()
    samples = samples[samples < len(rises)]
    steep = samples[np.abs(rises[samples]) > _STEEP_RATIO * typical]
    begin = np.flatnonzero(np.diff(steep, prepend=-2) > 1)  # runs of steep samples
    length = np.diff(begin, append=len(steep))
    is_spike = np.maximum.reduceat(np.abs(rises[steep]), begin) > _SPIKE_RATIO * typical
    is_jump = length <= _JUMP_SAMPLES
    lasts = _lasts(x, steep[begin[is_jump]], length[is_jump], fs)
    is_jump[is_jump] = is_spike[is_jump] | lasts
    return steep[np.repeat(is_jump, length)]


def _lasts(x: np.ndarray, first: np.ndarray, length: np.ndarray, fs: float) -> np.ndarray:
    """Return for each jump whether the signal remains near the new level."""
    change = x[first + length] - x[first]
    lasts = np.ones(len(first), dtype=bool)
    for window in (_SOON_S, _LATER_S):
        rows = np.flatnonzero(lasts)  # the first window excludes most beats
        after = _level(x, first[rows] + length[rows], window, fs)
        left = (after - _level(x, first[rows], window, -fs)) * np.sign(change[rows])
        lasts[rows] = left > _LASTING * np.abs(change[rows])
    return lasts


def _level(
    x: np.ndarray, positions: np.ndarray, window: tuple[float, float], fs: float
) -> np.ndarray:
    """Return the median of a signal in a window after positions, or before if ``fs`` < 0."""
    offsets = np.round(np.linspace(*window, _N_LEVEL) * fs).astype(int)
    return np.median(x[np.clip(positions[:, None] + offsets, 0, len(x) - 1)], axis=1)


def qrs_band(rises: np.ndarray, fs: float) -> np.ndarray:
    """Return the mean over 25 ms minus the mean over 75 ms, from the differences of a signal.

    The weights of this filter sum to zero, so it can be computed from differences. Zero
    differences beyond the ends repeat the outermost samples.
    """
    fine, coarse = odd_width(_FINE_S, fs), odd_width(_COARSE_S, fs)
    half = coarse // 2
    weights = np.full(coarse, -1 / coarse)
    weights[half - fine // 2 : half + fine // 2 + 1] += 1 / fine
    if len(rises) == 0 or half == 0:
        return np.zeros(len(rises) + 1)
    return np.convolve(rises, np.cumsum(weights)[:-1])[half - 1 : half + len(rises)]


def qrs_heights(leads: np.ndarray, fs: float) -> np.ndarray:
    """Return the largest absolute value of the QRS band of each lead."""
    return np.abs(_qrs_bands(leads, fs)).max(axis=1, initial=0.0)


def steep_onset(leads: np.ndarray, fs: float, limits: np.ndarray) -> int | None:
    """Return the first sample at which the QRS band of a lead is above its limit, or missing.

    A wave of a quarter of a later one within 0.3 s is none, such as a P wave.
    """
    step = decimation_step(fs)
    relative = np.abs(_qrs_bands(leads, fs)) / np.maximum(limits, _TINY)[:, np.newaxis]
    highest = relative.max(axis=0)
    highest[np.isnan(highest)] = np.inf
    above = np.flatnonzero(highest > 1)
    if len(above) == 0:
        return None
    wave = highest[above[0] : above[0] + round(_ONE_WAVE_S * fs / step)]
    return int(above[0] + np.argmax(wave >= max(1.0, wave.max() / 4))) * step


def _qrs_bands(leads: np.ndarray, fs: float) -> np.ndarray:
    """Return the QRS band of each lead, averaged down."""
    step = decimation_step(fs)
    return np.stack([qrs_band(np.diff(lead), fs / step) for lead in decimate(leads, step)])


def slow_power(x: np.ndarray, fs: float) -> np.ndarray:
    """Return the squared deviation of each block's mean from the mean of its surroundings."""
    n_block = block_length(fs)
    means = block_means(x, n_block)
    width = odd_width(_SLOW_BAND_S, fs / n_block)
    return np.square(means - ndimage.uniform_filter1d(means, width, mode="nearest"))


def block_means(x: np.ndarray, n_block: int) -> np.ndarray:
    """Return the mean of each block; the last may be shorter."""
    n_whole = len(x) // n_block
    means = _in_blocks(x, n_block) @ np.full(n_block, 1 / n_block)
    rest = x[n_whole * n_block :]
    return np.append(means, rest.mean()) if len(rest) else means


def _in_blocks(x: np.ndarray, n_block: int) -> np.ndarray:
    """Return the complete blocks of a signal as rows."""
    return x[: len(x) // n_block * n_block].reshape(-1, n_block)


def _level_blocks(x: np.ndarray, fs: float) -> np.ndarray:
    """Return the first sample of each block of 1.5 s."""
    return np.arange(0, x.shape[-1], level_block_length(fs))


def level_block_length(fs: float) -> int:
    """Return the number of samples in a block of 1.5 s."""
    return max(1, round(_LEVEL_BLOCK_S * fs))


def block_tops(amplitude: np.ndarray, fs: float) -> np.ndarray:
    """Return the highest value in each block of 1.5 s."""
    return np.maximum.reduceat(amplitude, _level_blocks(amplitude, fs), axis=-1)


def local_level(power: np.ndarray, fs: float, positions: np.ndarray) -> np.ndarray:
    """Return the typical height of the QRS complexes around positions: a running median."""
    tops = block_tops(power, fs)
    typical = running_median(np.sqrt(tops), _N_LEVEL_BLOCKS)
    # linear interpolation between equidistant nodes
    nodes = np.clip(positions / level_block_length(fs) - 0.5, 0, len(typical) - 1)
    before = nodes.astype(np.intp)
    rise = np.diff(typical, append=typical[-1])
    return typical[before] + rise[before] * (nodes - before)


def _lead_gains(qrs: np.ndarray, fs: float) -> np.ndarray:
    """Return factors ``(n_leads, n_times)`` that favor clear QRS complexes.

    They vary in time, and bring the best lead of each moment to a height of 1. The clarity is
    the squared ratio of the height of the complexes to the signal between them, and less where
    a lead is higher than usual while another clear one is not, or varies in height.
    """
    amplitude = np.abs(qrs)
    starts, tops = _level_blocks(amplitude, fs), block_tops(amplitude, fs)
    lengths = np.diff(starts, append=amplitude.shape[-1])
    means = np.add.reduceat(amplitude, starts, axis=-1) / lengths
    size = (1, _N_LEVEL_BLOCKS)
    height = ndimage.median_filter(tops, size)
    floor = ndimage.median_filter(means, size)
    clarity = _ratio(height, floor)
    # an artifact makes one lead higher than usual, a beat of another shape makes most leads so
    excess = np.maximum(_ratio(tops, height), 1)
    is_clear = clarity >= _AS_CLEAR * clarity.max(axis=0)
    least = np.where(is_clear, excess, np.inf).min(axis=0)
    clarity *= np.minimum(least / excess, 1)
    steadiness = _ratio(ndimage.minimum_filter(tops, size), ndimage.maximum_filter(tops, size))
    clarity *= clarity * np.maximum(steadiness, _LEAST_STEADY)
    # a silent lead is not amplified to the height of the others
    lowest = _SILENT * height.max(axis=1, keepdims=True)
    scale = clarity.max(axis=0) * np.maximum(height, lowest)
    # equal weights without a level, as for a single beat in silence
    peak = amplitude.max(axis=1, keepdims=True)
    equal = _ratio(1.0, peak)
    gains = np.divide(clarity, scale, out=equal + np.zeros_like(height), where=scale > 0)
    middles, times = starts + lengths / 2, np.arange(amplitude.shape[-1])
    return np.stack([np.interp(times, middles, gain) for gain in gains])


def _ratio(part: np.ndarray | float, whole: np.ndarray) -> np.ndarray:
    """Divide, with 0 where the divisor is 0."""
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)


# --- candidates -----------------------------------------------------------------------

_ENVELOPE_S = 0.09  # about one QRS complex
_LOWEST = 0.25 + _EQUAL  # of the local level: T waves stay below
_CONSIDERED = 0.08  # of the local level: lower maxima are ignored
_ONE_COMPLEX_S = 0.16
_REFRACTORY_S = 0.25  # smallest interval between beats: 240 beats per minute
_T_WAVE_S = 0.36  # a maximum this close to one more than twice as high is its T or P wave
_T_WAVE_RATIO = 0.5
_RIVAL_S = 0.8
_SILENCE = 1e-4  # of the highest level: rounding error lies below


class Candidates(NamedTuple):
    """Maxima of the QRS envelope that may be beats, ascending."""

    positions: np.ndarray  # (n_candidates,) int64, samples of the bands
    heights: np.ndarray  # (n_candidates,), of the envelope
    levels: np.ndarray  # (n_candidates,), typical height of the surrounding QRS complexes
    rivals: np.ndarray  # (2, n_candidates), highest of all maxima within 0.8 s before and after
    energy: np.ndarray  # (n_times,), mean power of the QRS band over 90 ms: squared envelope


def find_candidates(bands: Bands, *, is_ongoing: bool = False) -> Candidates:
    """Find the maxima of the QRS envelope that are high enough, and highest in their vicinity.

    If the signal goes on beyond its last sample, a beat of the usual height may follow there.
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
    if is_ongoing:
        reaches_beyond = positions > len(energy) - _RIVAL_S * fs
        rivals[1, reaches_beyond] = np.maximum(rivals[1], levels)[reaches_beyond]
    return Candidates(
        positions[accepted], heights[accepted], levels[accepted], rivals[:, accepted], energy
    )


def _local_maxima(x: np.ndarray) -> np.ndarray:
    """Return the samples of local maxima of positive values, the first of each plateau."""
    rises = x[1:] > (1 + _EQUAL) * x[:-1]
    return np.flatnonzero(rises[:-1] & ~rises[1:]) + 1


def _highest_near(
    positions: np.ndarray, heights: np.ndarray, reach: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the height of the highest neighbor before and after within ``reach`` samples."""
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
    """Return whether each maximum is at least ``ratio`` times its neighbors in ``reach``."""
    before, after = _highest_near(positions, heights, reach)
    # of two equal maxima, the later one is kept
    above_before = heights >= (1 - _EQUAL) * ratio * before
    return above_before & (heights > (1 + _EQUAL) * ratio * after)


# --- beats or noise -------------------------------------------------------------------

_RISE_S = (0.145, 0.235)  # before a candidate: two adjacent windows of the envelope
_FAST_NOISE_S = 1.0
_SLOW_NOISE_S = 0.2
_PEAK_S = 0.06  # half a QRS complex: largest distance of its peak from that of the envelope
_SHAPE_S = 0.1
_N_NEIGHBORS = 9  # candidates in the running median of the noise
_LOG_FLOOR = -3.0  # of log ratios: differences below a twentieth are ignored
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

# coefficients of a logistic regression (examples/benchmarks/fit_qrs_score.py), positive for beats
WEIGHTS = np.array([-0.97, -1.23, -1.76, -2.04, 1.15, 0.92, 2.46, -1.74])
INTERCEPT = -2.09


def select_beats(candidates: Candidates, bands: Bands) -> np.ndarray:
    """Return the peaks of the candidates that are classified as beats, int64."""
    if len(candidates.positions) == 0:
        return candidates.positions
    peaks = qrs_peaks(candidates, bands)
    quantities = qrs_quantities(candidates, bands, peaks)
    score = quantities @ WEIGHTS + INTERCEPT
    is_beat = score > 0
    noisy = amid_noise(score)
    if noisy.any():
        shape = shape_quantities(candidates, bands, peaks, quantities)
        second = shape @ SHAPE_WEIGHTS + SHAPE_INTERCEPT
        rhythm = rhythm_quantities(candidates, second)
        second = rhythm @ RHYTHM_WEIGHTS + RHYTHM_INTERCEPT
        is_beat[noisy] = (second > np.where(is_beat, _KEPT, _RESTORED))[noisy]
    return peaks[is_beat]


def qrs_peaks(candidates: Candidates, bands: Bands) -> np.ndarray:
    """Return the sample of the largest value in the QRS band near each candidate."""
    half = round(_PEAK_S * bands.fs)
    found = [windows_around(lead, candidates.positions, half) for lead in bands.qrs]
    power = sum(np.square(waves) for waves, _ in found)
    # the first of equal values, also where gain and offset round them differently
    is_largest = power >= (1 - _EQUAL) * power.max(axis=1, keepdims=True)
    return found[0][1] + np.argmax(is_largest, axis=1)


def qrs_quantities(candidates: Candidates, bands: Bands, peaks: np.ndarray) -> np.ndarray:
    """Compute quantities that separate beats from noise, independent of the gain of the signal.

    One row per candidate, in the order of ``QUANTITIES``: logarithms of the highest rivals before
    and after, of the QRS band just before the complex, of fast noise and slow deviation, each over
    the height of the candidate; likeness to the mean complex; running medians of fast noise and of
    the floor, over the typical height.
    """
    positions, heights, levels, rivals, energy = candidates
    fs = bands.fs
    rise = [energy[np.maximum(positions - round(s * fs), 0)] for s in _RISE_S]
    floor = _log_ratio(np.mean(rise, axis=0), heights)
    fast = _log_ratio(_mean_power(bands.fast, bands, positions, _FAST_NOISE_S), heights)
    slow = _log_ratio(_mean_power(bands.slow, bands, positions, _SLOW_NOISE_S), heights)
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
            running_median(fast + relative, _N_NEIGHBORS),
            running_median(floor + relative, _N_NEIGHBORS),
        ]
    )


def _mean_power(blocks: np.ndarray, bands: Bands, positions: np.ndarray, s: float) -> np.ndarray:
    """Return the mean power of a noise band over ``s`` seconds around each position."""
    width = odd_width(s, bands.fs / bands.n_block)
    means = ndimage.uniform_filter1d(blocks, width, mode="nearest")
    # the running sum may round to below 0
    return np.maximum(means[positions // bands.n_block], 0.0)


def _log_ratio(power: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """Return the logarithm of a root mean square divided by the height of the candidate."""
    return 0.5 * np.log(np.maximum(power / np.square(heights), _POWER_FLOOR))


def _likeness(qrs: np.ndarray, peaks: np.ndarray, half: int) -> np.ndarray:
    """Correlate each complex with the mean of all, each scaled to unit length."""
    shapes = np.concatenate([windows_around(lead, peaks, half)[0] for lead in qrs], axis=1)
    tiny = np.finfo(np.float64).tiny
    shapes /= np.linalg.norm(shapes, axis=1, keepdims=True) + tiny
    mean = shapes.mean(axis=0)
    return shapes @ (mean / (np.linalg.norm(mean) + tiny))


# --- beats amid noise -----------------------------------------------------------------

_N_SCORED = 121  # candidates, about 100 s: runs of ectopic beats are no noise
_LOW_SCORES = 10  # percent
_NOISY = 3.0  # score that the other candidates exceed nearly everywhere in clean recordings
_N_AROUND = 61  # candidates that are compared
# second score of a beat that the first one accepts, or rejects, where noise may not become beats
_KEPT, _RESTORED = -0.5, 1.5
_COMPLEX_S = 0.08  # before and after the peak
_AT_S = 0.15
_BEFORE_S = 0.22
_RR_INTERVALS = 21  # in the running median
_TOO_EARLY = 0.6  # of the usual RR interval
_ON_TIME = (0.905, 1.105)
_RIVAL_SCORE, _PARTNER_SCORE = 6.0, 4.0  # larger ones count as these

SHAPE_QUANTITIES = ("score", "likeness around", "sharpness", "slow before", "fast noise")
SHAPE_WEIGHTS = np.array([0.50, 0.56, 3.70, -0.79, -3.47])
SHAPE_INTERCEPT = -0.65
RHYTHM_QUANTITIES = ("score", "rivals", "partners")
RHYTHM_WEIGHTS = np.array([0.70, -0.16, 0.20])
RHYTHM_INTERCEPT = 0.01


def amid_noise(score: np.ndarray) -> np.ndarray:
    """Return whether one of ten candidates around each has a low score."""
    return ndimage.percentile_filter(score, _LOW_SCORES, _N_SCORED) < _NOISY


def shape_quantities(
    candidates: Candidates, bands: Bands, peaks: np.ndarray, quantities: np.ndarray
) -> np.ndarray:
    """Compute quantities that separate beats from artifacts, in the order of their names.

    ``quantities`` are those of `qrs_quantities`. Artifacts differ from each other, are less sharp
    than QRS complexes, and follow other slow waves.
    """
    positions, heights = candidates.positions, candidates.heights
    score = quantities @ WEIGHTS + INTERCEPT
    sharpness = _mean_power(bands.fast, bands, positions, _AT_S)
    before = np.maximum(positions - round(_BEFORE_S * bands.fs), 0)
    return np.column_stack(
        [
            score,
            _likeness_around(bands, peaks, expit(score)),
            _log_ratio(sharpness, heights),
            _log_ratio(_mean_power(bands.slow, bands, before, _AT_S), heights),
            quantities[:, QUANTITIES.index("fast noise")],
        ]
    )


def _likeness_around(bands: Bands, peaks: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Correlate each complex with the mean of the others around it, weighted by probability."""
    half = round(_COMPLEX_S * bands.fs)
    shapes = [windows_around(lead, peaks, half)[0] for lead in bands.wave]
    shapes = [shape - shape.mean(axis=1, keepdims=True) for shape in shapes]
    joined = np.concatenate(shapes, axis=1)
    tiny = np.finfo(np.float64).tiny
    joined /= np.linalg.norm(joined, axis=1, keepdims=True) + tiny
    weighted = joined * probability[:, np.newaxis]
    others = ndimage.uniform_filter1d(weighted, _N_AROUND, axis=0, mode="nearest")
    others -= weighted / _N_AROUND
    others /= np.linalg.norm(others, axis=1, keepdims=True) + tiny
    return (joined * others).sum(axis=1)


def rhythm_quantities(candidates: Candidates, score: np.ndarray) -> np.ndarray:
    """Return each score with those of its rivals and of its partners, both before and after.

    Rivals are closer than 0.6 of the usual RR interval, partners are one interval away. The
    highest score of each side counts, and the sides are summed. Where the signal ends before a
    partner may follow, that of the other side counts twice.
    """
    positions, n_times = candidates.positions, len(candidates.energy)
    rivals = np.full((2, len(score)), -_RIVAL_SCORE)
    partners = np.full((2, len(score)), -_PARTNER_SCORE)
    beats = positions[score > 0]
    if len(beats) > 1:
        intervals = running_median(np.diff(beats).astype(np.float64), _RR_INTERVALS)
        preceding = np.searchsorted(beats, positions) - 1
        usual = intervals[np.clip(preceding, 0, len(intervals) - 1)]
        first, last = (ratio * usual for ratio in _ON_TIME)
        for k in range(1, len(positions)):
            distance = positions[k:] - positions[:-k]
            if distance.min() > last.max():
                break
            for side, own, other in ((0, np.s_[k:], np.s_[:-k]), (1, np.s_[:-k], np.s_[k:])):
                is_early = distance < _TOO_EARLY * usual[own]
                is_on_time = (distance > first[own]) & (distance < last[own])
                for best, near in ((rivals[side], is_early), (partners[side], is_on_time)):
                    np.maximum(best[own], score[other], out=best[own], where=near)
        beyond = np.stack([positions < last, positions + last >= n_times])
        partners = np.where(beyond, partners[::-1], partners)
    np.minimum(rivals, _RIVAL_SCORE, out=rivals)
    np.minimum(partners, _PARTNER_SCORE, out=partners)
    return np.column_stack([score, rivals.sum(axis=0), partners.sum(axis=0)])


def windows_around(
    x: np.ndarray, positions: np.ndarray, half: int
) -> tuple[np.ndarray, np.ndarray]:
    """Copy ``half`` samples on each side of positions; also return the first sample of each.

    Windows near the ends of the signal are shifted, so that none reaches past it.
    """
    width = min(2 * half + 1, len(x))
    first = np.clip(positions - half, 0, len(x) - width)
    if len(first) <= _FEW:
        return x[first[:, np.newaxis] + np.arange(width)], first
    # copying whole windows is several times faster than copying samples
    return np.lib.stride_tricks.sliding_window_view(x, width)[first], first


def running_median(values: np.ndarray, size: int) -> np.ndarray:
    """Return the median of ``size`` values, odd, around each, mirrored beyond the ends."""
    half = size // 2
    if not half <= len(values) <= _FEW:
        return ndimage.median_filter(values, size)
    before, after = values[:half][::-1], values[len(values) - half :][::-1]
    padded = np.concatenate([before, values, after])
    windows = padded[np.arange(len(values))[:, np.newaxis] + np.arange(size)]
    return np.sort(windows, axis=1)[:, half]
