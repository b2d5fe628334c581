"""Recordings and annotations from CSV and NumPy files (layer 2)."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from ecgbeat._progress import tqdm
from ecgbeat._validation import check_positive
from ecgbeat.datasets._leads import Lead, choose_leads
from ecgbeat.datasets._recording_annotations import checked, find_annotations, read_annotations
from ecgbeat.datasets._recording_csv import CsvLayout, find_layout, read_columns, refuse
from ecgbeat.datasets._recording_files import Paths, find_recordings
from ecgbeat.datasets._recording_numpy import NumpyRecording, read_numpy
from ecgbeat.labels import Annotation

_SUFFIX = "_annotations"

Annotations = str | Callable[[Path], Any] | None


def load_recordings(
    path: Paths,
    fs: float,
    records: Iterable[str | int] | None = None,
    *,
    lead: Lead = 0,
    annotations: Annotations = "_annotations",
    gain: float = 1.0,
    baseline: float = 0.0,
    time_column: int | str | None = "auto",
    dtype: Any = np.float32,
    return_X_y: bool = False,
    verbose: int = 0,
) -> Bunch | tuple[list[np.ndarray], list[Any]]:
    r"""Load recordings, and annotations beside them, from CSV and NumPy files.

    One file is one recording. Its name without the ending is the name of the record.

    - Text (``.csv``, ``.tsv``, ``.txt``, each also with ``.gz``): a column for each lead, a
      row for each sample, divided by ``,`` ``;`` tab or blanks. Names above the columns, a
      row of units below these, and lines that begin with ``#`` are understood, as are decimal
      commas where ``;`` or tab divide. A column with the time is left out.
    - ``.npy``: an array of shape (n_times,), (n_leads, n_times) or (n_times, n_leads); the
      longer axis is the time.
    - ``.npz``: one such array; or ``signal``, and with it any of ``lead_names``, ``fs``, and
      ``sample`` and ``symbol``, which are the annotations.

    Parameters
    ----------
    path : path-like, or sequence of these
        A folder, a file or several files. Of a folder all recordings are read, in the order of
        their names, or those of its sub-folders if it has none itself.
    fs : float
        Sampling rate of all recordings in Hz.
    records : iterable of str, default=None
        Names of the records to read; None reads all.
    lead : int, str, sequence of these, or None, default=0
        As in `load_wfdb`. Leads without names are called ``"lead_0"``, ``"lead_1"``, ...
    annotations : str, callable or None, default="_annotations"
        What is added to the name of a recording to name the text file with its annotations:
        those of ``ann.csv`` are in ``ann_annotations.csv`` (or another ending for text).
        It has the columns ``sample``, counted from 0, and ``symbol``, perhaps others
        besides, or just these two without a header. Either all recordings have such a file
        or none. A function is called with the path of each recording, and returns sample
        numbers and symbols. None reads no annotations.
    gain, baseline : float, default=1.0, 0.0
        mV = (value - baseline) / gain, as in WFDB: a file in microvolts has ``gain=1000``,
        one in steps of a converter the steps for one mV and the step of 0 mV.
    time_column : int, str or None, default="auto"
        Index or name of a column that is no lead. ``"auto"`` takes those that are named as a
        time, sample number or index, and a first one of clock times; it raises an error if
        the first column rises steadily and nothing says what it is. None takes all columns
        for leads.
    dtype : {float32, float64}, default=float32
        Type of the recordings.
    return_X_y : bool, default=False
        Return ``(recordings, annotations)`` instead of a Bunch.
    verbose : int, default=0
        Above 0, show a progress bar.

    Returns
    -------
    data : sklearn.utils.Bunch
        As of `load_wfdb`: ``recordings``, ``annotations`` (None if there are none), ``fs``,
        ``record_names``, ``lead_names``, ``groups``, ``DESCR``. Missing samples are NaN.
    (recordings, annotations) : tuple
        With ``return_X_y=True``.

    Raises
    ------
    ImportError
        If a text file is to be read and pandas is not installed
        (``pip install "ecgbeat[data]"``).
    FileNotFoundError
        If the folder, a file or the annotations of some recordings are missing.
    ValueError
        If a file is damaged (a cell that is no number, a row that is too short or too long,
        each with its line), if no record has the lead, or if an argument is wrong.

    See Also
    --------
    load_wfdb : The same for records in WFDB's format, which state rate and units themselves.
    ecgbeat.annotation.extract_beats : Cuts the annotated beats out.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from ecgbeat.datasets import load_recordings
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "ann.csv").write_text("time,MLII,V5\n0,5,1\n0.004,950,2\n0.008,,3\n")
    ...     _ = Path(folder, "ann_annotations.csv").write_text("sample,symbol\n1,N\n")
    ...     data = load_recordings(folder, fs=250, lead="MLII", gain=1000)
    >>> data.recordings
    [array([0.005, 0.95 ,   nan], dtype=float32)]
    >>> data.annotations
    [Annotation(sample=array([1]), symbol=array(['N'], dtype='<U1'))]
    """
    fs, gain = check_positive("fs", fs, unit="Hz"), check_positive("gain", gain)
    if np.dtype(dtype) not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise ValueError(f"dtype must be float32 or float64, got {dtype!r}.")
    files = find_recordings(path, records, annotations if isinstance(annotations, str) else _SUFFIX)
    opened = [_open(file, fs, time_column) for file in files.values()]
    names = list(files)
    leads = choose_leads(names, [content.lead_names for content in opened], lead)
    recordings = []
    for content, index in zip(
        tqdm(opened, desc="reading", unit="record", disable=not verbose), leads, strict=True
    ):
        signal = content.signal if isinstance(content, NumpyRecording) else read_columns(content)
        signal = signal if index is None else signal[index]
        recordings.append(((signal - float(baseline)) / gain).astype(dtype, order="C"))
    marks = _annotate(list(files.values()), opened, recordings, annotations)
    if return_X_y:
        return recordings, marks
    return Bunch(
        recordings=recordings,
        annotations=marks,
        fs=fs,
        record_names=names,
        lead_names=[
            content.lead_names if index is None else content.lead_names[index]
            for content, index in zip(opened, leads, strict=True)
        ],
        groups=np.array(names),
        DESCR=f"{len(names)} recordings of {path}, {fs:g} Hz, in mV.",
    )


def _open(file: Path, fs: float, time_column: int | str | None) -> CsvLayout | NumpyRecording:
    """Read what tells the leads of a recording."""
    if file.suffix not in (".npy", ".npz"):
        return find_layout(file, time_column)
    content = read_numpy(file)
    if content.fs not in (None, fs):
        refuse(file, f"it states fs={content.fs:g} Hz, but fs={fs:g} was passed")
    return content


def _annotate(
    files: list[Path],
    opened: list[CsvLayout | NumpyRecording],
    recordings: list[np.ndarray],
    annotations: Annotations,
) -> list[Annotation] | None:
    """Return the annotations of each recording, None if there are none or none are wanted."""
    if annotations is None:
        return None
    sources: list[Path] | None = files
    if callable(annotations):
        found = [annotations(file) for file in files]
    else:
        sources = find_annotations(files, opened, annotations)
        found = list(map(read_annotations, sources or [], opened))
    if sources is None:
        return None
    return [
        checked(source, annotation, recording.shape[-1])
        for source, annotation, recording in zip(sources, found, recordings, strict=True)
    ]
