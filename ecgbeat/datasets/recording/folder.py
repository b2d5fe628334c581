"""Recordings in a folder and its sub-folders."""

from pathlib import Path

from ecgbeat.datasets.recording.edf import EXTENSIONS as EDF_EXTENSIONS
from ecgbeat.datasets.tables.loader import EXTENSIONS
from ecgbeat.datasets.wfdb.loader import list_records, segments_of

_NOT_RECORDINGS = ("_annotations", "_beats")  # ends of names: tables beside recordings
_TEXT = (".txt", ".txt.gz")  # in folders, nearly always licenses and notes


def list_recordings(folder: Path) -> list[Path]:
    """Return the recordings in a folder and all folders below it, as `load_recording` reads them.

    WFDB records are those in its ``RECORDS`` file, or all that have a header and are not segments
    of another record. Text files ending in ``.txt``, tables of annotations and hidden files are
    left out.
    """
    files = [file for file in sorted(folder.rglob("*")) if not _is_hidden(file, folder)]
    headers = [file for file in files if file.suffix == ".hea"]
    segments = {segment for header in headers for segment in segments_of(header)}
    if (folder / "RECORDS").is_file():
        records = [folder / f"{name}.hea" for name in list_records(folder)]
    else:
        records = [header for header in headers if header.with_suffix("") not in segments]
    others = [file for file in files if file.suffix.lower() in EDF_EXTENSIONS or is_table(file)]
    # samples in an EDF file may belong to a WFDB header
    described = {header.with_suffix("") for header in headers}
    return records + [file for file in others if file.with_suffix("") not in described]


def is_table(file: Path) -> bool:
    """Return whether a file is a recording as text or NumPy array, by its name."""
    name = file.name
    extension = max((e for e in EXTENSIONS if name.endswith(e)), key=len, default=None)
    if extension is None or extension in _TEXT:
        return False
    return not name.removesuffix(extension).endswith(_NOT_RECORDINGS)


def _is_hidden(file: Path, folder: Path) -> bool:
    """Return whether a file, or a folder above it, is hidden."""
    return any(part.startswith(".") for part in file.relative_to(folder).parts)
