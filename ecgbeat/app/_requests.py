"""Bodies of requests, errors that are answered with a sentence, and the worker thread."""

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from starlette.requests import Request

T = TypeVar("T")

MAX_JSON_BYTES = 16 * 2**20  # brackets of lists take twenty times their size in memory
MAX_WAITING = 8  # requests, with the one that is worked on
MAX_WORK_S = 900.0


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
        self._n_requests = 0

    async def __aenter__(self) -> "Worker":
        """Take a place in the queue, before the body is read."""
        if self._n_requests >= MAX_WAITING:
            raise RequestError(
                503,
                f"The server is busy with {self._n_requests} other requests. Try again when they "
                "are done.",
            )
        self._n_requests += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave the queue."""
        self._n_requests -= 1

    def prepare(self, work: Callable[..., Any], *args: Any) -> None:
        """Call a function in the thread, and disregard its result."""
        self._thread.submit(work, *args)

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        """Return the result of a function that is called in the thread."""
        future = asyncio.get_running_loop().run_in_executor(self._thread, work, *args)
        try:
            return await asyncio.wait_for(future, MAX_WORK_S)
        except TimeoutError:
            raise RequestError(
                503, f"The work took more than {MAX_WORK_S:g} s, and was given up."
            ) from None

    def close(self) -> None:
        """End the thread, after the work in progress."""
        self._thread.shutdown(wait=False, cancel_futures=True)
