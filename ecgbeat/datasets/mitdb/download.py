"""Download of the MIT-BIH Arrhythmia Database from PhysioNet."""

import hashlib
import logging
import os
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from importlib import resources
from numbers import Integral
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike
from sklearn.utils import Bunch

from ecgbeat._files import sync
from ecgbeat._progress import tqdm
from ecgbeat._recordings import Annotation
from ecgbeat._validation import import_extra
from ecgbeat.datasets.home import get_data_home
from ecgbeat.datasets.mitdb.loader import load_mitdb
from ecgbeat.datasets.wfdb.loader import Lead, as_record_names

_BASE_URL = "https://physionet.org/files/mitdb/1.0.0/"
# SHA-256, name and length of all files, as in PhysioNet's SHA256SUMS.txt; those from the server
# of the files would not reveal its errors
_TABLE = "mitdb-1.0.0.txt"
_EXTENSIONS = ("dat", "atr", "hea")  # the header last: a record that has one is complete
_N_NAMES_SHOWN = 6  # in an error
_TIMEOUT_S = (10.0, 30.0)  # to connect, and between two bytes
_REMEDY = "Files that are complete stay: the next call downloads only the others."
_TEMPORARY = (408, 425, 429)  # statuses from 400 to 499 after which another attempt makes sense


def fetch_mitdb(
    path: str | os.PathLike[str] | None = None,
    records: Iterable[str | int] | None = None,
    *,
    lead: Lead = ("MLII", "V5"),
    annotator: str | None = "atr",
    dtype: DTypeLike = np.float32,
    verify: bool = True,
    return_X_y: bool = False,
    download_if_missing: bool = True,
    force: bool = False,
    base_url: str = _BASE_URL,
    n_connections: int = 4,
    n_retries: int = 3,
    verbose: int = 0,
) -> Bunch | tuple[list[np.ndarray], list[Annotation] | None]:
    """Load the MIT-BIH Arrhythmia Database, downloading missing files from PhysioNet.

    The signals, annotations and headers of all 48 records take 94 MB. Every file is compared
    with the SHA-256 of version 1.0.0, which this package holds, and gets its name only when it
    is complete and right. Files in the folder are checked and not downloaded again: a second
    call needs no network, and an interrupted download continues with the next file. Several
    processes can download into one folder at the same time.

    Parameters
    ----------
    path : path-like, default=None
        Folder for the records, created if missing. None takes the folder ``mitdb`` of the
        data home (see `get_data_home`).
    records : iterable of str, default=None
        Names of the records, such as ``["100", "101"]``; None takes all 48.
    lead, annotator, dtype, verify, return_X_y : optional
        As in `load_mitdb`.
    download_if_missing : bool, default=True
        Whether to download missing files. False raises an error instead.
    force : bool, default=False
        Whether to replace files in the folder that differ from those published. By default
        they raise an error, because they may be your own, such as corrected annotations.
        Line ends of headers are ignored.
    base_url : str, default="https://physionet.org/files/mitdb/1.0.0/"
        Address of the files, at PhysioNet or a mirror of it.
    n_connections : int, default=4
        Number of files that are downloaded at the same time.
    n_retries : int, default=3
        Number of further attempts, after 1, 2, 3, ... seconds, if the server cannot be
        reached, fails, cuts the connection or sends a damaged file.
    verbose : int, default=0
        Above 0, show progress bars.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        As `load_mitdb`: ``recordings``, ``annotations``, ``fs``, ``record_names``,
        ``lead_names``, ``groups`` (patients), ``DESCR``.

    Raises
    ------
    ImportError
        If wfdb is not installed; before anything is downloaded.
    ConnectionError
        If the server cannot be reached, or fails or cuts the connection at every attempt.
    FileNotFoundError
        If files are missing and ``download_if_missing=False``, or if the server does not have
        them.
    FileExistsError
        If files in the folder differ from those published and ``force=False``.
    OSError
        If the server sends a damaged file at every attempt, or if files cannot be written to
        the folder.
    ValueError
        If the database has no such record or the record no such lead.

    See Also
    --------
    load_mitdb : Load the database from a folder, without a check of the files; has references.

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
    import_extra("wfdb", extra="data", purpose="Reading WFDB files")  # before the download
    _check_count("n_connections", n_connections, 1)
    _check_count("n_retries", n_retries, 0)
    if not base_url.startswith(("https://", "http://")):
        raise ValueError(f"base_url must begin with https:// or http://, got {base_url!r}.")
    folder = get_data_home() / "mitdb" if path is None else Path(path).expanduser()
    names = _record_names(records)
    files = [f"{name}.{extension}" for name in names for extension in _EXTENSIONS]
    if missing := _missing(folder, files, force):
        if not download_if_missing:
            raise FileNotFoundError(
                f"{folder} lacks {len(missing)} of {len(files)} files ({_shorten(missing)}) and "
                f"download_if_missing=False. With True, they are downloaded from {base_url}."
            )
        _download(missing, folder, base_url, n_connections, n_retries, verbose)
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


def _check_count(name: str, value: int, least: int) -> None:
    """Raise unless a value is an integer of at least ``least``."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} must be an integer of at least {least}, got {value!r}.")


class _PublishedFile(NamedTuple):
    """Length and hash of a file of the database."""

    n_bytes: int
    sha256: str


