"""Live signals: beats over a WebSocket while the signal arrives."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from starlette.websockets import WebSocket, WebSocketDisconnect

from ecgbeat.annotation import PAUSE_S, RUN_BEATS, AnnotatedBeats
from ecgbeat.app._annotations import beats_as_json
from ecgbeat.app._models import LIVE_NAME, load_live
from ecgbeat.app._requests import RequestError
from ecgbeat.app._uploads import as_fs
from ecgbeat.datasets import make_recording
from ecgbeat.streaming import BeatStream, replay

MAX_STREAMS = 8  # at a time
MAX_PAUSE_S = 60.0  # between two messages of a client, and for it to take one
_MAX_S = 24 * 3600.0
_CHUNK_S = 0.1  # between two messages of a simulated patient
_MAX_LAG_S = 1.0  # behind its clock, for a client that is slow to take messages
_PATIENT_S = 1800.0
_WEIGHTS = {"N": 0.82, "A": 0.07, "V": 0.09, "F": 0.02}
_RATE_BEATS = 9  # from which the heart rate is computed
_RATE_OLD_S = 5.0  # without a beat, the heart rate is not known
_DELAY_S = 1.6  # from an R peak to its decision at most, with some margin


class Lives:
    """Threads of live signals, and their number."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="ecgbeat-live")
        self._n_streams = 0

    async def run(self, websocket: WebSocket) -> None:
        """Serve one client until its signal ends."""
        await websocket.accept()
        try:
            if self._n_streams >= MAX_STREAMS:
                raise RequestError(503, f"The server is busy with {self._n_streams} live signals.")
            self._n_streams += 1
            try:
                await self._serve(websocket)
            finally:
                self._n_streams -= 1
        except RequestError as error:
            await _close(websocket, str(error))
        except (ValueError, TypeError) as error:  # of samples
            await _close(websocket, str(error))
        except TimeoutError:
            await _close(websocket, f"No message for {MAX_PAUSE_S:g} s.")
        except WebSocketDisconnect:
            pass

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _serve(self, websocket: WebSocket) -> None:
        """Send the beats of a signal.

        There is no queue: a client that is slow to take messages, or a server that is slow to
        compute them, slows the source.
        """
        options = _as_options(await _receive(websocket))
        loop = asyncio.get_running_loop()
        model = await loop.run_in_executor(self._threads, load_live, options.model)
        stream, monitor = BeatStream(model.estimator, fs=options.fs), _Monitor(options.fs)
        classes = [str(name) for name in model.estimator.classes_]
        if options.is_simulated:
            patient = await loop.run_in_executor(self._threads, _simulate, options)
            source = {"signal": patient, "fs": options.fs}
            chunks: AsyncIterator[np.ndarray] = replay(
                source, speed=options.speed, chunk=_CHUNK_S * options.speed, max_lag=_MAX_LAG_S
            )
        else:
            chunks = _pushed(websocket, options.n_leads)
        n_times = 0
        async for chunk in chunks:
            start, n_times = n_times, n_times + chunk.shape[1]
            decided = await loop.run_in_executor(self._threads, stream.push, chunk)
            message = {"start": start, **monitor.update(decided, classes, n_times), "ended": False}
            if options.is_simulated:
                message["samples"] = np.round(chunk, 4).tolist()
            await _send(websocket, message)
            if n_times > _MAX_S * options.fs:
                break
        decided = await loop.run_in_executor(self._threads, stream.flush)
        last = monitor.update(decided, classes, n_times)
        await _send(websocket, {"start": n_times, **last, "ended": True})
        await websocket.close()


class _Options(NamedTuple):
    """First message of a client."""

    is_simulated: bool
    model: str
    random_state: int
    speed: float
    fs: float
    n_leads: int


def _as_options(message: Any) -> _Options:
    """Return the options of the first message, or raise."""
    if not isinstance(message, Mapping) or message.get("source") not in ("simulated", "push"):
        raise RequestError(422, 'The first message must have "source": "simulated" or "push".')
    try:
        options = _Options(
            message["source"] == "simulated",
            str(message.get("model", LIVE_NAME)),
            int(message.get("random_state", 0)),
            float(message.get("speed", 1)),
            as_fs(message.get("fs", 360)),
            int(message.get("n_leads", 1)),
        )
    except (TypeError, ValueError, OverflowError):
        raise RequestError(422, "random_state, speed and n_leads must be numbers.") from None
    wrong = [
        f"{name} must be from {low} to {high}, got {value!r}"
        for name, value, low, high in (
            ("random_state", options.random_state, 0, 2**32 - 1),
            ("speed", options.speed, 0.1, 100),
            ("n_leads", options.n_leads, 1, 3 if options.is_simulated else 16),
            *([("fs", options.fs, 100, 1000)] if options.is_simulated else []),
        )
        if not low <= value <= high
    ]
    if wrong:
        raise RequestError(422, f"{wrong[0]}.")
    return options


