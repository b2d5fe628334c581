"""Work on large arrays: in chunks of rows, and in threads."""

import sys
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from threadpoolctl import ThreadpoolController

from ecgbeat._recordings import as_signals
from ecgbeat._validation import check_finite, effective_n_threads

# 2 MiB of float64: as fast as larger chunks (measured), with bounded temporary memory
_CHUNK_SAMPLES = 2**18

# sums and differences of larger float64 values may overflow
_HUGE = 1e290
_SHRINK = 2.0**-64

# parts in Python code wait for each other, so that more threads gain little
_MAX_THREADS = 2
_TURN_S = 5e-5
_thread = threading.local()  # has an attribute in threads of in_threads


def as_rows(x: ArrayLike, caller: str, name: str = "x") -> np.ndarray:
    """Return finite signals along the last axis; float32 is kept, all else becomes float64."""
    x = as_signals(x, name)
    check_finite(x, caller, name)
    return x


def row_chunks(n_rows: int, n_samples: int) -> Iterator[slice]:
    """Yield slices of rows of ``n_samples`` samples, of about 2 MiB of float64 each."""
    step = max(1, _CHUNK_SAMPLES // max(1, n_samples))
    for start in range(0, n_rows, step):
        yield slice(start, start + step)


def map_rows(
    function: Callable[[np.ndarray], np.ndarray], x: np.ndarray, n_times: int
) -> np.ndarray:
    """Apply a linear function to the last axis, in float64, chunk by chunk.

    ``function`` takes ``(n_rows, n)``, which it may overwrite, and returns ``(n_rows, n_times)``,
    each row by itself. Values beyond the range of the dtype of ``x`` become its largest number.
    """
    result = np.zeros((*x.shape[:-1], n_times), x.dtype)
    if x.size == 0:
        return result
    rows = x.reshape(-1, x.shape[-1])
    flat = result.reshape(-1, n_times)
    limit = np.finfo(x.dtype).max
    for chunk in row_chunks(*rows.shape):
        factor = row_factors(rows[chunk])
        block = rows[chunk].astype(np.float64, order="C")
        block *= factor
        with np.errstate(over="ignore"):  # clipped below
            flat[chunk] = np.clip(function(block) / factor, -limit, limit)
    return result


def row_factors(rows: np.ndarray) -> np.ndarray:
    """Return a factor for each row, ``(n_rows, 1)``, that avoids overflow of its sums."""
    largest = np.maximum(rows.max(axis=1), -rows.min(axis=1), dtype=np.float64)
    return np.where(largest > _HUGE, _SHRINK, 1.0)[:, None]


def in_threads(function: Callable[[Any], Any], items: Collection[Any]) -> Iterator[Any]:
    """Yield what ``function`` returns for each item, in their order, as ``map`` does.

    Two items are processed at a time, and not more than two ahead of the one that is asked for.
    With one thread (``OMP_NUM_THREADS=1``), or in a thread of this function, one at a time.
    """
    is_nested = hasattr(_thread, "is_one_of_many")
    n_threads = 1 if is_nested else min(_MAX_THREADS, len(items), effective_n_threads())
    if n_threads < 2:
        yield from map(function, items)
        return
    waiting: deque[Any] = deque()
    pool = ThreadPoolExecutor(
        n_threads, initializer=setattr, initargs=(_thread, "is_one_of_many", True)
    )
    try:
        for item in items:
            # in the context of the caller, which holds the settings of numpy.errstate
            waiting.append(pool.submit(copy_context().run, function, item))
            if len(waiting) > n_threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def settings_for_threads() -> Iterator[None]:
    """Let threads share the processor well, in this context or in the decorated function.

    Products of matrices use one thread: those of features and beats are small, so that a second one
    makes none faster, and all several times slower where the processor has other work. Threads in
    Python code take shorter turns, since they call short functions of NumPy, after each of which
    they wait for their turn. Both measured. The settings are those of the process, so the first
    context makes them and the last one restores them.
    """
    with _Settings.lock:
        if not _Settings.n_contexts:
            _Settings.former_turn_s = sys.getswitchinterval()
            _Settings.former_pools = _threadpools().limit(limits=1, user_api="blas")
            sys.setswitchinterval(_TURN_S)
        _Settings.n_contexts += 1
    try:
        yield
    finally:
        with _Settings.lock:
            _Settings.n_contexts -= 1
            if not _Settings.n_contexts:
                _Settings.former_pools.restore_original_limits()
                sys.setswitchinterval(_Settings.former_turn_s)


class _Settings:
    """State of `settings_for_threads` in this process."""

    lock = threading.Lock()
    n_contexts = 0
    former_turn_s = 0.0
    former_pools: Any = None


@cache
def _threadpools() -> ThreadpoolController:
    """Return the loaded libraries with threads, which takes some milliseconds to find out."""
    return ThreadpoolController()
