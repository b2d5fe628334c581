"""The safetensors file: named arrays and text, with a checksum over both."""

import hashlib
import json
import math
import os
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

_MAX_HEADER = 2**22  # bytes; that of a network has some 14,000. Parsed, it takes up to 100 MB
_MAX_DIMENSIONS = 32
_DTYPES = {
    "BOOL": "?",
    "F16": "<f2",
    "F32": "<f4",
    "F64": "<f8",
    "I16": "<i2",
    "I32": "<i4",
    "I64": "<i8",
    "I8": "i1",
    "U16": "<u2",
    "U32": "<u4",
    "U64": "<u8",
    "U8": "u1",
}
_NAMES = {np.dtype(code): name for name, code in _DTYPES.items()}
STORABLE_DTYPES = frozenset(_NAMES)


def pack(tensors: dict[str, np.ndarray], metadata: dict[str, str]) -> bytes:
    """Return the content of a file; equal models have equal files.

    Arrays are C-contiguous, of `STORABLE_DTYPES`; the largest types come first, so that all are
    aligned.
    """
    checksum = _checksum(tensors, metadata)
    header: dict[str, Any] = {"__metadata__": metadata | {"sha256": checksum}}
    data = []
    end = 0
    for name, array in sorted(tensors.items(), key=lambda item: (-item[1].itemsize, item[0])):
        start, end = end, end + array.nbytes
        kind = _NAMES[array.dtype.newbyteorder("<")]
        header[name] = {"dtype": kind, "shape": array.shape, "data_offsets": [start, end]}
        data.append(_bytes(array))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > _MAX_HEADER:
        raise ValueError(
            f"The description of the model takes {len(text)} bytes without its arrays, and a model "
            f"file holds at most {_MAX_HEADER}. Pass a shorter card, or use joblib."
        )
    return b"".join([len(text).to_bytes(8, "little"), text, *data])


def unpack(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Return arrays and text of a file; raise ValueError unless it is complete and unchanged.

    The header is checked before memory is requested, which is never more than the size of the file.
    """
    with path.open("rb") as file:
        header, n_data = _read_header(file)
        metadata = _metadata_of(header)
        places = _places(header, n_data)
        data = file.read(n_data)
    tensors = {
        name: _array(data[start:stop], dtype, shape)
        for name, (dtype, shape, start, stop) in places.items()
    }
    expected = metadata.pop("sha256")
    if _checksum(tensors, metadata) != expected:
        raise ValueError("The file is damaged: its content does not agree with its checksum.")
    return tensors, metadata


def read_metadata(path: Path) -> dict[str, str]:
    """Return the text of a file without reading its arrays."""
    with path.open("rb") as file:
        return _metadata_of(_read_header(file)[0])


def parse_json(text: str | bytes) -> Any:
    """Parse JSON strictly: neither a name twice in an object, nor NaN or infinity."""
    return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)


def _read_header(file: BinaryIO) -> tuple[dict[str, Any], int]:
    """Return the header of a file and the number of bytes that follow it."""
    size = os.fstat(file.fileno()).st_size
    n_header = int.from_bytes(file.read(8), "little")
    if size < 8 or n_header > size - 8:
        raise ValueError(f"It is truncated, or no safetensors file: it has {size} bytes.")
    if n_header > _MAX_HEADER:
        raise ValueError(f"Its header has {n_header} bytes, but at most {_MAX_HEADER} are allowed.")
    header = parse_json(file.read(n_header))
    if not isinstance(header, dict):
        raise ValueError("Its header is no JSON object.")
    return header, size - 8 - n_header


def _metadata_of(header: dict[str, Any]) -> dict[str, str]:
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise ValueError("The metadata in its header are no texts.")
    if "sha256" not in metadata:
        raise ValueError(
            "It is a safetensors file, but not one of ecgbeat.save_model. Weights that a network "
            "has saved with save_params are loaded with its load_params."
        )
    return metadata


def _places(
    header: dict[str, Any], n_data: int
) -> dict[str, tuple[np.dtype, tuple[int, ...], int, int]]:
    """Return type, shape, start and end of each array; together they must fill the file."""
    places = {}
    for name, entry in header.items():
        if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
            raise ValueError(f"The entry of the array {name!r} has other fields than an array.")
        shape, offsets = entry["shape"], entry["data_offsets"]
        if not (_are_counts(shape) and _are_counts(offsets) and len(offsets) == 2):
            raise ValueError(f"Shape or place of the array {name!r} are no counts.")
        if entry["dtype"] not in _DTYPES:
            raise ValueError(f"The array {name!r} has the unknown type {entry['dtype']!r:.40}.")
        dtype = np.dtype(_DTYPES[entry["dtype"]])
        if math.prod(shape) * dtype.itemsize != offsets[1] - offsets[0]:
            raise ValueError(
                f"The array {name!r} has the shape {shape!r:.80}, which does not fit its "
                f"{offsets[1] - offsets[0]} bytes."
            )
        places[name] = dtype, tuple(shape), offsets[0], offsets[1]
    end = 0
    for name, place in sorted(places.items(), key=lambda item: item[1][2:]):
        if place[2] != end:
            raise ValueError(f"The array {name!r} overlaps with another, or leaves a gap.")
        end = place[3]
    if end != n_data:
        raise ValueError(f"It is truncated: {n_data} bytes of arrays, but its header lists {end}.")
    return places


def _are_counts(values: Any) -> bool:
    return (
        isinstance(values, list)
        and len(values) <= _MAX_DIMENSIONS
        and all(type(value) is int and 0 <= value < 2**62 for value in values)
    )


def _array(data: bytes, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    """Return a writable array of a part of the file."""
    if dtype == np.bool_ and data.strip(b"\0\1"):
        raise ValueError("An array of booleans contains other bytes than 0 and 1.")
    return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="))


def _checksum(tensors: dict[str, np.ndarray], metadata: dict[str, str]) -> str:
    """Return the SHA-256 of texts and arrays, independent of their order in the file."""
    table = [[name, x.dtype.str[1:], list(x.shape)] for name, x in sorted(tensors.items())]
    digest = hashlib.sha256(json.dumps([sorted(metadata.items()), table]).encode())
    for _, array in sorted(tensors.items()):
        digest.update(_bytes(array))
    return digest.hexdigest()


def _bytes(array: np.ndarray) -> bytes:
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        raise ValueError("A name occurs twice in one of its JSON objects.")
    return result


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON.")
