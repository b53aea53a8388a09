"""Channels over sockets: how one is opened, and that of a worker, for one thread; another one may wake it."""

from __future__ import annotations

import selectors
import socket
import time

from .._core.exchange import Request
from .._core.frames import PING_EVERY, refusal_in
from .._core.http1 import MalformedAnswer
from .._core.settings import Settings
from .._core.websocket import Upgrade, closing
from .._core.work import Plan
from .._core.work_channel import PROTOCOL, Given, Withdrawn, WorkChannel
from ..errors import EdgeUnreachable
from .transport import reason_of, tls_context

__all__ = ["PIECE", "Channel", "Wake", "open_web_socket"]

PIECE = 65_536


def open_web_socket(settings: Settings, request: Request, protocol: str) -> tuple[socket.socket, bytes]:
    """:returns: with what came already

    :raises ApiProblem: the edge refused
    :raises EdgeUnreachable: no edge answered, or somebody on the way knows no WebSockets
    """
    upgrade = Upgrade(settings, request, protocol)
    try:
        opened = socket.create_connection((settings.host, settings.port), request.timeout)
    except OSError as error:
        raise EdgeUnreachable(settings.origin, reason_of(error)) from error
    try:
        if settings.scheme == "https":
            opened = tls_context().wrap_socket(opened, server_hostname=settings.host)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.sendall(upgrade.head)
        body = b""
        while not upgrade.accepted:
            piece = opened.recv(PIECE)
            if not piece:
                raise MalformedAnswer("the connection ended before the answer did")
            body += upgrade.feed(piece)
            refusal = refusal_in(upgrade, body)
            if refusal is not None:
                raise refusal
    except (OSError, MalformedAnswer) as error:
        opened.close()
        raise EdgeUnreachable(settings.origin, reason_of(error)) from error
    except BaseException:
        opened.close()
        raise
    return opened, upgrade.rest


class Wake:
    """Ends a wait of another thread, or of the code that a signal has interrupted."""

    __slots__ = ("reader", "_writer")

    def __init__(self) -> None:
        self.reader, self._writer = socket.socketpair()
        self.reader.setblocking(False)
        self._writer.setblocking(False)

    def ring(self) -> None:
        try:
            self._writer.send(b"!")
        except (BlockingIOError, OSError):
            pass  # it rings already, or nobody listens any more

    def hush(self) -> None:
        try:
            while self.reader.recv(64):
                pass
        except BlockingIOError:
            pass

    def close(self) -> None:
        self.reader.close()
        self._writer.close()


class Channel:
    def __init__(self, settings: Settings, request: Request, wake: Wake) -> None:
        """:raises ApiProblem: the edge refused
        :raises EdgeUnreachable: no edge answered, or somebody on the way knows no WebSockets
        """
        self._origin = settings.origin
        self._wake = wake
        self._state = WorkChannel()
        self._pinged = time.monotonic()
        self._socket, self._waiting = open_web_socket(settings, request, PROTOCOL)

    def ready(self, plan: Plan, credit: int) -> None:
        self._send(self._state.ready(plan, credit))

    def receive(self, seconds: float) -> list[Given | Withdrawn]:
        """What came, as soon as something did; nothing, where the time is over or the channel was woken.

        :raises EdgeUnreachable: the channel is lost
        :raises ApiProblem: the queue will never give this worker a task
        """
        self._keep_alive()
        try:
            data, self._waiting = self._waiting, b""
            if not data and self._may_read(seconds):
                data = self._socket.recv(PIECE)
                if not data:
                    raise EdgeUnreachable(self._origin, "the channel was closed")
            said, back = self._state.feed(data) if data else ([], b"")
        except (OSError, MalformedAnswer, ValueError, KeyError) as error:
            if isinstance(error, EdgeUnreachable):
                raise
            raise EdgeUnreachable(self._origin, reason_of(error)) from error
        if back:
            self._send(back)
        if self._state.closed:
            raise EdgeUnreachable(self._origin, "the channel was closed")
        return said

    def close(self) -> None:
        """The queue releases at once the tasks that this end still holds, without counting their attempts."""
        try:
            self._send(closing())
            self._socket.shutdown(socket.SHUT_WR)
            self._socket.settimeout(1.0)
            while self._socket.recv(PIECE):
                pass  # until the queue has closed it, too
        except OSError:
            pass  # it has ended by itself
        finally:
            self._socket.close()

    def abort(self) -> None:
        """Ends the connection without a word: the leases go on, and are extended over the next one."""
        self._socket.close()

    def _may_read(self, seconds: float) -> bool:
        pending = getattr(self._socket, "pending", None)
        if pending is not None and pending() > 0:
            return True
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            selector.register(self._wake.reader, selectors.EVENT_READ)
            ready = [key.fileobj for key, _ in selector.select(seconds)]
        if self._wake.reader in ready:
            self._wake.hush()
        return self._socket in ready

    def _keep_alive(self) -> None:
        if time.monotonic() < self._pinged + PING_EVERY:
            return
        self._pinged = time.monotonic()
        ping = self._state.ping()
        if ping is None:
            raise EdgeUnreachable(self._origin, "the channel is silent")
        self._send(ping)

    def _send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise EdgeUnreachable(self._origin, reason_of(error)) from error