def _simulate(options: _Options) -> np.ndarray:
    """Return the leads of a simulated patient."""
    patient = make_recording(
        _PATIENT_S,
        fs=options.fs,
        weights=_WEIGHTS,
        n_leads=options.n_leads,
        random_state=options.random_state,
    )
    return np.atleast_2d(patient.signal)


async def _pushed(websocket: WebSocket, n_leads: int) -> AsyncIterator[np.ndarray]:
    """Yield the chunks that a client sends."""
    while True:
        message = await _receive(websocket)
        if isinstance(message, bytes):
            if len(message) % (4 * n_leads):
                raise RequestError(
                    422, f"A binary message must be float32 of {n_leads} leads of equal length."
                )
            yield np.frombuffer(message, "<f4").reshape(n_leads, -1).astype(np.float64)
        elif isinstance(message, Mapping) and message.get("end"):
            return
        elif isinstance(message, Mapping) and "samples" in message:
            chunk = np.atleast_2d(np.array(message["samples"], dtype=np.float64))
            if chunk.ndim != 2 or len(chunk) != n_leads:
                raise RequestError(
                    422, f"samples must be a list for each of {n_leads} leads, got {chunk.shape}."
                )
            yield chunk
        else:
            raise RequestError(422, 'A message must have "samples", or "end": true.')


async def _receive(websocket: WebSocket) -> Any:
    """Return the next message, JSON or bytes."""
    message = await asyncio.wait_for(websocket.receive(), MAX_PAUSE_S)
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message["code"])
    if message.get("bytes") is not None:
        return message["bytes"]
    try:
        return json.loads(message["text"])
    except (ValueError, RecursionError):
        raise RequestError(400, "A message must be JSON, or binary.") from None


async def _send(websocket: WebSocket, message: Mapping[str, Any]) -> None:
    """Send a message as JSON, as soon as the client takes it."""
    await asyncio.wait_for(websocket.send_json(message), MAX_PAUSE_S)


async def _close(websocket: WebSocket, sentence: str) -> None:
    """Send an error, and close the connection."""
    try:
        await asyncio.wait_for(websocket.send_json({"error": sentence}), 1.0)
        await websocket.close(1008)
    except (TimeoutError, RuntimeError, WebSocketDisconnect):
        return  # the client is gone


class _Monitor:
    """Heart rate, and alarms for runs and pauses."""

    def __init__(self, fs: float) -> None:
        self._fs = fs
        self._samples: list[int] = []  # the last ones
        self._n_ventricular = 0  # in a row
        self._paused_since = -1  # beat before the last alarm for a pause
        self._unreadable_stop = 0

    def update(self, decided: AnnotatedBeats, classes: list[str], n_times: int) -> dict[str, Any]:
        """Return decided beats with heart rate and alarms, ready for JSON."""
        stretches = [] if decided.unreadable is None else decided.unreadable.tolist()
        self._unreadable_stop = max([self._unreadable_stop, *(stop for _, stop in stretches)])
        shown = beats_as_json(decided, classes)
        at = [] if decided.decided_at is None else decided.decided_at.tolist()
        rows = zip(shown["sample"], shown["label"], shown["probability"], at, strict=True)
        names = ("sample", "label", "probability", "decided_at")
        beats = [dict(zip(names, row, strict=True)) for row in rows]
        alarms = [alarm for beat in beats for alarm in self._add(beat["sample"], beat["label"])]
        alarms += self._pause(n_times, is_open=True)
        return {
            "beats": beats,
            "heart_rate": self._heart_rate(n_times),
            "alarms": alarms,
            "unreadable": stretches,
        }

    def _add(self, sample: int, label: str) -> list[dict[str, Any]]:
        """Return the alarms that a beat gives."""
        alarms = self._pause(sample, is_open=False)
        self._samples = [*self._samples[1 - _RATE_BEATS :], sample]
        self._n_ventricular = self._n_ventricular + 1 if label == "V" else 0
        if self._n_ventricular == RUN_BEATS:
            text = f"Run of {RUN_BEATS} or more ventricular beats"
            alarms.append({"kind": "run", "sample": sample, "text": text})
        return alarms

    def _pause(self, until: int, *, is_open: bool) -> list[dict[str, Any]]:
        """Return an alarm if the time since the last beat is a pause, once.

        ``until`` is the next beat, or the present if that is still open: a beat that has passed by
        then is decided some time later.
        """
        if not self._samples or self._paused_since == self._samples[-1]:
            return []
        last = self._samples[-1]
        duration = (until - last) / self._fs - (_DELAY_S if is_open else 0.0)
        if duration <= PAUSE_S or self._unreadable_stop > last:
            return []
        self._paused_since = last
        text = f"Pause of more than {PAUSE_S:g} s" if is_open else f"Pause of {duration:.1f} s"
        return [{"kind": "pause", "sample": last, "text": text}]

    def _heart_rate(self, n_times: int) -> float | None:
        """Return beats per minute, None if there were no beats lately."""
        old = not self._samples or n_times - self._samples[-1] > _RATE_OLD_S * self._fs
        if old or len(self._samples) < 2:
            return None
        return round(float(60 * self._fs / np.mean(np.diff(self._samples))), 1)
