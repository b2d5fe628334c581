"""Recordings and annotations from a folder of WFDB records (layer 2)."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from ecgbeat._progress import tqdm
from ecgbeat.datasets._leads import Lead, choose_leads
from ecgbeat.datasets._wfdb_annotation import read_annotation
from ecgbeat.datasets._wfdb_segments import open_any_record, read_any_leads, segments_named_in

_SOURCE = "Databases in WFDB format are at https://physionet.org/about/database/."


def load_wfdb(
    path: str | os.PathLike[str],
    records: Iterable[str | int] | None = None,
    *,
    lead: Lead = 0,
    annotator: str | None = "atr",
    dtype: Any = np.float32,
    verify: bool = True,
    return_X_y: bool = False,
    verbose: int = 0,
) -> Bunch | tuple[list[np.ndarray], list[Any]]:
    r"""Load recordings and their annotations from a folder of WFDB records.

    Parameters
    ----------
    path : path-like
        The folder.
    records : iterable of str, default=None
        Names of the records, with a slash where they lie in a sub-folder. None loads
        all that the folder's ``RECORDS`` file lists; without that file, all headers of
        the folder, or of its sub-folders if it has none itself. A record of several
        segments is read as one recording, NaN where a segment lacks the lead.
    lead : int, str, sequence of these, or None, default=0
        Which lead to read: its index or its name, such as ``"MLII"``. Where a record has no
        lead of that name its first one is taken, with a warning that tells which records
        these are. A sequence such as ``("MLII", "V5")`` is an order of preference: each
        record gives the first of them that it has, without a warning. None reads all leads.
    annotator : str or None, default="atr"
        Ending of the annotation files. None reads no annotations.
    dtype : {float32, float64}, default=float32
        Type of the recordings.
    verify : bool, default=True
        Compare the samples with the checksums in the headers, and refuse annotations
        outside the recording. False drops these.
    return_X_y : bool, default=False
        Return ``(recordings, annotations)`` instead of a Bunch.
    verbose : int, default=0
        Above 0, show a progress bar.

    Returns
    -------
    data : sklearn.utils.Bunch
        recordings : list of ndarray of shape (n_times,), or (n_leads, n_times) for lead=None
            In mV. Samples that the record marks as invalid are NaN.
        annotations : list of Annotation, or None
            One for each recording: ``sample`` (int64) and ``symbol`` (WFDB's symbols),
            rhythm and noise marks among them. Counted in samples of the recording, also
            where the annotation file counts in other units.
        fs : float
            Sampling rate in Hz, the same for all. Leads that are stored at a multiple of
            the header's rate have theirs; with ``lead=None`` and leads of several rates,
            these are averaged down to the header's.
        record_names : list of str
            Names of the records.
        lead_names : list of str, or of lists of str for lead=None
            The lead, or leads, read of each record.
        groups : ndarray of shape (n_records,)
            For cross-validation: the record names. Merge them where you know that
            several records are of one patient.
        DESCR : str
            What was read.
    (recordings, annotations) : tuple
        With ``return_X_y=True``.

    Raises
    ------
    ImportError
        If wfdb is not installed (``pip install "ecgbeat[data]"``).
    FileNotFoundError
        If the folder, or a file of a record, is missing.
    ValueError
        If a file is damaged or cut off, if no record has the lead, or if the records
        differ in their sampling rate.

    See Also
    --------
    load_mitdb : The MIT-BIH Arrhythmia Database.
    ecgbeat.annotation.extract_beats : Cuts the annotated beats out.

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
    dtype: Any,
    verify: bool,
    verbose: int,
    source: str,
) -> Bunch:
    """Load as `load_wfdb` does; ``source`` tells in errors where to get the files."""
    if np.dtype(dtype) not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise ValueError(f"dtype must be float32 or float64, got {dtype!r}.")
    names = _record_names(folder, records, source)
    opened = [open_any_record(folder / name, source) for name in names]
    leads = choose_leads(names, [record.lead_names for record in opened], lead)
    fs = _common_fs(
        names,
        [record.sampling_rate(index) for record, index in zip(opened, leads, strict=True)],
    )
    recordings, annotations = [], []
    for record, index in zip(
        tqdm(opened, desc="reading", unit="record", disable=not verbose), leads, strict=True
    ):
        recordings.append(read_any_leads(record, index, np.dtype(dtype), verify))
        if annotator is not None:
            annotations.append(read_annotation(record, annotator, fs, verify))
    return Bunch(
        recordings=recordings,
        annotations=None if annotator is None else annotations,
        fs=fs,
        record_names=names,
        lead_names=[
            record.lead_names if index is None else record.lead_names[index]
            for record, index in zip(opened, leads, strict=True)
        ],
        groups=np.array(names),
        DESCR=f"{len(names)} WFDB records of {folder}, {fs:g} Hz, in mV.",
    )


def _record_names(folder: Path, records: Iterable[str | int] | None, source: str) -> list[str]:
    """Return the names asked for, or those of all records of a folder."""
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}.{_advice(folder)} {source}")
    if records is not None:
        names = [records] if isinstance(records, str) else [str(name) for name in records]
    else:
        names = _list_records(folder)
    if not names:
        found = "records is empty" if records is not None else f"{folder} holds no record (*.hea)"
        raise ValueError(f"There is nothing to load: {found}. {source}")
    return names


def _advice(path: Path) -> str:
    """Say what to do with a path that is no folder."""
    if path.suffix in (".zip", ".gz", ".tar", ".tgz") and path.is_file():
        return " Unpack the archive first."
    header = path if path.suffix == ".hea" else path.with_name(f"{path.name}.hea")
    if header.is_file():
        return f" For this one record: path={str(header.parent)!r}, records=[{header.stem!r}]."
    return ""


def _list_records(folder: Path) -> list[str]:
    """List the records that a folder says it has, or the headers that it has."""
    if not (folder / "RECORDS").is_file():
        headers = sorted(folder.glob("*.hea")) or sorted(folder.rglob("*.hea"))
        segments = {segment for header in headers for segment in segments_named_in(header)}
        return [
            header.relative_to(folder).with_suffix("").as_posix()
            for header in headers
            if header.with_suffix("") not in segments
        ]
    # not the headers: PhysioNet's folders hold further ones in sub-folders
    names = []
    for name in (folder / "RECORDS").read_text().split():
        # large databases list folders, each with its own list
        below = _list_records(folder / name) if name.endswith("/") else None
        names += [name] if below is None else [name + record for record in below]
    return names


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
