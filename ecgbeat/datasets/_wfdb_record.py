"""One WFDB record: its header, one or all of its leads (layer 2)."""

import warnings
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, NoReturn

import numpy as np

_MILLIVOLTS = {"uv": 1e-3, "mv": 1.0, "v": 1e3}  # of one unit


class Record(NamedTuple):
    """A record whose header has been read."""

    path: Path  # without an ending, as WFDB names records
    source: str  # where to get the files, for errors
    header: Any  # wfdb.Record

    @property
    def lead_names(self) -> list[str]:
        """Names of the leads as the header gives them, or WFDB's words where it does not."""
        name = self.path.name
        return [
            str(given or f"record {name}, signal {index}")
            for index, given in enumerate(self.header.sig_name)
        ]

    def n_per_frame(self, lead: int | None) -> int:
        """Return how many samples the lead, or every lead, has in a frame; 1 if they differ.

        Some databases store the ECG at a multiple of the rate that the header states.
        """
        counts = self.header.samps_per_frame
        distinct = set(counts) if lead is None else {counts[lead]}
        return int(distinct.pop()) if len(distinct) == 1 else 1

    def sampling_rate(self, lead: int | None) -> float:
        """Return the sampling rate of the lead, or of all leads, in Hz."""
        return float(self.header.fs) * self.n_per_frame(lead)


def import_wfdb() -> ModuleType:
    """Import wfdb, or say how to install it."""
    try:
        with quiet_deprecations():
            import wfdb
    except ImportError as error:
        raise ImportError('WFDB files need wfdb: pip install "ecgbeat[data]".') from error
    return wfdb


def read_header(path: Path, source: str) -> Any:
    """Read a header of any kind, as ``wfdb.Record`` or ``wfdb.MultiRecord``."""
    wfdb = import_wfdb()
    file = with_ending(path, "hea")
    require(file, source)
    try:
        with quiet_deprecations():
            return wfdb.rdheader(str(path))
    except Exception as error:  # whatever a parser of free text comes up with
        refuse(file, f"it is no WFDB header ({error})", source, error)


def as_record(path: Path, header: Any, source: str) -> Record:
    """Check that a header describes a signal.

    Parameters
    ----------
    path : Path
        The record's files without their ending.
    header : wfdb.Record
        From `read_header`.
    source : str
        Sentence for errors: where to get the files.

    Returns
    -------
    Record

    Raises
    ------
    ValueError
        If it describes none.
    """
    file = with_ending(path, "hea")
    if not header.sig_len or not header.n_sig:
        what = f"{header.n_sig} signals of {header.sig_len} samples"
        refuse(file, f"its first line tells of {what}", source)
    if len(header.sig_name or []) != header.n_sig:
        refuse(file, f"it names {header.n_sig} signals but does not describe each", source)
    return Record(path, source, header)


def read_leads(record: Record, lead: int | None, dtype: np.dtype, verify: bool) -> np.ndarray:
    """Read one lead, or all, in mV.

    Parameters
    ----------
    record : Record
        From `as_record`.
    lead : int or None
        Index of the lead; None reads all.
    dtype : dtype
        float32 or float64.
    verify : bool
        Compare the samples with the checksum of the header.

    Returns
    -------
    ndarray of shape (n_times,) or (n_leads, n_times)
        Samples that the record marks as invalid are NaN. Units that are no voltage are
        left as they are.

    Raises
    ------
    FileNotFoundError, ValueError
        If a signal file is missing, cut off or damaged.
    """
    channels = list(range(record.header.n_sig)) if lead is None else [lead]
    in_frames = record.n_per_frame(lead) == 1
    files = [record.path.parent / record.header.file_name[channel] for channel in channels]
    for file in files:
        require(file, record.source)
    try:
        with quiet_deprecations():
            read = import_wfdb().rdrecord(
                str(record.path), channels=channels, physical=False, smooth_frames=in_frames
            )
    except Exception as error:  # as above; a short file shows as arrays that do not fit
        refuse(files[0], _describe_size(record, files[0]), record.source, error)
    if verify:
        _verify_checksums(record, read, files)
    signal = read.dac(expanded=not in_frames, return_res=8 * dtype.itemsize)
    signal = signal.T if in_frames else np.stack(signal)
    for row, unit in zip(signal, read.units, strict=True):
        row *= _MILLIVOLTS.get(str(unit).lower(), 1.0)
    # copies, because the transpose of WFDB's columns is not contiguous
    return np.array(signal if lead is None else signal[0], dtype=dtype, order="C")


def quiet_deprecations() -> warnings.catch_warnings:
    """Silence what wfdb 4.3 calls and pandas 3 deprecates: not the user's to mend."""
    return warnings.catch_warnings(action="ignore", category=DeprecationWarning)


def with_ending(path: Path, ending: str) -> Path:
    """Name one of a record's files."""
    return path.with_name(f"{path.name}.{ending}")


def _describe_size(record: Record, file: Path) -> str:
    """Set what a signal file holds against what the header says of it."""
    header = record.header
    return (
        f"its {file.stat().st_size} bytes do not hold what {record.path.name}.hea says "
        f"({header.n_sig} signals of {header.sig_len} samples, format {header.fmt[0]})"
    )


def _verify_checksums(record: Record, read: Any, files: list[Path]) -> None:
    """Refuse samples that do not sum up to the checksum of the header."""
    # in these two cases wfdb returns other samples than the file holds
    if any(read.skew or []) or set(read.samps_per_frame) != {1}:
        return
    sums = read.d_signal.sum(axis=0, dtype=np.int64)
    for file, expected, found in zip(files, read.checksum, sums, strict=True):
        # headers write it as a signed number of 16 bits
        if expected is not None and (int(found) - expected) % 2**16:
            problem = f"its samples do not match the checksum in {record.path.name}.hea"
            hint = "verify=False reads it nevertheless."
            refuse(file, problem, f"{record.source} {hint}")


def require(file: Path, source: str) -> None:
    """Raise if a file is missing."""
    if not file.is_file():
        raise FileNotFoundError(f"There is no file {file}. {source}")


def refuse(file: Path, problem: str, source: str, cause: Exception | None = None) -> NoReturn:
    """Raise the one error for damaged files."""
    raise ValueError(f"{file} is damaged: {problem}. {source}") from cause
