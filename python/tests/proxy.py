"""What may stand between a worker and its edge: a proxy that knows no WebSockets, and a network that breaks."""

from __future__ import annotations

import socket
import threading
from types import TracebackType
from urllib.parse import urlsplit


class Proxy:
    """Passes connections on to an edge.

    ``upgrades``: whether WebSockets may be opened. ``away``: every connection is closed as soon as it is opened.
    """

    def __init__(self, edge_url: str, *, upgrades: bool = True) -> None:
        parts = urlsplit(edge_url)
        self._edge = (parts.hostname or "", parts.port or 80)
        self._server = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self.upgrades = upgrades
        self.upgraded = 0
        self.plain = 0
        """Connections that were no WebSockets."""
        self.away = False
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """Breaks every connection."""
        for each in list(self._open):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it has ended by itself

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with near:
            head = b"" if self.away else near.recv(65_536)
            if b"Upgrade: websocket" in head:
                if not self.upgrades:
                    near.sendall(b"HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\n\r\n")
                    return
                self.upgraded += 1
            elif head != b"":
                self.plain += 1
            if head == b"":
                return
            with socket.create_connection(self._edge) as far:
                self._open |= {near, far}
                far.sendall(head)
                back = threading.Thread(target=_pass_on, args=(far, near), daemon=True)
                back.start()
                _pass_on(near, far)
                back.join()
                self._open -= {near, far}


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65_536):
            target.sendall(data)
    except OSError:
        pass  # either end has gone
    for each in (source, target):
        try:
            each.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has gone already
