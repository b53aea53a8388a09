"""Workers and responders whose handlers are coroutines."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from typing import Any, Callable, Mapping, Sequence

from .._core.work import log_remark, plan
from ..heartbeat import Heartbeat
from .client import AsyncClient
from .held import AsyncHeldTasks
from .intake import AsyncIntake
from .work import AsyncHandler, AsyncWork

__all__ = ["AsyncHandler", "AsyncWork", "AsyncWorker"]


class AsyncWorker:
    """As ``Worker``, with coroutines: the handlers share one loop."""

    def __init__(
        self,
        queue: str,
        recipient: str,
        handler: AsyncHandler,
        *,
        client: AsyncClient | None = None,
        concurrency: int = 1,
        lease: float = 30.0,
        wait: float = 8.0,
        grace: float = 20.0,
        name: str | None = None,
        skills: Sequence[str] = (),
        host: str | None = None,
        labels: Mapping[str, str] | None = None,
        types: Sequence[str] = (),
        on_remark: Callable[[str], None] | None = None,
    ) -> None:
        self._heartbeat = Heartbeat()
        self._plan = plan(
            queue,
            recipient,
            concurrency=concurrency,
            lease=lease,
            wait=wait,
            grace=grace,
            name=name,
            skills=skills,
            host=host,
            labels=labels,
            types=types,
            heartbeat_seconds=self._heartbeat.seconds if self._heartbeat.expected else None,
        )
        self.handler = handler
        self._client = client
        self._on_remark = on_remark or log_remark
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()
        self._held: AsyncHeldTasks | None = None

    async def __call__(self, work: AsyncWork) -> Any:
        """The handler itself, for tests."""
        return await self.handler(work)

    @property
    def running(self) -> int:
        """Number of tasks in hand."""
        return 0 if self._held is None else len(self._held)

    def run(self) -> None:
        """``serve`` in a loop of its own."""
        asyncio.run(self.serve())

    def stop(self) -> None:
        """Takes no more tasks: ``serve`` returns when nothing is in hand. A second call gives back at once what is."""
        if self._stopping.is_set():
            self._hurry.set()
        self._stopping.set()

    async def serve(self) -> None:
        """Works until SIGTERM, SIGINT or ``stop``.

        :raises ApiProblem: the edge refuses this worker from the beginning
        """
        loop = asyncio.get_running_loop()
        heard = _SIGNALS if threading.current_thread() is threading.main_thread() and sys.platform != "win32" else ()
        for each in heard:
            loop.add_signal_handler(each, self.stop)
        client = self._client or AsyncClient()
        plan, heartbeat, on_remark, stopping = self._plan, self._heartbeat, self._on_remark, self._stopping
        locks = client.open_locks(on_remark=on_remark)
        held = self._held = AsyncHeldTasks(plan, self.handler, client, heartbeat, locks, on_remark, stopping)
        intake = AsyncIntake(plan, client, held, heartbeat, on_remark, stopping, self._hurry)
        keeper = loop.create_task(held.keep())
        try:
            await intake.take_tasks()
            intake.take_no_more()
            await held.drain(self._hurry)
        finally:
            keeper.cancel()
            await intake.close()
            await locks.close()
            for each in heard:
                loop.remove_signal_handler(each)
            if self._client is None:
                await client.close()


_SIGNALS = (signal.SIGTERM, signal.SIGINT)
