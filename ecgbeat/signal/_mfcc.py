"""Mel-frequency cepstral coefficients of sounds."""

import math
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ecgbeat._rows import as_rows, row_chunks
from ecgbeat._validation import (
    Integral,
    Interval,
    InvalidParameterError,
    Options,
    Real,
    StrOptions,
    validate_parameter_constraints,
)

_LARGEST_POWER = 1e250  # leaves room in float64 for sums over a frame and its bands
_ROUNDING = 1e-9  # relative to the largest coefficient of a row; less spread is rounding error

_COUNT = [Interval(Integral, 1, None, closed="left")]
_POSITIVE = [Interval(Real, 0, np.inf, closed="neither")]
_NOT_NEGATIVE = [Interval(Real, 0, np.inf, closed="left")]

# in the form of scikit-learn's _parameter_constraints, for MFCCExtractor as well
MFCC_CONSTRAINTS: dict[str, list[Any]] = {
    "fs": _POSITIVE,
    "n_mfcc": _COUNT,
    "n_fft": [Interval(Integral, 2, None, closed="left")],
    "hop_length": _COUNT,
    "win_length": [*_COUNT, None],
    "window": [str, tuple, Real, callable, "array-like"],
    "center": ["boolean"],
    "pad_mode": [StrOptions({"constant", "edge", "linear_ramp", "reflect", "symmetric"})],
    "power": _POSITIVE,
    "n_mels": _COUNT,
    "fmin": _NOT_NEGATIVE,
    "fmax": [*_POSITIVE, None],
    "htk": ["boolean"],
    "mel_norm": [StrOptions({"slaney"}), Interval(Real, 0, None, closed="right"), None],
    "top_db": [*_NOT_NEGATIVE, None],
    "dct_type": [Options(Integral, {1, 2, 3})],
    "norm": [StrOptions({"ortho"}), None],
    "lifter": _NOT_NEGATIVE,
    "deltas": [Options(Integral, {0, 1, 2})],
    "delta_width": [Interval(Integral, 3, None, closed="left")],
    "normalize": ["boolean"],
    "summary": [StrOptions({"stats"}), None],
}


