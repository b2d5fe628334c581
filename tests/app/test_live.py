"""Live signals over a WebSocket."""

import asyncio
import contextlib
import json
import time

import numpy as np
import pytest
import websockets

from ecgbeat import BeatStream
from ecgbeat.annotation import AnnotatedBeats
from ecgbeat.app import _live
from ecgbeat.datasets import make_recording

ECG = make_recording(25, n_leads=2, random_state=3)


async def talk(address, *messages):
    """Send messages, and return all answers."""
    async with websockets.connect(
        address.replace("http", "ws") + "/api/live", proxy=None
    ) as connection:
        for message in messages:
            is_binary = isinstance(message, bytes)
            await connection.send(message if is_binary else json.dumps(message))
        answers = []
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                answers.append(json.loads(await connection.recv()))
        return answers


def chunks_of(signal):
    return np.split(signal, range(500, signal.shape[1], 500), axis=1)


def test_pushed_signal_gives_the_beats_of_the_stream(server, quick_models):
    first = {"source": "push", "fs": 360, "n_leads": 2}
    texts = [{"samples": chunk.tolist()} for chunk in chunks_of(ECG.signal)]
    rounded = ECG.signal.astype("<f4")
    binary = [chunk.tobytes() for chunk in chunks_of(rounded)]
    stream = BeatStream(quick_models("nsvf-live"), fs=360)
    expected = np.concatenate([stream.push(ECG.signal).sample, stream.flush().sample])
    for sent in (texts, binary):
        answers = asyncio.run(talk(server, first, *sent, {"end": True}))
        beats = [beat for answer in answers for beat in answer["beats"]]
        assert [beat["sample"] for beat in beats] == expected.tolist()
        assert all(beat["decided_at"] >= beat["sample"] for beat in beats)
        assert [answer["ended"] for answer in answers] == [False] * len(sent) + [True]
        assert 30 < answers[-1]["heart_rate"] < 200


def test_simulated_patient_arrives_in_the_course_of_time(server, monkeypatch):
    monkeypatch.setattr(_live, "_PATIENT_S", 40.0)
    first = {"source": "simulated", "random_state": 1, "speed": 100, "n_leads": 2}
    answers = asyncio.run(talk(server, first))
    samples = np.concatenate([answer["samples"] for answer in answers[:-1]], axis=1)
    assert samples.shape == (2, 40 * 360)
    starts = [answer["start"] for answer in answers]
    assert starts == sorted(starts)
    assert sum(len(answer["beats"]) for answer in answers) > 20


@pytest.mark.parametrize(
    "messages",
    [
        [[]],
        [{"source": "file:///etc/passwd"}],
        [{"source": "push", "fs": 0}],
        [{"source": "push", "n_leads": 10**6}],
        [{"source": "push", "n_leads": "x"}],
        [{"source": "simulated", "speed": 1e9}],
        [{"source": "simulated", "n_leads": 12}],
        [{"source": "simulated", "random_state": -1}],
        [{"source": "push", "model": "../nsvf"}],
        [{"source": "push"}, {"samples": [["x"]]}],
        [{"source": "push"}, {"samples": [[1, 2], [3, 4]]}],
        [{"source": "push"}, {"samples": [[float("inf")]]}],
        [{"source": "push"}, b"123"],
        [{"source": "push"}, {"other": 1}],
        [b"\x00"],
    ],
)
def test_wrong_message_is_answered_with_a_sentence(server, messages):
    answers = asyncio.run(talk(server, *messages))
    assert len(answers[-1]["error"]) > 20


def test_silent_client_is_told_and_closed(server, monkeypatch):
    monkeypatch.setattr(_live, "MAX_PAUSE_S", 0.2)
    assert "No message" in asyncio.run(talk(server, {"source": "push"}))[-1]["error"]


def test_streams_are_limited(server, monkeypatch):
    monkeypatch.setattr(_live, "MAX_STREAMS", 0)
    assert "busy" in asyncio.run(talk(server))[-1]["error"]


async def first_answer(address, message):
    """Return the first answer, and leave."""
    async with websockets.connect(
        address.replace("http", "ws") + "/api/live", proxy=None
    ) as connection:
        with contextlib.suppress(websockets.ConnectionClosed):
            await connection.send(json.dumps(message))
        return json.loads(await connection.recv())


def test_stream_ends_with_its_client(server, monkeypatch):
    monkeypatch.setattr(_live, "MAX_STREAMS", 1)
    for _ in range(2):
        deadline = time.monotonic() + 10
        while "samples" not in asyncio.run(first_answer(server, {"source": "simulated"})):
            assert time.monotonic() < deadline
            time.sleep(0.1)


def decided(sample, symbol, unreadable=()):
    beats = AnnotatedBeats(
        np.array(sample, dtype=np.int64),
        np.array(list(symbol), dtype=str),
        np.ones((len(sample), 2)),
    )
    beats.decided_at = np.array(sample, dtype=np.int64) + 400
    beats.unreadable = np.array(unreadable, np.int64).reshape(-1, 2)
    return beats


def alarms_of(monitor, *updates):
    return [
        (alarm["kind"], alarm["sample"])
        for beats, n_times in updates
        for alarm in monitor.update(beats, ["N", "V"], n_times)["alarms"]
    ]


def test_run_is_reported_once_at_its_third_beat():
    monitor = _live._Monitor(360)
    first, rest = decided([0, 300, 600], "NVV"), decided([900, 1200, 1500], "VVN")
    assert alarms_of(monitor, (first, 1000), (rest, 1900)) == [("run", 900)]


def test_pause_is_reported_once_as_soon_as_it_is_sure():
    monitor = _live._Monitor(360)
    first, none, last = decided([0, 300], "NN"), decided([], ""), decided([1800], "N")
    updates = [(first, 800), (none, 1500), (none, 1700), (last, 2300), (none, 2400)]
    assert alarms_of(monitor, *updates[:2]) == []
    assert alarms_of(monitor, *updates[2:]) == [("pause", 300)]


def test_unreadable_stretch_is_no_pause():
    monitor = _live._Monitor(360)
    unreadable = decided([], "", [(720, 1080)])
    updates = [(decided([300], "N"), 800), (unreadable, 1500), (decided([2000], "N"), 3000)]
    assert alarms_of(monitor, *updates) == []


def test_heart_rate_is_that_of_the_last_beats_and_ends_with_them():
    monitor = _live._Monitor(360)
    beats = decided(np.arange(0, 3601, 360), "N" * 11)
    assert monitor.update(beats, ["N", "V"], 3700)["heart_rate"] == 60
    assert monitor.update(decided([], ""), ["N", "V"], 6000)["heart_rate"] is None
