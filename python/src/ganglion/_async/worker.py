"""Workers and responders whose handlers are coroutines."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from typing import Any, Awaitable, Callable, Sequence

from .._core.exchange import backoff, is_transient
from .._core.work import (
    CONFIRM,
    DENIED_DELAY,
    MAX_DELAY,
    Outcome,
    TaskReleased,
    Turn,
    outcome_of,
    plan,
    refused_outcome,
    unknown_type,
)
from ..errors import ApiProblem, EdgeUnreachable, GanglionError
from ..heartbeat import Heartbeat
from ..models import CallReply, Task, TaskReceipt
from .client import AsyncClient

__all__ = ["AsyncHandler", "AsyncWork", "AsyncWorker"]

AsyncHandler = Callable[["AsyncWork"], Awaitable[Any]]


class AsyncWork(Turn):
    """A task in a worker's hands. Its handler is cancelled when nobody wants the result."""

    __slots__ = ("_heartbeat", "_queue", "_runner", "client")

    def __init__(self, task: Task, queue: str, client: AsyncClient, heartbeat: Heartbeat) -> None:
        super().__init__(task)
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

    def _cancel(self, reason: str) -> None:
        self._reason = reason
        if self._runner is not None:
            self._runner.cancel()


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
            types=types,
            heartbeat_seconds=self._heartbeat.seconds if self._heartbeat.expected else None,
        )
        self.handler = handler
        self._client = client
        self._on_remark = on_remark or (lambda _text: None)
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()
        self._changed = asyncio.Event()
        self._running: dict[str, tuple[AsyncWork, asyncio.Task[None]]] = {}

    async def __call__(self, work: AsyncWork) -> Any:
        """The handler itself, for tests."""
        return await self.handler(work)

    @property
    def running(self) -> int:
        """Number of tasks in hand."""
        return len(self._running)

    def run(self) -> None:
        """``serve`` in a loop of its own."""
        asyncio.run(self.serve())

    def stop(self) -> None:
        """Takes no more tasks: ``serve`` returns when nothing is in hand. A second call gives back at once what is."""
        if self._stopping.is_set():
            self._hurry.set()
        self._stopping.set()
        self._changed.set()

    async def serve(self) -> None:
        """Works until SIGTERM, SIGINT or ``stop``.

        :raises ApiProblem: the edge refuses this worker from the beginning
        """
        loop = asyncio.get_running_loop()
        with_signals = threading.current_thread() is threading.main_thread()
        for each in _SIGNALS if with_signals else ():
            loop.add_signal_handler(each, self.stop)
        client = self._client or AsyncClient()
        keeper = loop.create_task(self._keep(client))
        try:
            await self._take_tasks(client)
            await self._drain(client)
        finally:
            keeper.cancel()
            for each in _SIGNALS if with_signals else ():
                loop.remove_signal_handler(each)
            if self._client is None:
                await client.close()

    async def _take_tasks(self, client: AsyncClient) -> None:
        failures = 0
        known = False
        while not self._stopping.is_set():
            free = self._plan.concurrency - self.running
            if free <= 0:
                self._changed.clear()
                await self._changed.wait()
                continue
            if self.running == 0:
                self._heartbeat.send("idle")
            try:
                tasks = await self._unless_hurried(self._lease(client, free))
            except (ApiProblem, EdgeUnreachable) as error:
                denied = not is_transient(error)
                if denied and not known:
                    raise
                failures += 1
                if self.running == 0:
                    self._heartbeat.send("waiting", "for the edge")
                delay = backoff(failures, MAX_DELAY) + (DENIED_DELAY if denied else 0.0)
                self._on_remark(f"{error}; trying again in {delay:.1f} s")
                await _wait(self._stopping, delay)
                continue
            failures, known = 0, True
            for task in tasks:
                await self._begin(client, task)

    async def _lease(self, client: AsyncClient, free: int) -> list[Task]:
        plan = self._plan
        flow = client._calls.lease(
            plan.queue,
            plan.recipient,
            max=free,
            lease=plan.lease,
            wait=plan.wait,
            worker=plan.name,
            skills=plan.skills,
        )
        return await client._transport.run(flow)

    async def _unless_hurried(self, lease: Awaitable[list[Task]]) -> list[Task]:
        """A task that the queue gives at the moment of a second signal is given to another worker when its lease ends."""
        asked = asyncio.ensure_future(lease)
        hurry: asyncio.Future[Any] = asyncio.ensure_future(self._hurry.wait())
        both: set[asyncio.Future[Any]] = {asked, hurry}
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            return asked.result() if asked.done() else []
        finally:
            for each in both:
                each.cancel()

    async def _begin(self, client: AsyncClient, task: Task) -> None:
        work = AsyncWork(task, self._plan.queue, client, self._heartbeat)
        if self._stopping.is_set():
            # The queue gave it before it could know that this worker stops.
            await self._report(client, work, outcome_of(None, TaskReleased()))
            return
        self._heartbeat.send("working", task.task_id, 0)
        self._running[task.lease_id] = (work, asyncio.get_running_loop().create_task(self._handle(client, work)))

    async def _handle(self, client: AsyncClient, work: AsyncWork) -> None:
        result: Any = None
        error: BaseException | None = unknown_type(self._plan, work.task)
        try:
            if error is None:
                # A task of its own, so that it can be cancelled and its end still be reported.
                work._runner = asyncio.ensure_future(self.handler(work))
                await asyncio.wait([work._runner])
                if work._runner.cancelled():
                    error = TaskReleased("the handler was cancelled")
                else:
                    error = work._runner.exception()
                    result = None if error is not None else work._runner.result()
            await self._report(client, work, outcome_of(result, error))
        finally:
            self._running.pop(work.task.lease_id, None)
            self._changed.set()

    async def _report(self, client: AsyncClient, work: AsyncWork, outcome: Outcome) -> None:
        """Reports until the queue has confirmed it; a completion that it has seen it knows again."""
        attempt = 0
        deadline: float | None = None
        while not work.cancelled:
            try:
                if not await self._settle(client, outcome.action, work.task, dict(outcome.fields)):
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

    async def _settle(self, client: AsyncClient, action: str, task: Task, fields: dict[str, Any]) -> bool:
        return await client._transport.run(client._calls.settle(self._plan.queue, action, task, fields))

    async def _keep(self, client: AsyncClient) -> None:
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
            await asyncio.gather(*(self._extend(client, work) for work, _ in list(self._running.values())))

    async def _extend(self, client: AsyncClient, work: AsyncWork) -> None:
        if work.cancelled:
            # A handler may have caught the first cancellation, or begun to wait at that moment.
            work._cancel("it was cancelled, or its lease was lost")
            return
        try:
            if not await self._settle(client, "extend", work.task, self._plan.renewal()):
                work._cancel("it was cancelled, or its lease was lost")
                self._on_remark(f"{work.task_id} was cancelled, or its lease was lost")
        except GanglionError as error:
            self._on_remark(f"{work.task_id}: its lease was not extended: {error}")

    async def _drain(self, client: AsyncClient) -> None:
        """Lets the running handlers finish; what has not ended in time is given back."""
        if self._running:
            hurry: asyncio.Future[Any] = asyncio.ensure_future(self._hurry.wait())
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
                await self._settle(client, "release", work.task, {})
            except (ApiProblem, EdgeUnreachable) as error:
                self._on_remark(f"{work.task_id} was not given back: {error}")
        await asyncio.gather(*(task for _, task in left), return_exceptions=True)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except asyncio.TimeoutError:
        pass


_SIGNALS = (signal.SIGTERM, signal.SIGINT)
