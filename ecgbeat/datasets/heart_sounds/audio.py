"""Audio files as signals of one channel at a given sampling rate.

libsndfile silently reads the rest of a truncated file. Here such a file raises an error if it
states itself that there was more.
"""

import os
import struct
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from ecgbeat._validation import sum_is_finite

_QUALITY = "HQ"  # of soxr: 20 bits, passes up to 0.913 of the Nyquist frequency; librosa's too
_UNKNOWN_LENGTH = 2**62  # libsndfile says 2**63 - 1
# byte order by the first four bytes, and the chunk that holds the samples
_CHUNKED = {b"RIFF": ("<", b"data"), b"RIFX": (">", b"data"), b"FORM": (">", b"SSND")}
# Programs that write to a pipe cannot know the size. They write 0xFFFFFFFF (ffmpeg), 0x7FFFF000
# (sox), 0x80000000 (arecord), and others 0, which is also left behind by a crash.
_MIN_PLACEHOLDER_BYTES = 0x7FFF0000
# Some writers count the header or parts of it, without a truncated file: CubicSDR, cryptix/wav,
# those who write the RIFF chunk's size, and Flutter's record.
_COUNTED_HEADER_BYTES = (16, 28, 36, 44)
_OGG_HEADER_BYTES = 27  # the last of them is the length of the table of sizes that follows
_MAX_OGG_PAGE_BYTES = _OGG_HEADER_BYTES + 255 + 255 * 255
_MP3_FRAME = 1152  # samples; a header may count itself as a frame, and the last be half empty
_MIN_RATE, _MAX_RATE = 100, 1_000_000  # Hz; a phonocardiogram ends at 1000 Hz
_MAX_AMPLITUDE = 2.0**32  # float files may hold the integers of a converter
# of a compressed file by its header: silence packs well, and what is below fits any memory
_MAX_SAMPLES_PER_BYTE, _MIN_BOUND = 400, 2**26
_MP3_LENGTH_WITHIN_BYTES = 256  # of the first frame


class Reading(NamedTuple):
    """Signals of files, and the files without one."""

    signals: dict[str, np.ndarray]  # by name
    too_short: dict[str, float]  # duration in seconds by file
    skipped: dict[str, str]  # reason by file


def read_sounds(
    files: Iterable[tuple[str, Path]],
    fs: float,
    *,
    min_duration: float,
    n_kept: int | None,
    on_error: str,
) -> Reading:
    """Read files, given with their names, one after the other.

    Of each file, the first ``n_kept`` samples at ``fs`` are kept, all for None.
    """
    reading = Reading({}, {}, {})
    for name, file in files:
        try:
            signal, duration = read_sound(file, fs)
        except Exception as error:  # libsndfile and soxr raise nearly any for a damaged file
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            if on_error == "raise":
                raise ValueError(
                    f'{file} cannot be read: {reason}. on_error="skip" leaves such files out.'
                ) from error
            reading.skipped[str(file)] = reason
            continue
        if duration < min_duration:
            reading.too_short[str(file)] = duration
        else:  # a copy, because a view would hold the whole of a long file
            reading.signals[name] = signal if n_kept is None else signal[:n_kept].copy()
    return reading


def read_sound(file: Path, fs: float) -> tuple[np.ndarray, float]:
    """Read an audio file; return a float32 signal at ``fs`` and the duration in seconds.

    Channels are averaged, and the rate is converted as by ``librosa.load``. The message of a
    ValueError is the reason alone.
    """
    samples, rate = _read_samples(file)
    if not len(samples):
        raise ValueError("it holds no samples")
    _check_samples(samples, rate)
    signal = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)
    if rate != fs:
        import soxr  # type: ignore[import-untyped]

        signal = soxr.resample(signal, rate, fs, quality=_QUALITY)
    if not np.isfinite(signal).all():
        raise ValueError(f"its samples are not finite when resampled to {fs:g} Hz")
    if not len(signal):
        raise ValueError(f"its {len(samples)} samples at {rate} Hz are less than one at {fs:g} Hz")
    return signal, len(samples) / rate


def _check_samples(samples: np.ndarray, rate: int) -> None:
    """Raise if a damaged header or damaged samples would give no sound."""
    if not _MIN_RATE <= rate <= _MAX_RATE:
        raise ValueError(
            f"it states a sampling rate of {rate} Hz; {_MIN_RATE} to {_MAX_RATE} Hz are read"
        )
    if not sum_is_finite(samples) and (n_bad := int((~np.isfinite(samples)).sum())):
        raise ValueError(f"{n_bad} of its {samples.size} samples are NaN or infinite")
    if (largest := max(-samples.min(), samples.max())) > _MAX_AMPLITUDE:
        raise ValueError(f"it holds a sample of {largest:g}; full scale is -1 to 1")


