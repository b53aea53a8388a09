"""A WebSocket whose messages are JSON, without sockets: takes bytes, gives documents, and bytes to be sent."""

from __future__ import annotations

import json
from typing import Any

from ..errors import ApiProblem, problem_from
from .websocket import CLOSE, PING, PONG, TEXT, MessageReader, Upgrade, closing, written

__all__ = ["PING_EVERY", "FrameChannel", "refusal_in"]

PING_EVERY = 20.0
"""A connection on which nothing came between two pings is dead, even if the kernel still holds it open."""


class FrameChannel:
    """open → closed"""

    __slots__ = ("_alive", "_reader", "closed")

    def __init__(self) -> None:
        self._reader = MessageReader()
        self._alive = True
        self.closed = False

    def ping(self) -> bytes | None:
        """To be sent each PING_EVERY; ``None``: the connection is dead."""
        alive, self._alive = self._alive, False
        return written(PING) if alive else None

    def read(self, data: bytes) -> tuple[list[Any], bytes]:
        """:returns: the documents that came, and what has to be sent back"""
        self._alive = True
        documents: list[Any] = []
        back = b""
        for message in self._reader.feed(data):
            if message.kind == TEXT:
                documents.append(json.loads(message.data))
            elif message.kind == PING:
                back += written(PONG, message.data)
            elif message.kind == CLOSE:
                self.closed = True
                back += closing()
        return documents, back


def refusal_in(upgrade: Upgrade, body: bytes) -> ApiProblem | None:
    """Why an upgrade was refused; ``None``: its answer is not whole yet."""
    answer = upgrade.refusal
    if answer is None or not answer.done:
        return None
    return problem_from(answer.status, body, answer.headers.get("retry-after"))
