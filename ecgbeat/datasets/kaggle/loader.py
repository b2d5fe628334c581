"""Beats from the files of the Kaggle ``heartbeat`` set."""

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import numpy as np
from sklearn.utils import Bunch

from ecgbeat._validation import import_extra
from ecgbeat.datasets.home import get_data_home
from ecgbeat.datasets.mitdb.loader import patients_of_records
from ecgbeat.datasets.tables.arrays import read_arrays
from ecgbeat.datasets.tables.text import read_lines

if TYPE_CHECKING:
    import pandas

N_TIMES = 187  # samples per beat

_SOURCE = (
    "The files are at https://www.kaggle.com/datasets/shayanfazeli/heartbeat (unpack the "
    "archive); MIT-BIH itself, from which mitbih_*.csv were made, is at "
    "https://physionet.org/content/mitdb/1.0.0/."
)
_N_COLUMNS = N_TIMES + 1
_MAX_VALUE = float(np.finfo(np.float32).max)
_SUFFIXES = (".csv", ".csv.gz", ".npz")

# files of each subset, in order
_FILES = {
    "train": ("mitbih_train",),
    "test": ("mitbih_test",),
    "mitbih": ("mitbih_train", "mitbih_test"),
    "normal": ("ptbdb_normal",),
    "abnormal": ("ptbdb_abnormal",),
    "ptb": ("ptbdb_normal", "ptbdb_abnormal"),
}

_MITBIH_DESCR = """\
Heartbeats of the MIT-BIH Arrhythmia Database in five AAMI classes (N S V F Q), as
published on Kaggle (shayanfazeli/heartbeat) beside Kachuee, Fazeli & Sarrafzadeh (2018),
ECG Heartbeat Classification: A Deep Transferable Representation, arXiv:1805.00794.

A row starts at an R peak of the first lead and reaches 0.2 of an RR interval beyond the
next one; it is scaled to 0..1 and filled up with zeros to 187 columns. The samples are
every third of the 360 Hz recording, hence 120 Hz (the publication states 125 Hz).
The official split puts beats of all 48 recordings into both the train and the test file:
it measures how well known patients are classified, not new ones."""

_PTB_DESCR = """\
Heartbeats of the PTB Diagnostic ECG Database, normal (0) and abnormal (1), as published on
Kaggle (shayanfazeli/heartbeat) beside Kachuee, Fazeli & Sarrafzadeh (2018), ECG Heartbeat
Classification: A Deep Transferable Representation, arXiv:1805.00794. 187 columns a beat,
scaled to 0..1 and filled up with zeros, 125 Hz according to the publication."""

_NO_PATIENTS = """\
The files do not contain the patients (groups is None): beats of one patient will be on
both sides of any split, and scores will be better than for new patients."""

_WITH_PATIENTS = """\
groups holds the patient of every beat, r_peaks its R peak in samples of the 360 Hz
recording, records and symbols its recording and WFDB symbol."""


