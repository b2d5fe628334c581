"""A recording from a file of NumPy's (layer 2)."""

import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ecgbeat.datasets._recording_csv import refuse

_PARTS = {"signal", "lead_names", "fs", "sample", "symbol"}  # of an npz


class NumpyRecording(NamedTuple):
    """What a file holds."""

    signal: np.ndarray  # (n_leads, n_times)
    lead_names: list[str]
    fs: float | None
    sample: np.ndarray | None
    symbol: np.ndarray | None


def read_numpy(file: Path) -> NumpyRecording:
    """Read a npy file of one array, or an npz file of one array or of named parts.

    Parameters
    ----------
    file : Path
        Its array, or that of the name ``signal``, is of shape (n_times,), (n_leads, n_times)
        or (n_times, n_leads).

    Returns
    -------
    NumpyRecording

    Raises
    ------
    ValueError
        If the file is damaged, or an array is no recording.
    """
    try:
        # opened here, because np.load leaves a damaged file open
        with file.open("rb") as stream:
            loaded = np.load(stream, allow_pickle=False)
            arrays = {"signal": loaded} if isinstance(loaded, np.ndarray) else dict(loaded)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        refuse(file, f"it is no {file.suffix} file without Python objects ({error})", error)
    if len(arrays) == 1:
        arrays = {"signal": next(iter(arrays.values()))}
    if "signal" not in arrays or not arrays.keys() <= _PARTS:
        refuse(
            file,
            f"it holds the arrays {sorted(arrays)}; right is a single one, or signal and any of "
            f"{sorted(_PARTS - {'signal'})}. Save each recording in a file of its own",
        )
    signal = _leads_first(file, arrays["signal"])
    names = [str(name) for name in np.atleast_1d(arrays.get("lead_names", []))]
    if names and len(names) != len(signal):
        refuse(file, f"lead_names has {len(names)} names for {len(signal)} leads")
    return NumpyRecording(
        signal,
        names or [f"lead_{index}" for index in range(len(signal))],
        float(arrays["fs"]) if "fs" in arrays else None,
        arrays.get("sample"),
        arrays.get("symbol"),
    )


def _leads_first(file: Path, array: np.ndarray) -> np.ndarray:
    """Return an array as (n_leads, n_times); the longer axis is the time."""
    if array.ndim not in (1, 2) or array.size == 0 or array.dtype.kind not in "fiu":
        refuse(
            file,
            f"it holds an array of shape {array.shape} and type {array.dtype}; right are real "
            "numbers of shape (n_times,), (n_leads, n_times) or (n_times, n_leads)",
        )
    if array.ndim == 1:
        return array[None]
    if array.shape[0] == array.shape[1]:
        refuse(file, f"shape {array.shape} does not tell leads from times, which must be more")
    return array if array.shape[0] < array.shape[1] else array.T
