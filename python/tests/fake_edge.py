"""A server on this machine that answers as a script says, byte by byte where that matters."""

from __future__ import annotations

import socket
import threading
from types import TracebackType
from typing import Callable, Sequence

Answer = Callable[[socket.socket, bytes], bool]
"""Answers a request. :returns: whether the connection stays open"""


class FakeEdge:
    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.requests: list[bytes] = []
        self.connections = 0
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> FakeEdge:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            while request := _read_request(connection):
                self.requests.append(request)
                answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
                if not answer(connection, request):
                    return


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65_536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0)
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


def says(status: int, body: str = "{}", headers: Sequence[str] = (), keep: bool = True) -> Answer:
    def answer(connection: socket.socket, _request: bytes) -> bool:
        data = body.encode()
        lines = [f"HTTP/1.1 {status} Any", f"Content-Length: {len(data)}", "Content-Type: application/json", *headers]
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + data)
        return keep

    return answer


def hangs_up(_connection: socket.socket, _request: bytes) -> bool:
    return False


def streams(*pieces: bytes) -> Answer:
    """Events as chunks, and then the end of the connection."""

    def answer(connection: socket.socket, _request: bytes) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in pieces:
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        return False

    return answer
