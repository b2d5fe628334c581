"""Many files over HTTP, a few connections at once, one process a folder (layer 2)."""

import shutil
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ecgbeat.datasets._remote_file import (
    CancelledError,
    Download,
    RemoteFile,
    Transfer,
    import_requests,
    unwritable,
)

_LOCK = ".download.lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Make a folder, and keep all others from downloading into it meanwhile.

    Who comes second waits. The operating system frees the lock of a process that dies.

    Raises
    ------
    ImportError
        If filelock is not installed.
    OSError
        If the folder takes no files.
    """
    try:
        import filelock
    except ImportError as error:
        raise ImportError('Downloading needs filelock: pip install "ecgbeat[data]".') from error
    lock = filelock.FileLock(folder / _LOCK)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise unwritable(folder, error) from error
    try:
        yield
    finally:
        # while it is held: who waits for it sees that it is gone, and makes a new one
        with suppress(OSError):  # Windows removes it at release
            (folder / _LOCK).unlink()
        lock.release()


def download_files(
    files: list[RemoteFile],
    transfer: Transfer,
    *,
    on_bytes: Callable[[int], Any],
    on_file: Callable[[], Any],
) -> None:
    """Fetch files into a folder that is `locked`; each appears when complete and right.

    Parameters
    ----------
    files : list of RemoteFile
        What to fetch, in this order.
    transfer : Transfer
        How to fetch it.
    on_bytes : callable
        Called with the number of bytes that arrived, negative where they are discarded, by
        one thread at a time.
    on_file : callable
        Called after each file, likewise.

    Raises
    ------
    ConnectionError, OSError
        As `Download.run`; the first failure ends all. Also if the disk has no room.
    """
    _check_room(files)
    todo = deque(files)
    cancelled = threading.Event()
    turn = threading.Lock()

    def report(n_bytes: int) -> None:
        with turn:
            on_bytes(n_bytes)

    def work() -> None:
        with import_requests().Session() as session, suppress(CancelledError, IndexError):
            while not cancelled.is_set():
                file = todo.popleft()  # an IndexError: nothing is left to do
                Download(
                    file, session=session, transfer=transfer, report=report, cancelled=cancelled
                ).run()
                with turn:
                    on_file()

    n_threads = min(transfer.n_connections, len(files))
    with ThreadPoolExecutor(n_threads) as pool:
        workers = [pool.submit(work) for _ in range(n_threads)]
        try:
            for worker in as_completed(workers):
                worker.result()
        finally:  # also when the user interrupts
            cancelled.set()


def _check_room(files: list[RemoteFile]) -> None:
    """Raise if the disk cannot take the files."""
    folder = files[0].target.parent
    needed = sum(file.n_bytes - file.n_bytes_in_part for file in files)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(
            f"The disk of {folder} has {free / 1e6:.1f} MB free, the download needs "
            f"{needed / 1e6:.1f} MB more."
        )
