"""Channels over asyncio's streams: how one is opened, and that of a worker."""

from __future__ import annotations

import asyncio
import time

from .._core.exchange import Request
from .._core.frames import PING_EVERY, refusal_in
from .._core.http1 import MalformedAnswer
from .._core.settings import Settings
from .._core.websocket import Upgrade, closing
from .._core.work import Plan
from .._core.work_channel import PROTOCOL, Given, Withdrawn, WorkChannel
from .._sync.transport import reason_of, tls_context
from ..errors import EdgeUnreachable

__all__ = ["PIECE", "AsyncChannel", "open_channel", "open_streams"]

PIECE = 65_536


async def open_channel(settings: Settings, request: Request) -> AsyncChannel:
    """As ``open_streams``, for the tasks of a queue."""
    return AsyncChannel(settings.origin, *await open_streams(settings, request, PROTOCOL))


async def open_streams(
    settings: Settings, request: Request, protocol: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]:
    """:returns: with what came already

    :raises ApiProblem: the edge refused
    :raises EdgeUnreachable: no edge answered, or somebody on the way knows no WebSockets
    """
    tls = tls_context() if settings.scheme == "https" else None
    upgrade = Upgrade(settings, request, protocol)
    writer: asyncio.StreamWriter | None = None
    try:
        opening = asyncio.open_connection(settings.host, settings.port, ssl=tls)
        reader, opened = await asyncio.wait_for(opening, request.timeout)
        writer = opened
        writer.write(upgrade.head)
        body = b""
        while not upgrade.accepted:
            piece = await asyncio.wait_for(reader.read(PIECE), request.timeout)
            if not piece:
                raise MalformedAnswer("the connection ended before the answer did")
            body += upgrade.feed(piece)
            refusal = refusal_in(upgrade, body)
            if refusal is not None:
                raise refusal
    except (OSError, MalformedAnswer, asyncio.TimeoutError) as error:
        if writer is not None:
            writer.close()
        raise EdgeUnreachable(settings.origin, reason_of(error)) from error
    except BaseException:
        if writer is not None:
            writer.close()
        raise
    return reader, opened, upgrade.rest


class AsyncChannel:
    def __init__(
        self, origin: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, waiting: bytes
    ) -> None:
        self._origin = origin
        self._reader = reader
        self._writer = writer
        self._waiting = waiting
        self._state = WorkChannel()
        self._pinged = time.monotonic()
        self._reading: asyncio.Task[bytes] | None = None

    def ready(self, plan: Plan, credit: int) -> None:
        self._writer.write(self._state.ready(plan, credit))

    async def receive(self, seconds: float, wake: asyncio.Event) -> list[Given | Withdrawn]:
        """What came, as soon as something did; nothing, where the time is over or ``wake`` is set.

        :raises EdgeUnreachable: the channel is lost
        :raises ApiProblem: the queue will never give this worker a task
        """
        self._keep_alive()
        data, self._waiting = self._waiting, b""
        try:
            if not data:
                # The same read goes on over several calls: one that is cancelled could lose what it has read.
                self._reading = self._reading or asyncio.ensure_future(self._reader.read(PIECE))
                woken: asyncio.Future[object] = asyncio.ensure_future(wake.wait())
                both: set[asyncio.Future[object]] = {self._reading, woken}  # type: ignore[arg-type]
                try:
                    await asyncio.wait(both, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    woken.cancel()
                if not self._reading.done():
                    return []
                data, self._reading = self._reading.result(), None
                if not data:
                    raise EdgeUnreachable(self._origin, "the channel was closed")
            said, back = self._state.feed(data)
        except (OSError, MalformedAnswer, ValueError, KeyError) as error:
            if isinstance(error, EdgeUnreachable):
                raise
            raise EdgeUnreachable(self._origin, reason_of(error)) from error
        if back:
            self._writer.write(back)
        if self._state.closed:
            raise EdgeUnreachable(self._origin, "the channel was closed")
        return said

    async def close(self) -> None:
        """The queue releases at once the tasks that this end still holds, without counting their attempts."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        try:
            self._writer.write(closing())
            await asyncio.wait_for(self._reader.read(), 1.0)  # until the queue has closed it, too
        except (OSError, asyncio.TimeoutError):
            pass  # it has ended by itself
        finally:
            self._writer.close()

    def abort(self) -> None:
        """Ends the connection without a word: the leases go on, and are extended over the next one."""
        if self._reading is not None:
            self._reading.cancel()
        self._writer.close()

    def _keep_alive(self) -> None:
        if time.monotonic() < self._pinged + PING_EVERY:
            return
        self._pinged = time.monotonic()
        ping = self._state.ping()
        if ping is None:
            raise EdgeUnreachable(self._origin, "the channel is silent")
        self._writer.write(ping)
