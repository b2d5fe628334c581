"""NumPy files of arrays, and recordings in them.

The messages of all errors are reasons alone. The loader names the file.
"""

import math
import os
import warnings
import zipfile
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from ecgbeat.datasets.tables.text import check_unpacked_size

_PARTS = {"signal", "lead_names", "fs", "sample", "symbol"}  # of an npz file
# NumPy writes no others, and zipfile does not bound the memory of others
_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_HEADER_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_arrays(file: Path) -> dict[str, np.ndarray]:
    """Return the arrays of an npz file by name, or that of an npy file as ``signal``."""
    try:
        with file.open("rb") as stream, warnings.catch_warnings(action="ignore"):
            if stream.read(2) == b"PK":
                return _read_zip(stream)
            return {"signal": _read_array(stream, os.fstat(stream.fileno()).st_size)}
    except Exception as error:  # zipfile and NumPy raise nearly any for a damaged file
        raise ValueError(
            f"it cannot be read as {file.suffix[1:]} without Python objects "
            f"({error or type(error).__name__})"
        ) from error


def _read_zip(stream: IO[bytes]) -> dict[str, np.ndarray]:
    """Read all arrays of an npz file. ``zipfile`` compares the checksum of each."""
    with zipfile.ZipFile(stream) as archive:
        members = archive.infolist()
        if any(member.compress_type not in _ZIP_METHODS for member in members):
            raise ValueError("an array is compressed by a method that NumPy does not use")
        n_packed = os.fstat(stream.fileno()).st_size
        check_unpacked_size(sum(member.file_size for member in members), n_packed)
        arrays = {}
        for member in members:
            with archive.open(member) as content:
                arrays[member.filename.removesuffix(".npy")] = _read_array(
                    content, member.file_size
                )
    if len(arrays) < len(members):
        raise ValueError("two of its arrays have the same name")
    return arrays


def _read_array(stream: IO[bytes], n_bytes: int) -> np.ndarray:
    """Read an array whose header agrees with the size, before memory is asked for."""
    stream.seek(0)
    version = np.lib.format.read_magic(stream)
    if version not in _HEADER_READERS:
        raise ValueError(f"version {version} of the format is unknown")
    shape, _, dtype = _HEADER_READERS[version](stream)
    if dtype.hasobject:
        raise ValueError("the array holds Python objects")
    stated = stream.tell() + math.prod(shape) * dtype.itemsize
    if stated != n_bytes or dtype.itemsize == 0 or min(shape, default=0) < 0:
        raise ValueError(
            f"an array of shape {shape} and type {dtype} needs {stated} bytes, it has {n_bytes}"
        )
    stream.seek(0)
    return np.lib.format.read_array(stream, allow_pickle=False)


class ArrayRecording(NamedTuple):
    """A recording of a NumPy file."""

    signal: np.ndarray  # (n_leads, n_times)
    lead_names: list[str]
    fs: float | None
    annotation: tuple[np.ndarray, np.ndarray] | None  # sample and symbol

    def read(self) -> np.ndarray:
        """Return all leads, of shape (n_leads, n_times)."""
        return self.signal


def open_arrays(file: Path) -> ArrayRecording:
    """Read an npy file of one array, or an npz file of one array or of named parts."""
    arrays = read_arrays(file)
    if len(arrays) == 1:
        arrays = {"signal": next(iter(arrays.values()))}
    if "signal" not in arrays or not arrays.keys() <= _PARTS:
        raise ValueError(
            f"it holds the arrays {sorted(arrays)}; it must hold a single one, or signal and any "
            f"of {sorted(_PARTS - {'signal'})}. Save each recording in a file of its own"
        )
    signal = _leads_first(arrays["signal"])
    names = [str(name) for name in np.atleast_1d(arrays.get("lead_names", []))]
    if names and len(names) != len(signal):
        raise ValueError(f"lead_names has {len(names)} names for {len(signal)} leads")
    if ("sample" in arrays) != ("symbol" in arrays):
        raise ValueError("it holds one of sample and symbol without the other")
    return ArrayRecording(
        signal,
        names or [f"lead_{index}" for index in range(len(signal))],
        float(arrays["fs"]) if "fs" in arrays else None,
        (arrays["sample"], arrays["symbol"]) if "sample" in arrays else None,
    )


def _leads_first(array: np.ndarray) -> np.ndarray:
    """Return an array as (n_leads, n_times); the longer axis is the time."""
    if array.ndim not in (1, 2) or array.size == 0 or array.dtype.kind not in "fiu":
        raise ValueError(
            f"it holds an array of shape {array.shape} and type {array.dtype}; it must hold real "
            "numbers of shape (n_times,), (n_leads, n_times) or (n_times, n_leads)"
        )
    if array.ndim == 1:
        return array[np.newaxis]
    if array.shape[0] == array.shape[1]:
        raise ValueError(f"of shape {array.shape}, leads and times cannot be distinguished")
    return array if array.shape[0] < array.shape[1] else array.T
