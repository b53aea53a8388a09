"""Limits and locks, held by ``async with``."""

from __future__ import annotations

import asyncio
import sys
from types import TracebackType
from typing import Any, Protocol

from .._core.exchange import Answer, Flow
from .._core.held_limit import Ask, HeldLimit, LimitDesk
from .._core.held_lock import HeldLock
from .transport import AsyncTransport

__all__ = ["AsyncLimited", "AsyncLocked"]


class AsyncRunner(Protocol):
    """Does what the flows of a lock want done."""

    async def run(self, flow: Flow[Answer]) -> Answer: ...


class AsyncLimited:
    """Reserves at the beginning, and settles at the end, also where the work fails."""

    def __init__(self, transport: AsyncTransport, desk: LimitDesk, ask: Ask) -> None:
        self._transport = transport
        self._desk = desk
        self._ask = ask
        self._held: HeldLimit | None = None

    async def __aenter__(self) -> HeldLimit:
        self._held = await self._transport.run(self._desk.reserve(self._ask))
        return self._held

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        held, self._held = self._held, None
        if held is not None:
            await self._transport.run(self._desk.settle(self._ask, held))


class AsyncLocked:
    """Acquires at the beginning, renews by a task of the loop, and releases at the end. A lock that is lost cancels the work,
    which then ends with ``LockLost``."""

    def __init__(self, runner: AsyncRunner, lock: HeldLock) -> None:
        self._runner = runner
        self._lock = lock
        self._renewing: asyncio.Task[None] | None = None
        self._holder: asyncio.Task[Any] | None = None
        self._has_cancelled = False

    async def __aenter__(self) -> HeldLock:
        await self._runner.run(self._lock.acquire())
        self._holder = asyncio.current_task()
        self._renewing = asyncio.get_running_loop().create_task(self._renew())
        return self._lock

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """:raises LockLost: the lock was lost: somebody else may have worked, too"""
        if self._renewing is not None:
            self._renewing.cancel()
        if self._has_cancelled and self._holder is not None:
            if sys.version_info >= (3, 11):
                self._holder.uncancel()
        # A cancellation that nobody here has asked for goes on, though the lock was lost meanwhile.
        is_own = self._has_cancelled and isinstance(error, asyncio.CancelledError)
        await self._runner.run(self._lock.release())
        if error is None or is_own:
            self._lock.check()

    async def _renew(self) -> None:
        pause = self._lock.left / 3
        while pause > 0:
            await asyncio.sleep(pause)
            pause = await self._runner.run(self._lock.renew())
        if self._holder is not None:
            self._has_cancelled = True
            self._holder.cancel()