def load_heartbeat_csv(
    path: str | os.PathLike[str] | None = None,
    *,
    subset: str | None = None,
    return_X_y: bool = False,
    as_frame: bool = False,
) -> Bunch | tuple["np.ndarray | pandas.DataFrame", "np.ndarray | pandas.Series"]:
    """Load the beats of the Kaggle ``heartbeat`` set from local files.

    The set has two pairs of files: ``mitbih_train.csv`` and ``mitbih_test.csv`` with
    the labels 0 to 4 for N, S, V, F and Q, and ``ptbdb_normal.csv`` and
    ``ptbdb_abnormal.csv`` with the labels 0 and 1. They have no header, 187 columns of
    samples, and the label in the last column. Files of the same names that end in
    ``.csv.gz``, or in ``.npz`` with the arrays ``X``, ``y`` and, where known, ``record``,
    ``sample`` and ``symbol``, are read as well.

    Parameters
    ----------
    path : path-like, default=None
        Folder that holds the files, or one of them. None takes the folder
        ``kaggle_heartbeat`` of the data home (see `get_data_home`).
    subset : {"train", "test", "mitbih", "normal", "abnormal", "ptb"}, default=None
        Files of the folder to read; ``"mitbih"`` and ``"ptb"`` are the pairs, one after the
        other. None means ``"mitbih"``, or the file if ``path`` is one.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.
    as_frame : bool, default=False
        Whether to return ``data`` as a pandas DataFrame and ``target`` as a Series.

    Returns
    -------
    data : sklearn.utils.Bunch
        data : ndarray of shape (n_beats, 187), float32
            The beats, 0 to 1, without unit.
        target : ndarray of shape (n_beats,), int64
            Labels as in the file.
        target_names : list of str
            ``target_names[label]`` is the name of a label.
        feature_names : list of str
            Names of the columns of ``data``.
        frame : DataFrame or None
            Data and target in one, with ``as_frame=True``.
        groups : ndarray of shape (n_beats,) or None
            Patient of each beat. None for CSV files, which do not contain it.
        records, symbols, r_peaks : ndarray of shape (n_beats,) or None
            Recording, WFDB symbol and R peak (in samples of the recording at 360 Hz).
        files : ndarray of shape (n_beats,)
            File of each beat without its extension, such as ``"mitbih_train"``.
        fs : float
            Sampling rate of the rows in Hz: 120 for MIT-BIH, 125 for PTB.
        unit : str
            ``""``, because the beats are scaled to 0..1.
        filenames : list of str
            Files read.
        DESCR : str
            Description of the data, and publications to cite.
    (data, target) : tuple
        With ``return_X_y=True``.

    Raises
    ------
    FileNotFoundError
        If the folder or a file is missing; the message says where to get it.
    ValueError
        If a file is damaged (empty, wrong number of columns, a cell that is not a finite
        number, a header, a label out of range); the message names the file and the line.

    See Also
    --------
    load_mitdb : Load the recordings themselves, with all annotations.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> beats = np.random.default_rng(0).random((3, 187))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "mitbih_test.csv"
    ...     np.savetxt(file, np.column_stack([beats, [0, 2, 4]]), delimiter=",")
    ...     test = load_heartbeat_csv(folder, subset="test")
    >>> test.data.shape
    (3, 187)
    >>> [test.target_names[label] for label in test.target]
    ['N', 'V', 'Q']
    """
    files = _find_files(path, subset)
    is_ptb = files[0].name.startswith("ptb")
    names = ["normal", "abnormal"] if is_ptb else ["N", "S", "V", "F", "Q"]
    tables = [_read_table(file, len(names)) for file in files]
    bunch = _as_bunch(files, tables)
    patients = _NO_PATIENTS if bunch.groups is None else _WITH_PATIENTS
    bunch.update(
        target_names=names,
        fs=125.0 if is_ptb else 120.0,
        unit="",
        DESCR=f"{_PTB_DESCR if is_ptb else _MITBIH_DESCR}\n\n{patients}",
    )
    if as_frame:
        _to_frame(bunch)
    return (bunch.data, bunch.target) if return_X_y else bunch


def _find_files(path: str | os.PathLike[str] | None, subset: str | None) -> list[Path]:
    """Return the files of a subset."""
    if subset is not None and subset not in _FILES:
        raise ValueError(f"subset must be one of {list(_FILES)} or None, got {subset!r}.")
    folder = get_data_home() / "kaggle_heartbeat" if path is None else Path(path).expanduser()
    if folder.is_file():
        if subset is not None:
            raise ValueError(
                f"subset={subset!r} chooses among the files of a folder, but path={str(path)!r} "
                "is one file. Leave subset out, or pass the folder."
            )
        if not folder.name.endswith(_SUFFIXES):
            raise ValueError(f"{folder} must end in one of {_SUFFIXES}. {_SOURCE}")
        return [folder]
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder or file {folder}. {_SOURCE}")
    return [_find_file(folder, stem) for stem in _FILES[subset or "mitbih"]]