def _published_files() -> dict[str, _PublishedFile]:
    """Return all files of the database by name."""
    text = resources.files(__package__).joinpath(_TABLE).read_text(encoding="ascii")
    rows = (line.split() for line in text.splitlines())
    return {name: _PublishedFile(int(n_bytes), sha256) for sha256, name, n_bytes in rows}


def _record_names(records: Iterable[str | int] | None) -> list[str]:
    """Return the names of the records given, all 48 for None."""
    known = sorted({name.split(".")[0] for name in _published_files()})
    if records is None:
        return known
    names = as_record_names(records)
    if unknown := [name for name in names if name not in known]:
        raise ValueError(
            f"The MIT-BIH Arrhythmia Database has no records {unknown}. It has {', '.join(known)}."
        )
    return names


def _missing(folder: Path, files: list[str], force: bool) -> list[str]:
    """Return the files to download; of those present, the ones that differ if ``force``."""
    published = _published_files()
    present = [name for name in files if (folder / name).is_file()]
    others = [name for name in present if not _is_published(folder / name, published[name].sha256)]
    if others and not force:
        raise FileExistsError(
            f"{len(others)} files in {folder} are not those published ({_shorten(others)}). They "
            "were left as they are: load_mitdb reads them, fetch_mitdb(force=True) replaces them."
        )
    return [name for name in files if name not in present or name in others]


def _is_published(file: Path, sha256: str) -> bool:
    """Return whether a file is the published one; headers may have the line ends of Unix."""
    content = file.read_bytes()
    contents = [content]
    if file.suffix == ".hea":
        contents.append(content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    return any(hashlib.sha256(candidate).hexdigest() == sha256 for candidate in contents)


def _shorten(names: list[str]) -> str:
    """Return the first names of a list."""
    return ", ".join([*names[:_N_NAMES_SHOWN], *["..."][: len(names) > _N_NAMES_SHOWN]])


def _download(
    files: list[str], folder: Path, base_url: str, n_connections: int, n_retries: int, verbose: int
) -> None:
    """Download files into a folder, each of which appears when it is complete and right."""
    import pooch  # type: ignore[import-untyped]

    published = _published_files()
    fetcher = pooch.create(
        folder,
        base_url if base_url.endswith("/") else f"{base_url}/",
        registry={name: f"sha256:{published[name].sha256}" for name in files},
        retry_if_failed=n_retries,
    )
    n_bytes = sum(published[name].n_bytes for name in files)
    is_over = threading.Event()  # after a failure or an interrupt, no further file is requested

    def fetch(name: str) -> None:
        try:
            if not is_over.is_set():
                _fetch_file(fetcher, name)
        except BaseException:
            is_over.set()
            raise

    with (
        _errors_naming_folder(folder),
        _quiet(pooch.get_logger()),
        tqdm(
            total=n_bytes, unit="B", unit_scale=True, desc="downloading", disable=not verbose
        ) as progress,
        ThreadPoolExecutor(min(n_connections, len(files))) as pool,
    ):
        folder.mkdir(parents=True, exist_ok=True)
        running = {pool.submit(fetch, name): name for name in files}
        try:
            for n_done, done in enumerate(as_completed(running), start=1):
                done.result()
                progress.update(published[running[done]].n_bytes)
                progress.set_postfix_str(f"{n_done} of {len(files)} files")
        finally:
            is_over.set()


def _fetch_file(fetcher: Any, name: str) -> None:
    """Download one file."""
    url = fetcher.get_url(name)
    try:
        sync(Path(fetcher.fetch(name, downloader=_request_file)).parent)
    except OSError as error:
        # errors of the file system have a number, those of requests have none
        if error.errno is not None or isinstance(error, FileNotFoundError):
            raise
        raise ConnectionError(f"{url} could not be downloaded: {error}. {_REMEDY}") from error
    except ValueError as error:
        raise OSError(
            f"{url} arrives damaged: {error} Nothing of it was kept. A proxy may be at fault: try "
            "later, from another network, or with another base_url."
        ) from error


def _request_file(url: str, output_file: str, fetcher: Any) -> None:
    """Download one file once; pooch calls it again for errors of requests."""
    from pooch import HTTPDownloader

    os.remove(output_file)  # only its owner can read pooch's own temporary file
    # a proxy must not repeat a damaged copy
    request = HTTPDownloader(timeout=_TIMEOUT_S, headers={"Cache-Control": "no-cache"})
    try:
        request(url, output_file, fetcher)
        sync(Path(output_file))
    except OSError as error:
        response = getattr(error, "response", None)
        if response is None:
            raise
        response.close()  # pooch leaves it open
        if response.status_code >= 500 or response.status_code in _TEMPORARY:
            raise
        raise FileNotFoundError(
            f"{url} could not be downloaded: the server answered {response.status_code} "
            f"{response.reason}. Is base_url right?"
        ) from error


@contextmanager
def _errors_naming_folder(folder: Path) -> Iterator[None]:
    """Name the folder in errors of the file system."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        message = f"Files cannot be written to {folder}: {error.strerror}. {_REMEDY}"
        raise type(error)(message) from error


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """Silence pooch's messages about each file."""

    def is_warning(record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING

    logger.addFilter(is_warning)
    try:
        yield
    finally:
        logger.removeFilter(is_warning)
