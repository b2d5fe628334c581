"""The files of the MIT-BIH Arrhythmia Database, and which of them are here (layer 2)."""

import hashlib
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

from ecgbeat.datasets._remote_file import RemoteFile, sha256_of

# SHA-256, name and length of the .dat, .hea and .atr of all 48 records, as PhysioNet's
# SHA256SUMS.txt of version 1.0.0 states them. They are kept here, because sums that come from
# the same server as the files would prove nothing.
_TABLE = "mitdb-1.0.0.txt"


def remote_files(records: Iterable[str], folder: Path, base_url: str) -> list[RemoteFile]:
    """List the files of some records.

    Parameters
    ----------
    records : iterable of str
        Names of the records.
    folder : Path
        Where the files belong.
    base_url : str
        Address of the database's folder.

    Returns
    -------
    list of RemoteFile
        Three for each record, the header last: a record that has one is complete.
    """
    table = _read_table()
    names = [f"{record}.{ending}" for record in records for ending in ("dat", "atr", "hea")]
    return [
        RemoteFile(f"{base_url.rstrip('/')}/{name}", folder / name, *table[name]) for name in names
    ]


def record_names(records: Iterable[str | int] | None) -> list[str]:
    """Return the names of the records asked for, all 48 for None.

    Raises
    ------
    ValueError
        If the database has no such record, or none is asked for.
    """
    known = sorted({name.split(".")[0] for name in _read_table()})
    if records is None:
        return known
    names = [records] if isinstance(records, str) else [str(name) for name in records]
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        found = f"has no records {unknown}" if unknown else "was asked for no record: records=[]"
        raise ValueError(f"The MIT-BIH Arrhythmia Database {found}. It has {', '.join(known)}.")
    return names


def is_as_published(file: RemoteFile) -> bool:
    """Tell whether a file that is here is the published one.

    The published headers end their lines as Windows does. Copies of the database that went
    through other hands often have Unix line ends, which are as good.
    """
    if sha256_of(file.target) == file.sha256:
        return True
    if file.target.suffix != ".hea":
        return False
    content = file.target.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return hashlib.sha256(content).hexdigest() == file.sha256


def _read_table() -> dict[str, tuple[int, str]]:
    """Return length and SHA-256 of each file."""
    text = resources.files("ecgbeat.datasets").joinpath(_TABLE).read_text(encoding="ascii")
    rows = (line.split() for line in text.splitlines())
    return {name: (int(n_bytes), sha256) for sha256, name, n_bytes in rows}
