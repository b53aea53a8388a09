"""Asks the local agent over its socket, by asyncio."""

from __future__ import annotations

import asyncio

from .._core.host_agent import AgentRequest

__all__ = ["ask_agent"]


async def ask_agent(request: AgentRequest) -> bytes | None:
    """:returns: what it said, whole or not; ``None``: nobody listens, or the socket belongs to another user"""
    try:
        reader, writer = await asyncio.open_unix_connection(request.path, limit=2**22)
    except OSError:
        return None
    try:
        writer.write(request.line)
        return await asyncio.wait_for(reader.readline(), request.timeout)
    except (OSError, ValueError, asyncio.TimeoutError):
        return b""  # it was killed, or is stuck
    finally:
        writer.close()
