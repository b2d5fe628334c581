"""One recording from a file of any format."""

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
from sklearn.utils import Bunch

from ecgbeat._recordings import Annotation, lead_row
from ecgbeat.datasets.recording.edf import EXTENSIONS as EDF_EXTENSIONS
from ecgbeat.datasets.recording.edf import open_edf
from ecgbeat.datasets.tables.arrays import open_arrays
from ecgbeat.datasets.tables.loader import EXTENSIONS, errors_naming, load_recordings
from ecgbeat.datasets.tables.text import open_text
from ecgbeat.datasets.wfdb.record import (
    MILLIVOLTS,
    check_annotator,
    lead_units,
    open_record,
    read_annotation,
    sampling_rate,
)

_UNITS = ("nV", "uV", "mV", "V")
# labels in upper case; EDF asks for the type of a signal in front of its name
_ECG = re.compile(r"(?<![A-Z])E[CK]G")
_OTHER = re.compile(
    r"(?<![A-Z])(E[EOMR]G|MEG|RESP|PLETH|PPG|S[AP]O2|TEMP|LIGHT|SOUND|EVENT|STATUS|TRIG|MARK)"
)
_LEAD = re.compile(r"(ML|MCL|LEAD)?[ -]?(I{1,3}|AV[RLF]|V[1-9]?R?|[1-6])")
_MIN_RATE = 50.0  # Hz, below which an ECG cannot be read


def load_recording(
    path: str | os.PathLike[str],
    *,
    fs: float | None = None,
    unit: str = "mV",
    leads: Sequence[str | int] | str | None = None,
    annotator: str | None = "atr",
    verify: bool = True,
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
        physical dimension. A text file whose header states another one raises an error.
    leads : sequence of str or int, str, or None, default=None
        Names or indices of the leads to read, in this order. None reads all of them. Of WFDB and
        EDF files, these are the signals in volts labeled ECG or EKG. Without such a label, they
        are all signals in volts but those labeled as of another type, such as EEG or Resp.
        Signals of less than 50 Hz are left out beside faster ones, and so are signals that have
        not the name of a lead, such as II, if their rate is not that of the leads.
    annotator : str or None, default="atr"
        Extension of the annotation file of a WFDB record. None reads no annotations of any file.
    verify : bool, default=True
        Whether to compare the samples of a WFDB record with the checksums in its header, and the
        size of an EDF or BDF file with its header, and to raise an error for annotations outside
        the recording. False drops those, and the last part of a truncated EDF or BDF file.

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
            Reference annotation: of a WFDB record that of ``annotator``, of a text or NumPy file
            as from `load_recordings`. None if there is none.

    Raises
    ------
    ImportError
        If a package that reads the format is not installed (``pip install "ecgbeat[data]"``).
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged, its format is unknown, it has no such lead, none in volts or none
        that may be of an ECG, the leads differ in their sampling rate, ``fs`` is missing or
        contradicts the file, or ``unit`` is unknown.

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
    check_annotator(annotator)
    file = Path(path).expanduser()
    if file.is_dir():
        raise ValueError(f"{file} is a folder. Pass the file of one recording.")
    chosen = [leads] if isinstance(leads, (str, int)) else leads
    if chosen is not None and not len(chosen):
        raise ValueError("leads must name at least one lead, or be None for all, got none.")
    if file.name.lower().endswith(EXTENSIONS):
        content = _read_table(file, fs, unit, chosen, annotator)
    elif file.suffix.lower() in EDF_EXTENSIONS:
        content = _read_edf(file, unit, chosen, verify)
    else:
        content = _read_wfdb(file, chosen, annotator, verify)
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
    file: Path,
    fs: float | None,
    unit: str,
    leads: Sequence[str | int] | None,
    annotator: str | None,
) -> _Recording:
    """Read a text or NumPy file."""
    if not file.is_file():
        raise FileNotFoundError(f"There is no file {file}.")
    if fs is None and (fs := _stated_rate(file)) is None:
        raise ValueError(
            f"{file} does not state its sampling rate. Pass fs, in Hz, such as fs=360."
        )
    gain = 1 / MILLIVOLTS[unit.lower()]
    suffix = None if annotator is None else "_annotations"
    data: Any = load_recordings(
        [file], fs, lead=None, annotations=suffix, gain=gain, time_column="rising"
    )
    names = data.lead_names[0]
    rows = [lead_row(lead, names) for lead in (range(len(names)) if leads is None else leads)]
    _check_unit(file, unit, rows)
    signal, names = data.recordings[0], [names[row] for row in rows]
    if leads is not None:
        signal = signal[rows]
    annotation = None if data.annotations is None else data.annotations[0]
    return _Recording(signal, data.fs, names, data.record_names[0], annotation)


