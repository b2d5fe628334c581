"""Lab Streaming Layer: signals in, beats out."""

import asyncio
import warnings
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from ecgbeat._validation import check_positive, import_extra
from ecgbeat.annotation import AnnotatedBeats

_MILLIVOLTS = {
    **dict.fromkeys(("V", "volt", "volts"), 1e3),
    **dict.fromkeys(("mV", "millivolt", "millivolts"), 1.0),
    **dict.fromkeys(("uV", "µV", "μV", "microvolt", "microvolts"), 1e-3),
    **dict.fromkeys(("nV", "nanovolt", "nanovolts"), 1e-6),
}
_N_PULLED = 1024  # samples at once, at most
_DRIFT = 1e-3  # by which clocks of sender and receiver may differ, relative
_LONGEST_GAP_S = 86_400.0  # a longer one is a clock that was set
_NAN_S = 10.0  # of missing signal in one chunk, at most
_RETRY_S = 1.0  # between attempts to find a lost stream


class LSLInlet:
    """Signal of a Lab Streaming Layer stream, in chunks.

    An asynchronous iterator for `ecgbeat.BeatStream.annotate`. Missing samples, recognized by the
    time stamps, are NaN, so that samples are numbered as if all had arrived. The iteration does
    not end: a lost stream is waited for, and continued after a gap.

    Parameters
    ----------
    query : str, default="type='ECG'"
        Condition of the stream, in the language of LSL: ``"name='BioAmp'"``,
        ``"type='ECG' and hostname='lab-2'"``.
    unit : {"V", "mV", "uV", "nV"} or None, default=None
        Unit of the samples. None is that in the description of the stream, mV if it has none.
    chunk : float, default=0.1
        Time between two looks for new samples, in seconds.
    tolerance : float, default=0.1
        Time in seconds by which a sample may come later than expected. If it is exceeded, samples
        were lost.
    buffer : int, default=360
        Seconds of signal that wait for a slow consumer. If it is slower, the oldest are lost.
    timeout : float, default=5.0
        Seconds in which the stream is searched.

    Attributes
    ----------
    fs : float
        Sampling rate in Hz.
    lead_names : list of str
        Labels of the channels in the description of the stream, else ``"lead_0"``, ...
    n_samples : int
        Number of samples that were yielded, with those that are missing.
    n_lost : int
        Number of samples that are missing.

    Raises
    ------
    ImportError
        If pylsl is not installed (``pip install "ecgbeat[lsl]"``).
    TimeoutError
        If no stream was found.
    ValueError
        If several streams were found, or the stream has no regular sampling rate, no numbers or an
        unknown unit.

    Warns
    -----
    RuntimeWarning
        When samples are lost, with their number.

    See Also
    --------
    LSLOutlet : Beats as markers of a stream.

    Notes
    -----
    A sample is expected one period after that before it. Its lateness moves the expectation by at
    most 0.1 % of the time passed, so that the difference of two clocks is followed, and jitter is
    not. Stamps are converted to the clock of this machine. Where they jump by more than a day, or
    go back by more than the tolerance and a second, the clock was set: 1 s is left out, since the
    length of the gap is unknown.

    Examples
    --------
    >>> import asyncio
    >>> import pylsl
    >>> from ecgbeat.streaming import LSLInlet
    >>> info = pylsl.StreamInfo("doctest", "ECG", 1, 250.0, "float32", "doctest of ecgbeat")
    >>> outlet = pylsl.StreamOutlet(info)
    >>> inlet = LSLInlet("name='doctest'")
    >>> inlet.fs
    250.0
    >>> outlet.push_chunk([[0.0], [0.1], [0.7]])
    >>> asyncio.run(anext(inlet))
    array([[0. , 0.1, 0.7]], dtype=float32)
    """

    def __init__(
        self,
        query: str = "type='ECG'",
        *,
        unit: str | None = None,
        chunk: float = 0.1,
        tolerance: float = 0.1,
        buffer: int = 360,
        timeout: float = 5.0,
    ) -> None:
        self.query = query
        self._chunk = check_positive("chunk", chunk, unit="s")
        self._tolerance = check_positive("tolerance", tolerance, unit="s")
        self._buffer = round(max(1.0, check_positive("buffer", buffer, unit="s")))
        self._pylsl = _import_pylsl()
        found = self._find(check_positive("timeout", timeout, unit="s"))
        if found is None:
            raise TimeoutError(f"No LSL stream with {query} was found in {timeout:g} s.")
        info = self._open(found, timeout)
        self.fs = _check_signal(info)
        self.lead_names = _labels(info)
        self._scale = _scales(info, unit)
        self.n_samples = 0
        self.n_lost = 0
        self._due: float | None = None  # time of the next sample
        self._ready: Iterator[np.ndarray] = iter(())  # chunks that were received
        self._is_behind = False

    def times(self, samples: ArrayLike) -> np.ndarray:
        """Return the times of samples, in the clock of LSL on this machine.

        Parameters
        ----------
        samples : array-like of shape (n_samples,)
            Numbers of samples since the start, such as R peaks.

        Returns
        -------
        ndarray of shape (n_samples,)
            Seconds, comparable with ``pylsl.local_clock()``.
        """
        if self._due is None:
            raise ValueError("No sample was received yet, so samples have no times.")
        return self._due + (np.asarray(samples) - self.n_samples) / self.fs

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> np.ndarray:
        # what was pulled is kept or returned before the next await: a canceled consumer loses none
        while True:
            for chunk in self._ready:
                return chunk
            await asyncio.sleep(0 if self._is_behind else self._chunk)
            try:
                samples, times = self._inlet.pull_chunk(max_samples=_N_PULLED, as_numpy=True)
            except self._pylsl.util.LostError:
                await self._reconnect()
                continue
            self._is_behind = len(times) == _N_PULLED
            self._ready = self._place(samples.T * self._scale, times)

    # --- connection -------------------------------------------------------------------

    def _find(self, timeout: float) -> Any:
        """Return the stream of the query, None if there is none."""
        found = self._pylsl.resolve_bypred(self.query, 1, timeout)
        if len(found) > 1:
            names = ", ".join(f"{info.name()!r} ({info.source_id()})" for info in found)
            raise ValueError(
                f"Several LSL streams have {self.query}: {names}. Pass a narrower query, such as "
                "\"name='...' and source_id='...'\"."
            )
        return found[0] if found else None

    def _open(self, found: Any, timeout: float) -> Any:
        """Connect to a stream, and return its whole description."""
        self._inlet = self._pylsl.StreamInlet(
            found, max_buflen=self._buffer, processing_flags=self._pylsl.proc_clocksync
        )
        info = self._inlet.info(timeout)
        self._inlet.open_stream(timeout)
        self._inlet.time_correction(timeout)  # the first one takes a second
        return info

    async def _reconnect(self) -> None:
        """Wait for a stream of the same query, after one without an identity was lost."""
        while True:
            found = await asyncio.to_thread(self._find, _RETRY_S)
            if found is None:
                continue
            try:
                info = await asyncio.to_thread(self._open, found, _RETRY_S * 5)
            except (TimeoutError, self._pylsl.util.LostError):
                continue
            if (info.nominal_srate(), info.channel_count()) != (self.fs, len(self.lead_names)):
                raise ValueError(
                    f"The LSL stream with {self.query} came back with {info.channel_count()} "
                    f"channels at {info.nominal_srate():g} Hz, before {len(self.lead_names)} at "
                    f"{self.fs:g} Hz."
                )
            return

    # --- time -------------------------------------------------------------------------

    def _place(self, samples: np.ndarray, times: np.ndarray) -> Iterator[np.ndarray]:
        """Yield samples, and NaN where their times show that others are missing."""
        while len(times):
            if self._due is None:
                self._due = float(times[0])
            lateness = times - (self._due + np.arange(len(times)) / self.fs)
            jumps = (lateness > self._tolerance) | (lateness < -self._tolerance - 1.0)
            n_regular = int(jumps.argmax()) if jumps.any() else len(times)
            if n_regular:
                passed = n_regular / self.fs
                shift = np.clip(lateness[:n_regular].mean(), -_DRIFT * passed, _DRIFT * passed)
                self._due += passed + float(shift)
                self.n_samples += n_regular
                yield samples[:, :n_regular]
                samples, times = samples[:, n_regular:], times[n_regular:]
            else:
                yield from self._fill(float(times[0]), float(lateness[0]))

    def _fill(self, time: float, lateness: float) -> Iterator[np.ndarray]:
        """Yield NaN for the samples that are missing before one at ``time``."""
        is_gap = 0 < lateness <= _LONGEST_GAP_S
        n_missing = max(1, round((lateness if is_gap else 1.0) * self.fs))
        reason = "were lost" if is_gap else f"are left out since its clock jumped by {lateness:g} s"
        warnings.warn(
            f"LSL stream with {self.query}: {n_missing} samples ({n_missing / self.fs:.3g} s) "
            f"{reason} after sample {self.n_samples}. They are NaN.",
            RuntimeWarning,
            stacklevel=2,
        )
        self.n_lost += n_missing
        self._due = time - n_missing / self.fs
        while n_missing:
            n_times = min(n_missing, round(_NAN_S * self.fs))
            n_missing -= n_times
            self._due += n_times / self.fs
            self.n_samples += n_times
            yield np.full((len(self.lead_names), n_times), np.nan, np.float32)


