"""What turns frames into MFCCs, checked and computed once (layer 1)."""

import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from scipy import fft

from ecgbeat._validation import Integral, Real, check_positive

PAD_MODES = ("constant", "edge", "linear_ramp", "reflect", "symmetric")
DCT_TYPES = (1, 2, 3)


class MFCCSettings(NamedTuple):
    """The arguments of `ecgbeat.signal.mfcc`, which documents them."""

    fs: float
    n_mfcc: int
    n_fft: int
    hop_length: int
    win_length: int | None
    window: Any
    center: bool
    pad_mode: str
    power: float
    n_mels: int
    fmin: float
    fmax: float | None
    htk: bool
    mel_norm: str | float | None
    top_db: float | None
    dct_type: int
    norm: str | None
    lifter: float
    deltas: int
    delta_width: int
    normalize: bool


class MFCCDesign(NamedTuple):
    """Settings that fit together, and the arrays that follow from them."""

    settings: MFCCSettings
    window: np.ndarray  # (n_fft,)
    bins: slice  # of the spectrum: those that a mel band looks at
    mel_basis: np.ndarray  # (n_mels, n_bins)
    cosines: np.ndarray  # (n_mfcc, n_mels), lifter included
    n_empty: int  # mel bands without a bin

    @property
    def n_channels(self) -> int:
        """Number of coefficients of a frame, deltas included."""
        return self.settings.n_mfcc * (1 + self.settings.deltas)

    @property
    def n_padding(self) -> int:
        """Samples put before and after each row."""
        return self.settings.n_fft // 2 if self.settings.center else 0

    def n_frames(self, n_times: int) -> int:
        """Count the frames of a row of ``n_times`` samples: one at least."""
        n_free = n_times + 2 * self.n_padding - self.settings.n_fft
        return 1 + max(0, n_free) // self.settings.hop_length

    def empty_bands(self) -> str | None:
        """Say that mel bands are empty, and what to do about it; None if none is."""
        if not self.n_empty:
            return None
        fs, n_fft, n_mels = self.settings.fs, self.settings.n_fft, self.settings.n_mels
        return (
            f"{self.n_empty} of n_mels={n_mels} mel bands are empty: they are narrower than the "
            f"{fs / n_fft:.3g} Hz between the frequencies of a frame (fs / n_fft = {fs:g} / "
            f"{n_fft}), so the signal never shows in them. Lower n_mels, raise n_fft, or widen "
            "the range of fmin to fmax."
        )


def design_mfcc(settings: MFCCSettings) -> MFCCDesign:
    """Check the settings against each other and compute what follows from them.

    Raises
    ------
    TypeError
        If a setting that must be a number is none.
    ValueError
        If a setting is impossible by itself or beside another.
    """
    settings = _checked(settings)
    bins, mel_basis, n_empty = _mel_basis(
        *(settings.fs, settings.n_fft, settings.n_mels, settings.fmin, settings.fmax),
        *(settings.htk, settings.mel_norm),
    )
    cosines = _cosines(
        *(settings.n_mfcc, settings.n_mels, settings.dct_type, settings.norm, settings.lifter)
    )
    return MFCCDesign(settings, _window(settings), bins, mel_basis, cosines, n_empty)


def _checked(settings: MFCCSettings) -> MFCCSettings:
    """Return the settings with plain numbers in place of all else, or say what is wrong."""
    settings = settings._replace(
        **_whole_numbers(settings),
        fs=check_positive("fs", settings.fs, unit="Hz"),
        fmin=check_positive("fmin", settings.fmin, unit="Hz", strict=False),
        power=check_positive("power", settings.power),
        lifter=check_positive("lifter", settings.lifter, strict=False),
    )
    settings = settings._replace(fmax=_checked_fmax(settings))
    _check_choices(settings)
    if settings.n_mfcc > settings.n_mels:
        raise ValueError(
            f"n_mfcc={settings.n_mfcc} must not exceed n_mels={settings.n_mels}: so many "
            "coefficients describe all mel bands. Lower n_mfcc or raise n_mels."
        )
    if settings.win_length is not None and settings.win_length > settings.n_fft:
        raise ValueError(
            f"win_length={settings.win_length} must not exceed n_fft={settings.n_fft}, the frame "
            "that holds the window: lower win_length or raise n_fft."
        )
    if settings.delta_width % 2 == 0:
        raise ValueError(
            f"delta_width must be odd, with as many frames before as after, got "
            f"{settings.delta_width!r}."
        )
    if settings.top_db is not None:
        check_positive("top_db", settings.top_db, unit="dB", strict=False)
    return settings


