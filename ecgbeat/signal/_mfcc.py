"""Mel-frequency cepstral coefficients (layer 1)."""

import warnings
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import fft

from ecgbeat.signal._frames import STATISTICS, frame_statistics, normalize_frames
from ecgbeat.signal._mfcc_design import MFCCDesign, MFCCSettings, design_mfcc
from ecgbeat.signal._rows import as_rows as as_signal
from ecgbeat.signal._rows import row_chunks

_LEAST_POWER = 1e-10  # -100 dB, where librosa.power_to_db ends
_LARGEST_POWER = 1e250  # room below the end of float64 for sums over a frame and its bands


def mfcc(
    x: Any,
    fs: float,
    *,
    n_mfcc: int = 20,
    n_fft: int = 256,
    hop_length: int = 64,
    win_length: int | None = None,
    window: Any = "hann",
    center: bool = True,
    pad_mode: str = "constant",
    power: float = 2.0,
    n_mels: int = 40,
    fmin: float = 0.0,
    fmax: float | None = None,
    htk: bool = False,
    mel_norm: str | float | None = "slaney",
    top_db: float | None = 80.0,
    dct_type: int = 2,
    norm: str | None = "ortho",
    lifter: float = 0.0,
    deltas: int = 0,
    delta_width: int = 9,
    normalize: bool = False,
) -> np.ndarray:
    """Compute mel-frequency cepstral coefficients of the last axis.

    Each frame's power spectrum is summed up in bands of equal width on the mel scale;
    the cosine transform of their levels in dB describes the shape of the spectrum,
    from coarse to fine. The same as ``librosa.feature.mfcc`` of each row by itself.

    Parameters
    ----------
    x : array-like of shape (..., n_times)
        Sounds, finite, at least one sample long. Any number of leading axes.
    fs : float
        Sampling rate in Hz.
    n_mfcc : int, default=20
        Number of coefficients, at most ``n_mels``. The first is the level.
    n_fft : int, default=256
        Samples of a frame: 64 ms at 4 kHz.
    hop_length : int, default=64
        Samples from one frame to the next: 16 ms at 4 kHz.
    win_length : int or None, default=None
        Samples of the window in the middle of a frame, at most ``n_fft``, which None
        stands for.
    window : str, tuple, float, callable or array-like of shape (win_length,), \
            default="hann"
        As in ``scipy.signal.get_window``, a function of the length, or the window.
    center : bool, default=True
        Whether frame ``i`` has its middle at sample ``i * hop_length``, for which rows
        are padded by ``n_fft // 2`` samples at both ends. Otherwise it begins there.
    pad_mode : {"constant", "edge", "linear_ramp", "reflect", "symmetric"}, \
            default="constant"
        How ``center`` pads, as in ``numpy.pad``: zeros by default.
    power : float, default=2.0
        Exponent of the magnitudes of the spectrum: 2 for power, 1 for amplitude.
    n_mels : int, default=40
        Number of mel bands.
    fmin, fmax : float, default=0.0, None
        Where the lowest band begins and the highest ends, in Hz,
        ``0 <= fmin < fmax <= fs / 2``. None is ``fs / 2``.
    htk : bool, default=False
        Whether to use the mel scale of HTK instead of Slaney's.
    mel_norm : {"slaney"}, float or None, default="slaney"
        Scale the bands to equal area, or each band's weights by the norm of this
        order. None leaves their peaks at 1.
    top_db : float or None, default=80.0
        Raise levels to no less than this many dB below the row's highest. None does
        not.
    dct_type : {1, 2, 3}, default=2
        Type of the cosine transform.
    norm : {"ortho"} or None, default="ortho"
        Whether the cosine transform is orthonormal.
    lifter : float, default=0
        Multiply coefficient ``i`` (from 0) by
        ``1 + lifter / 2 * sin(pi * (i + 1) / lifter)``; 0 does not.
    deltas : {0, 1, 2}, default=0
        Append the first, or the first and second, derivatives in time, per frame.
    delta_width : int, default=9
        Frames over which derivatives are fitted, odd, 3 or more.
    normalize : bool, default=False
        Whether to shift each coefficient (and derivative) of each row to mean 0 over
        its frames and scale it to standard deviation 1. Gain and colour of the microphone
        go, and with them all that is alike in every frame. Constant ones become 0.

    Returns
    -------
    ndarray of shape (..., n_channels, n_frames)
        Coefficients (in dB, summed over bands), then their first, then their second
        derivatives: ``n_channels = n_mfcc * (1 + deltas)``. float32 if ``x`` is, else
        float64.

    Warns
    -----
    UserWarning
        If mel bands are narrower than the steps of the spectrum and so have no part of
        it. Those bands tell nothing.

    Raises
    ------
    TypeError
        If a number is none, or ``x`` is complex.
    ValueError
        If a parameter is impossible by itself or beside another, or ``x`` is not finite
        or has no samples.

    See Also
    --------
    ecgbeat.MFCCExtractor : The same as a transformer.

    Notes
    -----
    The coefficients of Davis and Mermelstein [1]_ in the form that librosa [2]_ gave
    them: mel bands that overlap by half and have equal areas, up to ``fs / 2``; levels
    in dB above a power of 1, not below 1e-10; coefficients from the 0th on. The
    defaults of librosa suit music at 22.05 kHz; those of ``n_fft``, ``hop_length`` and
    ``n_mels`` here suit heart sounds at 4 kHz. At other rates set them anew.

    It deviates from librosa in this:

    - Rows do not know each other. Given several rows, librosa measures ``top_db`` from
      the loudest of them.
    - A row shorter than a frame is filled up with zeros where ``center=False``, which
      librosa refuses. Where ``center=True``, padding does it, without a warning.
    - Rows of fewer than ``delta_width`` frames, which librosa refuses, have their first
      and last frame repeated for the derivatives
      (``librosa.feature.delta(..., mode="nearest")``).
    - Whole numbers are taken as they are, neither refused nor scaled to -1 to 1: a
      factor only shifts the coefficient 0, unless levels reach the 1e-10.
    - ``fmax`` above ``fs / 2`` and ``n_mfcc`` above ``n_mels`` are errors.

    Work is done in float64, some rows at a time.

    References
    ----------
    .. [1] S. Davis, P. Mermelstein, "Comparison of parametric representations for
       monosyllabic word recognition in continuously spoken sentences", IEEE Trans.
       Acoustics, Speech, and Signal Processing 28(4), 357-366, 1980.
       doi:10.1109/TASSP.1980.1163420
    .. [2] B. McFee et al., "librosa: audio and music signal analysis in Python", Proc.
       14th Python in Science Conference, 18-25, 2015.
       doi:10.25080/Majora-7b98e3ed-003

    Examples
    --------
    >>> import numpy as np
    >>> from ecgbeat.signal import mfcc
    >>> sounds = np.random.default_rng(0).normal(size=(3, 8000))
    >>> mfcc(sounds, fs=4000).shape
    (3, 20, 126)
    >>> mfcc(sounds[0], fs=4000, n_mfcc=13, deltas=2).shape
    (39, 126)
    """
    design = design_mfcc(
        MFCCSettings(
            *(fs, n_mfcc, n_fft, hop_length, win_length, window, center, pad_mode, power),
            *(n_mels, fmin, fmax, htk, mel_norm, top_db, dct_type, norm, lifter),
            *(deltas, delta_width, normalize),
        )
    )
    x = as_signal(x, "mfcc")
    if x.shape[-1] == 0:
        raise ValueError(f"mfcc: x must hold at least one sample a row, got shape {x.shape}.")
    if message := design.empty_bands():
        warnings.warn(message, UserWarning, stacklevel=2)
    n_frames = design.n_frames(x.shape[-1])
    rows = x.reshape(-1, x.shape[-1]) if x.size else np.empty((0, x.shape[-1]), x.dtype)
    return mfcc_rows(rows, design).reshape(*x.shape[:-1], design.n_channels, n_frames)


