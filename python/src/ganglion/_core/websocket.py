"""The client's half of a WebSocket (RFC 6455) without sockets: the upgrade, and frames piece by piece."""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass

from .exchange import Request
from .http1 import MalformedAnswer, ResponseReader, headers_for
from .settings import Settings

__all__ = ["CLOSE", "PING", "PONG", "TEXT", "Message", "MessageReader", "Upgrade", "closing", "written"]

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
_CONTINUATION = 0x0
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_MAX_MESSAGE = 32 * 1024 * 1024


class Upgrade:
    """waiting → accepted, or refused with an answer as any other request has."""

    __slots__ = ("_buffer", "_expected", "accepted", "head", "refusal", "rest")

    def __init__(self, settings: Settings, request: Request, protocol: str) -> None:
        key = base64.b64encode(os.urandom(16))
        self._expected = base64.b64encode(hashlib.sha1(key + _GUID).digest()).decode()
        self._buffer = b""
        self.accepted = False
        self.rest = b""
        """What came behind the head: the first bytes of frames."""
        self.refusal: ResponseReader | None = None
        headers = {
            "Host": settings.origin.partition("://")[2],
            **headers_for(settings, request),
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": key.decode(),
            "Sec-WebSocket-Protocol": protocol,
        }
        lines = [f"GET {request.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        self.head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def feed(self, data: bytes) -> bytes:
        """:returns: what is new of the body of a refusal"""
        if self.refusal is not None:
            return self.refusal.feed(data)
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return b""
        if not head.startswith(b"HTTP/1.1 101"):
            self.refusal = ResponseReader()
            return self.refusal.feed(self._buffer)
        if self._expected not in head.decode("latin-1"):
            raise MalformedAnswer("the answer to the upgrade belongs to another one")
        self.accepted, self.rest = True, rest
        return b""


@dataclass(frozen=True, slots=True)
class Message:
    kind: int
    data: bytes


class MessageReader:
    """Takes bytes as they come, and gives whole messages."""

    __slots__ = ("_buffer", "_parts", "_size")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[Message]:
        """:raises MalformedAnswer: what came is no message of a server"""
        self._buffer += data
        messages: list[Message] = []
        while (frame := self._frame()) is not None:
            last, kind, payload = frame
            if kind in (CLOSE, PING, PONG):
                messages.append(Message(kind, payload))
                continue
            if (kind == _CONTINUATION) != bool(self._parts):
                raise MalformedAnswer("a frame continues nothing, or begins in the middle of a message")
            self._parts.append(payload)
            self._size += len(payload)
            if self._size > _MAX_MESSAGE:
                raise MalformedAnswer("a message is too long")
            if last:
                messages.append(Message(TEXT, b"".join(self._parts)))
                self._parts, self._size = [], 0
        return messages

    def _frame(self) -> tuple[bool, int, bytes] | None:
        """The next whole frame."""
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        if buffer[0] & 0x70 or buffer[1] & 0x80:
            raise MalformedAnswer("a frame is masked or has extensions, as no server's is")
        length, start = buffer[1] & 0x7F, 2
        if length >= 126:
            start = 4 if length == 126 else 10
            if len(buffer) < start:
                return None
            length = int.from_bytes(buffer[2:start], "big")
        if length > _MAX_MESSAGE:
            raise MalformedAnswer("a frame is too long")
        if len(buffer) < start + length:
            return None
        frame = bool(buffer[0] & 0x80), buffer[0] & 0x0F, bytes(buffer[start : start + length])
        del buffer[: start + length]
        return frame


def written(kind: int, data: bytes = b"") -> bytes:
    """A message as one frame, masked as those of a client are."""
    size = len(data)
    if size < 126:
        head = bytes((0x80 | kind, 0x80 | size))
    elif size < 65_536:
        head = bytes((0x80 | kind, 0x80 | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | kind, 0x80 | 127)) + size.to_bytes(8, "big")
    mask = os.urandom(4)
    # As one number: byte by byte a large result would take a while.
    key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
    return head + mask + (int.from_bytes(data, "big") ^ key).to_bytes(size, "big")


def closing(code: int = 1000) -> bytes:
    return written(CLOSE, code.to_bytes(2, "big"))
