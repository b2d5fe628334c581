"""Sound files as signals of the sampling rate asked for (layer 2)."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ecgbeat._validation import sum_is_finite
from ecgbeat.datasets._sound_source import mp3_states_length, sound_source

_QUALITY = "HQ"  # of soxr: 20 bits, passes up to 0.913 of the Nyquist frequency; librosa's too
_UNKNOWN_LENGTH = 2**62  # libsndfile says 2**63 - 1
_MP3_FRAME = 1152  # samples; a header may count itself as a frame, and the last be half empty
_KNOWN_FORMATS = "WAV, FLAC, OGG, MP3 and AIFF are"


class Sound(NamedTuple):
    """A sound of one channel."""

    signal: np.ndarray  # of shape (n_times,), float32
    duration: float  # of the file, in seconds


class Reading(NamedTuple):
    """What came of reading files."""

    signals: dict[str, np.ndarray]  # by the names of the files
    too_short: dict[str, float]  # file -> its seconds
    skipped: dict[str, str]  # file -> why it cannot be read


def read_sounds(
    files: Iterable[tuple[str, Path]],
    fs: float,
    *,
    min_duration: float,
    n_kept: int | None,
    on_error: str,
) -> Reading:
    """Read one sound after the other, and keep what is asked for.

    Parameters
    ----------
    files : iterable of pairs of str and Path
        Names and files.
    fs : float
        Sampling rate of the signals in Hz.
    min_duration : float
        Seconds; shorter files are not kept.
    n_kept : int or None
        How many samples are kept from the beginning; None keeps all.
    on_error : {"raise", "skip"}
        What to do with a file that cannot be read.

    Returns
    -------
    Reading

    Raises
    ------
    ValueError
        If a file cannot be read and ``on_error="raise"``.
    """
    reading = Reading({}, {}, {})
    for name, file in files:
        try:
            sound = read_sound(file, fs)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            if on_error == "raise":
                raise ValueError(
                    f'{file} cannot be read: {reason}. on_error="skip" leaves such files out.'
                ) from error
            reading.skipped[str(file)] = reason
            continue
        if sound.duration < min_duration:
            reading.too_short[str(file)] = sound.duration
        elif n_kept is None:
            reading.signals[name] = sound.signal
        else:  # a copy, because a view would hold the whole of a long file
            reading.signals[name] = sound.signal[:n_kept].copy()
    return reading


def read_sound(file: Path, fs: float) -> Sound:
    """Read a sound file: one channel, float32, at the sampling rate asked for.

    Several channels are averaged. Another rate is converted by soxr in the quality "HQ",
    which is what ``librosa.load`` does.

    Parameters
    ----------
    file : Path
        A file of any format that libsndfile reads.
    fs : float
        Sampling rate of the result in Hz.

    Returns
    -------
    Sound

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If it is no sound, is cut off, holds no samples, or some that are not finite. The
        message is the reason alone, without the file.
    """
    samples, rate = _read_samples(file)
    if not len(samples):
        raise ValueError("it holds no samples")
    if not sum_is_finite(samples) and (n_bad := int((~np.isfinite(samples)).sum())):
        raise ValueError(f"{n_bad} of its {samples.size} samples are NaN or infinite")
    signal = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)
    if rate != fs:
        import soxr  # type: ignore[import-untyped]

        signal = soxr.resample(signal, rate, fs, quality=_QUALITY)
    if not len(signal):
        raise ValueError(f"its {len(samples)} samples at {rate} Hz are less than one at {fs:g} Hz")
    return Sound(signal, len(samples) / rate)


def _read_samples(file: Path) -> tuple[np.ndarray, int]:
    """Read all of a file: float32 of shape (n_times, n_channels), and the rate in Hz."""
    import soundfile  # type: ignore[import-untyped]

    source = sound_source(file)
    try:
        with soundfile.SoundFile(source) as sound:
            _check_header(sound)
            samples = sound.read(dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise ValueError(_explain(error.error_string)) from error
    except MemoryError as error:  # a damaged header may promise anything
        raise ValueError(f"it does not fit into memory, by its header ({error})") from error
    _check_length(file, sound, len(samples))
    return samples, sound.samplerate


def _check_header(sound: Any) -> None:
    """Raise if libsndfile guesses instead of knowing."""
    if sound.format == "RAW":  # what it takes .au and .snd for that have no header
        raise ValueError(_explain("no header"))
    if sound.frames >= _UNKNOWN_LENGTH:
        raise ValueError(
            "its header does not say how long it is (was it written to a pipe?): encode it anew"
        )


def _check_length(file: Path, sound: Any, n_read: int) -> None:
    """Raise if fewer samples came than the header promises, where it really does."""
    missing = sound.frames - n_read
    if sound.format == "OGG":  # its last page was looked at
        return
    if sound.format == "MP3" and (missing <= 2 * _MP3_FRAME or not mp3_states_length(file)):
        return
    if missing > 0:
        raise ValueError(
            f"it is cut off: its header promises {sound.frames} samples, and {n_read} are there"
        )


def _explain(words: str) -> str:
    """Say in other words what libsndfile says."""
    if words.startswith("File does not exist"):  # it says so of an MP3 without a single frame
        words = "no MP3 frame"
    return (
        f"it is damaged, or no sound of a format that libsndfile reads ({words.rstrip('.')}; "
        f"{_KNOWN_FORMATS})"
    )
