"""Locks over one channel, for the coroutines of a program that locks often."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Callable

from .._core.exchange import Answer, Edge, Flow, Request, Response
from .._core.frames import PING_EVERY
from .._core.held_lock import HeldLock, LockWish, Mode
from .._core.http1 import MalformedAnswer
from .._core.lock_channel import (
    CHANNEL_RETRY,
    CHANNEL_WAIT,
    LOCK_PROTOCOL,
    LockChannel,
    LockRequest,
    lock_channel_request,
    wants_http,
)
from .._core.websocket import closing
from .._sync.transport import reason_of
from ..errors import ApiProblem, EdgeUnreachable
from .channel import PIECE, open_streams
from .coordination import AsyncLocked
from .transport import AsyncTransport

__all__ = ["AsyncLocks"]


class AsyncLocks:
    """As ``Locks``, for the coroutines of one loop."""

    def __init__(self, edge: Edge, transport: AsyncTransport, on_remark: Callable[[str], None] | None = None) -> None:
        self._edge = edge
        self._transport = transport
        self._on_remark = on_remark
        self._opening: asyncio.Task[_Connected | None] | None = None
        self._retry_at = 0.0
        self._closed = False

    async def __aenter__(self) -> AsyncLocks:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    def lock(
        self,
        name: str,
        *,
        owner: str | None = None,
        ttl: float = 60.0,
        mode: Mode = "exclusive",
        wait: float | None = None,
        task: str | None = None,
    ) -> AsyncLocked:
        """As ``AsyncClient.lock``."""
        return self.lock_for(LockWish(name, owner, ttl, mode, wait, task))

    def lock_for(self, wish: LockWish) -> AsyncLocked:
        return AsyncLocked(self, HeldLock(self._edge, wish, longest_wait=CHANNEL_WAIT))

    async def close(self) -> None:
        """Closes the channel. What is held is held on until its TTL."""
        self._closed = True
        opening, self._opening = self._opening, None
        channel = None if opening is None else await opening
        if channel is not None:
            await channel.close()

    async def run(self, flow: Flow[Answer]) -> Answer:
        return await self._transport.run(flow, self._send)

    async def _send(self, request: Request) -> Response:
        if not isinstance(request, LockRequest):
            return await self._transport.send(request)
        channel = await self._open()
        if channel is not None:
            response = await channel.ask(request)
            if not wants_http(response):
                return response
        return await self._transport.send(request.over_http())

    async def _open(self) -> _Connected | None:
        """``None``: no channel can be opened now."""
        loop = asyncio.get_running_loop()
        opening = self._opening
        if opening is not None and opening.get_loop() is not loop:
            # A connection belongs to the loop that opened it, which may have ended.
            opening = self._opening = None
        if opening is not None and opening.done() and (channel := opening.result()) is not None and channel.over:
            opening = self._opening = None
        if opening is None:
            if self._closed or time.monotonic() < self._retry_at:
                return None
            # A task of its own: the coroutine that is first may be cancelled, and others wait for the channel, too.
            opening = self._opening = loop.create_task(self._connect())
        return await asyncio.shield(opening)

    async def _connect(self) -> _Connected | None:
        try:
            return _Connected(
                self._edge.settings.origin,
                *await open_streams(self._edge.settings, lock_channel_request(self._edge), LOCK_PROTOCOL),
            )
        except (ApiProblem, EdgeUnreachable) as error:
            # A refusal by the edge itself comes over HTTP too.
            self._opening = None
            self._retry_at = time.monotonic() + CHANNEL_RETRY
            if self._on_remark is not None:
                self._on_remark(f"the channel for locks could not be opened ({error}); locking over plain HTTP")
            return None


class _Connected:
    """One open channel, and the task that reads it. It ends once: what was asked and not answered is to be asked again."""

    def __init__(self, origin: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rest: bytes) -> None:
        self._origin = origin
        self._reader = reader
        self._writer = writer
        self._state = LockChannel()
        self._waiting: dict[str, asyncio.Future[Response]] = {}
        self._lost = "the channel was closed"
        self.over = False
        self._reading = asyncio.get_running_loop().create_task(self._read(rest))

    async def ask(self, request: LockRequest) -> Response:
        """A wait that is cancelled takes the request back.

        :raises EdgeUnreachable: the channel is lost, or no answer came in time
        """
        if self.over:
            raise EdgeUnreachable(self._origin, self._lost)
        id, frame = self._state.ask(request)
        answer = self._waiting[id] = asyncio.get_running_loop().create_future()
        self._writer.write(frame)
        try:
            return await asyncio.wait_for(answer, request.timeout)
        except asyncio.TimeoutError:
            self._state.forget(id)
            raise EdgeUnreachable(self._origin, "no answer in time") from None
        except asyncio.CancelledError:
            came = answer.done() and not answer.cancelled() and answer.exception() is None
            back = self._state.take_back(id, request, answer.result() if came else None)
            if not self.over:
                self._writer.write(back)
            raise
        finally:
            self._waiting.pop(id, None)

    async def close(self) -> None:
        if not self.over:
            self._writer.write(closing())
        self._end("the channel was closed")
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self, rest: bytes) -> None:
        try:
            self._take(rest)
            # The same read goes on over several pings: one that is cancelled could lose what it has read.
            reading: asyncio.Future[bytes] | None = None
            try:
                while not self.over:
                    reading = reading or asyncio.ensure_future(self._reader.read(PIECE))
                    done, _ = await asyncio.wait({reading}, timeout=PING_EVERY)
                    if not done:
                        self._keep_alive()
                        continue
                    data, reading = reading.result(), None
                    if not data:
                        raise MalformedAnswer("the channel was closed")
                    self._take(data)
            finally:
                if reading is not None:
                    reading.cancel()
        except (OSError, MalformedAnswer, ValueError) as error:
            self._end(reason_of(error))
        finally:
            # Also after an error that nobody expected: what is asked on is asked over another channel.
            self._end("its reader has ended")

    def _take(self, data: bytes) -> None:
        answers, back = self._state.feed(data)
        if back:
            self._writer.write(back)
        for id, response in answers:
            answer = self._waiting.get(id)
            if answer is not None and not answer.done():
                answer.set_result(response)
        if self._state.closed:
            self._end("the channel was closed")

    def _keep_alive(self) -> None:
        ping = self._state.ping()
        if ping is None:
            self._end("the channel is silent")
        else:
            self._writer.write(ping)

    def _end(self, why: str) -> None:
        if self.over:
            return
        self.over, self._lost = True, why
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(EdgeUnreachable(self._origin, why))
        self._writer.close()
