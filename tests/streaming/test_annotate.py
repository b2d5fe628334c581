"""Tests of the beats of a source of chunks, in asyncio."""

import asyncio

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from ecgbeat import BeatAnnotator, BeatStream, RPeakSegmenter, ZScoreScaler
from ecgbeat.datasets import make_recording
from ecgbeat.streaming import replay

FS = 150.0


@pytest.fixture(scope="module")
def annotator():
    ecgs = [make_recording(30, fs=FS, random_state=seed) for seed in range(2)]
    classifier = make_pipeline(ZScoreScaler(), LogisticRegression(max_iter=1000))
    segmenter = RPeakSegmenter(FS, n_times=32)
    annotator = BeatAnnotator(classifier, fs=FS, segmenter=segmenter, min_quality=0.5)
    return annotator.fit([ecg.signal for ecg in ecgs], [ecg.annotation for ecg in ecgs])


@pytest.fixture(scope="module")
def signal():
    """Return 15 s of ECG, of which the electrode is lost for 3 s."""
    signal = make_recording(15, fs=FS, random_state=7).signal.copy()
    signal[900:1350] = np.nan
    return signal


@pytest.fixture(scope="module")
def expected(annotator, signal):
    """Return what pushes of the signal give."""
    stream = BeatStream(annotator)
    return flat([stream.push(signal), stream.flush()])


@pytest.fixture
def chunks(signal):
    return np.split(signal, range(15, len(signal), 15))


def flat(decided):
    """Return the beats and the unreadable seconds of several pushes."""
    beats = [
        (sample, label, *probability, at)
        for part in decided
        for sample, label, probability, at in zip(
            part.sample, part.symbol, part.probability, part.decided_at, strict=True
        )
    ]
    return beats, [tuple(row) for part in decided for row in part.unreadable.tolist()]


async def collect(beats, *, delay=None):
    collected = []
    async for part in beats:
        collected.append(part)
        if delay is not None:
            await asyncio.sleep(delay)
    return collected


async def as_async(chunks):
    for chunk in chunks:
        yield chunk


@pytest.mark.parametrize("kind", [list, iter, as_async])
def test_beats_are_those_of_pushes(annotator, chunks, expected, kind):
    decided = asyncio.run(collect(BeatStream(annotator).annotate(kind(chunks))))
    assert flat(decided) == expected
    assert len(expected[0]) > 8
    assert len(expected[1]) >= 2


def test_results_without_beats_and_unreadable_seconds_are_left_out(annotator, chunks):
    decided = asyncio.run(collect(BeatStream(annotator).annotate(chunks)))
    assert len(decided) < len(chunks)
    assert all(len(part.sample) or len(part.unreadable) for part in decided)


def test_slow_consumer_of_a_real_time_source_loses_nothing(annotator, signal, expected):
    source = replay(signal, fs=FS, speed=100)
    decided = asyncio.run(collect(BeatStream(annotator).annotate(source), delay=0.02))
    assert flat(decided) == expected


def test_chunks_wait_for_the_consumer(annotator, chunks):
    taken = []

    async def source():
        for number, chunk in enumerate(chunks):
            taken.append(number)
            yield chunk

    async def first_beats():
        beats = BeatStream(annotator).annotate(source())
        await anext(beats)
        n_taken = len(taken)
        await asyncio.sleep(0.02)
        assert len(taken) == n_taken < len(chunks)
        await beats.aclose()

    asyncio.run(first_beats())


def test_canceled_consumer_leaves_the_stream_usable(annotator, signal, expected):
    stream, source, decided = BeatStream(annotator), replay(signal, fs=FS, speed=50), []

    async def consume():
        async for part in stream.annotate(source):
            decided.append(part)

    async def interrupted():
        for _ in range(100):
            task = asyncio.create_task(consume())
            _, pending = await asyncio.wait([task], timeout=0.015)
            if not pending:
                return task.result()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert stream.n_samples == source.n_samples
        raise AssertionError

    asyncio.run(interrupted())
    assert flat(decided) == expected


def test_consumer_that_breaks_can_go_on(annotator, chunks, expected):
    stream, source = BeatStream(annotator), iter(chunks)

    async def in_two_parts():
        beats = stream.annotate(source)
        first = [await anext(beats)]
        await beats.aclose()
        return first + await collect(stream.annotate(source))

    assert flat(asyncio.run(in_two_parts())) == expected


def test_failing_source_does_not_end_the_signal(annotator, chunks, expected):
    stream = BeatStream(annotator)

    def failing():
        yield from chunks[:30]
        raise OSError("unplugged")

    async def collect_until_failure(decided):
        async for part in stream.annotate(failing()):
            decided.append(part)

    decided = []
    with pytest.raises(OSError, match="unplugged"):
        asyncio.run(collect_until_failure(decided))
    decided += asyncio.run(collect(stream.annotate(chunks[30:])))
    assert flat(decided) == expected


@pytest.mark.parametrize("kind", [list, as_async])
def test_other_tasks_run_while_a_source_never_waits(annotator, chunks, kind):
    ticks = []

    async def tick():
        while True:
            ticks.append(1)
            await asyncio.sleep(0)

    async def both():
        ticking = asyncio.create_task(tick())
        await collect(BeatStream(annotator).annotate(kind(chunks)))
        ticking.cancel()

    asyncio.run(both())
    assert len(ticks) > len(chunks) / 2


@pytest.mark.parametrize(
    ("source", "message"),
    [(np.zeros((2, 500)), "got an array"), (3.0, "got 3.0"), (None, "got None")],
)
def test_source_that_has_no_chunks_raises(annotator, source, message):
    with pytest.raises(TypeError, match=message):
        BeatStream(annotator).annotate(source)
