"""A task in the hands of a worker whose handlers are coroutines."""

from __future__ import annotations

import asyncio
from typing import Any, Awaitable, Callable, NoReturn

from .._core.held_lock import Mode
from .._core.work import TaskReleased, Turn
from ..heartbeat import Heartbeat
from ..models import CallReply, Task, TaskReceipt
from .client import AsyncClient
from .coordination import AsyncLocked
from .locks import AsyncLocks

__all__ = ["AsyncHandler", "AsyncWork"]

AsyncHandler = Callable[["AsyncWork"], Awaitable[Any]]


class AsyncWork(Turn):
    """A task in a worker's hands. Its handler is cancelled when nobody wants the result."""

    __slots__ = ("_heartbeat", "_locks", "_queue", "_runner", "client")

    def __init__(
        self, task: Task, queue: str, client: AsyncClient, heartbeat: Heartbeat, locks: AsyncLocks
    ) -> None:
        super().__init__(task)
        self._locks = locks
        self._queue = queue
        self._heartbeat = heartbeat
        self._runner: asyncio.Task[Any] | None = None
        self.client = client

    def progress(self, progress: float) -> None:
        """Tells the supervisor, if there is one, that the work moves on. :raises TaskCancelled: nobody wants the result"""
        self._heartbeat.send("working", self.task_id, progress)
        self.raise_if_cancelled()

    async def delegate(self, recipient: str, type: str, payload: Any = None, **options: Any) -> TaskReceipt:
        """Queues a task that follows from this one, once, though this one may be done again after a crash."""
        fields = self.followed_by(recipient, options)
        return await self.client.enqueue(fields.pop("queue", self._queue), recipient, type, payload, **fields)

    async def call(self, recipient: str, type: str, payload: Any = None, **options: Any) -> CallReply:
        """Asks another agent, and waits for the reply."""
        fields = self.question(type, options)
        return await self.client.call(fields.pop("queue", self._queue), recipient, type, payload, **fields)

    async def park(self, question: str) -> NoReturn:
        """Leaves the task until a question is over: it comes back once, with the end in ``answers``, and holds no worker.

        :raises TaskReleased: always; let it pass
        """
        await self.client.api.park_task(self._queue, self.task_id, {"lease_id": self.task.lease_id, "question": question})
        raise TaskReleased(f"waits for the question {question}")

    def lock(
        self,
        name: str,
        *,
        owner: str | None = None,
        ttl: float = 30.0,
        mode: Mode = "exclusive",
        wait: float | None = None,
        task: str | None = None,
    ) -> AsyncLocked:
        """``async with task.lock("tree:/srv/app/**") as lock:`` holds a lock for this task, and renews it; over a channel that the worker keeps for
        locks, or over HTTP where there is none. A wait ends with the task's lease.

        :param owner: default: this attempt
        :raises LockNotAvailable: it was not free in ``wait`` seconds
        :raises LockLost: at the end, where it was lost meanwhile
        """
        return self._locks.lock_for(self._lock_wish(name, owner, ttl, mode, wait, task))

    def _cancel(self, reason: str) -> None:
        self._reason = reason
        if self._runner is not None:
            self._runner.cancel()
