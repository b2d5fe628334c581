"""Band-pass filtering of signals of any length, without phase shift or causal."""

import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy import signal

from ecgbeat._recordings import as_signals, bridge_gaps, check_not_transposed
from ecgbeat._rows import in_threads, map_rows, row_factors
from ecgbeat._validation import Integral, check_fs, check_positive

_NOTCH_QUALITY = 30.0  # 50 Hz / 30 = 1.7 Hz wide: mains frequency varies by less than 1 Hz
_PADDING_PERIODS = 0.25  # of the lower edge; more improves little (measured)
_BLOCK_S = 300.0  # filtered at a time, which bounds the memory
_TAIL = 1e-9  # remaining impulse response of the filter at the start of a block
_MOST_LEADS = 16  # more rows than that with fewer samples are a transposed recording


def bandpass(
    x: ArrayLike,
    fs: float,
    low: float = 0.5,
    high: float = 40.0,
    *,
    order: int = 2,
    notch: float | None = None,
    zero_phase: bool = True,
    copy: bool = True,
) -> np.ndarray:
    """Band-pass filter the last axis.

    A Butterworth filter in second-order sections is applied forwards and backwards, without phase
    shift. The gain is 0.5 (-6 dB) at both edges. The defaults remove baseline wander and muscle
    noise, and keep the timing of the waves of a beat.

    Parameters
    ----------
    x : array-like of shape (..., n_times)
        Signals: a recording or rows of any length, with any number of leading axes. NaN marks
        gaps, which are interpolated linearly.
    fs : float
        Sampling rate in Hz.
    low, high : float, default=0.5, 40.0
        Edges of the band in Hz, ``0 < low < high < fs / 2``.
    order : int, default=2
        Order of the Butterworth prototype. Since the filter is applied twice, its slopes are
        those of twice this order.
    notch : float or None, default=None
        Mains frequency in Hz to remove as well (50 or 60), below ``fs / 2``.
    zero_phase : bool, default=True
        If False, the filter is applied forwards only, as to a live signal: no sample depends on
        later ones, after a quarter of the period of the lower edge. Waves come some milliseconds
        later, slow ones are distorted, and the gain at both edges is 0.71 (-3 dB).
    copy : bool, default=True
        If False, rows longer than some minutes may be filtered in place, which saves memory:
        ``x`` is overwritten if it is an array of floats.

    Returns
    -------
    ndarray of shape (..., n_times)
        float32 if ``x`` is float32, else float64. Constant rows become zeros.

    Raises
    ------
    TypeError
        If a parameter is not a number, or ``x`` does not hold real numbers.
    ValueError
        If the band is invalid for this ``fs``, or ``x`` has infinite values or is a
        transposed recording.

    See Also
    --------
    bandpass_sections : Second-order sections of this filter.

    Notes
    -----
    Forward-backward filtering as in Gustafsson [1]_, but with simpler initial conditions: the
    mean of the row is removed, the row is mirrored at both ends by a quarter of the period of
    the lower edge (at most by its own length), and the filter starts at rest. Compared with
    windows cut out of filtered recordings (lead 1 of the 32 MIT-BIH records that were not used
    to choose the padding, R peak in the center), the mean RMS error of windows of 0.8 s and 2 s
    is 0.043 and 0.033 mV; that of ``scipy.signal.sosfiltfilt`` with its defaults is 0.102 and
    0.137 mV, and larger on 27 and on all 32 of the records. SciPy mirrors 15 samples,
    point-symmetrically, and starts as if the signal had been constant before, which causes
    errors if a row begins or ends within a wave. SciPy is better if both ends are quiet and the
    baseline drifts steeply.

    Rows longer than some minutes are filtered in blocks, which bounds the memory. The state of
    the forward pass is carried from block to block. The backward pass of each block starts
    behind the block, at the distance in which the filter settles; the difference from a single
    pass is 1e-9 of the signal.

    References
    ----------
    .. [1] F. Gustafsson, "Determining the initial states in forward-backward
       filtering", IEEE Trans. Signal Processing 44(4), 988-992, 1996.
       doi:10.1109/78.492552

    Examples
    --------
    >>> import numpy as np
    >>> from ecgbeat.signal import bandpass
    >>> t = np.arange(3600) / 360
    >>> wander, wave = np.sin(2 * np.pi * 0.1 * t), np.sin(2 * np.pi * 10 * t)
    >>> filtered = bandpass(5 + wander + wave, fs=360)
    >>> bool(np.abs(filtered - wave)[360:-360].max() < 0.03)
    True
    """
    sections, n_settle = _design(fs, low, high, order, notch)
    x = as_signals(x)
    if len(x) > _MOST_LEADS > x.shape[-1]:
        check_not_transposed(x)
    bridged = bridge_gaps(x)
    copy = copy and bridged is x
    x = bridged
    n_times = x.shape[-1]
    n_padding = filter_padding(n_times, fs, low)
    if n_times > max(_BLOCK_S * fs, n_settle):
        n_block = max(round(_BLOCK_S * fs), n_settle)
        filtered = np.empty(x.shape, x.dtype) if copy else x
        n_ahead = n_settle if zero_phase else 0
        _filter_in_blocks(x, filtered, sections, n_ahead, n_padding, n_block)
        return filtered
    return map_rows(lambda rows: _filter_rows(rows, sections, n_padding, zero_phase), x, n_times)


