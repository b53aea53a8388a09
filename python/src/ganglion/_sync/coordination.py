"""Limits and locks, held by ``with``."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Protocol

from .._core.exchange import Answer, Flow
from .._core.held_limit import Ask, HeldLimit, LimitDesk
from .._core.held_lock import HeldLock
from .transport import Transport

__all__ = ["Limited", "Locked"]


class Runner(Protocol):
    """Does what the flows of a lock want done."""

    def run(self, flow: Flow[Answer]) -> Answer: ...


class Limited:
    """Reserves at the beginning, and settles at the end, also where the work fails."""

    def __init__(self, transport: Transport, desk: LimitDesk, ask: Ask) -> None:
        self._transport = transport
        self._desk = desk
        self._ask = ask
        self._held: HeldLimit | None = None

    def __enter__(self) -> HeldLimit:
        self._held = self._transport.run(self._desk.reserve(self._ask))
        return self._held

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._transport.run(self._desk.settle(self._ask, held))


class Locked:
    """Acquires at the beginning, renews by a thread, and releases at the end."""

    def __init__(self, runner: Runner, lock: HeldLock) -> None:
        self._runner = runner
        self._lock = lock
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, name=f"ganglion-lock-{lock.name}", daemon=True)

    def __enter__(self) -> HeldLock:
        self._runner.run(self._lock.acquire())
        self._thread.start()
        return self._lock

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """:raises LockLost: the work went well, and the lock was lost meanwhile: somebody else may have worked, too"""
        self._ended.set()
        self._runner.run(self._lock.release())
        if error is None:
            self._lock.check()

    def _renew(self) -> None:
        pause = self._lock.left / 3
        while pause > 0 and not self._ended.wait(pause):
            pause = self._runner.run(self._lock.renew())