def _find_file(folder: Path, stem: str) -> Path:
    """Return one file in any of its formats, CSV first."""
    for suffix in _SUFFIXES:
        if (file := folder / (stem + suffix)).is_file():
            return file
    stems = _FILES["mitbih"] + _FILES["ptb"]
    present = [known for known in stems if any((folder / (known + s)).is_file() for s in _SUFFIXES)]
    hint = f" (it has {present}: choose by subset=)" if present else ""
    raise FileNotFoundError(f"{folder} holds no {stem}.csv{hint}. {_SOURCE}")


def _as_bunch(files: list[Path], tables: "list[_Table]") -> Bunch:
    """Stack the tables."""
    stems = [file.name.split(".")[0] for file in files]
    records = _join([table.record for table in tables])
    return Bunch(
        data=_join([table.data for table in tables]),
        target=_join([table.target for table in tables]),
        groups=None if records is None else patients_of_records(records),
        records=records,
        symbols=_join([table.symbol for table in tables]),
        r_peaks=_join([table.sample for table in tables]),
        files=np.repeat(stems, [len(table.target) for table in tables]),
        feature_names=[f"sample_{index}" for index in range(N_TIMES)],
        frame=None,
        filenames=[str(file) for file in files],
    )


def _join(arrays: list[np.ndarray | None]) -> np.ndarray | None:
    """Concatenate, without copying a single array; None if any is missing."""
    present = [array for array in arrays if array is not None]
    if len(present) < len(arrays):
        return None
    return present[0] if len(present) == 1 else np.concatenate(present)


def _to_frame(bunch: Bunch) -> None:
    """Turn data and target into pandas objects, and add the frame of both."""
    pd = import_extra("pandas", extra="data", purpose="as_frame=True")
    bunch.data = pd.DataFrame(bunch.data, columns=bunch.feature_names, copy=False)
    bunch.target = pd.Series(bunch.target, name="target")
    bunch.frame = pd.concat([bunch.data, bunch.target], axis=1)


class _Table(NamedTuple):
    """Beats of one file; None for parts that a CSV file does not hold."""

    data: np.ndarray  # (n_beats, 187), float32
    target: np.ndarray  # (n_beats,), int64
    record: np.ndarray | None
    sample: np.ndarray | None
    symbol: np.ndarray | None


def _read_table(file: Path, n_classes: int) -> _Table:
    """Read and check a CSV or npz file with the labels 0 to ``n_classes - 1``."""
    if file.stat().st_size == 0:
        _refuse(file, "the file is empty")
    table = _read_npz(file) if file.suffix == ".npz" else _read_csv(file)
    _check_values(file, table, n_classes)
    return table


def _read_csv(file: Path) -> _Table:
    """Read a CSV without a header, the label in its last column."""
    try:
        # numpy's reader: 4.6 s and 110 MB for the 87,554 beats of 412 MB on one core,
        # pandas' (2.1 s) takes 730 MB and is optional
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # "no data"
            rows = np.loadtxt(
                read_lines(file), delimiter=",", dtype=np.float32, ndmin=2, comments=None
            )
    except Exception as error:  # gzip and NumPy raise nearly any for a damaged file
        _refuse(file, _find_bad_line(file) or str(error) or type(error).__name__, error)
    if (rows.size and rows.shape[1] != _N_COLUMNS) or not np.isfinite(rows).all():
        _refuse(file, _find_bad_line(file) or f"it holds an array of shape {rows.shape}")
    labels = rows[:, -1]
    with np.errstate(invalid="ignore"):  # of labels beyond int64, which differ then
        target = labels.astype(np.int64)
    if not np.array_equal(target, labels):
        line = int(np.argmax(target != labels)) + 1
        _refuse(file, f"row {line}: the label {labels[line - 1]!s} is not an integer")
    return _Table(np.ascontiguousarray(rows[:, :-1]), target, None, None, None)