def bandpass_sections(
    fs: float, low: float, high: float, *, order: int = 2, notch: float | None = None
) -> np.ndarray:
    """Design the filter of `bandpass` as second-order sections.

    Parameters
    ----------
    fs, low, high, order, notch : float, int for ``order``
        As in `bandpass`.

    Returns
    -------
    ndarray of shape (n_sections, 6)
        Sections for ``scipy.signal.sosfilt``. `bandpass` applies them forwards, and backwards
        with ``zero_phase``.

    Raises
    ------
    TypeError
        If a parameter is not a number.
    ValueError
        If the band is invalid for this ``fs``.

    Examples
    --------
    >>> from ecgbeat.signal import bandpass_sections
    >>> bandpass_sections(fs=360, low=0.5, high=40).shape
    (2, 6)
    """
    return _design(fs, low, high, order, notch)[0].copy()


def filter_padding(n_times: int, fs: float, low: float) -> int:
    """Return the number of samples by which `bandpass` mirrors a row at its ends."""
    return min(n_times, round(_PADDING_PERIODS * fs / low))


def _design(
    fs: float, low: float, high: float, order: int, notch: float | None
) -> tuple[np.ndarray, int]:
    """Check the parameters; return the sections and their settling time in samples."""
    fs = check_fs(fs)
    low = check_positive("low", low, unit="Hz")
    high = check_positive("high", high, unit="Hz")
    if not isinstance(order, Integral) or order < 1:
        raise ValueError(f"order must be an integer of 1 or more, got {order!r}.")
    if high >= fs / 2:
        raise ValueError(
            f"high={high!r} Hz must be below fs / 2 = {fs / 2!r} Hz, the highest frequency that a "
            f"signal sampled at fs={fs!r} Hz can contain: decrease high, or set fs to the actual "
            "sampling rate."
        )
    if low >= high:
        raise ValueError(
            f"low={low!r} Hz must be below high={high!r} Hz: decrease low or increase high."
        )
    if notch is not None:
        notch = check_positive("notch", notch, unit="Hz")
        if notch >= fs / 2:
            raise ValueError(
                f"notch={notch!r} Hz must be below fs / 2 = {fs / 2!r} Hz: set notch=None (no such "
                "hum is possible at this rate), or set fs to the actual sampling rate."
            )
    return _designed_once(fs, low, high, int(order), notch)


