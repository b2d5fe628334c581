"""Bodies of requests, errors that are answered with a sentence, and the worker thread."""

import asyncio
import json
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any, TypeVar

from starlette.requests import Request

T = TypeVar("T")

MAX_JSON_BYTES = 16 * 2**20  # brackets of lists take twenty times their size in memory
MAX_WAITING = 8  # requests, with the one that is worked on
MAX_WORK_S = 900.0
_HAS_LEFT = "The client has left."
_is_left = ContextVar[threading.Event | None]("_is_left", default=None)


class RequestError(Exception):
    """Error that is answered with a status and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


async def read_json(request: Request) -> dict[str, Any]:
    """Return the JSON object of a body."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_JSON_BYTES:
            raise RequestError(
                413,
                f"A body of JSON may have {MAX_JSON_BYTES // 2**20} MB at most. Upload longer "
                "recordings as a file.",
            )
    try:
        body = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise RequestError(400, f"The body must be JSON: {error}.") from None
    if not isinstance(body, dict):
        raise RequestError(400, f"The body must be a JSON object, got {type(body).__name__}.")
    return body


class Worker:
    """Single thread for the work on recordings, with a short queue."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ecgbeat-app")
        self.n_requests = 0

    def prepare(self, work: Callable[..., Any], *args: Any) -> Future[Any]:
        """Call a function in the thread."""
        return self._thread.submit(work, *args)

    def close(self) -> None:
        """End the thread, after the work in progress."""
        self._thread.shutdown(wait=False, cancel_futures=True)


class Place:
    """Place of a request in the queue of the worker, given up when its client leaves."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._worker: Worker = request.app.state.worker
        self._is_left = threading.Event()
        self._future: Future[Any] | None = None
        self._watch: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Place":
        """Take a place in the queue, before the body is read."""
        if self._worker.n_requests >= MAX_WAITING:
            raise RequestError(
                503,
                f"The server is busy with {self._worker.n_requests} other requests. Try again "
                "when they are done.",
            )
        self._worker.n_requests += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave the queue."""
        self._worker.n_requests -= 1
        if self._watch is not None:
            self._watch.cancel()

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        """Return the result of a function that is called in the thread, after the body was read."""
        if self._watch is None:
            self._watch = asyncio.create_task(self._await_end())
        self._future = self._worker.prepare(self._call, work, *args)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(self._future), MAX_WORK_S)
        except TimeoutError:
            self._is_left.set()
            raise RequestError(
                503, f"The work took more than {MAX_WORK_S:g} s, and was given up."
            ) from None
        except asyncio.CancelledError:
            if not self._is_left.is_set():
                raise
            raise RequestError(499, _HAS_LEFT) from None

    def _call(self, work: Callable[..., T], *args: Any) -> T:
        """Call a function in the thread, which can find out whether its client has left."""
        token = _is_left.set(self._is_left)
        try:
            raise_if_left()
            return work(*args)
        finally:
            _is_left.reset(token)

    async def _await_end(self) -> None:
        """Wait until the client leaves."""
        while (await self._request.receive())["type"] != "http.disconnect":
            pass
        self._is_left.set()
        if self._future is not None:
            self._future.cancel()  # unless it is worked on


def raise_if_left() -> None:
    """Raise if the client has left, in work that takes long."""
    is_left = _is_left.get()
    if is_left is not None and is_left.is_set():
        raise RequestError(499, _HAS_LEFT)