def _check_signal(info: Any) -> float:
    """Return the sampling rate of a stream of numbers."""
    fs = float(info.nominal_srate())
    if fs == 0:
        raise ValueError(f"LSL stream {info.name()!r} has no regular sampling rate.")
    if info.channel_format() == _import_pylsl().cf_string:
        raise ValueError(f"LSL stream {info.name()!r} holds text, not numbers.")
    return fs


def _channels(info: Any, key: str) -> list[str]:
    """Return an entry of the description of each channel, "" where it is missing."""
    channel, values = info.desc().child("channels").child("channel"), []
    for _ in range(info.channel_count()):
        values.append(channel.child_value(key).strip())
        channel = channel.next_sibling("channel")
    return values


def _labels(info: Any) -> list[str]:
    return [label or f"lead_{i}" for i, label in enumerate(_channels(info, "label"))]


def _scales(info: Any, unit: str | None) -> np.ndarray:
    """Return the mV of one unit of each channel, (n_channels, 1)."""
    units = _channels(info, "unit") if unit is None else [unit] * info.channel_count()
    unknown = [name for name in units if name and name not in _MILLIVOLTS]
    if unknown:
        raise ValueError(
            f"LSL stream {info.name()!r} has a channel in {unknown[0]!r}. Its unit must be V, mV, "
            "uV or nV: pass unit if the description is wrong."
        )
    return np.array([[_MILLIVOLTS[name or "mV"]] for name in units], np.float32)


