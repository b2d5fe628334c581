"""One recording from a file of any format."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
from sklearn.utils import Bunch

from ecgbeat._recordings import Annotation, lead_row
from ecgbeat.datasets.recording.edf import EXTENSIONS as EDF_EXTENSIONS
from ecgbeat.datasets.recording.edf import open_edf
from ecgbeat.datasets.tables.arrays import open_arrays
from ecgbeat.datasets.tables.loader import EXTENSIONS, errors_naming, load_recordings
from ecgbeat.datasets.wfdb.record import (
    MILLIVOLTS,
    lead_units,
    open_record,
    read_annotation,
    sampling_rate,
)

_UNITS = ("nV", "uV", "mV", "V")


def load_recording(
    path: str | os.PathLike[str],
    *,
    fs: float | None = None,
    unit: str = "mV",
    leads: Sequence[str | int] | str | None = None,
) -> Bunch:
    r"""Load one recording from a WFDB, EDF, BDF, text or NumPy file.

    Parameters
    ----------
    path : path-like
        File of the recording; its extension decides how it is read.

        - WFDB: the header (``.hea``), the signal file, or the record without an extension.
        - EDF, EDF+ and BDF: ``.edf``, ``.bdf``.
        - Text: ``.csv``, ``.tsv``, ``.txt``, each also with ``.gz``, as `load_recordings` reads
          them: a column for each lead, with or without a header of names. A column with the time
          is left out.
        - NumPy: ``.npy``, ``.npz``, as `load_recordings` reads them.
    fs : float or None, default=None
        Sampling rate in Hz. Required for text and for ``.npy``; the other formats state it.
    unit : {"mV", "uV", "V", "nV"}, default="mV"
        Unit of the values in files that do not state it: text, NumPy, and EDF signals without a
        physical dimension.
    leads : sequence of str or int, str, or None, default=None
        Names or indices of the leads to read, in this order. None reads all of them; of WFDB and
        EDF files those in volts, and of EDF files with signals labeled ECG or EKG only these.

    Returns
    -------
    data : sklearn.utils.Bunch
        One recording.

        signal : ndarray of shape (n_leads, n_times)
            Leads in mV, float32. Samples that are missing, also between the parts of a record
            that was interrupted, are NaN.
        fs : float
            Sampling rate in Hz.
        lead_names : list of str
            Names of the leads. Without names in a text or NumPy file, ``"lead_0"``, ...
        record_name : str
            Name of the file without its extension.
        annotation : Annotation or None
            Reference annotation: of a WFDB record that in the file ``.atr`` beside it, of a text or
            NumPy file as from `load_recordings`. None if there is none.

    Raises
    ------
    ImportError
        If a package that reads the format is not installed (``pip install "ecgbeat[data]"``).
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged, its format is unknown, it has no such lead or none in volts, the
        leads differ in their sampling rate, ``fs`` is missing or contradicts the file, or ``unit``
        is unknown.

    See Also
    --------
    load_wfdb : Load all records of a folder.
    load_recordings : Load several text or NumPy files.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from ecgbeat.datasets import load_recording
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "ann.csv").write_text("time;II;V5\n0;5,5;1\n0,004;950;2\n")
    ...     data = load_recording(f"{folder}/ann.csv", fs=250, unit="uV")
    >>> data.signal
    array([[0.0055, 0.95  ],
           [0.001 , 0.002 ]], dtype=float32)
    >>> data.record_name, data.lead_names
    ('ann', ['II', 'V5'])
    """
    if unit not in _UNITS:
        raise ValueError(f"unit must be one of {_UNITS}, got {unit!r}.")
    file = Path(path).expanduser()
    if file.is_dir():
        raise ValueError(f"{file} is a folder. Pass the file of one recording.")
    chosen = [leads] if isinstance(leads, (str, int)) else leads
    if chosen is not None and not len(chosen):
        raise ValueError("leads must name at least one lead, or be None for all, got none.")
    if file.name.lower().endswith(EXTENSIONS):
        content = _read_table(file, fs, unit, chosen)
    elif file.suffix.lower() in EDF_EXTENSIONS:
        content = _read_edf(file, unit, chosen)
    else:
        content = _read_wfdb(file, chosen)
    if fs is not None and not np.isclose(fs, content.fs, rtol=1e-6):
        raise ValueError(
            f"{file} states a sampling rate of {content.fs:g} Hz, got fs={fs!r}. Omit fs."
        )
    return Bunch(**content._asdict())


class _Recording(NamedTuple):
    """Content of the Bunch that `load_recording` returns."""

    signal: np.ndarray
    fs: float
    lead_names: list[str]
    record_name: str
    annotation: Annotation | None


# --- text and NumPy -------------------------------------------------------------------


def _read_table(
    file: Path, fs: float | None, unit: str, leads: Sequence[str | int] | None
) -> _Recording:
    """Read a text or NumPy file."""
    if not file.is_file():
        raise FileNotFoundError(f"There is no file {file}.")
    if fs is None and (fs := _stated_rate(file)) is None:
        raise ValueError(
            f"{file} does not state its sampling rate. Pass fs, in Hz, such as fs=360."
        )
    gain = 1 / MILLIVOLTS[unit.lower()]
    data: Any = load_recordings([file], fs, lead=None, gain=gain, time_column="rising")
    names = data.lead_names[0]
    signal = data.recordings[0]
    if leads is not None:
        rows = [lead_row(lead, names) for lead in leads]
        signal, names = signal[rows], [names[row] for row in rows]
    annotation = None if data.annotations is None else data.annotations[0]
    return _Recording(signal, data.fs, names, data.record_names[0], annotation)


def _stated_rate(file: Path) -> float | None:
    """Return the sampling rate that an npz file states."""
    if file.suffix != ".npz":
        return None
    with errors_naming(file, "a recording"):
        return open_arrays(file).fs


# --- WFDB -----------------------------------------------------------------------------


def _read_wfdb(file: Path, leads: Sequence[str | int] | None) -> _Recording:
    """Read a WFDB record, given by any of its files or without an extension."""
    header = find_header(file)
    if header is None:
        _refuse_unknown(file)
    path = header.with_suffix("")
    record = open_record(path)
    rows = _rows_to_read(file, record.lead_names, lead_units(record), leads)
    names = [record.lead_names[row] for row in rows]
    if rows == list(range(len(record.lead_names))):
        signal, fs = record.read(None, np.dtype(np.float32), True), sampling_rate(record, None)
    else:
        fs = _common_rate(file, names, [sampling_rate(record, row) for row in rows])
        signal = np.stack([record.read(row, np.dtype(np.float32), True) for row in rows])
    annotation = None
    if path.with_name(f"{path.name}.atr").is_file():
        annotation = read_annotation(record, "atr", fs, verify=True)
    return _Recording(signal, fs, names, path.name, annotation)


def find_header(file: Path) -> Path | None:
    """Return the header of a WFDB record given by any of its files or without an extension.

    None if there is no header, or the file is of another format by its name.
    """
    if file.name.lower().endswith((*EDF_EXTENSIONS, *EXTENSIONS)):
        return None
    candidates = (file.with_name(f"{file.name}.hea"), file.with_suffix(".hea"))
    return next(filter(Path.is_file, candidates), None)


def _refuse_unknown(file: Path) -> NoReturn:
    """Raise for a file that is not a recording, or a record without a header."""
    header = file.with_suffix(".hea")
    if not file.is_file():
        raise FileNotFoundError(f"There is no file {file}, and no WFDB header {header}.")
    known = ", ".join((".hea", *EDF_EXTENSIONS, *EXTENSIONS))
    raise ValueError(
        f"{file} is not a recording that can be read: there is no WFDB header {header} beside "
        f"it, and its name ends in none of {known}."
    )


# --- EDF and BDF ----------------------------------------------------------------------


def _read_edf(file: Path, unit: str, leads: Sequence[str | int] | None) -> _Recording:
    """Read an EDF or BDF file."""
    if not file.is_file():
        raise FileNotFoundError(f"There is no file {file}.")
    recording = open_edf(file)
    units = [stated or unit for stated in recording.units]
    if leads is None:
        leads = _labeled_as_ecg(recording.lead_names) or None
    rows = _rows_to_read(file, recording.lead_names, units, leads)
    names = [recording.lead_names[row] for row in rows]
    fs = _common_rate(file, names, [recording.rates[row] for row in rows])
    signal = recording.read(rows)
    signal *= np.array([[MILLIVOLTS[units[row].lower()]] for row in rows], signal.dtype)
    return _Recording(signal, fs, names, file.stem, None)


def _labeled_as_ecg(names: list[str]) -> list[int]:
    """Return the signals whose label names the type ECG, as the standard asks for."""
    return [row for row, name in enumerate(names) if {"ECG", "EKG"} & set(_words(name))]


def _words(name: str) -> Iterator[str]:
    """Yield the words of a label, in upper case."""
    letters = "".join(sign if sign.isalpha() else " " for sign in name.upper())
    yield from letters.split()


# --- choice of leads ------------------------------------------------------------------


def _rows_to_read(
    file: Path, names: list[str], units: Sequence[str], leads: Sequence[str | int] | None
) -> list[int]:
    """Return the rows of the leads given, or of all that are in volts."""
    is_voltage = [unit.lower() in MILLIVOLTS for unit in units]
    if leads is None:
        if rows := [row for row, keep in enumerate(is_voltage) if keep]:
            return rows
        found = ", ".join(f"{n!r} in {u!r}" for n, u in zip(names, units, strict=True))
        raise ValueError(f"{file} has no lead in volts, only {found}.")
    rows = [lead_row(lead, names) for lead in leads]
    for row in rows:
        if not is_voltage[row]:
            raise ValueError(
                f"{file}: the unit of lead {names[row]!r} must be that of a voltage, such as 'mV', "
                f"got {units[row]!r}."
            )
    return rows


def _common_rate(file: Path, names: list[str], rates: list[float]) -> float:
    """Return the sampling rate of leads, which must be the same."""
    if len(set(rates)) > 1:
        listing = ", ".join(f"{n!r} {rate:g} Hz" for n, rate in zip(names, rates, strict=True))
        raise ValueError(
            f"{file}: the leads differ in their sampling rate ({listing}). Choose those of one "
            "rate by leads."
        )
    return rates[0]
