"""One file over HTTP: resumed, retried, checked, and never half there (layer 2)."""

import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import requests

_CHUNK_BYTES = 1 << 12  # at most as much of what has arrived is lost with a connection
_LONGEST_PAUSE_S = 60.0
_TIMEOUT_S = (10.0, 30.0)  # to connect, and between two bytes
_STAYS = "What has arrived stays: the next call goes on from there."
# a server must not pack what it sends, because ranges would count packed bytes, and a proxy
# must not repeat the damaged copy that it has
_HEADERS = {"Accept-Encoding": "identity", "Cache-Control": "no-cache"}
_PARTIAL, _TOO_FAR = 206, 416
_TEMPORARY = frozenset({408, 425, 429})  # and all from 500 on


class RemoteFile(NamedTuple):
    """A file that is known before it is fetched."""

    url: str
    target: Path
    n_bytes: int
    sha256: str

    @property
    def part(self) -> Path:
        """Where the file grows until it is complete."""
        return self.target.with_name(f"{self.target.name}.part")

    @property
    def n_bytes_in_part(self) -> int:
        """How much of the file has arrived."""
        return self.part.stat().st_size if self.part.exists() else 0


class Transfer(NamedTuple):
    """How files are fetched."""

    n_connections: int = 4
    n_retries: int = 3  # in a row that bring nothing new
    delay: float = 1.0  # seconds before the first of them; doubles with each
    timeout: tuple[float, float] = _TIMEOUT_S


class CancelledError(Exception):
    """Another file failed, or the user interrupted."""


class _TemporaryError(Exception):
    """Worth another attempt."""


def import_requests() -> ModuleType:
    """Import requests, or say how to install it."""
    try:
        import requests
    except ImportError as error:
        raise ImportError('Downloading needs requests: pip install "ecgbeat[data]".') from error
    return requests


