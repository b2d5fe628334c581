"""Measuring in a process of its own, whose threads and memory are those of one row alone."""

import gc
import os
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

_THREADS_OF = ("OMP", "OPENBLAS", "MKL", "NUMBA")
_STATUS = Path("/proc/self/status")


def run_fresh(function, *arguments, threads):
    """Call a function of a module in a new process with so many threads; return its result.

    What it raises is raised here, too. RuntimeError: the process was killed.
    """
    with (
        _thread_variables(threads),
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
    ):
        try:
            return pool.submit(function, *arguments).result()
        except BrokenProcessPool as error:
            raise RuntimeError(
                "its process was killed, as the system does when memory runs out"
            ) from error


@contextmanager
def _thread_variables(threads):
    """Set what libraries read when they are loaded; the new process inherits it."""
    names = [f"{library}_NUM_THREADS" for library in _THREADS_OF]
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
    """How much more memory this process held at most, within a ``with`` block, than before it.

    ``mb`` is in MB (2**20 bytes); NaN where the system does not tell (it takes Linux).
    """

    mb = float("nan")

    def __enter__(self):
        gc.collect()
        try:
            Path("/proc/self/clear_refs").write_text("5")  # the peak begins at what is held now
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
    """Return the bytes that a process can still get, or infinity where nobody knows."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return float("inf")
    return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable")) * 1024
