"""Recordings and annotations from CSV and NumPy files."""

import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from sklearn.utils import Bunch

from ecgbeat._progress import tqdm
from ecgbeat._recordings import Annotation, as_annotation, as_symbols, check_within_recording
from ecgbeat._validation import check_fs, check_positive
from ecgbeat.datasets.tables.arrays import ArrayRecording, open_arrays
from ecgbeat.datasets.tables.text import TextRecording, open_text, read_text_annotation
from ecgbeat.datasets.wfdb.loader import Lead, as_bunch, as_record_names, check_dtype, choose_leads

_SUFFIX = "_annotations"
_ARRAY_EXTENSIONS = (".npy", ".npz")
_TEXT_EXTENSIONS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz")
EXTENSIONS = _ARRAY_EXTENSIONS + _TEXT_EXTENSIONS


def load_recordings(
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    fs: float,
    records: Iterable[str | int] | None = None,
    *,
    lead: Lead = 0,
    annotations: str | Callable[[Path], Any] | None = "_annotations",
    gain: float = 1.0,
    baseline: float = 0.0,
    time_column: int | str | None = "auto",
    dtype: DTypeLike = np.float32,
    return_X_y: bool = False,
    verbose: int = 0,
) -> Bunch | tuple[list[np.ndarray], list[Annotation] | None]:
    r"""Load recordings, and annotations beside them, from CSV and NumPy files.

    Each file holds one recording. Its name without extension is the name of the record.

    - Text (``.csv``, ``.tsv``, ``.txt``, each also with ``.gz``): a column for each lead, a
      row for each sample, separated by ``,`` ``;`` tab or blanks. A header of names, a row of
      units below it, and lines that begin with ``#`` are understood, as are decimal commas
      with ``;`` or tab. A column with the time is left out.
    - ``.npy``: an array of shape (n_times,), (n_leads, n_times) or (n_times, n_leads); the
      longer axis is the time.
    - ``.npz``: one such array; or ``signal``, and with it any of ``lead_names``, ``fs``, and
      ``sample`` and ``symbol``, which are the annotations.

    Parameters
    ----------
    path : path-like, or sequence of these
        A folder, a file or several files. All recordings of a folder are read, in the order of
        their names, or those of its sub-folders if it has none itself.
    fs : float
        Sampling rate of all recordings in Hz.
    records : iterable of str, default=None
        Names of the records to read; None reads all.
    lead : int, str, sequence of these, or None, default=0
        As in `load_wfdb`. Leads without names are called ``"lead_0"``, ``"lead_1"``, ...
    annotations : str, callable or None, default="_annotations"
        Suffix that turns the name of a recording into that of the text file with its
        annotations: those of ``ann.csv`` are in ``ann_annotations.csv`` (or another extension
        for text). It has the columns ``sample``, counted from 0, and ``symbol``, and may have
        others; or just these two without a header. Either all recordings have such a file or
        none. A function is called with the path of each recording, and returns sample numbers
        and symbols. None reads no annotations.
    gain, baseline : float, default=1.0, 0.0
        mV = (value - baseline) / gain, as in WFDB. A file in microvolts has ``gain=1000``;
        one in steps of a converter has as gain the steps per mV, as baseline that of 0 mV.
    time_column : int, str or None, default="auto"
        Index or name of a column that is not a lead. ``"auto"`` leaves out columns that are
        named as a time, sample number or index, and a first one of clock times; it raises an
        error if the first column rises steadily without such a name, and ``"rising"`` leaves
        that out as well. None reads all columns as leads.
    dtype : {float32, float64}, default=float32
        Type of the recordings.
    return_X_y : bool, default=False
        Whether to return ``(recordings, annotations)`` instead of a Bunch.
    verbose : int, default=0
        Above 0, show a progress bar.

    Returns
    -------
    data : sklearn.utils.Bunch
        As from `load_wfdb`. Accepted by `ecgbeat.BeatAnnotator` and
        `ecgbeat.annotation.extract_beats` in place of its recordings and annotations.

        recordings : list of ndarray of shape (n_times,), or (n_leads, n_times) for lead=None
            Recordings in mV, if ``gain`` and ``baseline`` are right. Missing samples are NaN.
        annotations : list of Annotation, or None
            Annotations of each recording, ascending: ``sample`` (int64) and ``symbol``. None if
            there are none.
        fs : float
            Sampling rate of all recordings in Hz, as passed.
        record_names : list of str
            Names of the files without extension.
        lead_names : list of str, or of lists of str for lead=None
            Lead, or leads, read of each file.
        groups : ndarray of shape (n_records,)
            Record names, as groups for cross-validation. Merge those of one patient.
        DESCR : str
            Description of the data.
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
        If a file is damaged (a cell that is not a number, a row that is too short or too
        long, with the line), if no record has the lead, or if an argument is wrong.

    See Also
    --------
    load_wfdb : Load records in WFDB format, which contain the sampling rate and the units.
    ecgbeat.annotation.extract_beats : Cut out the annotated beats.

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
    fs, gain = check_fs(fs), check_positive("gain", gain)
    baseline = float(baseline)
    if not math.isfinite(baseline):
        raise ValueError(f"baseline must be finite, got {baseline!r}.")
    check_dtype(dtype)
    files = find_recordings(path, records, annotations if isinstance(annotations, str) else _SUFFIX)
    opened = [_open(file, fs, time_column) for file in files.values()]
    names = list(files)
    lead_names = [content.lead_names for content in opened]
    leads = choose_leads(names, lead_names, lead)
    recordings = []
    for file, content, row in zip(
        files.values(),
        tqdm(opened, desc="reading", unit="record", disable=not verbose),
        leads,
        strict=True,
    ):
        with errors_naming(file, "a recording"):
            signal = content.read()
            signal = signal if row is None else signal[row]
            recordings.append(_in_millivolts(signal, gain, baseline).astype(dtype, order="C"))
    bunch = as_bunch(
        recordings,
        _read_annotations(list(files.values()), opened, recordings, annotations),
        fs=fs,
        record_names=names,
        lead_names=lead_names,
        leads=leads,
        DESCR=f"{len(names)} recordings of {path}, {fs:g} Hz, in mV.",
    )
    return (bunch.recordings, bunch.annotations) if return_X_y else bunch


def _open(file: Path, fs: float, time_column: int | str | None) -> ArrayRecording | TextRecording:
    """Open one recording, far enough to know its leads."""
    with errors_naming(file, "a recording"):
        if not file.name.endswith(_ARRAY_EXTENSIONS):
            return open_text(file, time_column)
        content = open_arrays(file)
        if content.fs not in (None, fs):
            raise ValueError(f"it states fs={content.fs:g} Hz, but fs={fs:g} was passed")
        return content


def _in_millivolts(signal: np.ndarray, gain: float, baseline: float) -> np.ndarray:
    """Convert to mV, and raise where single precision cannot hold a value; NaN passes."""
    with np.errstate(over="ignore"):
        values = (signal - baseline) / gain
    largest = np.finfo(np.float32).max
    if np.nanmax(values, initial=0) > largest or np.nanmin(values, initial=0) < -largest:
        place = np.unravel_index(int(np.nanargmax(np.abs(values))), values.shape)
        raise ValueError(
            f"sample {place[-1]} is infinite in single precision: {signal[place]!s}, "
            f"that is {values[place]!s} mV"
        )
    return values


@contextmanager
def errors_naming(file: Path, kind: str) -> Iterator[None]:
    """Turn errors about the content of a file into the one error that names it."""
    try:
        yield
    except ImportError:  # of pandas
        raise
    except Exception as error:  # parsers raise nearly any for a damaged file
        problem = (str(error) or type(error).__name__).rstrip(".")
        raise ValueError(f"{file} cannot be read as {kind}: {problem}.") from error


def find_recordings(
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    records: Iterable[str | int] | None,
    suffix: str,
) -> dict[str, Path]:
    """Return the files of recordings by name, with a slash if they lie in several folders.

    Files whose names end in ``suffix`` and an extension hold annotations.
    """
    if not suffix:
        raise ValueError(
            "annotations='' would name the recordings themselves. Pass the end of the names of "
            "the annotation files, or None."
        )
    folder, files = _list_files(path, suffix)
    named: dict[str, Path] = {}
    for file in files:
        name = file.relative_to(folder).with_name(_stem(file)).as_posix()
        if name in named:
            raise ValueError(
                f"{named[name]} and {file} would both be record {name!r}. Name one file only, or "
                "move the other away."
            )
        named[name] = file
    if not named:
        raise ValueError(
            f"There is no record to load: {path} holds no file {', '.join(EXTENSIONS)}."
        )
    if records is None:
        return named
    chosen = as_record_names(records)
    if missing := [name for name in chosen if name not in named]:
        raise FileNotFoundError(f"{folder} holds no records {missing}; it has {list(named)}.")
    return {name: named[name] for name in chosen}


def _list_files(
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]], suffix: str
) -> tuple[Path, list[Path]]:
    """Return the files, and the folder that holds all of them."""
    if not isinstance(path, (str, os.PathLike)):
        files = [Path(file).expanduser() for file in path]
    elif (folder := Path(path).expanduser()).is_dir():
        files = _recordings_among(folder.iterdir(), suffix)
        return folder, files or _recordings_among(folder.rglob("*"), suffix)
    else:
        files = [folder]
    for file in files:
        if not file.is_file():
            raise FileNotFoundError(f"There is no folder or file {file}.")
        if not file.name.endswith(EXTENSIONS):
            raise ValueError(f"{file} must end in one of {', '.join(EXTENSIONS)}.")
    parents = [file.parent.absolute() for file in files]
    return Path(os.path.commonpath(parents or [Path()])), [file.absolute() for file in files]


def _recordings_among(paths: Iterable[Path], suffix: str) -> list[Path]:
    """Return the files of known extensions that do not hold annotations, sorted."""
    return sorted(
        file
        for file in paths
        if file.name.endswith(EXTENSIONS) and not _stem(file).endswith(suffix) and file.is_file()
    )


def _stem(file: Path) -> str:
    """Return the name of a file without its extension, such as ``.csv.gz``."""
    extension = max((e for e in EXTENSIONS if file.name.endswith(e)), key=len, default="")
    return file.name.removesuffix(extension)


def _read_annotations(
    files: list[Path],
    opened: list[ArrayRecording | TextRecording],
    recordings: list[np.ndarray],
    annotations: str | Callable[[Path], Any] | None,
) -> list[Annotation] | None:
    """Return the annotations of each recording, None if there are none or none are read."""
    if annotations is None:
        return None
    lengths = [recording.shape[-1] for recording in recordings]
    if callable(annotations):
        return [
            _as_ascending(annotations(file), n_times, f"annotations of {file}")
            for file, n_times in zip(files, lengths, strict=True)
        ]
    sources = _find_annotations(files, opened, annotations)
    if sources is None:
        return None
    read = []
    for source, content, n_times in zip(sources, opened, lengths, strict=True):
        with errors_naming(source, "annotations"):
            pair = content.annotation or read_text_annotation(source)
            read.append(_as_ascending(pair, n_times, "annotations"))
    return read


def _find_annotations(
    files: list[Path], opened: list[ArrayRecording | TextRecording], suffix: str
) -> list[Path] | None:
    """Return the file that holds the annotations of each recording, None if there are none."""
    sources: list[Path] = []
    missing: list[Path] = []
    for file, content in zip(files, opened, strict=True):
        beside = (file.with_name(f"{_stem(file)}{suffix}{end}") for end in _TEXT_EXTENSIONS)
        candidates = [file] if content.annotation else filter(Path.is_file, beside)
        source = next(iter(candidates), None)
        (missing if source is None else sources).append(source or file)
    if not missing:
        return sources
    if not sources:
        return None
    raise FileNotFoundError(
        f"{len(missing)} of {len(files)} recordings have no annotations beside them, such as "
        f"{_stem(missing[0])}{suffix}.csv: {', '.join(map(str, missing))}. annotations=None "
        "reads none, records= leaves recordings out."
    )


def _as_ascending(annotation: Any, n_times: int, name: str) -> Annotation:
    """Check the annotations of one recording, and sort them by time."""
    sample, symbol = as_annotation(annotation, name)
    symbol = as_symbols(symbol)
    check_within_recording(sample, n_times, name)
    order = np.argsort(sample, kind="stable")
    return Annotation(sample[order], symbol[order])
