"""Streams that are opened again whenever they break, for asyncio."""

from __future__ import annotations

import asyncio
import json
from typing import Any, AsyncGenerator, Callable, Sequence

from ..errors import EdgeUnreachable
from ..models import Signal
from .._core.calls import Calls
from .._core.exchange import Request, backoff, is_transient
from .._core.sse import Event, EventReader
from .._sync.follow import MAX_DELAY, SILENCE, OnInterrupted, seq_of, signal_of
from .transport import AsyncTransport

__all__ = ["follow", "follow_queue"]


async def follow(
    transport: AsyncTransport,
    calls: Calls,
    names: Sequence[str],
    after: int | None,
    on_interrupted: OnInterrupted | None,
) -> AsyncGenerator[Signal, None]:
    """Signals as they come, each once and in the order of the log, across lost connections."""
    last = await transport.run(calls.last_seq()) if after is None else after
    async for event in _across(transport, lambda: calls.stream(last, names), on_interrupted):
        signal = signal_of(event)
        if signal is not None and signal.seq > last:
            yield signal
            last = signal.seq
        last = max(last, seq_of(event))


async def follow_queue(
    transport: AsyncTransport, calls: Calls, queue: str, tail: int, on_interrupted: OnInterrupted | None
) -> AsyncGenerator[dict[str, Any], None]:
    """The latest events of a queue, and new ones as they happen."""
    last_id: str | None = None
    async for event in _across(transport, lambda: calls.queue_events(queue, tail, last_id), on_interrupted):
        last_id = event.get("id", last_id)
        if "data" in event:
            yield json.loads(event["data"])


async def _across(
    transport: AsyncTransport, request: Callable[[], Request], on_interrupted: OnInterrupted | None
) -> AsyncGenerator[Event, None]:
    failures = 0
    first = True
    while True:
        reason = "the stream ended"
        stream = transport.stream(request(), SILENCE)
        try:
            reader = EventReader()
            async for data in stream:
                failures = 0
                for event in reader.feed(data):
                    yield event
        except Exception as error:
            # The first attempt shows whether there is an edge at all.
            if first or not is_transient(error):
                raise
            reason = "no edge answers" if isinstance(error, EdgeUnreachable) else "the edge is overloaded"
        finally:
            await stream.aclose()
        first = False
        failures += 1
        delay = backoff(failures, MAX_DELAY)
        if on_interrupted is not None:
            on_interrupted(reason, delay)
        await asyncio.sleep(delay)
