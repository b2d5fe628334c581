"""Recordings and annotations from a folder of WFDB records."""

import inspect
import os
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike
from sklearn.utils import Bunch

from ecgbeat._progress import tqdm
from ecgbeat._recordings import Annotation, find_lead
from ecgbeat.datasets.wfdb.record import (
    check_annotator,
    open_record,
    read_annotation,
    sampling_rate,
)

# a lead by index or name, or several of them in order of preference
Lead = int | str | Sequence[int | str] | None

# a path below the folder, of names that begin neither with a dot nor with a slash
_LISTED_NAME = re.compile(r"(?:\w[-\w.]*/+)*(?:\w[-\w.]*/*)", re.ASCII)
_SOURCE = "Databases in WFDB format are at https://physionet.org/about/database."


def load_wfdb(
    path: str | os.PathLike[str],
    records: Iterable[str | int] | None = None,
    *,
    lead: Lead = 0,
    annotator: str | None = "atr",
    dtype: DTypeLike = np.float32,
    verify: bool = True,
    return_X_y: bool = False,
    verbose: int = 0,
) -> Bunch | tuple[list[np.ndarray], list[Annotation] | None]:
    r"""Load recordings and their annotations from a folder of WFDB records.

    Parameters
    ----------
    path : path-like
        Folder of the records.
    records : iterable of str, default=None
        Names of the records, with a slash if they lie in a sub-folder. None loads all
        records listed in the ``RECORDS`` file of the folder; without that file, all headers
        of the folder, or of its sub-folders if it has none itself. A record of several
        segments is read as one recording, NaN where a segment lacks the lead.
    lead : int, str, sequence of these, or None, default=0
        Index or name of the lead to read, such as ``"MLII"``. If some records have no lead of
        that name, their first one is read, with a warning that lists these records. A
        sequence such as ``("MLII", "V5")`` is an order of preference: of each record, the
        first of them that it has is read, without a warning. None reads all leads.
    annotator : str or None, default="atr"
        Extension of the annotation files. None reads no annotations.
    dtype : {float32, float64}, default=float32
        Type of the recordings.
    verify : bool, default=True
        Whether to compare the samples with the checksums in the headers, and to raise an
        error for annotations outside the recording. False drops those.
    return_X_y : bool, default=False
        Whether to return ``(recordings, annotations)`` instead of a Bunch.
    verbose : int, default=0
        Above 0, show a progress bar.

    Returns
    -------
    data : sklearn.utils.Bunch
        Accepted by `ecgbeat.BeatAnnotator` and `ecgbeat.annotation.extract_beats` in place of
        its recordings and annotations.

        recordings : list of ndarray of shape (n_times,), or (n_leads, n_times) for lead=None
            Recordings in mV. Samples that the record marks as invalid are NaN.
        annotations : list of Annotation, or None
            Annotations of each recording, of beats, rhythm and noise: ``sample`` (int64) and
            ``symbol`` (WFDB's symbols). Sample numbers are those of the recording, also if the
            annotation file counts in other units.
        fs : float
            Sampling rate of all recordings in Hz. Leads stored at a multiple of the rate in
            the header keep theirs; with ``lead=None`` and leads of several rates, they are
            averaged down to the rate in the header.
        record_names : list of str
            Names of the records.
        lead_names : list of str, or of lists of str for lead=None
            Lead, or leads, read of each record.
        groups : ndarray of shape (n_records,)
            Record names, as groups for cross-validation. Merge those of one patient.
        DESCR : str
            Description of the data.
    (recordings, annotations) : tuple
        With ``return_X_y=True``.

    Raises
    ------
    ImportError
        If wfdb is not installed (``pip install "ecgbeat[data]"``).
    FileNotFoundError
        If the folder, or a file of a record, is missing.
    ValueError
        If a file is damaged or truncated, if no record has the lead, or if the records
        differ in their sampling rate.

    See Also
    --------
    load_mitdb : Load the MIT-BIH Arrhythmia Database.
    ecgbeat.annotation.extract_beats : Cut out the annotated beats.

    Examples
    --------
    A folder with one record of two beats, byte by byte:

    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from ecgbeat.datasets import load_wfdb
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     header = "mine 1 360 720\nmine.dat 16 200/mV 16 0 0 0 0 MLII\n"
    ...     _ = Path(folder, "mine.hea").write_text(header)
    ...     np.zeros(720, dtype="<i2").tofile(Path(folder, "mine.dat"))
    ...     np.array([1 << 10 | 47, 5 << 10 | 300, 0], "<u2").tofile(Path(folder, "mine.atr"))
    ...     data = load_wfdb(folder, lead="MLII")
    >>> data.recordings[0].shape, data.fs, data.lead_names
    ((720,), 360.0, ['MLII'])
    >>> data.annotations[0]
    Annotation(sample=array([ 47, 347]), symbol=array(['N', 'V'], dtype='<U1'))
    """
    bunch = load_records(
        Path(path).expanduser(),
        records,
        lead=lead,
        annotator=annotator,
        dtype=dtype,
        verify=verify,
        verbose=verbose,
        source=_SOURCE,
    )
    return (bunch.recordings, bunch.annotations) if return_X_y else bunch


