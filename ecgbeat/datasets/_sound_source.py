"""Whether a sound file is whole, which libsndfile does not tell of most formats (layer 2).

Of a file that was cut off it reads what is there, and says nothing. Here is a complaint only
where the file itself says that there was more.
"""

import os
import struct
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, NamedTuple

# the first four bytes -> byte order, and the chunk that holds the samples
_CHUNKED = {b"RIFF": ("<", b"data"), b"RIFX": (">", b"data"), b"FORM": (">", b"SSND")}
# Programs that write to a pipe cannot know the size. They say 0xFFFFFFFF (ffmpeg), 0x7FFFF000
# (sox), 0x80000000 (arecord), and others 0, which is also what a crash leaves behind.
_LEAST_PLACEHOLDER_BYTES = 0x7FFF0000
# By so much some writers promise too much, who count the header or parts of it: nothing is cut.
# Of CubicSDR, cryptix/wav, those who write the RIFF chunk's size, and Flutter's record.
_COUNTED_HEADER_BYTES = (16, 28, 36, 44)
_OGG_HEADER_BYTES = 27  # the last of them is the length of the table of sizes that follows
_LARGEST_OGG_PAGE_BYTES = _OGG_HEADER_BYTES + 255 + 255 * 255
_MP3_LENGTH_WITHIN_BYTES = 256  # of the first frame


class _SampleChunk(NamedTuple):
    """The chunk of a WAV or AIFF file that holds the samples."""

    byte_order: str  # as in struct
    begin: int  # of its content, in bytes
    n_bytes: int  # as the header says
    n_bytes_there: int  # up to the end of the file


def sound_source(file: Path) -> Path | BytesIO:
    """Look whether a file is whole, and return what libsndfile is to read.

    Parameters
    ----------
    file : Path
        A sound of any format.

    Returns
    -------
    Path or BytesIO
        The file; or, of a WAV whose header says that it holds no samples while it does, its
        content with the right size, without which libsndfile finds nothing.

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If it is empty or cut off.
    """
    with file.open("rb") as stream:
        if not os.fstat(stream.fileno()).st_size:
            raise ValueError("it is empty (0 bytes)")
        _check_last_ogg_page(stream)
        chunk = _find_samples(stream)
        if chunk is None:
            return file
        if _is_cut_off(chunk):
            raise ValueError(
                f"it is cut off: its header promises {chunk.n_bytes} bytes of samples, and "
                f"{chunk.n_bytes_there} are there"
            )
        if chunk.n_bytes or _only_chunks_follow(stream, chunk):
            return file
        stream.seek(0)
        content = bytearray(stream.read())
    struct.pack_into(chunk.byte_order + "I", content, chunk.begin - 4, chunk.n_bytes_there)
    return BytesIO(content)


def _find_samples(stream: BinaryIO) -> _SampleChunk | None:
    """Find the samples of a WAV or AIFF file; None if it is neither or holds none."""
    stream.seek(0)
    kind = stream.read(12)[:4]
    if kind not in _CHUNKED:
        return None
    byte_order, wanted = _CHUNKED[kind]
    while len(head := stream.read(8)) == 8:
        name, n_bytes = struct.unpack(byte_order + "4sI", head)
        if name == wanted:
            begin = stream.tell()
            return _SampleChunk(byte_order, begin, n_bytes, stream.seek(0, os.SEEK_END) - begin)
        stream.seek(n_bytes + n_bytes % 2, os.SEEK_CUR)
    return None


def _is_cut_off(chunk: _SampleChunk) -> bool:
    """Tell whether samples are missing that the header promises in earnest."""
    n_missing = chunk.n_bytes - chunk.n_bytes_there
    is_placeholder = chunk.n_bytes >= _LEAST_PLACEHOLDER_BYTES
    return n_missing > 0 and not is_placeholder and n_missing not in _COUNTED_HEADER_BYTES


def _only_chunks_follow(stream: BinaryIO, chunk: _SampleChunk) -> bool:
    """Tell whether chunks, or nothing, fill the file behind an empty one."""
    place, end = chunk.begin, chunk.begin + chunk.n_bytes_there
    while place < end:
        stream.seek(place)
        head = stream.read(8)
        if len(head) < 8 or not (head[:4].isascii() and head[:4].decode().isprintable()):
            return False
        n_bytes = struct.unpack(chunk.byte_order + "4sI", head)[1]
        place += 8 + n_bytes + n_bytes % 2
    return place - end in (0, 1)  # a last odd one may lack the byte that makes it even


def _check_last_ogg_page(stream: BinaryIO) -> None:
    """Raise if the last page of an Ogg file reaches beyond its end."""
    stream.seek(0)
    if stream.read(4) != b"OggS":
        return
    n_bytes = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, n_bytes - _LARGEST_OGG_PAGE_BYTES))
    tail = stream.read()
    page = tail[tail.rfind(b"OggS") :]
    n_sizes = page[_OGG_HEADER_BYTES - 1] if len(page) >= _OGG_HEADER_BYTES else 0
    sizes = page[_OGG_HEADER_BYTES:][:n_sizes]
    promised = _OGG_HEADER_BYTES + n_sizes + sum(sizes)
    if len(page) < promised:
        raise ValueError(
            f"it is cut off: its last page promises {promised} bytes, and {len(page)} are there"
        )


def mp3_states_length(file: Path) -> bool:
    """Tell whether an MP3 says how long it is; of others libsndfile estimates the length."""
    with file.open("rb") as stream:
        tag = stream.read(10)
        if tag[:3] != b"ID3" or len(tag) < 10:
            stream.seek(0)
        else:  # its size are four bytes of 7 bits each
            a, b, c, d = tag[6:]
            stream.seek(a << 21 | b << 14 | c << 7 | d, os.SEEK_CUR)
        frame = stream.read(_MP3_LENGTH_WITHIN_BYTES)
    return b"Xing" in frame or b"Info" in frame
