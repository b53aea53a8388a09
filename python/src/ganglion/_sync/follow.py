"""Streams that are opened again whenever they break."""

from __future__ import annotations

import json
import threading
from types import TracebackType
from typing import Any, Callable, Generic, Iterator, Sequence, TypeVar

from ..errors import EdgeUnreachable
from ..models import Signal, read
from .._core.calls import Calls
from .._core.exchange import Request, backoff, is_transient
from .._core.sse import Event, EventReader
from .transport import ByteStream, Transport

__all__ = ["MAX_DELAY", "SILENCE", "Following", "QueueFollowing"]

SILENCE = 45.0
"""The edge sends a comment every 15 seconds: after three missed ones the connection is dead."""
MAX_DELAY = 10.0

Item = TypeVar("Item")
Self = TypeVar("Self")
OnInterrupted = Callable[[str, float], None]


class _Stream(Generic[Item]):
    """Iterates over what comes; ``close``, also of another thread, ends the iteration."""

    def __init__(self, transport: Transport, on_interrupted: OnInterrupted | None) -> None:
        self._transport = transport
        self._on_interrupted = on_interrupted
        self._closed = threading.Event()
        self._stream: ByteStream | None = None
        self._items = self._across()

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        return next(self._items)

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._closed.set()
        stream = self._stream
        if stream is not None:
            stream.close()

    def _request(self) -> Request:
        raise NotImplementedError

    def _taken(self, event: Event) -> Iterator[Item]:
        raise NotImplementedError

    def _across(self) -> Iterator[Item]:
        failures = 0
        first = True
        while not self._closed.is_set():
            reason = "the stream ended"
            try:
                self._stream = self._transport.stream(self._request(), SILENCE)
                if self._closed.is_set():
                    self._stream.close()
                reader = EventReader()
                for data in self._stream:
                    failures = 0
                    for event in reader.feed(data):
                        yield from self._taken(event)
            except Exception as error:
                if self._closed.is_set():
                    return
                # The first attempt shows whether there is an edge at all.
                if first or not is_transient(error):
                    raise
                reason = "no edge answers" if isinstance(error, EdgeUnreachable) else "the edge is overloaded"
            first = False
            failures += 1
            delay = backoff(failures, MAX_DELAY)
            if self._closed.is_set():
                return
            if self._on_interrupted is not None:
                self._on_interrupted(reason, delay)
            self._closed.wait(delay)


class Following(_Stream[Signal]):
    """Signals as they come, each once and in the order of the log, across lost connections.

    ``after`` is the place up to which they were given: start behind it to go on in another process.
    """

    def __init__(
        self,
        transport: Transport,
        calls: Calls,
        names: Sequence[str],
        after: int | None,
        on_interrupted: OnInterrupted | None,
    ) -> None:
        self._calls = calls
        self._names = names
        # "From now on" becomes a number before the stream opens: a connection that is lost before the first signal misses
        # none.
        self.after = transport.run(calls.last_seq()) if after is None else after
        super().__init__(transport, on_interrupted)

    def _request(self) -> Request:
        return self._calls.stream(self.after, self._names)

    def _taken(self, event: Event) -> Iterator[Signal]:
        signal = signal_of(event)
        if signal is not None and signal.seq > self.after:
            yield signal
            self.after = signal.seq
        self.after = max(self.after, seq_of(event))


class QueueFollowing(_Stream[dict[str, Any]]):
    """The latest events of a queue, and new ones as they happen."""

    def __init__(
        self, transport: Transport, calls: Calls, queue: str, tail: int, on_interrupted: OnInterrupted | None
    ) -> None:
        self._calls = calls
        self._queue = queue
        self._tail = tail
        self._last_id: str | None = None
        super().__init__(transport, on_interrupted)

    def _request(self) -> Request:
        return self._calls.queue_events(self._queue, self._tail, self._last_id)

    def _taken(self, event: Event) -> Iterator[dict[str, Any]]:
        self._last_id = event.get("id", self._last_id)
        if "data" in event:
            yield json.loads(event["data"])


def signal_of(event: Event) -> Signal | None:
    """An event holds a signal, or only an id that moves the place."""
    return read(Signal, json.loads(event["data"])) if "data" in event else None


def seq_of(event: Event) -> int:
    id = event.get("id", "")
    return int(id) if id.isdigit() else 0