def _find_bad_line(file: Path) -> str | None:
    """Describe the first line that is not a beat; slow, and run only if reading failed."""
    try:
        for number, line in enumerate(read_lines(file), start=1):
            problem = _line_problem(line.rstrip("\r\n"))
            if problem and number == 1 and _looks_like_header(line):
                problem += "; a header? The file has none: drop that line"
            elif problem and not line.endswith("\n"):
                problem += "; it is the last line and has no end: the file is truncated"
            if problem:
                return f"line {number} {problem}"
    except ValueError as error:
        return str(error)
    return None


def _line_problem(line: str) -> str | None:
    """Return what is wrong with a line, None if it is a beat or empty."""
    if not line.strip():
        return None  # NumPy skips such lines, too
    cells = line.split(",")
    if len(cells) != _N_COLUMNS:
        return f"has {len(cells)} columns, not {_N_COLUMNS} ({N_TIMES} samples and the label)"
    for column, cell in enumerate(cells, start=1):
        try:
            is_finite = abs(float(cell)) <= _MAX_VALUE
        except ValueError:
            return f"column {column} is not a number: {cell!r}"
        if not is_finite:
            return f"column {column} is not finite: {cell!r}"
    return None


def _looks_like_header(line: str) -> bool:
    """Return whether a line holds names: no cell of a header is a number."""
    return not any(cell.strip().replace(".", "", 1).isdigit() for cell in line.split(",")[1:3])


def _read_npz(file: Path) -> _Table:
    """Read the rebuilt set, with record, sample and symbol of each beat."""
    try:
        arrays = read_arrays(file)
    except ValueError as error:
        _refuse(file, str(error), error)
    if missing := {"X", "y"} - arrays.keys():
        _refuse(file, f"it lacks the arrays {sorted(missing)}, it has {sorted(arrays)}")
    data, target = arrays["X"], arrays["y"]
    if data.ndim != 2 or data.shape[1] != N_TIMES:
        _refuse(file, f"X has shape {data.shape}, not (n_beats, {N_TIMES})")
    for name, array in arrays.items():
        if array.shape[:1] != data.shape[:1]:
            _refuse(file, f"{name} has shape {array.shape}, but X holds {len(data)} beats")
    if data.dtype.kind != "f" or target.dtype.kind not in "iu":
        _refuse(file, f"X must be float and y integer, got {data.dtype} and {target.dtype}")
    for name, kinds in {"record": "Uiu", "sample": "iu", "symbol": "U"}.items():
        if name in arrays and (arrays[name].ndim != 1 or arrays[name].dtype.kind not in kinds):
            _refuse(file, f"{name} has {arrays[name].ndim} axes and type {arrays[name].dtype}")
    with np.errstate(over="ignore"):
        data = data.astype(np.float32, copy=False)
    if not np.isfinite(data).all():
        _refuse(file, f"row {int(np.argmin(np.isfinite(data).all(axis=1))) + 1} is not finite")
    sample = arrays.get("sample")
    return _Table(
        data,
        target.astype(np.int64),
        arrays.get("record"),
        None if sample is None else sample.astype(np.int64),
        arrays.get("symbol"),
    )


def _check_values(file: Path, table: _Table, n_classes: int) -> None:
    """Refuse a file without beats, and labels that the set does not have."""
    if len(table.target) == 0:
        _refuse(file, "it holds no beats")
    wrong = (table.target < 0) | (table.target >= n_classes)
    if wrong.any():
        row = int(np.argmax(wrong))
        _refuse(
            file,
            f"row {row + 1} has the label {int(table.target[row])}, not 0 to {n_classes - 1}",
        )


def _refuse(file: Path, problem: str, cause: Exception | None = None) -> NoReturn:
    """Raise the one error for damaged files."""
    raise ValueError(f"{file} is damaged: {problem}. {_SOURCE}") from cause
