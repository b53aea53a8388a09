"""Asks the local agent over its socket."""

from __future__ import annotations

import socket
import time

from .._core.host_agent import AgentRequest

__all__ = ["ask_agent"]


def ask_agent(request: AgentRequest) -> bytes | None:
    """:returns: what it said, whole or not; ``None``: nobody listens, or the socket belongs to another user"""
    until = time.monotonic() + request.timeout
    said = b""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(request.timeout)
        try:
            connection.connect(request.path)
        except OSError:
            return None
        try:
            connection.sendall(request.line)
            while not said.endswith(b"\n"):
                connection.settimeout(max(0.001, until - time.monotonic()))
                piece = connection.recv(65_536)
                if not piece:
                    break
                said += piece
        except OSError:
            pass  # it was killed, or is stuck: what it said is not whole
    return said