class LSLOutlet:
    """Beats as the markers of a Lab Streaming Layer stream.

    Each beat is a marker with its label, at the time of its R peak. A second in which no ECG was
    recognized is a marker ``"unreadable"`` at its beginning.

    Parameters
    ----------
    name : str, default="ecgbeat"
        Name of the stream. Its type is "Markers".

    Raises
    ------
    ImportError
        If pylsl is not installed (``pip install "ecgbeat[lsl]"``).

    See Also
    --------
    LSLInlet : Signal of a stream, in chunks.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgbeat.annotation import AnnotatedBeats
    >>> from ecgbeat.streaming import LSLOutlet
    >>> outlet = LSLOutlet("beats")
    >>> beats = AnnotatedBeats(np.array([77, 370]), np.array(["N", "V"]), None)
    >>> outlet.push(beats)  # or outlet.push(beats, inlet.times)
    """

    def __init__(self, name: str = "ecgbeat") -> None:
        pylsl = _import_pylsl()
        info = pylsl.StreamInfo(
            name, "Markers", 1, pylsl.IRREGULAR_RATE, pylsl.cf_string, f"ecgbeat {name}"
        )
        self._outlet = pylsl.StreamOutlet(info)

    def push(
        self, beats: AnnotatedBeats, times: Callable[[np.ndarray], np.ndarray] | None = None
    ) -> None:
        """Send beats.

        Parameters
        ----------
        beats : AnnotatedBeats
            Result of `ecgbeat.BeatStream.push` or of ``annotate``.
        times : callable or None, default=None
            Function from sample numbers to times of LSL: `LSLInlet.times` of the signal. With
            None, markers have the time at which they are sent.
        """
        stretches = np.empty((0, 2), np.int64) if beats.unreadable is None else beats.unreadable
        sample = np.concatenate([beats.sample, stretches[:, 0]])
        markers = [*map(str, beats.symbol), *["unreadable"] * len(stretches)]
        stamps = np.zeros(len(sample)) if times is None else times(sample)  # 0 is now
        for k in np.argsort(sample, kind="stable").tolist():
            self._outlet.push_sample([markers[k]], float(stamps[k]))


def _import_pylsl() -> ModuleType:
    return import_extra("pylsl", extra="lsl", purpose="Lab Streaming Layer")