def mfcc_rows(rows: np.ndarray, design: MFCCDesign) -> np.ndarray:
    """Compute the coefficients of rows, some rows at a time.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_times)
        Finite, float32 or float64.
    design : MFCCDesign
        What `design_mfcc` made of the arguments.

    Returns
    -------
    ndarray of shape (n_rows, n_channels, n_frames)
        Of the dtype of ``rows``.
    """
    n_frames = design.n_frames(rows.shape[1])
    result = np.empty((len(rows), design.n_channels, n_frames), rows.dtype)
    for chunk in row_chunks(len(rows), n_frames * design.settings.n_fft):
        result[chunk] = _coefficients(rows[chunk].astype(np.float64), design)
    return result


def mfcc_statistics(rows: np.ndarray, design: MFCCDesign) -> np.ndarray:
    """Compute `frame_statistics` of the coefficients of rows without holding them all.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_times)
        Finite, float32 or float64.
    design : MFCCDesign
        What `design_mfcc` made of the arguments.

    Returns
    -------
    ndarray of shape (n_rows, n_channels, n_statistics)
        Of the dtype of ``rows``.
    """
    result = np.empty((len(rows), design.n_channels, len(STATISTICS)), rows.dtype)
    for chunk in row_chunks(len(rows), design.n_channels * design.n_frames(rows.shape[1])):
        result[chunk] = frame_statistics(mfcc_rows(rows[chunk].astype(np.float64), design))
    return result