def _read_samples(file: Path) -> tuple[np.ndarray, int]:
    """Return all samples, float32 of shape (n_times, n_channels), and the rate in Hz."""
    import soundfile  # type: ignore[import-untyped]

    source = check_complete(file)
    try:
        with soundfile.SoundFile(source) as sound:
            _check_header(sound, file.stat().st_size)
            samples = sound.read(dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise ValueError(_describe(error.error_string)) from error
    except MemoryError as error:  # a damaged header may state any size
        raise ValueError(f"it does not fit into memory, by its header ({error})") from error
    _check_length(file, sound, len(samples))
    return samples, sound.samplerate


def _check_header(sound: Any, n_bytes: int) -> None:
    """Raise if libsndfile guesses the format or the length, or no file has so many samples."""
    if sound.format == "RAW":  # its guess for .au and .snd without a header
        raise ValueError(_describe("no header"))
    if sound.frames >= _UNKNOWN_LENGTH:
        raise ValueError(
            "its header does not state its length (was it written to a pipe?): encode it anew"
        )
    n_samples = sound.frames * sound.channels
    if n_samples > max(_MIN_BOUND, _MAX_SAMPLES_PER_BYTE * n_bytes):
        raise ValueError(f"its header states {n_samples} samples, too many for {n_bytes} bytes")


def _check_length(file: Path, sound: Any, n_read: int) -> None:
    """Raise if the file holds fewer samples than its header states."""
    missing = sound.frames - n_read
    if sound.format == "OGG":  # its last page is checked instead
        return
    if sound.format == "MP3" and (missing <= 2 * _MP3_FRAME or not mp3_states_length(file)):
        return
    if missing > 0:
        raise ValueError(f"it is truncated: it holds {n_read} of the {sound.frames} samples stated")


def _describe(message: str) -> str:
    """Return the reason for an error of libsndfile."""
    if message.startswith("File does not exist"):  # for an MP3 without a single frame
        message = "no MP3 frame"
    return (
        f"it is damaged, or not in a format that libsndfile reads ({message.rstrip('.')}; "
        "WAV, FLAC, OGG, MP3 and AIFF are)"
    )


def check_complete(file: Path) -> Path | BytesIO:
    """Raise ValueError if a file is empty or truncated, else return the source to read it from.

    That is its content with the right size, if a WAV file states none, and otherwise the file.
    """
    with file.open("rb") as stream:
        if not os.fstat(stream.fileno()).st_size:
            raise ValueError("it is empty (0 bytes)")
        _check_last_ogg_page(stream)
        chunk = _find_samples(stream)
        if chunk is None:
            return file
        if _is_truncated(chunk):
            raise ValueError(
                f"it is truncated: it holds {chunk.n_bytes_present} of the {chunk.n_bytes} bytes "
                "of samples that its header states"
            )
        if chunk.n_bytes or _only_chunks_follow(stream, chunk):
            return file
        stream.seek(0)
        content = bytearray(stream.read())
    struct.pack_into(chunk.byte_order + "I", content, chunk.start - 4, chunk.n_bytes_present)
    return BytesIO(content)


class _SampleChunk(NamedTuple):
    """The chunk of a WAV or AIFF file that holds the samples."""

    byte_order: str  # as in struct
    start: int  # of its content, in bytes
    n_bytes: int  # according to the header
    n_bytes_present: int  # up to the end of the file


def _find_samples(stream: BinaryIO) -> _SampleChunk | None:
    """Return the samples of a WAV or AIFF file; None if it is neither or holds none."""
    stream.seek(0)
    magic = stream.read(12)[:4]
    if magic not in _CHUNKED:
        return None
    byte_order, name_of_samples = _CHUNKED[magic]
    while len(head := stream.read(8)) == 8:
        name, n_bytes = struct.unpack(byte_order + "4sI", head)
        if name == name_of_samples:
            start = stream.tell()
            return _SampleChunk(byte_order, start, n_bytes, stream.seek(0, os.SEEK_END) - start)
        stream.seek(n_bytes + n_bytes % 2, os.SEEK_CUR)
    return None


def _is_truncated(chunk: _SampleChunk) -> bool:
    """Return whether samples are missing that the header states, placeholders aside."""
    n_missing = chunk.n_bytes - chunk.n_bytes_present
    is_placeholder = chunk.n_bytes >= _MIN_PLACEHOLDER_BYTES
    return n_missing > 0 and not is_placeholder and n_missing not in _COUNTED_HEADER_BYTES


def _only_chunks_follow(stream: BinaryIO, chunk: _SampleChunk) -> bool:
    """Return whether the file behind an empty chunk consists of chunks alone, if any."""
    position, end = chunk.start, chunk.start + chunk.n_bytes_present
    while position < end:
        stream.seek(position)
        head = stream.read(8)
        if len(head) < 8 or not (head[:4].isascii() and head[:4].decode().isprintable()):
            return False
        n_bytes = struct.unpack(chunk.byte_order + "4sI", head)[1]
        position += 8 + n_bytes + n_bytes % 2
    return position - end in (0, 1)  # a last odd one may lack the byte that makes it even


def _check_last_ogg_page(stream: BinaryIO) -> None:
    """Raise if the last page of an Ogg file is not complete."""
    stream.seek(0)
    if stream.read(4) != b"OggS":
        return
    n_bytes = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, n_bytes - _MAX_OGG_PAGE_BYTES))
    tail = stream.read()
    page = tail[tail.rfind(b"OggS") :]
    n_sizes = page[_OGG_HEADER_BYTES - 1] if len(page) >= _OGG_HEADER_BYTES else 0
    sizes = page[_OGG_HEADER_BYTES:][:n_sizes]
    stated = _OGG_HEADER_BYTES + n_sizes + sum(sizes)
    if len(page) < stated:
        raise ValueError(
            f"it is truncated: it holds {len(page)} of the {stated} bytes of its last page"
        )


def mp3_states_length(file: Path) -> bool:
    """Return whether an MP3 file states its length; libsndfile estimates that of others."""
    with file.open("rb") as stream:
        tag = stream.read(10)
        if tag[:3] != b"ID3" or len(tag) < 10:
            stream.seek(0)
        else:  # its size are four bytes of 7 bits each
            a, b, c, d = tag[6:]
            stream.seek(a << 21 | b << 14 | c << 7 | d, os.SEEK_CUR)
        frame = stream.read(_MP3_LENGTH_WITHIN_BYTES)
    return b"Xing" in frame or b"Info" in frame
