"""Locks over one channel, for the threads of a process that locks often."""

from __future__ import annotations

import os
import selectors
import socket
import threading
import time
from types import TracebackType
from typing import Callable

from .._core.exchange import Answer, Edge, Flow, Request, Response
from .._core.frames import PING_EVERY
from .._core.held_lock import HeldLock, LockWish, Mode
from .._core.http1 import MalformedAnswer
from .._core.interruption import Interruption
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
from ..errors import ApiProblem, EdgeUnreachable
from .channel import PIECE, open_web_socket
from .coordination import Locked
from .transport import Transport, reason_of

__all__ = ["Locks"]


class Locks:
    """Locks that are acquired, renewed and released over one channel. It is opened by the first request, and again after it was
    lost. Where none can be opened, and for what it has no place, HTTP is used. May be used by many threads."""

    def __init__(self, edge: Edge, transport: Transport, on_remark: Callable[[str], None] | None = None) -> None:
        self._edge = edge
        self._transport = transport
        self._on_remark = on_remark
        self._opening = threading.Lock()
        self._channel: _Connected | None = None
        self._pid = os.getpid()
        self._retry_at = 0.0
        self._closed = False

    def __enter__(self) -> Locks:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def lock(
        self,
        name: str,
        *,
        owner: str | None = None,
        ttl: float = 60.0,
        mode: Mode = "exclusive",
        wait: float | None = None,
        task: str | None = None,
    ) -> Locked:
        """As ``Client.lock``."""
        return self.lock_for(LockWish(name, owner, ttl, mode, wait, task))

    def lock_for(self, wish: LockWish, interruption: Interruption | None = None) -> Locked:
        """:param interruption: ends the wait"""
        return Locked(self, HeldLock(self._edge, wish, longest_wait=CHANNEL_WAIT, interruption=interruption))

    def close(self) -> None:
        """Closes the channel. What is held is held on until its TTL."""
        with self._opening:
            self._closed = True
            channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    def run(self, flow: Flow[Answer]) -> Answer:
        return self._transport.run(flow, self._send)

    def _send(self, request: Request) -> Response:
        channel = self._open() if isinstance(request, LockRequest) else None
        if channel is None or not isinstance(request, LockRequest):
            return self._transport.send(request.over_http() if isinstance(request, LockRequest) else request)
        response = channel.ask(request)
        return self._transport.send(request.over_http()) if wants_http(response) else response

    def _open(self) -> _Connected | None:
        """``None``: no channel can be opened now."""
        with self._opening:
            if self._pid != os.getpid():
                # After a fork the connection is the parent's: two processes must not write on one.
                self._channel, self._pid = None, os.getpid()
            if self._channel is not None and not self._channel.over:
                return self._channel
            self._channel = None
            if self._closed or time.monotonic() < self._retry_at:
                return None
            try:
                self._channel = _Connected(self._edge)
            except (ApiProblem, EdgeUnreachable) as error:
                # A refusal by the edge itself comes over HTTP too.
                self._retry_at = time.monotonic() + CHANNEL_RETRY
                if self._on_remark is not None:
                    self._on_remark(f"the channel for locks could not be opened ({error}); locking over plain HTTP")
            return self._channel


class _Waiting:
    __slots__ = ("ended", "response")

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.response: Response | None = None
        """``None``: the channel was lost, or the wait was interrupted."""


class _Connected:
    """One open channel, and the thread that reads it. It ends once: what was asked and not answered is to be asked again."""

    def __init__(self, edge: Edge) -> None:
        self._origin = edge.settings.origin
        self._socket, rest = open_web_socket(edge.settings, lock_channel_request(edge), LOCK_PROTOCOL)
        self._state = LockChannel()
        # Held for the state, and while it is written, so that frames leave in the order in which they were made.
        self._guard = threading.Lock()
        self._waiting: dict[str, _Waiting] = {}
        self._lost = "the channel was closed"
        self.over = False
        threading.Thread(target=self._read, args=(rest,), name="ganglion-locks", daemon=True).start()

    def ask(self, request: LockRequest) -> Response:
        """:raises EdgeUnreachable: the channel is lost, or no answer came in time
        :raises TaskCancelled: the task that the lock is for is not wanted any more; the request is taken back
        """
        waiting = _Waiting()
        with self._guard:
            if self.over:
                raise EdgeUnreachable(self._origin, self._lost)
            id, frame = self._state.ask(request)
            self._waiting[id] = waiting
            self._write(frame)
        try:
            with (request.interruption or Interruption()).waking(waiting.ended.set):
                answered = waiting.ended.wait(request.timeout)
        except BaseException:
            # Ctrl-C in the thread that waits.
            self._take_back(id, request, waiting)
            raise
        if waiting.response is not None:
            return waiting.response
        if request.interruption is not None and request.interruption.error is not None:
            self._take_back(id, request, waiting)
            raise request.interruption.error
        with self._guard:
            self._waiting.pop(id, None)
            self._state.forget(id)
        raise EdgeUnreachable(self._origin, self._lost if answered else "no answer in time")

    def close(self) -> None:
        with self._guard:
            self._write(closing())
        self._end("the channel was closed")

    def _take_back(self, id: str, request: LockRequest, waiting: _Waiting) -> None:
        with self._guard:
            self._waiting.pop(id, None)
            self._write(self._state.take_back(id, request, waiting.response))

    def _read(self, rest: bytes) -> None:
        try:
            self._take(rest)
            with selectors.DefaultSelector() as selector:
                selector.register(self._socket, selectors.EVENT_READ)
                while not self.over:
                    if not self._may_read(selector):
                        self._keep_alive()
                        continue
                    with self._guard:  # of a TLS connection two threads must not read and write at the same time
                        data = self._socket.recv(PIECE)
                    if not data:
                        raise MalformedAnswer("the channel was closed")
                    self._take(data)
        except (OSError, MalformedAnswer, ValueError) as error:
            self._end(reason_of(error))
        finally:
            # Also after an error that nobody expected: what is asked on is asked over another channel.
            self._end("its reader has ended")
            # Here, and by no other thread: this one waits on it.
            self._socket.close()

    def _may_read(self, selector: selectors.BaseSelector) -> bool:
        pending = getattr(self._socket, "pending", None)
        return (pending is not None and pending() > 0) or bool(selector.select(PING_EVERY))

    def _keep_alive(self) -> None:
        with self._guard:
            ping = self._state.ping()
            if ping is not None:
                self._write(ping)
        if ping is None:
            self._end("the channel is silent")

    def _take(self, data: bytes) -> None:
        with self._guard:
            answers, back = self._state.feed(data)
            self._write(back)
            for id, response in answers:
                waiting = self._waiting.pop(id, None)
                if waiting is not None:
                    waiting.response = response
                    waiting.ended.set()
        if self._state.closed:
            self._end("the channel was closed")

    def _write(self, data: bytes) -> None:
        """What cannot be written was not asked: the thread that reads learns of it, and ends the channel."""
        if not data or self.over:
            return
        try:
            self._socket.sendall(data)
        except OSError:
            self._shut()

    def _end(self, why: str) -> None:
        with self._guard:
            if self.over:
                return
            self.over, self._lost = True, why
            waiting, self._waiting = self._waiting, {}
            self._shut()
        for each in waiting.values():
            each.ended.set()

    def _shut(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended by itself