@lru_cache(maxsize=16)
def _designed_once(
    fs: float, low: float, high: float, order: int, notch: float | None
) -> tuple[np.ndarray, int]:
    """Design the filter, cached: the design takes 0.2 of 0.3 ms for a single beat."""
    sections = signal.butter(order, [low, high], "bandpass", fs=fs, output="sos")
    if notch is not None:
        mains = signal.tf2sos(*signal.iirnotch(notch, _NOTCH_QUALITY, fs=fs))
        sections = np.vstack([sections, mains])
    slowest = max(float(np.abs(np.roots(section[3:])).max()) for section in sections)
    # times 1.5, since several poles of similar radius decay more slowly than one
    return sections, math.ceil(1.5 * math.log(_TAIL) / math.log(slowest))


def _filter_rows(
    rows: np.ndarray, sections: np.ndarray, n_padding: int, zero_phase: bool
) -> np.ndarray:
    """Apply the sections forwards, and backwards with ``zero_phase``, to mirrored rows."""
    n_times = rows.shape[1]
    rows -= rows[:, :1].copy()  # constant rows become exact zeros
    n_first = n_times if zero_phase else max(1, n_padding)
    rows -= rows[:, :n_first].mean(axis=1, keepdims=True)
    n_after = n_padding if zero_phase else 0
    extended = np.pad(rows, ((0, 0), (n_padding, n_after)), mode="symmetric")
    filtered = signal.sosfilt(sections, extended)
    if zero_phase:
        filtered = signal.sosfilt(sections, filtered[:, ::-1])[:, ::-1]
    return filtered[:, n_padding : n_padding + n_times]


def _filter_in_blocks(
    x: np.ndarray,
    filtered: np.ndarray,
    sections: np.ndarray,
    n_ahead: int,
    n_padding: int,
    n_block: int,
) -> None:
    """Filter long rows as `_filter_rows` does, block by block, into an array that may be ``x``.

    The backward pass starts ``n_ahead`` samples behind a block; there is none with 0.
    """
    limit = np.finfo(x.dtype).max

    def filter_row(index: tuple[int, ...]) -> None:
        row, result = x[index], filtered[index]
        factor = row_factors(row[np.newaxis])[0, 0]
        scaled = row if factor == 1 else row * factor
        blocks = _filtered_blocks(scaled, sections, n_ahead, n_padding, n_block)
        for start, block in blocks:
            with np.errstate(over="ignore"):  # clipped
                result[start : start + len(block)] = np.clip(block / factor, -limit, limit)

    for _ in in_threads(filter_row, list(np.ndindex(x.shape[:-1]))):
        pass


def _filtered_blocks(
    x: np.ndarray, sections: np.ndarray, n_ahead: int, n_padding: int, n_block: int
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the first sample of each block, and the filtered block."""
    n_times = len(x)
    offset = _mean(x if n_ahead else x[: max(1, n_padding)], n_block)
    state = np.zeros((len(sections), 2))
    if n_padding:
        _, state = signal.sosfilt(sections, x[:n_padding][::-1] - offset, zi=state)
    tail = x[n_times - n_padding :][::-1] - offset
    for start in range(0, n_times, n_block):
        stop = min(start + n_block, n_times)
        forwards, state = signal.sosfilt(sections, x[start:stop] - offset, zi=state)
        if not n_ahead:
            yield start, forwards
            continue
        ahead = x[stop : stop + n_ahead] - offset
        if stop + n_ahead >= n_times:
            ahead = np.concatenate([ahead, tail])
        if len(ahead):
            settling, _ = signal.sosfilt(sections, ahead, zi=state)
            forwards = np.concatenate([forwards, settling])
        yield start, signal.sosfilt(sections, forwards[::-1])[::-1][: stop - start]


def _mean(x: np.ndarray, n_block: int) -> np.float64:
    """Return the mean of a row in float64, exact where the row is constant."""
    first = np.float64(x[0])
    total = sum((x[start : start + n_block] - first).sum() for start in range(0, len(x), n_block))
    return np.float64(first + total / len(x))