def sha256_of(file: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def unwritable(folder: Path, error: OSError) -> OSError:
    """Return the error for a folder that takes no files, of the type that it has."""
    reason = error.strerror or str(error)
    return type(error)(f"Nothing can be written into {folder}: {reason}. {_STAYS}")


class Download:
    """The download of one file into a folder where nobody else writes.

    Parameters
    ----------
    file : RemoteFile
        What to fetch.
    session : requests.Session
        Connections of the calling thread.
    transfer : Transfer
        How to fetch it.
    report : callable
        Called with the number of bytes that arrived, negative where they are discarded.
    cancelled : threading.Event
        Ends the download when it is set.
    """

    def __init__(
        self,
        file: RemoteFile,
        *,
        session: "requests.Session",
        transfer: Transfer,
        report: Callable[[int], Any],
        cancelled: threading.Event,
    ) -> None:
        self.file = file
        self.session = session
        self.transfer = transfer
        self.report = report
        self.cancelled = cancelled

    def run(self) -> None:
        """Fetch the file; it appears under its name when it is complete and right.

        Raises
        ------
        ConnectionError
            If the server cannot be reached, or fails or cuts the connection again and again.
        OSError
            If the server does not have the file, or another file of that name, or if the
            folder takes no files.
        CancelledError
            If ``cancelled`` was set.
        """
        file = self.file
        self.report(file.n_bytes_in_part)
        if file.n_bytes_in_part > file.n_bytes:  # no beginning of this file
            self._discard()
        for is_last in (False, True):
            self._complete()
            received = sha256_of(file.part)
            if received == file.sha256:
                os.replace(file.part, file.target)
                return
            # wrong bytes of an earlier call, or on the way: once more from the beginning
            n_bytes = file.n_bytes_in_part
            self._discard()
            if is_last:
                raise OSError(
                    f"{file.url} arrives damaged: expected {file.n_bytes} bytes of SHA-256 "
                    f"{file.sha256}, received {n_bytes} of {received}, after a fresh attempt "
                    "as well. Nothing of it was kept. Try later or from another network, for "
                    "a proxy may be at fault, or give another base_url."
                )

    def _complete(self) -> None:
        """Bring the part to its full length, in as many attempts as that takes."""
        most = self.file.n_bytes_in_part
        failures = 0
        while self.file.n_bytes_in_part < self.file.n_bytes:
            try:
                self._attempt()
            except _TemporaryError as error:
                if self.file.n_bytes_in_part > most:  # a bad line, but it gets on
                    most, failures = self.file.n_bytes_in_part, 0
                failures += 1
                if failures > self.transfer.n_retries:
                    raise ConnectionError(
                        f"{self.file.url} could not be downloaded: {error}. {failures} "
                        f"attempts in a row brought nothing new. {_STAYS}"
                    ) from error
                self._pause(failures)

    def _attempt(self) -> None:
        """Ask once for what is missing, and sort the failures."""
        requests = import_requests()
        try:
            self._receive()
        except requests.exceptions.InvalidURL:
            raise
        except requests.RequestException as error:  # an OSError, too: hence before those
            raise _TemporaryError(_root_cause(error)) from error
        except OSError as error:
            if error.errno is None:  # from below, and clear
                raise
            raise unwritable(self.file.target.parent, error) from error
        n_bytes = self.file.n_bytes_in_part
        if n_bytes < self.file.n_bytes:
            raise _TemporaryError(
                f"the connection ended after {n_bytes} of {self.file.n_bytes} bytes"
            )

    def _receive(self) -> None:
        """Send one request and write what comes."""
        start = self.file.n_bytes_in_part
        headers = _HEADERS | ({"Range": f"bytes={start}-"} if start else {})
        with self.session.get(
            self.file.url, headers=headers, stream=True, timeout=self.transfer.timeout
        ) as response:
            self._check_status(response)
            if response.status_code != _PARTIAL:
                start = 0
            elif not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
                self._discard()
                raise _TemporaryError(f"the server sent other bytes than those from {start} on")
            self._check_length(response, self.file.n_bytes - start)
            self._write(response, start)

    def _check_status(self, response: "requests.Response") -> None:
        """Raise if the server sends something else than the file."""
        status = f"the server answered {response.status_code} {response.reason}"
        if response.status_code == _TOO_FAR:
            self._discard()
            raise _TemporaryError(f"{status} when asked to go on")
        if response.status_code in _TEMPORARY or response.status_code >= 500:
            raise _TemporaryError(status)
        if not response.ok:
            raise OSError(f"{self.file.url} could not be downloaded: {status}. Is base_url right?")

    def _check_length(self, response: "requests.Response", expected: int) -> None:
        """Raise if what comes cannot be the file, such as a page that asks to log in."""
        length = response.headers.get("Content-Length")
        is_packed = response.headers.get("Content-Encoding", "identity") != "identity"
        if length is not None and not is_packed and int(length) != expected:
            raise OSError(
                f"{self.file.url} is another file than expected: the server sends {length} bytes "
                f"where {expected} are missing. Is base_url right, does a proxy ask to log in?"
            )

    def _write(self, response: "requests.Response", start: int) -> None:
        """Write the body into the part, from a byte on that is its end or 0."""
        self.report(start - self.file.n_bytes_in_part)
        with self.file.part.open("ab" if start else "wb") as stream:
            for chunk in response.iter_content(_CHUNK_BYTES):
                if self.cancelled.is_set():
                    raise CancelledError
                stream.write(chunk)
                self.report(len(chunk))
                if stream.tell() > self.file.n_bytes:
                    break
            stream.flush()
            os.fsync(stream.fileno())  # the name must not come to stand before the bytes

    def _discard(self) -> None:
        """Forget what has arrived."""
        self.report(-self.file.n_bytes_in_part)
        self.file.part.unlink(missing_ok=True)

    def _pause(self, failures: int) -> None:
        """Wait before the next attempt, longer each time."""
        if self.cancelled.wait(min(self.transfer.delay * 2 ** (failures - 1), _LONGEST_PAUSE_S)):
            raise CancelledError


def _root_cause(error: BaseException) -> str:
    """Describe the error below those that requests and urllib3 put around it."""
    while below := error.__cause__ or error.__context__:
        error = below
    return f"{type(error).__name__}: {error}"
