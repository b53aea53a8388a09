"""Sends requests over asyncio's streams, with connections that are kept open."""

from __future__ import annotations

import asyncio
from typing import AsyncGenerator, Awaitable, Callable

from ..errors import EdgeUnreachable, GanglionError, problem_from
from .._core.exchange import Answer, Flow, Pause, Request, Response
from .._core.host_agent import AgentRequest
from .._core.http1 import MalformedAnswer, ResponseReader, head_of
from .._core.settings import Settings
from .._sync.transport import reason_of, tls_context
from .agent_socket import ask_agent

__all__ = ["AsyncTransport", "Connection"]

_MAX_IDLE = 32
_PIECE = 65_536


class Connection:
    __slots__ = ("reader", "writer")

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @property
    def has_ended(self) -> bool:
        return self.reader.at_eof() or self.writer.is_closing() or self.reader.exception() is not None

    def close(self) -> None:
        self.writer.close()


class AsyncTransport:
    __slots__ = ("_closed", "_idle", "_loop", "_settings", "_tls")

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tls = tls_context() if settings.scheme == "https" else None
        self._idle: list[Connection] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    async def run(
        self, flow: Flow[Answer], send: Callable[[Request], Awaitable[Response]] | None = None
    ) -> Answer:
        """Does what a flow wants done until it returns.

        :param send: sends its requests in the place of ``send`` of this transport
        """
        send = send or self.send
        try:
            step = next(flow)
            while True:
                if isinstance(step, Pause):
                    await asyncio.sleep(step.seconds)
                    step = flow.send(None)
                    continue
                if isinstance(step, AgentRequest):
                    step = flow.send(await ask_agent(step))
                    continue
                try:
                    response = await send(step)
                except EdgeUnreachable as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(response)
        except StopIteration as end:
            answer: Answer = end.value
            return answer

    async def send(self, request: Request) -> Response:
        """:raises EdgeUnreachable: no answer"""
        try:
            # `wait_for` and not `timeout`, which Python 3.10 does not have.
            return await asyncio.wait_for(self._send(request), request.timeout)
        except (OSError, EOFError, MalformedAnswer, asyncio.TimeoutError) as error:
            raise self._unreachable(error) from error

    async def stream(self, request: Request, silence: float) -> AsyncGenerator[bytes, None]:
        """The bytes of an answer as they come, until it ends or is silent for too long.

        :raises ApiProblem: the edge refused
        :raises EdgeUnreachable: no answer
        """
        connection: Connection | None = None
        try:
            try:
                connection = await asyncio.wait_for(self._connect(), request.timeout)
                reader = ResponseReader()
                connection.writer.write(head_of(self._settings, request))
                data = await asyncio.wait_for(self._head(connection, reader), request.timeout)
                if reader.status >= 300:
                    data += await asyncio.wait_for(self._rest(connection, reader), request.timeout)
                    raise problem_from(reader.status, data, reader.headers.get("retry-after"))
            except (OSError, EOFError, MalformedAnswer, asyncio.TimeoutError) as error:
                raise self._unreachable(error) from error
            yield data
            while not reader.done:
                try:
                    piece = await asyncio.wait_for(connection.reader.read(_PIECE), silence)
                    if not piece:
                        return
                    data = reader.feed(piece)
                except (OSError, MalformedAnswer, asyncio.TimeoutError):
                    return  # its reader opens the next one
                if data:
                    yield data
        finally:
            if connection is not None:
                connection.close()

    async def close(self) -> None:
        self._closed = True
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    async def _send(self, request: Request) -> Response:
        connection = await self._take()
        try:
            reader = ResponseReader()
            connection.writer.write(head_of(self._settings, request) + (request.body or b""))
            await connection.writer.drain()
            body = await self._head(connection, reader)
            body += await self._rest(connection, reader)
        except BaseException:
            # Also where the caller is cancelled: the rest of the answer must not become that of the next request.
            connection.close()
            raise
        if reader.keep_alive and not self._closed and len(self._idle) < _MAX_IDLE:
            self._idle.append(connection)
        else:
            connection.close()
        return Response(reader.status, reader.headers, body)

    async def _head(self, connection: Connection, reader: ResponseReader) -> bytes:
        """:returns: what came of the body with the head"""
        while True:
            piece = await connection.reader.read(_PIECE)
            if not piece:
                reader.end()
                return b""
            data = reader.feed(piece)
            if reader.status != 0:
                return data

    async def _rest(self, connection: Connection, reader: ResponseReader) -> bytes:
        parts: list[bytes] = []
        while not reader.done:
            piece = await connection.reader.read(_PIECE)
            if not piece:
                reader.end()
                break
            parts.append(reader.feed(piece))
        return b"".join(parts)

    async def _take(self) -> Connection:
        if self._closed:
            raise GanglionError("the client was closed: make a new one")
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            # Connections belong to the loop that opened them, which may have ended.
            self._idle, self._loop = [], loop
        while self._idle:
            connection = self._idle.pop()
            if not connection.has_ended:
                return connection
            connection.close()
        return await self._connect()

    async def _connect(self) -> Connection:
        settings = self._settings
        reader, writer = await asyncio.open_connection(settings.host, settings.port, ssl=self._tls)
        return Connection(reader, writer)

    def _unreachable(self, error: BaseException) -> EdgeUnreachable:
        late = isinstance(error, (asyncio.TimeoutError, TimeoutError))
        return EdgeUnreachable(self._settings.origin, "no answer in time" if late else reason_of(error))
