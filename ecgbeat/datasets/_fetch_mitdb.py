"""The MIT-BIH Arrhythmia Database from PhysioNet (layer 2)."""

import os
from collections.abc import Iterable
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from ecgbeat._progress import tqdm
from ecgbeat._validation import check_positive
from ecgbeat.datasets._download import download_files, locked
from ecgbeat.datasets._home import get_data_home
from ecgbeat.datasets._leads import Lead
from ecgbeat.datasets._mitdb import load_mitdb
from ecgbeat.datasets._mitdb_files import is_as_published, record_names, remote_files
from ecgbeat.datasets._remote_file import RemoteFile, Transfer
from ecgbeat.datasets._wfdb_record import import_wfdb

_BASE_URL = "https://physionet.org/files/mitdb/1.0.0/"
_MOST_NAMES = 6  # in an error


def fetch_mitdb(
    path: str | os.PathLike[str] | None = None,
    records: Iterable[str | int] | None = None,
    *,
    lead: Lead = ("MLII", "V5"),
    annotator: str | None = "atr",
    dtype: Any = np.float32,
    verify: bool = True,
    return_X_y: bool = False,
    download_if_missing: bool = True,
    force: bool = False,
    base_url: str = _BASE_URL,
    n_connections: int = 4,
    n_retries: int = 3,
    delay: float = 1.0,
    verbose: int = 0,
) -> Bunch | tuple[list[np.ndarray], list[Any]]:
    """Load the MIT-BIH Arrhythmia Database [1]_, and download from PhysioNet what is missing.

    Of each record come the signal, the annotations and the header: 94 MB for all 48. Every
    file is compared with the SHA-256 of version 1.0.0, which this package holds, and stands
    under its name only when it is complete and right. Until then it grows as ``NAME.part``:
    an interrupted download goes on where it ended, in this call or the next. Files that are
    here already are checked and not downloaded again, so a second call needs no network.
    Of two processes that fetch into one folder, the second waits for the first.

    Parameters
    ----------
    path : path-like, default=None
        The folder for the records, which is made. None takes the folder ``mitdb`` of the
        data home (see `get_data_home`).
    records : iterable of str, default=None
        Names of the records, such as ``["100", "101"]``; None takes all 48.
    lead, annotator, dtype, verify, return_X_y
        As in `load_mitdb`.
    download_if_missing : bool, default=True
        False raises an error instead of downloading.
    force : bool, default=False
        Replace files in the folder that are not those published. By default they are an
        error, because they may be your own, corrected annotations for instance. Line ends
        of headers do not count.
    base_url : str, default="https://physionet.org/files/mitdb/1.0.0/"
        Where the files are: PhysioNet, or a mirror of it.
    n_connections : int, default=4
        How many files are downloaded at once.
    n_retries : int, default=3
        After how many further attempts that bring nothing new a file is given up, when the
        server cannot be reached, fails, or cuts the connection.
    delay : float, default=1.0
        Seconds before the first of these attempts; it doubles with each, up to 60.
    verbose : int, default=0
        Above 0, show progress bars.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        As `load_mitdb` returns.

    Raises
    ------
    ImportError
        If wfdb, requests or filelock is not installed; before anything is downloaded.
    ConnectionError
        If the server cannot be reached, or fails or cuts the connection again and again.
    FileNotFoundError
        If files are missing and ``download_if_missing=False``.
    FileExistsError
        If files in the folder are not those published and ``force=False``.
    OSError
        If the server does not have the file, or sends a wrong one twice, or if the folder
        takes no files or the disk is full.
    ValueError
        If the database has no such record or the record no such lead.

    See Also
    --------
    load_mitdb : The same from a folder that you have, without a check of the files.

    References
    ----------
    .. [1] G. B. Moody, R. G. Mark (2001). The impact of the MIT-BIH Arrhythmia Database.
       IEEE Eng. Med. Biol. Mag. 20(3), 45-50. doi:10.1109/51.932724

    Examples
    --------
    >>> from ecgbeat.datasets import fetch_mitdb
    >>> mitdb = fetch_mitdb(records=["100", "101"])  # doctest: +SKIP

    Without the network:

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     fetch_mitdb(folder, ["100"], download_if_missing=False)
    Traceback (most recent call last):
    FileNotFoundError: ... lacks 3 of 3 files (100.dat, 100.atr, 100.hea) ...
    """
    import_wfdb()  # rather now than after 94 MB
    transfer = _check_transfer(n_connections, n_retries, delay)
    if not base_url.startswith(("https://", "http://")):
        raise ValueError(f"base_url must begin with https:// or http://, got {base_url!r}.")
    folder = get_data_home() / "mitdb" if path is None else Path(path).expanduser()
    names = record_names(records)
    files = remote_files(names, folder, base_url)
    if missing := _missing(files, force):
        if not download_if_missing:
            raise FileNotFoundError(
                f"{folder} lacks {len(missing)} of {len(files)} files ({_shorten(missing)}) and "
                "download_if_missing=False. With True, they come from "
                f"{base_url}."
            )
        with locked(folder):
            _download(_missing(files, force), transfer, verbose)  # who came first has them
    return load_mitdb(
        folder,
        names,
        lead=lead,
        annotator=annotator,
        dtype=dtype,
        verify=verify,
        return_X_y=return_X_y,
        verbose=verbose,
    )


def _check_transfer(n_connections: Any, n_retries: Any, delay: Any) -> Transfer:
    """Return how to download, or say which argument is wrong."""
    for name, value, least in (("n_connections", n_connections, 1), ("n_retries", n_retries, 0)):
        if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
            raise ValueError(f"{name} must be a whole number from {least} on, got {value!r}.")
    return Transfer(
        int(n_connections),
        int(n_retries),
        check_positive("delay", delay, unit="seconds", strict=False),
    )


def _missing(files: list[RemoteFile], force: bool) -> list[RemoteFile]:
    """List the files to download; those that differ from the published ones only by force."""
    present = {file for file in files if file.target.is_file()}
    others = [file for file in files if file in present and not is_as_published(file)]
    if others and not force:
        raise FileExistsError(
            f"{len(others)} files in {others[0].target.parent} are not those published "
            f"({_shorten(others)}). They were left as they are: load_mitdb reads them, "
            "fetch_mitdb(force=True) replaces them."
        )
    return [file for file in files if file not in present or file in others]


def _shorten(files: list[RemoteFile]) -> str:
    """Name some files."""
    names = [file.target.name for file in files[:_MOST_NAMES]]
    return ", ".join([*names, "..."] if len(files) > _MOST_NAMES else names)


def _download(files: list[RemoteFile], transfer: Transfer, verbose: int) -> None:
    """Download files behind a progress bar."""
    if not files:
        return
    n_bytes = sum(file.n_bytes for file in files)
    n_files = 0
    with tqdm(
        total=n_bytes, unit="B", unit_scale=True, desc="downloading", disable=not verbose
    ) as progress:

        def count_file() -> None:
            nonlocal n_files
            n_files += 1
            progress.set_postfix_str(f"{n_files} of {len(files)} files")

        download_files(files, transfer, on_bytes=progress.update, on_file=count_file)
