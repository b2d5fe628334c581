"""Beats of a source of chunks, in asyncio."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from typing import Any, Protocol

from numpy.typing import ArrayLike

from ecgbeat.annotation import AnnotatedBeats


class _Stream(Protocol):
    """Methods of `BeatStream` that are called here."""

    def push(self, samples: ArrayLike) -> AnnotatedBeats: ...
    def flush(self) -> AnnotatedBeats: ...


def annotate_chunks(
    stream: _Stream, source: AsyncIterable[ArrayLike] | Iterable[ArrayLike]
) -> AsyncGenerator[AnnotatedBeats, None]:
    """Return an asynchronous generator of the beats of ``source``, see `BeatStream.annotate`."""
    if hasattr(source, "__array__"):
        raise TypeError(
            "source must be an iterable of chunks, got an array. Pass [signal], or "
            "ecgbeat.streaming.replay(signal, fs=...)."
        )
    if not hasattr(source, "__aiter__") and not hasattr(source, "__iter__"):
        raise TypeError(f"source must be an iterable of chunks, got {source!r}.")
    return _annotate(stream, source)


async def _annotate(stream: _Stream, source: Any) -> AsyncGenerator[AnnotatedBeats, None]:
    # no chunk is held at an await, so that none is lost if the consumer is canceled
    async for chunk in _chunks(source):
        beats = stream.push(chunk)
        if _has_content(beats):
            yield beats
    beats = stream.flush()
    if _has_content(beats):
        yield beats


async def _chunks(source: Any) -> AsyncGenerator[ArrayLike, None]:
    """Yield the chunks of an iterable; other tasks run in between even if it never waits."""
    if hasattr(source, "__aiter__"):
        async for chunk in source:
            yield chunk
            await asyncio.sleep(0)
    else:
        for chunk in source:
            yield chunk
            await asyncio.sleep(0)


def _has_content(beats: AnnotatedBeats) -> bool:
    return len(beats.sample) > 0 or (beats.unreadable is not None and len(beats.unreadable) > 0)
