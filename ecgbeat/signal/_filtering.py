"""Zero-phase filtering (layer 1)."""

from functools import lru_cache
from typing import Any

import numpy as np
from scipy import signal

from ecgbeat._validation import Integral, check_positive
from ecgbeat.signal._rows import as_signal, map_rows

_NOTCH_QUALITY = 30.0  # 50 Hz / 30 = 1.7 Hz wide: mains frequency wanders by less than 1 Hz
_PADDING_PERIODS = 0.25  # of the lower edge; longer gains little (measured)


def bandpass(
    x: Any,
    fs: float,
    low: float = 0.5,
    high: float = 40.0,
    *,
    order: int = 2,
    notch: float | None = None,
) -> np.ndarray:
    """Band-pass the last axis without shifting anything in time.

    A Butterworth filter in second-order sections runs forwards and backwards. Its
    gain is 0.5 (-6 dB) at both edges. With the defaults it removes baseline wander
    and muscle noise and leaves the waves of a beat in place.

    Parameters
    ----------
    x : array-like of shape (..., n_times)
        Signals, finite. Any number of leading axes, rows of any length.
    fs : float
        Sampling rate in Hz.
    low, high : float, default=0.5, 40.0
        Edges of the band in Hz, ``0 < low < high < fs / 2``.
    order : int, default=2
        Order of the Butterworth prototype. Run twice, the slopes are those of
        twice this order.
    notch : float or None, default=None
        Mains frequency in Hz to cut out besides (50 or 60), below ``fs / 2``.

    Returns
    -------
    ndarray of shape (..., n_times)
        float32 if ``x`` is, else float64. Constant rows become zeros.

    Raises
    ------
    TypeError
        If a parameter is no number, or ``x`` is complex.
    ValueError
        If the band is impossible at this ``fs``, or ``x`` is not finite.

    Notes
    -----
    Forward-backward filtering as in Gustafsson [1]_, but with simpler ends: the row's
    mean is removed, the row is mirrored at both ends by a quarter of the lower
    edge's period (at most by its own length), and the filter starts at rest.
    Compared with windows cut out of filtered recordings (lead 1 of the 32 MIT-BIH
    records that the padding was not chosen on, R peak in the middle), the mean RMS
    error of windows of 0.8 s and 2 s is 0.043 and 0.033 mV; that of
    ``scipy.signal.sosfiltfilt`` with its defaults 0.102 and 0.137 mV, and larger
    on 27 and on all 32 of the records. SciPy mirrors by 15 samples,
    point-symmetrically, and starts as if the signal had stood still before, which
    goes wrong where a row begins or ends within a wave. It does better where both
    ends are quiet and the baseline drifts steeply.

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
    sections = bandpass_sections(fs, low, high, order=order, notch=notch)
    x = as_signal(x, "bandpass")
    n_times = x.shape[-1]
    n_padding = min(n_times, round(_PADDING_PERIODS * fs / low))
    return map_rows(lambda rows: _filter_rows(rows, sections, n_padding), x, n_times)


def bandpass_sections(
    fs: float, low: float, high: float, *, order: int = 2, notch: float | None = None
) -> np.ndarray:
    """Design the filter of `bandpass`, or say why there is none.

    Returns
    -------
    ndarray of shape (n_sections, 6)
    """
    fs = check_positive("fs", fs, unit="Hz")
    low = check_positive("low", low, unit="Hz")
    high = check_positive("high", high, unit="Hz")
    if not isinstance(order, Integral) or order < 1:
        raise ValueError(f"order must be a whole number of 1 or more, got {order!r}.")
    if high >= fs / 2:
        raise ValueError(
            f"high={high!r} Hz must be below fs / 2 = {fs / 2!r} Hz, the highest frequency that a "
            f"signal sampled at fs={fs!r} Hz can hold: lower high, or set fs to the true rate."
        )
    if low >= high:
        raise ValueError(
            f"low={low!r} Hz must be below high={high!r} Hz, or nothing passes: "
            "lower low or raise high."
        )
    if notch is not None:
        notch = check_positive("notch", notch, unit="Hz")
        if notch >= fs / 2:
            raise ValueError(
                f"notch={notch!r} Hz must be below fs / 2 = {fs / 2!r} Hz: set notch=None (no such "
                "hum can be in this signal), or set fs to the true rate."
            )
    return _designed(fs, low, high, int(order), notch).copy()


@lru_cache(maxsize=16)
def _designed(fs: float, low: float, high: float, order: int, notch: float | None) -> np.ndarray:
    """Design once what a stream of single beats needs again and again: 0.2 of its 0.3 ms."""
    sections = signal.butter(order, [low, high], "bandpass", fs=fs, output="sos")
    if notch is None:
        return sections
    return np.vstack([sections, signal.tf2sos(*signal.iirnotch(notch, _NOTCH_QUALITY, fs=fs))])


def _filter_rows(rows: np.ndarray, sections: np.ndarray, n_padding: int) -> np.ndarray:
    """Run the sections forwards and backwards over mirrored rows."""
    rows -= rows[:, :1].copy()  # first, so that constant rows become exact zeros
    rows -= rows.mean(axis=1, keepdims=True)
    extended = np.pad(rows, ((0, 0), (n_padding, n_padding)), mode="symmetric")
    forwards = signal.sosfilt(sections, extended)
    backwards = signal.sosfilt(sections, forwards[:, ::-1])[:, ::-1]
    return backwards[:, n_padding : n_padding + rows.shape[1]]
