"""A task in the hands of a worker whose handlers run in threads."""

from __future__ import annotations

from typing import Any, Callable, NoReturn

from .._core.held_lock import Mode
from .._core.work import TaskCancelled, TaskReleased, Turn
from ..heartbeat import Heartbeat
from ..models import CallReply, Task, TaskReceipt
from .client import Client
from .coordination import Locked
from .locks import Locks

__all__ = ["Handler", "Work"]

Handler = Callable[["Work"], Any]
"""Returns the result of the task, or raises: then the attempt has failed, and the queue keeps the error's message."""


class Work(Turn):
    """A task in a worker's hands, and what its handler can do besides its work."""

    __slots__ = ("_heartbeat", "_locks", "_queue", "client")

    def __init__(
        self, task: Task, queue: str, client: Client, heartbeat: Heartbeat, locks: Locks
    ) -> None:
        super().__init__(task)
        self._locks = locks
        self._queue = queue
        self._heartbeat = heartbeat
        self.client = client

    def progress(self, progress: float) -> None:
        """Tells the supervisor, if there is one, that the work moves on. :raises TaskCancelled: nobody wants the result"""
        self._heartbeat.send("working", self.task_id, progress)
        self.raise_if_cancelled()

    def delegate(self, recipient: str, type: str, payload: Any = None, **options: Any) -> TaskReceipt:
        """Queues a task that follows from this one, once, though this one may be done again after a crash."""
        fields = self.followed_by(recipient, options)
        return self.client.enqueue(fields.pop("queue", self._queue), recipient, type, payload, **fields)

    def call(self, recipient: str, type: str, payload: Any = None, **options: Any) -> CallReply:
        """Asks another agent, and waits for the reply."""
        fields = self.question(type, options)
        return self.client.call(fields.pop("queue", self._queue), recipient, type, payload, **fields)

    def park(self, question: str) -> NoReturn:
        """Leaves the task until a question is over: it comes back once, with the end in ``answers``, and holds no worker.

        :raises TaskReleased: always; let it pass
        """
        self.client.api.park_task(self._queue, self.task_id, {"lease_id": self.task.lease_id, "question": question})
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
    ) -> Locked:
        """``with task.lock("tree:/srv/app/**") as lock:`` holds a lock for this task, and renews it; over a channel that the worker keeps for
        locks, or over HTTP where there is none. A wait ends with the task's lease, and ``lock.check()`` raises ``TaskCancelled`` then.

        :param owner: default: this attempt
        :raises LockNotAvailable: it was not free in ``wait`` seconds
        :raises LockLost: at the end, where it was lost meanwhile
        """
        return self._locks.lock_for(self._lock_wish(name, owner, ttl, mode, wait, task), self._interruption)

    def _cancel(self, reason: str) -> None:
        self._reason = reason
        self._interruption.interrupt(TaskCancelled(f"{self.task_id}: {reason}"))
