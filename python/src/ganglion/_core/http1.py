"""HTTP/1.1 without sockets, for asyncio: writes the head of a request, and reads an answer piece by piece."""

from __future__ import annotations

from typing import Mapping

from .exchange import Request
from .settings import Settings

__all__ = ["MalformedAnswer", "ResponseReader", "head_of", "headers_for"]

_MAX_HEAD = 64 * 1024


class MalformedAnswer(Exception):
    """What came is not HTTP, or ended too early."""


def headers_for(settings: Settings, request: Request) -> dict[str, str]:
    """All headers of a request but ``Host`` and ``Content-Length``; they hold the token."""
    return {"Accept": "application/json", **request.headers, "Authorization": f"Bearer {settings.token}"}


def head_of(settings: Settings, request: Request) -> bytes:
    headers = {
        "Host": settings.origin.partition("://")[2],
        "Accept-Encoding": "identity",
        **headers_for(settings, request),
    }
    if request.body is not None or request.method not in ("GET", "DELETE"):
        headers["Content-Length"] = str(len(request.body or b""))
    lines = [f"{request.method} {request.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class ResponseReader:
    """head → body (counted, chunked, or until the connection ends) → done."""

    __slots__ = ("_buffer", "_chunked", "_in_chunk", "_left", "_trailing", "done", "headers", "keep_alive", "status")

    def __init__(self) -> None:
        self.status = 0
        """0 until the head has come."""
        self.headers: Mapping[str, str] = {}
        self.done = False
        self.keep_alive = True
        self._buffer = b""
        self._left: int | None = None
        self._chunked = False
        self._in_chunk = False
        self._trailing = False

    def feed(self, data: bytes) -> bytes:
        """:returns: what is new of the body"""
        self._buffer += data
        while self.status == 0 and self._read_head():
            pass
        return self._read_body() if self.status != 0 and not self.done else b""

    def end(self) -> None:
        """The connection has ended."""
        if self.done:
            return
        if self.status == 0 or self._chunked or self._left is not None:
            raise MalformedAnswer("the connection ended before the answer did")
        self.done = True

    def _read_head(self) -> bool:
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            if len(self._buffer) > _MAX_HEAD:
                raise MalformedAnswer("the head of the answer is too long")
            return False
        first, *lines = head.decode("latin-1").split("\r\n")
        version, _, after = first.partition(" ")
        if not version.startswith("HTTP/1.") or not after[:3].isdigit():
            raise MalformedAnswer("the answer is not HTTP")
        self._buffer = rest
        status = int(after[:3])
        if status < 200:
            return True  # an interim answer: the real one follows
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self.status, self.headers = status, headers
        self.keep_alive = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
        if status in (204, 304):
            self.done = True
        elif "chunked" in headers.get("transfer-encoding", "").lower():
            self._chunked = True
        elif "content-length" in headers:
            if not headers["content-length"].isdigit():
                raise MalformedAnswer("the length of the answer is no number")
            self._left = int(headers["content-length"])
            self.done = self._left == 0
        else:
            self.keep_alive = False  # the end of the connection is that of the body
        return False

    def _read_body(self) -> bytes:
        if self._chunked:
            return self._read_chunks()
        data, self._buffer = self._buffer, b""
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
            self.done = self._left == 0
        return data

    def _read_chunks(self) -> bytes:
        parts: list[bytes] = []
        while not self.done:
            if self._in_chunk:
                # A chunk is followed by a line end, which counts as its last two bytes.
                left = self._left or 0
                data = self._buffer[:left]
                self._buffer = self._buffer[len(data) :]
                parts.append(data[: max(0, left - 2)])
                self._left = left - len(data)
                if self._left > 0:
                    break
                self._in_chunk = False
                continue
            line, found, rest = self._buffer.partition(b"\r\n")
            if not found:
                break
            self._buffer = rest
            if self._trailing:
                self.done = not line
                continue
            try:
                size = int(line.partition(b";")[0], 16)
            except ValueError:
                raise MalformedAnswer("a chunk of the answer has no size") from None
            self._in_chunk, self._trailing = size > 0, size == 0
            self._left = size + 2
        return b"".join(parts)
