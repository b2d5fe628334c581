"""The Kaggle ``heartbeat`` set from files that the user has (layer 2)."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from ecgbeat.datasets._beat_table import N_TIMES, SOURCE, BeatTable, read_beat_table
from ecgbeat.datasets._home import get_data_home
from ecgbeat.datasets._patients import patients_of_records

_FOLDER = "kaggle_heartbeat"  # in the data home
_SUFFIXES = (".csv", ".csv.gz", ".npz")

# subset -> the files it is made of, in their order
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
every third of the 360 Hz recording, hence 120 Hz (the publication says 125 Hz).
The official split puts beats of all 48 recordings into both the train and the test file:
it measures how well known patients are classified, not new ones."""

_PTB_DESCR = """\
Heartbeats of the PTB Diagnostic ECG Database, normal (0) and abnormal (1), as published on
Kaggle (shayanfazeli/heartbeat) beside Kachuee, Fazeli & Sarrafzadeh (2018), ECG Heartbeat
Classification: A Deep Transferable Representation, arXiv:1805.00794. 187 columns a beat,
scaled to 0..1 and filled up with zeros, 125 Hz according to the publication."""

_NO_PATIENTS = """\
The files do not tell the patients (groups is None): beats of one patient will stand on
both sides of any split, and scores come out better than for new patients."""

_WITH_PATIENTS = """\
groups holds the patient of every beat, r_peaks its R peak in samples of the 360 Hz
recording, records and symbols its recording and WFDB symbol."""


def load_heartbeat_csv(
    path: str | os.PathLike[str] | None = None,
    *,
    subset: str | None = None,
    return_X_y: bool = False,
    as_frame: bool = False,
) -> Bunch | tuple[Any, Any]:
    """Load the beats of the Kaggle ``heartbeat`` set from files that you have.

    Two pairs of files belong to the set: ``mitbih_train.csv`` and ``mitbih_test.csv`` with
    the labels 0 to 4 for N, S, V, F and Q, and ``ptbdb_normal.csv`` and
    ``ptbdb_abnormal.csv`` with the labels 0 and 1. They have no header, 187 columns of
    samples, and the label in the last column. Files of the same names that end in
    ``.csv.gz``, or in ``.npz`` with the arrays ``X``, ``y`` and, where known, ``record``,
    ``sample`` and ``symbol``, are read as well.

    Parameters
    ----------
    path : path-like, default=None
        The folder that holds the files, or one of them. None looks into the folder
        ``kaggle_heartbeat`` of the data home (see `get_data_home`).
    subset : {"train", "test", "mitbih", "normal", "abnormal", "ptb"}, default=None
        Which files of the folder to read; ``"mitbih"`` and ``"ptb"`` are the pairs, one
        after the other. None means ``"mitbih"``, or the file if ``path`` is one.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.
    as_frame : bool, default=False
        Give ``data`` as a pandas DataFrame and ``target`` as a Series.

    Returns
    -------
    data : sklearn.utils.Bunch
        data : ndarray of shape (n_beats, 187), float32
            The beats, 0 to 1, without unit.
        target : ndarray of shape (n_beats,), int64
            The labels as in the file.
        target_names : list of str
            ``target_names[label]`` is the name of a label.
        feature_names : list of str
            Names of the columns of ``data``.
        frame : DataFrame or None
            Data and target in one, with ``as_frame=True``.
        groups : ndarray of shape (n_beats,) or None
            The patient of each beat. None for CSV files, which do not tell.
        records, symbols, r_peaks : ndarray of shape (n_beats,) or None
            Recording, WFDB symbol and R peak (in samples of the recording at 360 Hz).
        files : ndarray of shape (n_beats,)
            The file of each beat without its ending, such as ``"mitbih_train"``.
        fs : float
            Sampling rate of the rows in Hz: 120 for MIT-BIH, 125 for PTB.
        filenames : list of str
            The files read.
        DESCR : str
            What the data are, and whom to cite.
    (data, target) : tuple
        With ``return_X_y=True``.

    Raises
    ------
    FileNotFoundError
        If folder or file is missing; the message says where to get it.
    ValueError
        If a file is damaged (empty, wrong number of columns, a cell that is no finite
        number, a header, a label out of range): names the file and the line.

    See Also
    --------
    load_mitdb : The recordings themselves, with all annotations.

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
    tables = [read_beat_table(file, len(names)) for file in files]
    bunch = _as_bunch(files, tables)
    bunch.update(
        target_names=names,
        fs=125.0 if is_ptb else 120.0,
        DESCR="\n\n".join(
            [
                _PTB_DESCR if is_ptb else _MITBIH_DESCR,
                _NO_PATIENTS if bunch.groups is None else _WITH_PATIENTS,
            ]
        ),
    )
    if as_frame:
        _to_frame(bunch)
    return (bunch.data, bunch.target) if return_X_y else bunch


def _find_files(path: str | os.PathLike[str] | None, subset: str | None) -> list[Path]:
    """Find the files that make up a subset."""
    if subset is not None and subset not in _FILES:
        raise ValueError(f"subset must be one of {list(_FILES)} or None, got {subset!r}.")
    folder = get_data_home() / _FOLDER if path is None else Path(path).expanduser()
    if folder.is_file():
        if subset is not None:
            raise ValueError(
                f"subset={subset!r} chooses among the files of a folder, but path={str(path)!r} "
                "is one file. Leave subset out, or pass the folder."
            )
        if not folder.name.endswith(_SUFFIXES):
            raise ValueError(f"{folder} must end in one of {_SUFFIXES}. {SOURCE}")
        return [folder]
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder or file {folder}. {SOURCE}")
    return [_find_file(folder, stem) for stem in _FILES[subset or "mitbih"]]


def _find_file(folder: Path, stem: str) -> Path:
    """Find one file in any of its forms, CSV first."""
    for suffix in _SUFFIXES:
        if (file := folder / (stem + suffix)).is_file():
            return file
    stems = dict.fromkeys(stem for stems in _FILES.values() for stem in stems)
    present = [known for known in stems if any((folder / (known + s)).is_file() for s in _SUFFIXES)]
    hint = f" (it has {present}: choose by subset=)" if present else ""
    raise FileNotFoundError(f"{folder} holds no {stem}.csv{hint}. {SOURCE}")


def _as_bunch(files: list[Path], tables: list[BeatTable]) -> Bunch:
    """Put the tables one below the other."""
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
    """Concatenate without a copy of a single array; None if any is missing."""
    present = [array for array in arrays if array is not None]
    if len(present) < len(arrays):
        return None
    return present[0] if len(present) == 1 else np.concatenate(present)


def _to_frame(bunch: Bunch) -> None:
    """Turn data and target into pandas objects, and add the frame of both."""
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            'as_frame=True needs pandas: pip install "ecgbeat[data]", or leave as_frame out.'
        ) from error
    bunch.data = pd.DataFrame(bunch.data, columns=bunch.feature_names, copy=False)
    bunch.target = pd.Series(bunch.target, name="target")
    bunch.frame = pd.concat([bunch.data, bunch.target], axis=1)
