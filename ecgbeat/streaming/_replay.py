"""Recordings in the time in which they were recorded."""

import asyncio
import math
import os
import time
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from ecgbeat._recordings import as_recording
from ecgbeat._validation import check_fs, check_positive
from ecgbeat.datasets import load_recording


def replay(
    source: str | os.PathLike[str] | Mapping[str, Any] | ArrayLike,
    *,
    fs: float | None = None,
    speed: float = 1.0,
    chunk: float = 0.1,
    max_lag: float = math.inf,
) -> "Replay":
    """Replay a recording in chunks, in the time in which it was recorded.

    Parameters
    ----------
    source : path-like, Bunch or array-like of shape (n_times,) or (n_leads, n_times)
        File of a recording, as for `ecgbeat.datasets.load_recording`; a simulated patient, from
        `ecgbeat.datasets.make_recording`, or another Bunch with ``signal`` and ``fs``; or a signal
        in mV.
    fs : float or None, default=None
        Sampling rate in Hz, of an array or of a file that does not state it. None is that of the
        file or Bunch.
    speed : float, default=1.0
        Seconds of signal per second. ``math.inf`` does not wait.
    chunk : float, default=0.1
        Length of a chunk in seconds of signal.
    max_lag : float, default=math.inf
        Longest delay in seconds that later chunks make up for. After a longer one, the clock is
        set back to this delay, so that a slow consumer gets the signal more slowly, instead of
        many chunks at once. With 0, no chunk is made up for.

    Returns
    -------
    Replay
        Iterator of chunks, with ``for`` as well as with ``async for``, each of shape (n_times,) or
        (n_leads, n_times). Its attributes are ``signal``, ``fs``, ``lead_names``, a list or None,
        and ``n_samples``, the number of samples yielded so far.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    TypeError
        If a number is not a number.
    ValueError
        If the source is not a recording, ``fs`` is missing or contradicts the source, ``speed`` or
        ``chunk`` are not positive, or ``max_lag`` is negative or NaN.

    Notes
    -----
    A chunk is yielded when its last sample is due on a clock that starts with the first chunk.
    Delays do not add up: after a late chunk, the next ones are yielded at once until the signal
    has caught up, unless it is later than ``max_lag``. A slow consumer receives all samples.

    A loop or task that was left can go on with the same iterator, without a loss.

    Examples
    --------
    >>> from ecgbeat.datasets import make_recording
    >>> from ecgbeat.streaming import replay
    >>> patient = make_recording(10, random_state=0)
    >>> chunks = replay(patient, speed=100)  # 0.1 s
    >>> sum(len(chunk) for chunk in chunks), chunks.fs
    (3600, 360.0)
    """
    if not (isinstance(speed, float) and speed == math.inf):
        check_positive("speed", speed)
    check_positive("chunk", chunk, unit="s")
    if not (isinstance(max_lag, float) and max_lag == math.inf):
        check_positive("max_lag", max_lag, unit="s", strict=False)
    recording: Any = source
    if isinstance(source, (str, os.PathLike)):
        recording = load_recording(source, fs=fs)
    if not isinstance(recording, Mapping):
        if fs is None:
            raise ValueError("replay needs the sampling rate of an array: pass fs in Hz.")
        recording = {"signal": recording, "fs": fs}
    signal, own_fs, lead_names = _of_bunch(recording)
    if fs is not None and fs != own_fs:
        raise ValueError(f"fs must be that of the recording, {own_fs:g} Hz, got {fs!r}.")
    return Replay(signal, own_fs, lead_names, speed, chunk, max_lag)


def _of_bunch(recording: Mapping[str, Any]) -> tuple[np.ndarray, float, list[str] | None]:
    """Return signal, sampling rate and names of leads of a Bunch."""
    if not {"signal", "fs"} <= set(recording):
        raise ValueError(
            "A Bunch to replay must have signal and fs, as from make_recording or "
            f"load_recording, got one with {sorted(recording)}."
        )
    signal = as_recording(recording["signal"], gaps=None)
    return signal, check_fs(recording["fs"]), recording.get("lead_names")


class Replay:
    """Iterator of the chunks of a recording, see `replay`."""

    def __init__(
        self,
        signal: np.ndarray,
        fs: float,
        lead_names: list[str] | None,
        speed: float,
        chunk: float,
        max_lag: float,
    ) -> None:
        self.signal = signal
        self.fs = fs
        self.lead_names = lead_names
        self.n_samples = 0
        self._speed, self._chunk, self._max_lag = speed, chunk, max_lag
        self._n_chunks = 0
        self._start: float | None = None  # of the clock, in seconds

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> np.ndarray:
        if self.n_samples == self.signal.shape[-1]:
            raise StopIteration
        time.sleep(self._wait())
        return self._take()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> np.ndarray:
        if self.n_samples == self.signal.shape[-1]:
            raise StopAsyncIteration
        await asyncio.sleep(self._wait())  # a canceled consumer loses no chunk: it is taken after
        return self._take()

    def _wait(self) -> float:
        """Return the seconds until the next chunk is due."""
        now = time.monotonic()
        if self._start is None:
            self._start = now
        due = self._stop() / self.fs / self._speed  # seconds on the clock
        self._start = max(self._start, now - due - self._max_lag)
        return max(0.0, self._start + due - now)

    def _stop(self) -> int:
        """Return the sample after the next chunk, which has at least one."""
        # counted from the start, so that fractions of samples do not add up
        stop = max(self.n_samples + 1, round((self._n_chunks + 1) * self._chunk * self.fs))
        return min(stop, self.signal.shape[-1])

    def _take(self) -> np.ndarray:
        start, self.n_samples = self.n_samples, self._stop()
        self._n_chunks += 1
        return self.signal[..., start : self.n_samples]
