"""NumPy files of arrays, and recordings in them.

The messages of all errors are reasons alone. The loader names the file.
"""

import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

_PARTS = {"signal", "lead_names", "fs", "sample", "symbol"}  # of an npz file


def read_arrays(file: Path) -> dict[str, np.ndarray]:
    """Return the arrays of an npz file by name, or that of an npy file as ``signal``."""
    try:
        # opened here, because np.load leaves a damaged file open
        with file.open("rb") as stream:
            loaded = np.load(stream, allow_pickle=False)
            return {"signal": loaded} if isinstance(loaded, np.ndarray) else dict(loaded)
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"it cannot be read as {file.suffix[1:]} without Python objects ({error})"
        ) from error


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