def _whole_numbers(settings: MFCCSettings) -> dict[str, Any]:
    """Return the settings that are counts, as int."""
    least = {"n_mfcc": 1, "n_fft": 2, "hop_length": 1, "n_mels": 1, "deltas": 0, "delta_width": 3}
    if settings.win_length is not None:
        least["win_length"] = 1
    if settings.dct_type == 1:
        least["n_mels"] = 2  # type I needs both ends of an interval
    found = {}
    for name, smallest in least.items():
        value = getattr(settings, name)
        if not isinstance(value, Integral) or isinstance(value, bool) or value < smallest:
            raise ValueError(f"{name} must be a whole number of {smallest} or more, got {value!r}.")
        found[name] = int(value)
    return found


def _checked_fmax(settings: MFCCSettings) -> float:
    """Return the upper end of the mel bands in Hz."""
    highest = settings.fs / 2
    fmax = highest if settings.fmax is None else check_positive("fmax", settings.fmax, unit="Hz")
    if fmax > highest:
        raise ValueError(
            f"fmax={fmax!r} Hz must not exceed fs / 2 = {highest!r} Hz, the highest frequency that "
            f"a signal sampled at fs={settings.fs!r} Hz can hold: lower fmax, set it to None "
            "(which means fs / 2), or set fs to the true rate."
        )
    if settings.fmin >= fmax:
        raise ValueError(
            f"fmin={settings.fmin!r} Hz must be below fmax={fmax!r} Hz, or there is no room for "
            "mel bands: lower fmin or raise fmax."
        )
    return fmax


def _check_choices(settings: MFCCSettings) -> None:
    """Raise if a setting is none of those that there are."""
    choices = {
        "deltas": (0, 1, 2),
        "pad_mode": PAD_MODES,
        "dct_type": DCT_TYPES,
        "norm": ("ortho", None),
    }
    for name, allowed in choices.items():
        value = getattr(settings, name)
        if value not in allowed:
            raise ValueError(
                f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}."
            )
    mel_norm = settings.mel_norm
    is_order = isinstance(mel_norm, Real) and mel_norm > 0
    if not is_order and mel_norm not in ("slaney", None):
        raise ValueError(
            "mel_norm must be 'slaney', None or the order of a norm (such as 1, 2 or inf), got "
            f"{mel_norm!r}."
        )


@lru_cache(maxsize=32)
def _mel_basis(
    fs: float, n_fft: int, n_mels: int, fmin: float, fmax: float, htk: bool, norm: Any
) -> tuple[slice, np.ndarray, int]:
    """Return which bins the mel bands look at, their weights there, and how many have none."""
    from librosa.filters import mel

    with warnings.catch_warnings():
        # MFCCDesign.empty_bands says it in the words of our arguments
        warnings.filterwarnings("ignore", "Empty filters detected", UserWarning)
        basis = mel(sr=fs, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax, htk=htk, norm=norm)
    n_empty = int(np.sum(~basis.any(axis=1)))
    used = np.flatnonzero(basis.any(axis=0))
    bins = slice(int(used[0]), int(used[-1]) + 1) if used.size else slice(0, 1)
    # float32 as librosa makes it, so that results in float64 are the same, too
    weights = np.ascontiguousarray(basis[:, bins], dtype=np.float64)
    weights.flags.writeable = False  # shared by all calls
    return bins, weights, n_empty


@lru_cache(maxsize=32)
def _cosines(
    n_mfcc: int, n_mels: int, dct_type: int, norm: str | None, lifter: float
) -> np.ndarray:
    """Return the cosine transform of ``n_mels`` bands as a matrix, its rows liftered."""
    cosines = fft.dct(np.eye(n_mels), type=dct_type, norm=norm, axis=0)[:n_mfcc]
    if lifter > 0:
        lift = 1 + lifter / 2 * np.sin(np.pi * np.arange(1, 1 + n_mfcc) / lifter)
        cosines = cosines * lift[:, None]
    cosines.flags.writeable = False  # shared by all calls
    return cosines


def _window(settings: MFCCSettings) -> np.ndarray:
    """Return the window in the middle of a frame."""
    from librosa.filters import get_window
    from librosa.util import pad_center
    from librosa.util.exceptions import ParameterError

    length = settings.n_fft if settings.win_length is None else settings.win_length
    window: str | tuple | np.ndarray | Callable = settings.window
    try:
        values = np.asarray(get_window(window, length), dtype=np.float64)
        is_usable = values.shape == (length,) and bool(np.isfinite(values).all())
    except (TypeError, ValueError, ParameterError) as error:
        raise ValueError(_unusable_window(window, length)) from error
    if not is_usable:
        raise ValueError(_unusable_window(window, length))
    return pad_center(values, size=settings.n_fft)


def _unusable_window(window: Any, length: int) -> str:
    return (
        f"window={window!r} gives no window of {length} samples (win_length, or n_fft if that is "
        "None): pass a name or tuple that scipy.signal.get_window knows, a function that takes "
        f"the length, or {length} finite numbers."
    )
