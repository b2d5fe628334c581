"""Measurement in a separate process, with separate threads and memory."""

import gc
import os
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

_LIBRARIES = ("OMP", "OPENBLAS", "MKL", "NUMBA")
_STATUS = Path("/proc/self/status")


def run_fresh(function, *arguments, threads):
    """Call a function of a module in a new process with ``threads`` threads; return the result.

    Exceptions of the function are raised in this process. If the process was killed, RuntimeError
    is raised.
    """
    with (
        thread_variables(threads),
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
    ):
        try:
            return pool.submit(function, *arguments).result()
        except BrokenProcessPool as error:
            raise RuntimeError(
                "the process was killed, probably because the memory was exhausted"
            ) from error


@contextmanager
def thread_variables(threads):
    """Set the numbers of threads in the environment, which the new process inherits."""
    names = [f"{library}_NUM_THREADS" for library in _LIBRARIES]
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, str(threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class PeakMemory:
    """Peak memory of this process within a ``with`` block, relative to the memory before it.

    ``mb`` is in MB (2**20 bytes). It is NaN on systems other than Linux.
    """

    mb = float("nan")

    def __enter__(self):
        gc.collect()
        try:
            Path("/proc/self/clear_refs").write_text("5")  # reset the peak
            self._before = _status_mb("VmRSS")
        except OSError:
            self._before = None
        return self

    def __exit__(self, *_):
        if self._before is not None:
            self.mb = _status_mb("VmHWM") - self._before


def _status_mb(key):
    lines = _STATUS.read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024


def available_memory():
    """Return the available memory in bytes, or infinity if it is unknown."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return float("inf")
    return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable")) * 1024