def mfcc(
    x: ArrayLike,
    fs: float,
    *,
    n_mfcc: int = 20,
    n_fft: int = 256,
    hop_length: int = 64,
    win_length: int | None = None,
    window: str | tuple | Callable[[int], ArrayLike] | ArrayLike = "hann",
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
    summary: str | None = None,
) -> np.ndarray:
    """Compute mel-frequency cepstral coefficients (MFCCs) along the last axis.

    The power spectrum of each frame is summed in bands of equal width on the mel scale; the
    cosine transform of their levels in dB describes the shape of the spectrum, from coarse to
    fine. Equal to ``librosa.feature.mfcc`` of each row by itself.

    Parameters
    ----------
    x : array-like of shape (..., n_times)
        Sounds, finite, at least one sample long. Any number of leading axes.
    fs : float
        Sampling rate in Hz.
    n_mfcc : int, default=20
        Number of coefficients. This and the following parameters are those of
        `ecgbeat.MFCCExtractor`, where each is described.
    n_fft, hop_length, win_length, window, center, pad_mode, power : optional
        Frames and their spectra.
    n_mels, fmin, fmax, htk, mel_norm, top_db : optional
        Mel bands and their levels.
    dct_type, norm, lifter : optional
        Cosine transform.
    deltas, delta_width, normalize, summary : optional
        Derivatives, normalization and statistics over the frames.

    Returns
    -------
    ndarray of shape (..., n_channels, n_frames) or (..., n_channels, 6)
        Coefficients (in dB, summed over bands), then their first, then their second
        derivatives: ``n_channels = n_mfcc * (1 + deltas)``. With ``summary="stats"``, their
        mean, standard deviation, minimum, median, maximum and skewness over the frames.
        float32 if ``x`` is, else float64.

    Raises
    ------
    TypeError
        If ``x`` does not hold real numbers, or a parameter is of the wrong type.
    ValueError
        If a parameter is out of range or incompatible with another, or ``x`` is not finite
        or has no samples.

    Warns
    -----
    UserWarning
        If mel bands are empty, since they are narrower than the frequency resolution.

    See Also
    --------
    ecgbeat.MFCCExtractor : Equivalent transformer.

    Notes
    -----
    The coefficients of Davis and Mermelstein [1]_ as defined by librosa [2]_, which computes
    them: mel bands that overlap by half and have equal areas, up to ``fs / 2``; levels
    in dB relative to a power of 1, at least -100 dB; coefficients from the 0th on. The
    defaults of librosa suit music at 22.05 kHz; those of ``n_fft``, ``hop_length`` and
    ``n_mels`` here suit heart sounds at 4 kHz. Adapt them to other sampling rates.

    Deviations from ``librosa.feature.mfcc``:

    - Rows are independent. Given several rows, librosa measures ``top_db`` from the loudest
      of them.
    - A row shorter than a frame is padded with zeros if ``center=False``, which librosa
      refuses. If ``center=True``, it is padded without a warning.
    - In rows of fewer than ``delta_width`` frames, which librosa refuses, the first and last
      frame are repeated for the derivatives (``librosa.feature.delta(..., mode="nearest")``).
    - Integers are neither refused nor scaled to -1 to 1: a gain only shifts coefficient 0,
      unless levels reach -100 dB.
    - ``fmax`` above ``fs / 2`` and ``n_mfcc`` above ``n_mels`` are errors.

    Computed in float64, some rows at a time. Standard deviation and skewness are those of
    the population (divided by n), and 0 where a coefficient is constant.

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
    import librosa  # takes seconds

    settings = {name: value for name, value in locals().items() if name in MFCC_CONSTRAINTS}
    is_hashable = all(v is None or isinstance(v, (str, int, float)) for v in settings.values())
    design = _design if is_hashable else _design.__wrapped__
    window, mel_basis = design(**settings)
    x = as_rows(x, "mfcc")
    if x.shape[-1] == 0:
        raise ValueError(f"mfcc: x must hold at least one sample a row, got shape {x.shape}.")
    if n_empty := np.sum(~mel_basis.any(axis=1)):
        warnings.warn(
            f"{n_empty} of n_mels={n_mels} mel bands are empty: they are narrower than the "
            f"frequency resolution of {fs / n_fft:.3g} Hz (fs / n_fft = {fs:g} / {n_fft}). Lower "
            "n_mels, raise n_fft, or widen the range from fmin to fmax.",
            stacklevel=2,
        )

    rows = x.reshape(math.prod(x.shape[:-1]), x.shape[-1])
    padding = (n_fft // 2, n_fft // 2) if center else (0, max(0, n_fft - rows.shape[1]))
    n_frames = 1 + (rows.shape[1] + sum(padding) - n_fft) // hop_length
    n_columns = n_frames if summary is None else 6
    result = np.empty((len(rows), n_mfcc * (1 + deltas), n_columns), rows.dtype)
    # twice, for samples and spectra: larger chunks lose half of the speed to page faults
    for chunk in row_chunks(len(rows), 2 * n_frames * n_fft):
        padded: np.ndarray = np.pad(  # type: ignore[call-overload] # wants a literal mode
            rows[chunk].astype(np.float64), ((0, 0), padding), pad_mode if center else "constant"
        )
        levels = _mel_levels(padded, window, hop_length, power, mel_basis)
        if top_db is not None:
            loudest = levels.max(axis=(1, 2), keepdims=True)  # of each row by itself
            np.maximum(levels, loudest - top_db, out=levels)
        cepstra = librosa.feature.mfcc(
            S=levels, n_mfcc=n_mfcc, dct_type=dct_type, norm=norm, lifter=lifter
        )
        channels = np.concatenate([cepstra, *_derivatives(cepstra, deltas, delta_width)], axis=1)
        if normalize:
            channels = _standardize(channels)[0]
        result[chunk] = channels if summary is None else _statistics(channels)
    return result.reshape(*x.shape[:-1], *result.shape[1:])


@lru_cache(maxsize=32, typed=True)  # a third of the time of a short sound
def _design(**settings: Any) -> tuple[np.ndarray, np.ndarray]:
    """Check the settings; return window, ``(n_fft,)``, and mel bands, ``(n_mels, n_bins)``."""
    from librosa.filters import mel

    _check_settings(settings)
    fs, n_fft, fmax, length = (settings[name] for name in ("fs", "n_fft", "fmax", "win_length"))
    window = _window_samples(settings["window"], n_fft if length is None else length, n_fft)
    with warnings.catch_warnings():  # mfcc warns in the terms of its own parameters
        warnings.filterwarnings("ignore", "Empty filters detected", UserWarning)
        mel_basis = mel(
            sr=fs,
            n_fft=n_fft,
            n_mels=settings["n_mels"],
            fmin=settings["fmin"],
            fmax=fs / 2 if fmax is None else fmax,
            htk=settings["htk"],
            norm=settings["mel_norm"],
        ).astype(np.float64)  # from float32, as in librosa's melspectrogram
    window.flags.writeable = mel_basis.flags.writeable = False  # shared by all calls
    return window, mel_basis


def _check_settings(settings: dict[str, Any]) -> None:
    """Raise if a parameter is invalid, or incompatible with another."""
    validate_parameter_constraints(MFCC_CONSTRAINTS, settings, caller_name="mfcc")
    for name, value in settings.items():
        if isinstance(value, bool) and "boolean" not in MFCC_CONSTRAINTS[name]:
            raise InvalidParameterError(f"{name} must be a number, got {value!r}.")
    names = ("fs", "fmin", "fmax", "n_mels", "n_mfcc", "n_fft", "win_length", "delta_width")
    fs, fmin, fmax, n_mels, n_mfcc, n_fft, win_length, delta_width = (settings[n] for n in names)
    fmax = fs / 2 if fmax is None else fmax
    problem = None
    if n_mfcc > n_mels:
        problem = f"n_mfcc={n_mfcc} must not exceed n_mels={n_mels}. Lower n_mfcc or raise n_mels."
    elif settings["dct_type"] == 1 and n_mels == 1:
        problem = "dct_type=1 needs n_mels of 2 or more, got n_mels=1."
    elif win_length is not None and win_length > n_fft:
        problem = (
            f"win_length={win_length} must not exceed n_fft={n_fft}, the frame that holds the "
            "window: lower win_length or raise n_fft."
        )
    elif delta_width % 2 == 0:
        problem = (
            f"delta_width must be odd, with as many frames before as after, got {delta_width!r}."
        )
    elif fmax > fs / 2:
        problem = (
            f"fmax={fmax:g} Hz must not exceed fs / 2 = {fs / 2:g} Hz, the highest frequency in a "
            f"signal sampled at fs={fs:g} Hz: lower fmax, set it to None (which means fs / 2), or "
            "set fs to the true rate."
        )
    elif fmin >= fmax:
        problem = f"fmin={fmin:g} Hz must be below fmax={fmax:g} Hz: lower fmin or raise fmax."
    if problem:
        raise ValueError(problem)


def _window_samples(window: Any, length: int, n_fft: int) -> np.ndarray:
    """Return a window of ``length`` samples in the middle of ``n_fft`` samples."""
    from librosa.filters import get_window
    from librosa.util import pad_center
    from librosa.util.exceptions import ParameterError

    message = (
        f"window={window!r} gives no window of {length} samples (win_length, or n_fft if that is "
        "None): pass a name or tuple that scipy.signal.get_window takes, a function of the "
        f"length, or {length} finite numbers."
    )
    try:
        values = np.asarray(get_window(window, length), dtype=np.float64)
    except (TypeError, ValueError, ParameterError) as error:
        raise ValueError(message) from error
    if values.shape != (length,) or not np.isfinite(values).all():
        raise ValueError(message)
    return pad_center(values, size=n_fft)


def _mel_levels(
    rows: np.ndarray, window: np.ndarray, hop_length: int, power: float, mel_basis: np.ndarray
) -> np.ndarray:
    """Compute the levels of the mel bands in dB, ``(n_rows, n_mels, n_frames)``."""
    import librosa

    n_fft = len(window)
    limit = _LARGEST_POWER ** (1 / max(power, 2.0)) / n_fft
    scale = np.maximum(np.abs(rows).max(axis=1, keepdims=True) / limit, 1.0)
    rows = rows / scale

    n_frames = 1 + (rows.shape[1] - n_fft) // hop_length
    levels = np.empty((len(rows), len(mel_basis), n_frames))
    for block in row_chunks(n_frames, len(rows) * n_fft):  # a row may be an hour long
        samples = rows[:, block.start * hop_length : (block.stop - 1) * hop_length + n_fft]
        spectra = librosa.stft(
            samples, n_fft=n_fft, hop_length=hop_length, window=window, center=False
        )
        powers = spectra.real**2 + spectra.imag**2
        if power != 2:
            powers **= power / 2
        levels[..., block] = librosa.power_to_db(mel_basis @ powers, top_db=None)
    levels += 10 * power * np.log10(scale)[..., np.newaxis]
    return levels


def _derivatives(cepstra: np.ndarray, deltas: int, width: int) -> list[np.ndarray]:
    """Return the derivatives in time up to order ``deltas``."""
    import librosa

    mode = "interp" if cepstra.shape[-1] >= width else "nearest"
    return [
        librosa.feature.delta(cepstra, width=width, order=order, mode=mode)
        for order in range(1, 1 + deltas)
    ]


def _statistics(channels: np.ndarray) -> np.ndarray:
    """Return statistics over the frames, ``(n_rows, n_channels, 6)``."""
    scores, deviation = _standardize(channels)
    statistics = [
        channels.mean(axis=-1),
        deviation,
        channels.min(axis=-1),
        np.median(channels, axis=-1),
        channels.max(axis=-1),
        np.mean(scores**3, axis=-1),  # skewness
    ]
    return np.stack(statistics, axis=-1)


def _standardize(channels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the standard scores over the frames, zeros for constants, and the deviations."""
    deviation = channels.std(axis=-1, keepdims=True)
    largest = np.abs(channels).max(axis=(1, 2), keepdims=True)
    deviation[deviation <= _ROUNDING * largest] = 0.0
    scores = channels - channels.mean(axis=-1, keepdims=True)
    scores = np.divide(scores, deviation, out=np.zeros_like(scores), where=deviation > 0)
    return scores, deviation[..., 0]
