"""The tasks that a worker holds: a task of the loop for each, and reports of how they end."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Callable

from .._core.exchange import backoff, is_transient
from .._core.work import CONFIRM, MAX_DELAY, Outcome, Plan, TaskReleased, outcome_of, refused_outcome, unknown_type
from .._sync.held import POLL
from ..errors import ApiProblem, EdgeUnreachable, GanglionError
from ..heartbeat import Heartbeat
from ..models import Task
from .client import AsyncClient
from .locks import AsyncLocks
from .work import AsyncHandler, AsyncWork

__all__ = ["AsyncHeldTasks"]


class AsyncHeldTasks:
    """leased → running → reported → confirmed; running → cancelled when the lease is lost or the task withdrawn."""

    def __init__(
        self,
        plan: Plan,
        handler: AsyncHandler,
        client: AsyncClient,
        heartbeat: Heartbeat,
        locks: AsyncLocks,
        on_remark: Callable[[str], None],
        stopping: asyncio.Event,
    ) -> None:
        self._plan = plan
        self._handler = handler
        self._client = client
        self._heartbeat = heartbeat
        self._locks = locks
        self._on_remark = on_remark
        self._stopping = stopping
        self._changed = asyncio.Event()
        self._running: dict[str, tuple[AsyncWork, asyncio.Task[None]]] = {}

    def __len__(self) -> int:
        return len(self._running)

    def leases(self) -> set[str]:
        return set(self._running)

    async def wait_for_change(self) -> None:
        self._changed.clear()
        try:
            await asyncio.wait_for(self._changed.wait(), POLL)  # no longer, because this worker may be stopped meanwhile
        except asyncio.TimeoutError:
            pass

    def withdraw(self, lease_id: str, reason: str) -> None:
        if lease_id in self._running:
            work, _ = self._running[lease_id]
            work._cancel(reason)
            self._on_remark(f"{work.task_id}: {reason}")

    async def begin(self, task: Task) -> None:
        work = AsyncWork(task, self._plan.queue, self._client, self._heartbeat, self._locks)
        if self._stopping.is_set():
            # The queue gave it before it could know that this worker stops.
            await self._report(work, outcome_of(None, TaskReleased()))
            return
        self._heartbeat.send("working", task.task_id, 0)
        self._running[task.lease_id] = (work, asyncio.get_running_loop().create_task(self._handle(work)))

    async def _handle(self, work: AsyncWork) -> None:
        result: Any = None
        error: BaseException | None = unknown_type(self._plan, work.task)
        try:
            if error is None:
                # A task of its own, so that it can be cancelled and its end still be reported.
                work._runner = asyncio.ensure_future(self._handler(work))
                await asyncio.wait([work._runner])
                if work._runner.cancelled():
                    error = TaskReleased("the handler was cancelled")
                else:
                    error = work._runner.exception()
                    result = None if error is not None else work._runner.result()
            await self._report(work, outcome_of(result, error, work._evidence))
        finally:
            self._running.pop(work.task.lease_id, None)
            if not self._running:
                self._heartbeat.send("idle")
            self._changed.set()

    async def _report(self, work: AsyncWork, outcome: Outcome) -> None:
        """Reports until the queue has confirmed it; a completion that it has seen it knows again."""
        attempt = 0
        deadline: float | None = None
        while not work.cancelled:
            try:
                if not await self._settle(outcome.action, work.task, dict(outcome.fields)):
                    work._cancel("the lease was lost")
                return
            except (ApiProblem, EdgeUnreachable) as error:
                if not is_transient(error):
                    self._on_remark(f"{work.task_id}: the queue refused to {outcome.action} it: {error}")
                    instead = refused_outcome(outcome, error) if isinstance(error, ApiProblem) else None
                    if instead is None:
                        return
                    outcome = instead
                    continue
                attempt += 1
            if self._stopping.is_set():
                deadline = deadline or time.monotonic() + CONFIRM
                if time.monotonic() > deadline:
                    # The lease runs out, and another worker repeats the task: waiting on would not help.
                    self._on_remark(f"{work.task_id}: the queue did not confirm its end")
                    return
            await asyncio.sleep(backoff(attempt, MAX_DELAY / 2))

    async def _settle(self, action: str, task: Task, fields: dict[str, Any]) -> bool:
        return await self._client._transport.run(
            self._client._calls.settle(self._plan.queue, action, task, fields)
        )

    async def keep(self) -> None:
        """Extends the leases, and repeats the heartbeat: from the loop, so that one that is blocked sends none."""
        third = self._plan.lease / 3
        pause = min(third, self._heartbeat.seconds / 2) if self._heartbeat.expected else third
        due = time.monotonic() + third
        while True:
            await asyncio.sleep(pause)
            self._heartbeat.repeat()
            if time.monotonic() < due:
                continue
            due = time.monotonic() + third
            await asyncio.gather(*(self._extend(work) for work, _ in list(self._running.values())))

    async def _extend(self, work: AsyncWork) -> None:
        if work.cancelled:
            # A handler may have caught the first cancellation, or begun to wait at that moment.
            work._cancel("it was cancelled, or its lease was lost")
            return
        try:
            if not await self._settle("extend", work.task, self._plan.renewal()):
                work._cancel("it was cancelled, or its lease was lost")
                self._on_remark(f"{work.task_id} was cancelled, or its lease was lost")
        except GanglionError as error:
            self._on_remark(f"{work.task_id}: its lease was not extended: {error}")

    async def drain(self, hurried: asyncio.Event) -> None:
        """Lets the running handlers finish; what has not ended in time is given back."""
        if self._running:
            hurry: asyncio.Future[Any] = asyncio.ensure_future(hurried.wait())
            all_done: asyncio.Future[Any] = asyncio.gather(
                *(task for _, task in self._running.values()), return_exceptions=True
            )
            await asyncio.wait({hurry, all_done}, timeout=self._plan.grace, return_when=asyncio.FIRST_COMPLETED)
            hurry.cancel()
        left = list(self._running.values())
        for work, _ in left:
            if work.cancelled:
                continue
            work._cancel("the worker stops, and has given it back")
            try:
                await self._settle("release", work.task, {})
            except (ApiProblem, EdgeUnreachable) as error:
                self._on_remark(f"{work.task_id} was not given back: {error}")
        await asyncio.gather(*(task for _, task in left), return_exceptions=True)