def load_records(
    folder: Path,
    records: Iterable[str | int] | None,
    *,
    lead: Lead,
    annotator: str | None,
    dtype: DTypeLike,
    verify: bool,
    verbose: int,
    source: str,
) -> Bunch:
    """Load as `load_wfdb` does; ``source`` says in errors where to get the files."""
    check_dtype(dtype)
    check_annotator(annotator)
    with _errors_naming_source(source):
        names = _record_names(folder, records)
        opened = [open_record(folder / name) for name in names]
    lead_names = [record.lead_names for record in opened]
    leads = choose_leads(names, lead_names, lead)
    fs = _common_fs(names, list(map(sampling_rate, opened, leads)))
    recordings, annotations = [], []
    for record, row in zip(
        tqdm(opened, desc="reading", unit="record", disable=not verbose), leads, strict=True
    ):
        with _errors_naming_source(source):
            recordings.append(record.read(row, np.dtype(dtype), verify))
            if annotator is not None:
                annotations.append(read_annotation(record, annotator, fs, verify))
    return as_bunch(
        recordings,
        None if annotator is None else annotations,
        fs=fs,
        record_names=names,
        lead_names=lead_names,
        leads=leads,
        DESCR=f"{len(names)} WFDB records of {folder}, {fs:g} Hz, in mV.",
    )


@contextmanager
def _errors_naming_source(source: str) -> Iterator[None]:
    """Append to errors about files where to get intact ones."""
    try:
        yield
    except (FileNotFoundError, ValueError) as error:
        kind = FileNotFoundError if isinstance(error, FileNotFoundError) else ValueError
        raise kind(f"{error} {source}") from error


def _record_names(folder: Path, records: Iterable[str | int] | None) -> list[str]:
    """Return the names given, or those of all records of a folder."""
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}.{_hint(folder)}")
    if records is not None:
        return as_record_names(records)
    if names := list_records(folder):
        return names
    raise ValueError(f"There is no record to load: {folder} holds no record (*.hea).")


def _hint(path: Path) -> str:
    """Return advice for a path that is not a folder."""
    if path.suffix in (".zip", ".gz", ".tar", ".tgz") and path.is_file():
        return " Unpack the archive first."
    header = path if path.suffix == ".hea" else path.with_name(f"{path.name}.hea")
    if header.is_file():
        return f" For this one record: path={str(header.parent)!r}, records=[{header.stem!r}]."
    return ""


def list_records(folder: Path, above: frozenset[Path] = frozenset()) -> list[str]:
    """Return the records in the ``RECORDS`` file of a folder, or else its headers."""
    if not (folder / "RECORDS").is_file():
        headers = sorted(folder.glob("*.hea")) or sorted(folder.rglob("*.hea"))
        segments = {segment for header in headers for segment in segments_of(header)}
        return [
            header.relative_to(folder).with_suffix("").as_posix()
            for header in headers
            if header.with_suffix("") not in segments
        ]
    # not the headers: PhysioNet's folders hold further ones in sub-folders
    if folder.resolve() in above:
        raise ValueError(f"{folder / 'RECORDS'} is damaged: by way of a link, it names itself.")
    above |= {folder.resolve()}
    names = []
    for name in _read_list(folder / "RECORDS"):
        # large databases list folders, each with its own list
        below = list_records(folder / name, above) if name.endswith("/") else None
        names += [name] if below is None else [name + record for record in below]
    return names


