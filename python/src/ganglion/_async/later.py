"""Emits in the background what ``emit_later`` was given, for asyncio."""

from __future__ import annotations

import asyncio
from typing import Awaitable, Callable, Mapping, Sequence

from ..errors import ApiProblem, GanglionError
from ..models import Receipt
from .._core.batcher import MAX_WAITING, Batcher, named_by
from .._core.exchange import backoff, is_transient

__all__ = ["AsyncLater"]

_MAX_DELAY = 10.0
Emit = Callable[[Sequence[Mapping[str, object]]], Awaitable[Receipt]]


class AsyncLater:
    """One task that sends what waits; as ``Later`` does with a thread."""

    def __init__(self, emit: Emit, linger: float) -> None:
        self._emit = emit
        self._linger = linger
        self._batcher = Batcher()
        self._task: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self._closed = False
        self._refusal: ApiProblem | None = None
        self._failures = 0

    def add(self, signal: Mapping[str, object]) -> None:
        if self._closed:
            raise GanglionError("the client was closed: make a new one")
        if len(self._batcher) >= MAX_WAITING:
            raise GanglionError(f"{MAX_WAITING} signals wait for the edge: await flush() before more are emitted")
        self._batcher.add(signal)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())
        if self._batcher.full:
            self._hurry.set()

    async def flush(self) -> None:
        """Waits until everything is durable.

        :raises ApiProblem: the edge refused a signal, which was dropped
        :raises EdgeUnreachable: no edge answers; the signals wait on
        """
        if self._task is not None and not self._task.done():
            # What is on its way is finished, and the rest is sent here.
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        error = await self._send_all()
        if error is not None:
            self._task = asyncio.get_running_loop().create_task(self._run())
        refusal, self._refusal = self._refusal, None
        failure = refusal or error
        if failure is not None:
            raise failure

    async def close(self) -> None:
        try:
            await self.flush()
        finally:
            self._closed = True
            if self._task is not None:
                self._task.cancel()

    async def _run(self) -> None:
        while len(self._batcher) > 0:
            delay = self._linger if self._failures == 0 else backoff(self._failures, _MAX_DELAY)
            try:
                await asyncio.wait_for(self._hurry.wait(), delay)
            except asyncio.TimeoutError:
                pass
            self._hurry.clear()
            self._failures = 0 if await self._send_all() is None else self._failures + 1

    async def _send_all(self) -> Exception | None:
        while len(self._batcher) > 0:
            batch = self._batcher.take()
            try:
                batch, error = await self._send(batch)
            except BaseException:
                # Cancelled on its way: sent again it is stored once, because each signal has its id.
                self._batcher.put_back(batch)
                raise
            if error is not None:
                self._batcher.put_back(batch)
                return error
        return None

    async def _send(
        self, batch: Sequence[Mapping[str, object]]
    ) -> tuple[list[Mapping[str, object]], Exception | None]:
        """:returns: what has to be sent again, and why"""
        left = list(batch)
        while left:
            try:
                await self._emit(left)
            except ApiProblem as problem:
                if is_transient(problem):
                    return left, problem
                self._refusal = problem
                bad = named_by(problem, len(left))
                left = [signal for place, signal in enumerate(left) if place not in bad]
            except Exception as error:
                return left, error
            else:
                break
        return [], None