def _stated_rate(file: Path) -> float | None:
    """Return the sampling rate that an npz file states."""
    if file.suffix != ".npz":
        return None
    with errors_naming(file, "a recording"):
        return open_arrays(file).fs


def _check_unit(file: Path, unit: str, rows: list[int]) -> None:
    """Raise if the header of a text file states another unit of leads than the one given."""
    if file.suffix in (".npy", ".npz"):
        return
    with errors_naming(file, "a recording"):
        units = open_text(file, "rising").units
    for stated in (units[row] for row in rows):
        if MILLIVOLTS.get(stated.lower(), MILLIVOLTS[unit.lower()]) != MILLIVOLTS[unit.lower()]:
            raise ValueError(f"{file} states the unit {stated!r} of a lead, got unit={unit!r}.")


# --- WFDB -----------------------------------------------------------------------------


def _read_wfdb(
    file: Path, leads: Sequence[str | int] | None, annotator: str | None, verify: bool
) -> _Recording:
    """Read a WFDB record, given by any of its files or without an extension."""
    header = find_header(file)
    if header is None:
        _refuse_unknown(file)
    path = header.with_suffix("")
    record = open_record(path)
    rows, fs = _rows_to_read(
        file, record.lead_names, lead_units(record), lambda row: sampling_rate(record, row), leads
    )
    names = [record.lead_names[row] for row in rows]
    if rows == list(range(len(record.lead_names))):
        signal = record.read(None, np.dtype(np.float32), verify)
    else:
        signal = np.stack([record.read(row, np.dtype(np.float32), verify) for row in rows])
    annotation = None
    if annotator is not None and path.with_name(f"{path.name}.{annotator}").is_file():
        annotation = read_annotation(record, annotator, fs, verify)
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


def _read_edf(file: Path, unit: str, leads: Sequence[str | int] | None, verify: bool) -> _Recording:
    """Read an EDF or BDF file."""
    if not file.is_file():
        raise FileNotFoundError(f"There is no file {file}.")
    recording = open_edf(file, verify)
    units = [stated or unit for stated in recording.units]
    rows, fs = _rows_to_read(file, recording.lead_names, units, recording.rates.__getitem__, leads)
    names = [recording.lead_names[row] for row in rows]
    signal = recording.read(rows)
    signal *= np.array([[MILLIVOLTS[units[row].lower()]] for row in rows], signal.dtype)
    return _Recording(signal, fs, names, file.stem, None)


# --- choice of leads ------------------------------------------------------------------


def _rows_to_read(
    file: Path,
    names: list[str],
    units: Sequence[str],
    rate_of: Callable[[int], float],
    leads: Sequence[str | int] | None,
) -> tuple[list[int], float]:
    """Return the rows of the leads given, or of those with an ECG, and their sampling rate."""
    is_voltage = [unit.lower() in MILLIVOLTS for unit in units]
    if leads is not None:
        rows = [lead_row(lead, names) for lead in leads]
    elif not any(is_voltage):
        found = ", ".join(f"{n!r} in {u!r}" for n, u in zip(names, units, strict=True))
        raise ValueError(f"{file} has no lead in volts, only {found}.")
    else:
        rows = _rows_with_ecg(names, is_voltage, rate_of)
        if not rows:
            raise ValueError(
                f"{file} has no ECG by the labels of its signals, {names}. If it has one, pass its "
                "label as leads."
            )
    for row in rows:
        if not is_voltage[row]:
            raise ValueError(
                f"{file}: the unit of lead {names[row]!r} must be that of a voltage, such as 'mV', "
                f"got {units[row]!r}."
            )
    rates = [rate_of(row) for row in rows]
    if len(set(rates)) > 1:
        listing = ", ".join(f"{names[r]!r} {fs:g} Hz" for r, fs in zip(rows, rates, strict=True))
        raise ValueError(
            f"{file}: the leads differ in their sampling rate ({listing}). Choose those of one "
            "rate by leads."
        )
    return rows, rates[0]


def _rows_with_ecg(
    names: list[str], is_voltage: list[bool], rate_of: Callable[[int], float]
) -> list[int]:
    """Return the rows whose labels and sampling rates are those of an ECG, as far as any are."""
    labeled = [row for row, name in enumerate(names) if _ECG.search(name.upper())]
    rows = [row for row, keep in enumerate(is_voltage) if keep]
    rows = [row for row in rows if row in labeled] or rows
    if rows[0] not in labeled and (unknown := [r for r in labeled if rate_of(r) >= _MIN_RATE]):
        return unknown  # of another unit, which is refused; no other signal stands for them
    rows = [row for row in rows if row in labeled or not _OTHER.search(names[row].upper())]
    rows = [row for row in rows if rate_of(row) >= _MIN_RATE] or rows
    if len(set(map(rate_of, rows))) > 1:
        rows = [row for row in rows if _LEAD.fullmatch(names[row].upper())] or rows
    return rows
