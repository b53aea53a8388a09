"""Sends requests over ``http.client``, with connections that are kept open. May be used by many threads."""

from __future__ import annotations

import http.client
import os
import selectors
import socket
import threading
import time
from typing import TYPE_CHECKING, Callable, Iterator

from ..errors import EdgeUnreachable, GanglionError, problem_from
from .._core.exchange import Answer, Flow, Pause, Request, Response
from .._core.host_agent import AgentRequest
from .._core.http1 import headers_for
from .._core.settings import Settings
from .agent_socket import ask_agent

if TYPE_CHECKING:
    import ssl

__all__ = ["ByteStream", "Transport", "reason_of", "tls_context"]

_MAX_IDLE = 32


class Transport:
    __slots__ = ("_closed", "_idle", "_lock", "_pid", "_settings", "_tls")

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tls = tls_context() if settings.scheme == "https" else None
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._closed = False

    def run(self, flow: Flow[Answer], send: Callable[[Request], Response] | None = None) -> Answer:
        """Does what a flow wants done until it returns.

        :param send: sends its requests in the place of ``send`` of this transport
        """
        send = send or self.send
        try:
            step = next(flow)
            while True:
                if isinstance(step, Pause):
                    time.sleep(step.seconds)
                    step = flow.send(None)
                    continue
                if isinstance(step, AgentRequest):
                    step = flow.send(ask_agent(step))
                    continue
                try:
                    response = send(step)
                except EdgeUnreachable as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(response)
        except StopIteration as end:
            answer: Answer = end.value
            return answer

    def send(self, request: Request) -> Response:
        """:raises EdgeUnreachable: no answer"""
        connection = self._take(request.timeout)
        try:
            response = self._ask(connection, request)
            body = response.read()
        except BaseException as error:
            # Also where the program is interrupted: the rest of the answer must not become that of the next request.
            connection.close()
            raise self._unreachable(error) from error
        if response.will_close:
            connection.close()
        else:
            self._give_back(connection)
        return Response(response.status, {name.lower(): value for name, value in response.getheaders()}, body)

    def stream(self, request: Request, silence: float) -> ByteStream:
        """Opens an answer that goes on. :param silence: longest wait for its next bytes

        :raises ApiProblem: the edge refused
        :raises EdgeUnreachable: no answer
        """
        connection = self._connect(request.timeout)
        try:
            response = self._ask(connection, request)
            if response.status >= 300:
                raise problem_from(response.status, response.read(), response.getheader("Retry-After"))
            sock: socket.socket | None = connection.sock
            if sock is not None:
                sock.settimeout(silence)
        except GanglionError:
            connection.close()
            raise
        except BaseException as error:
            connection.close()
            raise self._unreachable(error) from error
        return ByteStream(connection, response, sock)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _ask(self, connection: http.client.HTTPConnection, request: Request) -> http.client.HTTPResponse:
        connection.request(
            request.method, request.target, body=request.body, headers=headers_for(self._settings, request)
        )
        return connection.getresponse()

    def _take(self, timeout: float) -> http.client.HTTPConnection:
        if self._closed:
            raise GanglionError("the client was closed: make a new one")
        while True:
            with self._lock:
                if self._pid != os.getpid():
                    # After a fork the sockets are the parent's too: two processes must not write on one.
                    self._idle, self._pid = [], os.getpid()
                if not self._idle:
                    break
                connection = self._idle.pop()
            sock: socket.socket | None = connection.sock
            if sock is None or _has_ended(sock):
                connection.close()
                continue
            sock.settimeout(timeout)
            return connection
        return self._connect(timeout)

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        host, port = self._settings.host, self._settings.port
        if self._tls is not None:
            return http.client.HTTPSConnection(host, port, timeout=timeout, context=self._tls)
        return http.client.HTTPConnection(host, port, timeout=timeout)

    def _give_back(self, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            if not self._closed and self._pid == os.getpid() and len(self._idle) < _MAX_IDLE:
                self._idle.append(connection)
                return
        connection.close()

    def _unreachable(self, error: BaseException) -> BaseException:
        if isinstance(error, (OSError, http.client.HTTPException)):
            return EdgeUnreachable(self._settings.origin, reason_of(error))
        return error


class ByteStream:
    """The bytes of an answer as they come. ``close`` may be called by another thread, and ends the iteration."""

    __slots__ = ("_closed", "_connection", "_response", "_sock")

    def __init__(
        self,
        connection: http.client.HTTPConnection,
        response: http.client.HTTPResponse,
        sock: socket.socket | None,
    ) -> None:
        self._connection = connection
        self._response = response
        self._sock = sock
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        try:
            while not self._closed:
                data = self._response.read1(65_536)
                if not data:
                    return
                yield data
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            # The connection broke, was silent for too long, or was closed here: its reader opens the next one.
            return
        finally:
            self._connection.close()

    def close(self) -> None:
        self._closed = True
        if self._sock is not None:
            try:
                self._sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it has ended by itself


def tls_context() -> ssl.SSLContext:
    """Loaded where it is wanted: an edge on this machine speaks no TLS."""
    import ssl

    return ssl.create_default_context()


def reason_of(error: BaseException) -> str:
    if isinstance(error, (TimeoutError, socket.timeout)):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, socket.gaierror):
        return "no such host"
    verification = getattr(error, "verify_message", None)
    if verification:
        return f"its certificate is not trusted: {verification}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _has_ended(sock: socket.socket) -> bool:
    """Nothing may come on an idle connection but its end."""
    with selectors.DefaultSelector() as selector:
        try:
            selector.register(sock, selectors.EVENT_READ)
        except (OSError, ValueError):
            return True
        return bool(selector.select(0))