def _read_list(file: Path) -> list[str]:
    """Return the names in a ``RECORDS`` file, all of which lie in its folder."""
    names = []
    for number, line in enumerate(file.read_bytes().splitlines(), start=1):
        for word in line.split():  # at the white space of ASCII
            name = word.decode("latin-1")
            if not _LISTED_NAME.fullmatch(name):
                raise ValueError(
                    f"{file} is damaged: line {number} holds {name!r}, which is not the name of a "
                    "record or, with a slash at its end, of a folder below. Correct the line, or "
                    "name the records by records=."
                )
            names.append(name)
    return list(dict.fromkeys(names))


def segments_of(header: Path) -> list[Path]:
    """Return the segments, without extension, of a record of several segments."""
    text = header.read_text(encoding="ascii", errors="replace")
    lines = [line.split() for line in text.splitlines() if line.strip() and line[0] != "#"]
    if not lines or "/" not in lines[0][0]:  # as in record/number_of_segments
        return []
    return [header.parent / line[0] for line in lines[1:]]


def _common_fs(names: list[str], sampling_rates: list[float]) -> float:
    """Return the sampling rate of all records."""
    rates: dict[float, list[str]] = {}
    for name, fs in zip(names, sampling_rates, strict=True):
        rates.setdefault(fs, []).append(name)
    if len(rates) > 1:
        listing = "; ".join(f"{fs:g} Hz: {', '.join(group)}" for fs, group in rates.items())
        raise ValueError(
            f"The records differ in their sampling rate ({listing}). Load those of one rate at "
            "a time, by records=."
        )
    return next(iter(rates))


def as_record_names(records: Iterable[str | int]) -> list[str]:
    """Return the names of the records to load; raise ValueError if there are none."""
    names = [records] if isinstance(records, str) else [str(name) for name in records]
    if not names:
        raise ValueError("There is no record to load: records is empty.")
    return names


def check_dtype(dtype: DTypeLike) -> None:
    """Raise unless recordings can have a dtype."""
    if np.dtype(dtype) not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise ValueError(f"dtype must be float32 or float64, got {dtype!r}.")


def choose_leads(
    record_names: Sequence[str], lead_names: Sequence[Sequence[str]], lead: Lead
) -> list[int | None]:
    """Return the row of the lead to read of each record, None for all leads.

    Warn if some records lack the lead and their first one is read.
    """
    if lead is None:
        return [None] * len(record_names)
    preferences = [lead] if isinstance(lead, (int, str, np.integer)) else list(lead)
    rows = []
    for names in lead_names:
        found = (find_lead(preference, names) for preference in preferences)
        rows.append(next((row for row in found if row is not None), None))
    missing = [
        f"{record} ({', '.join(names)})"
        for record, names, row in zip(record_names, lead_names, rows, strict=True)
        if row is None
    ]
    if not missing:
        return rows
    if len(missing) == len(rows) or not all(isinstance(name, str) for name in preferences):
        raise ValueError(f"lead={lead!r} is not in the records {'; '.join(missing)}.")
    with_first = ", ".join(repr(preference) for preference in [*preferences, 0])
    warnings.warn(
        f"{len(missing)} of {len(rows)} records have no lead {lead!r}; their first lead was "
        f"read: {'; '.join(missing)}. lead=({with_first}) does so without a warning, records= "
        "can leave them out.",
        UserWarning,
        stacklevel=_stacklevel_of_caller(),
    )
    return [0 if row is None else row for row in rows]


def _stacklevel_of_caller() -> int:
    """Return the stack level, for a warning of the calling function, outside of ecgbeat."""
    frame, level = inspect.currentframe(), 0
    while frame is not None and frame.f_globals.get("__name__", "").startswith("ecgbeat."):
        frame, level = frame.f_back, level + 1
    return level


def as_bunch(
    recordings: list[np.ndarray],
    annotations: list[Annotation] | None,
    *,
    fs: float,
    record_names: list[str],
    lead_names: list[list[str]],
    leads: list[int | None],
    DESCR: str,
) -> Bunch:
    """Return what `load_wfdb` documents; ``leads`` as from `choose_leads`."""
    return Bunch(
        recordings=recordings,
        annotations=annotations,
        fs=fs,
        record_names=record_names,
        lead_names=[
            names if row is None else names[row]
            for names, row in zip(lead_names, leads, strict=True)
        ],
        groups=np.array(record_names),
        DESCR=DESCR,
    )
