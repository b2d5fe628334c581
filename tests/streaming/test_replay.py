"""Tests of recordings in the time in which they were recorded."""

import asyncio
import math
import time
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.utils import Bunch

import ecgbeat.streaming._replay as module
from ecgbeat.datasets import make_recording
from ecgbeat.streaming import replay


@pytest.fixture
def clock(monkeypatch):
    """Replace the clock and its pauses: the time passes only in pauses."""
    clock = SimpleNamespace(now=1000.0, pauses=[])

    def sleep(seconds):
        clock.pauses.append(seconds)
        clock.now += seconds

    async def sleep_async(seconds):
        sleep(seconds)

    fake = SimpleNamespace(monotonic=lambda: clock.now, sleep=sleep)
    monkeypatch.setattr(module, "time", fake)
    monkeypatch.setattr(module, "asyncio", SimpleNamespace(sleep=sleep_async))
    return clock


async def in_asyncio(chunks):
    return [chunk async for chunk in chunks]


@pytest.mark.parametrize("chunk", [0.001, 0.1, 0.777, 3, 1000])
@pytest.mark.parametrize("fs", [128.0, 360.0])
def test_chunks_are_the_recording(chunk, fs):
    signal = np.random.default_rng(0).normal(size=(2, 1001))
    chunks = list(replay(signal, fs=fs, speed=math.inf, chunk=chunk))
    assert np.array_equal(np.concatenate(chunks, axis=1), signal)
    assert min(part.shape[1] for part in chunks) > 0
    # fractions of samples do not add up
    widths = [part.shape[1] for part in chunks[:-1]]
    assert all(abs(width - max(1, chunk * fs)) <= 1 for width in widths)


@pytest.mark.parametrize("collect", [list, lambda chunks: asyncio.run(in_asyncio(chunks))])
@pytest.mark.parametrize("speed", [0.5, 1, 40.0])
def test_each_chunk_is_yielded_when_its_last_sample_is_due(clock, collect, speed):
    start = clock.now
    chunks = replay(np.zeros(1000), fs=250, speed=speed, chunk=0.1)
    assert len(collect(chunks)) == 40
    np.testing.assert_allclose(clock.pauses, 0.1 / speed)
    assert clock.now == pytest.approx(start + 4 / speed)


def test_delays_do_not_add_up(clock):
    start, arrived = clock.now, []
    for number, _ in enumerate(replay(np.zeros(1000), fs=100, chunk=0.1)):
        arrived.append(clock.now - start)
        clock.now += 0.55 if number == 3 else 0.03
    due = 0.1 * np.arange(1, 101)
    assert (np.array(arrived) >= due - 1e-9).all()
    np.testing.assert_allclose(arrived[12:], due[12:])
    assert arrived[4] > 0.9  # late


@pytest.mark.parametrize(("max_lag", "n_hurried"), [(0, 1), (0.25, 3), (math.inf, 20)])
def test_delay_is_made_up_for_up_to_max_lag(clock, max_lag, n_hurried):
    chunks = replay(np.zeros(1000), fs=100, chunk=0.1, max_lag=max_lag)
    next(chunks)
    clock.now += 2.0 + 0.05  # the consumer is slow
    clock.pauses.clear()
    assert sum(len(chunk) for chunk in chunks) == 990
    assert sum(pause == 0 for pause in clock.pauses) == n_hurried
    np.testing.assert_allclose(clock.pauses[n_hurried + 1 :], 0.1)


def test_real_clock():
    start = time.monotonic()
    for _ in replay(np.zeros(300), fs=1000, chunk=0.05):
        pass
    assert 0.3 <= time.monotonic() - start < 3


def test_infinite_speed_does_not_wait(clock):
    list(replay(np.zeros(1000), fs=250, speed=math.inf))
    assert sum(clock.pauses) == 0


def test_iteration_goes_on_where_it_was_left():
    signal = np.arange(100.0)
    chunks = replay(signal, fs=100, speed=math.inf)
    first = next(iter(chunks))
    assert chunks.n_samples == len(first) == 10
    rest = [*chunks]
    assert np.array_equal(np.concatenate([first, *rest]), signal)
    assert list(chunks) == []


def test_canceled_wait_loses_no_chunk():
    chunks = replay(np.arange(100.0), fs=100, speed=1, chunk=0.1)

    async def cancel_and_take():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(chunks), 0.01)
        return await anext(chunks)

    assert np.array_equal(asyncio.run(cancel_and_take()), np.arange(10.0))


def test_simulated_patient():
    patient = make_recording(5, n_leads=2, random_state=0)
    chunks = replay(patient, speed=math.inf)
    assert (chunks.fs, chunks.lead_names) == (360.0, ["MLII", "V1"])
    assert np.array_equal(np.concatenate([*chunks], axis=1), patient.signal)


def test_wfdb_record_with_a_gap(tmp_path):
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        wfdb = pytest.importorskip("wfdb", reason="requires wfdb")
    signal = np.round(make_recording(5, random_state=0).signal, 2)[:, np.newaxis]
    signal[200:300] = np.nan
    layout = {"fmt": ["16"], "adc_gain": [200.0], "baseline": [0], "write_dir": str(tmp_path)}
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # of pandas
        wfdb.wrsamp("100", 360, ["mV"], ["MLII"], signal, **layout)
    chunks = replay(tmp_path / "100", speed=math.inf)
    assert (chunks.fs, chunks.lead_names) == (360.0, ["MLII"])
    replayed = np.concatenate([*chunks], axis=1)
    np.testing.assert_allclose(replayed, signal.T, atol=0.006)


def test_file_without_a_sampling_rate(tmp_path):
    np.save(tmp_path / "ecg.npy", np.zeros(50))
    chunks = replay(str(tmp_path / "ecg.npy"), fs=100, speed=math.inf)
    assert chunks.fs == 100
    assert sum(chunk.shape[1] for chunk in chunks) == 50


@pytest.mark.parametrize(
    ("source", "options", "error", "message"),
    [
        (np.zeros(50), {}, ValueError, "pass fs in Hz"),
        (np.zeros(50), {"fs": -1}, ValueError, "fs must be greater than 0"),
        (np.zeros(50), {"fs": 100, "max_lag": -1}, ValueError, "max_lag must be 0 or greater"),
        (np.zeros(50), {"fs": 100, "speed": 0}, ValueError, "speed must be greater than 0"),
        (np.zeros(50), {"fs": 100, "speed": math.nan}, ValueError, "speed must be greater"),
        (np.zeros(50), {"fs": 100, "speed": "fast"}, TypeError, "speed must be a number"),
        (np.zeros(50), {"fs": 100, "chunk": 0}, ValueError, "chunk must be greater than 0"),
        (np.zeros((50, 2)), {"fs": 100}, ValueError, r"Pass recording\.T"),
        (Bunch(recordings=[]), {}, ValueError, "must have signal and fs"),
        (Bunch(signal=np.zeros(50), fs=100.0), {"fs": 50}, ValueError, "100 Hz, got 50"),
        ("no_such_record", {}, FileNotFoundError, "no_such_record"),
    ],
)
def test_wrong_arguments_raise(source, options, error, message):
    with pytest.raises(error, match=message):
        replay(source, **options)