def _coefficients(rows: np.ndarray, design: MFCCDesign) -> np.ndarray:
    """Compute the channels of some rows, in float64."""
    cepstra = design.cosines @ _levels(rows, design)
    coefficients = np.concatenate([cepstra, *_derivatives(cepstra, design)], axis=1)
    return normalize_frames(coefficients) if design.settings.normalize else coefficients


def _levels(rows: np.ndarray, design: MFCCDesign) -> np.ndarray:
    """Return the levels of the mel bands in dB, ``(n_rows, n_mels, n_frames)``."""
    rows, raised = _shrink_huge(rows, design)
    levels = _mel_power(rows, design)
    np.maximum(levels, _LEAST_POWER, out=levels)
    np.log10(levels, out=levels)
    levels *= 10.0
    levels += raised
    if design.settings.top_db is not None:
        loudest = levels.max(axis=(1, 2), keepdims=True)  # of each row by itself
        np.maximum(levels, loudest - design.settings.top_db, out=levels)
    return levels


def _shrink_huge(rows: np.ndarray, design: MFCCDesign) -> tuple[np.ndarray, np.ndarray]:
    """Scale down rows whose power would overflow; return also by how many dB."""
    power, n_fft = design.settings.power, design.settings.n_fft
    largest = np.maximum(rows.max(axis=1), -rows.min(axis=1))
    is_huge = largest > _LARGEST_POWER ** (1 / max(power, 1.0)) / n_fft
    factor = np.where(is_huge, np.exp2(-np.ceil(np.log2(np.where(is_huge, largest, 1.0)))), 1.0)
    raised = -10.0 * power * np.log10(factor)
    return rows * factor[:, None], raised[:, None, None]


def _mel_power(rows: np.ndarray, design: MFCCDesign) -> np.ndarray:
    """Return the power in each mel band and frame, ``(n_rows, n_mels, n_frames)``."""
    n_fft, power = design.settings.n_fft, design.settings.power
    n_frames = design.n_frames(rows.shape[1])
    frames = sliding_window_view(_pad(rows, design), n_fft, axis=1)
    frames = frames[:, :: design.settings.hop_length]
    mel_power = np.empty((len(rows), len(design.mel_basis), n_frames))
    # one row may be an hour long
    for block in row_chunks(n_frames, len(rows) * n_fft):
        spectrum = fft.rfft(frames[:, block] * design.window, overwrite_x=True)[..., design.bins]
        if power == 2:
            magnitudes = spectrum.real**2 + spectrum.imag**2
        else:
            magnitudes = np.abs(spectrum) ** power
        # a product for each row by itself, so that not even rounding depends on the others
        mel_power[..., block] = design.mel_basis @ magnitudes.transpose(0, 2, 1)
    return mel_power


def _pad(rows: np.ndarray, design: MFCCDesign) -> np.ndarray:
    """Pad rows as ``center`` asks, or up to the length of one frame."""
    if design.settings.center:
        # the words of pad_mode are numpy's
        return np.pad(rows, ((0, 0), (design.n_padding,) * 2), mode=design.settings.pad_mode)  # type: ignore[call-overload]
    n_missing = max(0, design.settings.n_fft - rows.shape[1])
    return np.pad(rows, ((0, 0), (0, n_missing))) if n_missing else rows


def _derivatives(cepstra: np.ndarray, design: MFCCDesign) -> list[np.ndarray]:
    """Return the derivatives in time that were asked for."""
    if not design.settings.deltas:
        return []
    from librosa.feature import delta

    width = design.settings.delta_width
    mode = "interp" if cepstra.shape[-1] >= width else "nearest"
    return [
        delta(cepstra, width=width, order=order, mode=mode)
        for order in range(1, 1 + design.settings.deltas)
    ]
