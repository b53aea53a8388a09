"""Locks over one channel, without sockets: each request and its answer are one message. Where there is no channel, the same request
goes over HTTP."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Mapping

from ..errors import problem_from
from .exchange import Edge, Request, Response, to_json
from .frames import FrameChannel
from .ids import uuid7
from .interruption import Interruption
from .websocket import TEXT, written

__all__ = [
    "CHANNEL_RETRY",
    "CHANNEL_WAIT",
    "HTTP_WAIT",
    "LOCK_PROTOCOL",
    "LockChannel",
    "LockRequest",
    "lock_channel_request",
    "lock_request",
    "wants_http",
]

LOCK_PROTOCOL = "ganglion.locks.v1"
HTTP_WAIT = 10.0
"""One request over HTTP waits so long, in seconds: below what proxies give a request."""
CHANNEL_WAIT = 60.0
CHANNEL_RETRY = 30.0
"""While locks are held over HTTP: time between two attempts to open the channel. Each costs a request."""
_NETWORK = 10.0
_FULL = "/problems/channel-full"

What = Literal["acquire", "renew", "release"]


@dataclass(frozen=True, slots=True)
class LockRequest(Request):
    """One of the three requests by which a lock is held: as it is over HTTP, and as a frame over a channel."""

    what: What = "acquire"
    name: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    interruption: Interruption | None = None
    """Ends a wait for the answer."""

    def over_http(self) -> Request:
        """The same where no channel is to be had: it waits no longer than a request may."""
        wait_ms = self.fields.get("wait_ms", 0)
        if wait_ms <= HTTP_WAIT * 1000:
            return self
        fields = {**self.fields, "wait_ms": int(HTTP_WAIT * 1000)}
        return replace(self, body=to_json(fields), timeout=HTTP_WAIT + _NETWORK, fields=fields)


def lock_request(
    edge: Edge,
    what: What,
    name: str,
    fields: Mapping[str, Any],
    *,
    timeout: float | None = None,
    interruption: Interruption | None = None,
) -> LockRequest:
    """:param timeout: longest wait for the answer, in seconds; default: the wait of the request, and time for the network"""
    made = edge.request(
        "POST",
        edge.inside("locks", name, what),
        body=fields,
        headers={"Idempotency-Key": uuid7()},
        timeout=fields.get("wait_ms", 0) / 1000 + _NETWORK if timeout is None else timeout,
    )
    return LockRequest(made.method, made.target, made.headers, made.body, made.timeout, what, name, fields, interruption)


def lock_channel_request(edge: Edge) -> Request:
    """The upgrade to a channel for locks."""
    return edge.request("GET", edge.inside("locks", "channel"), timeout=20.0)


def wants_http(response: Response) -> bool:
    """Whether the channel had no place for a wait, which HTTP has."""
    return response.status >= 300 and problem_from(response.status, response.body, None).type == _FULL


class _Asked:
    __slots__ = ("abandoned", "name", "waited")

    def __init__(self, name: str) -> None:
        self.name = name
        self.waited = False
        """The edge has said that the request waits: its owner had not got the lock before."""
        self.abandoned = False
        """Nobody reads the answer."""


class LockChannel(FrameChannel):
    """It does not reconnect: what was asked over it and not answered is to be asked again."""

    __slots__ = ("_asked", "_ids")

    def __init__(self) -> None:
        super().__init__()
        self._asked: dict[str, _Asked] = {}
        self._ids = 0

    def ask(self, request: LockRequest) -> tuple[str, bytes]:
        """:returns: the id of the answer, and what has to be sent"""
        id = self._next_id()
        self._asked[id] = _Asked(request.name)
        return id, _frame(request.what, id, name=request.name, **request.fields)

    def take_back(self, id: str, request: LockRequest, response: Response | None) -> bytes:
        """Nobody reads the answer: an ``acquire`` is cancelled, and what it is given all the same is released.

        :param response: the answer, where it came at this moment
        :returns: what has to be sent
        """
        if request.what != "acquire":
            self.forget(id)
            return b""
        if response is not None:
            return self._release(request.name, json.loads(response.body)) if response.status < 300 else b""
        asked = self._asked.get(id)
        if asked is None:
            return b""
        asked.abandoned = True
        return _frame("cancel", id)

    def _release(self, name: str, answer: Mapping[str, Any]) -> bytes:
        if answer.get("held") is not True:
            return b""
        return _frame("release", self._next_id(), name=name, fence=answer.get("fence"))

    def forget(self, id: str) -> None:
        """No answer came in time."""
        self._asked.pop(id, None)

    def feed(self, data: bytes) -> tuple[list[tuple[str, Response]], bytes]:
        """:returns: answers by their ids, as HTTP would have given them, and what has to be sent back"""
        documents, back = self.read(data)
        answers: list[tuple[str, Response]] = []
        for frame in documents:
            id = frame.get("id") if isinstance(frame, Mapping) else None
            kind = frame.get("type") if isinstance(frame, Mapping) else None
            asked = None if id is None else self._asked.get(id)
            # Frames of other kinds may come with later versions of the edge.
            if asked is None or id is None or kind not in ("lock", "released", "refused", "waiting"):
                continue
            if kind == "waiting":
                asked.waited = True
                continue
            del self._asked[id]
            if not asked.abandoned:
                answers.append((id, _response(frame)))
            elif asked.waited:
                # It was given the lock as it was taken back: nobody would release it. A lock that it had without a wait may be one
                # that its owner had before.
                back += self._release(asked.name, frame)
        return answers, back

    def _next_id(self) -> str:
        self._ids += 1
        return str(self._ids)


def _frame(type: str, id: str, **fields: Any) -> bytes:
    return written(TEXT, to_json({"type": type, "id": id, **fields}))


def _response(frame: Mapping[str, Any]) -> Response:
    problem = frame.get("problem")
    if frame.get("type") != "refused":
        return Response(200, {}, to_json(frame))
    if not isinstance(problem, Mapping):
        return Response(502, {}, b"")
    later = {"retry_after_ms": frame["retry_after_ms"]} if "retry_after_ms" in frame else {}
    return Response(int(problem.get("status", 502)), {}, to_json({**problem, **later}))
