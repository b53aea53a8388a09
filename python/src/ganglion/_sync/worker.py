"""Workers and responders whose handlers run in threads."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType
from typing import Any, Callable, Sequence

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
from .client import Client

__all__ = ["Handler", "Work", "Worker"]

Handler = Callable[["Work"], Any]
"""Returns the result of the task, or raises: then the attempt has failed, and the queue keeps the error's message."""


class Work(Turn):
    """A task in a worker's hands, and what its handler can do besides its work."""

    __slots__ = ("_heartbeat", "_queue", "client")

    def __init__(self, task: Task, queue: str, client: Client, heartbeat: Heartbeat) -> None:
        super().__init__(task)
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

    def _cancel(self, reason: str) -> None:
        self._reason = reason


class _Hurried(BaseException):
    """A second signal came: a task that the queue gives at this moment is given to another worker when its lease ends."""


class Worker:
    """Works on the tasks of a queue for a recipient, and on those for anyone; leases are extended while handlers run.

    working → stopping (no more tasks; running handlers have ``grace`` seconds) → stopped (what had not ended is given back)
    """

    def __init__(
        self,
        queue: str,
        recipient: str,
        handler: Handler,
        *,
        client: Client | None = None,
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
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._stopped = threading.Event()
        self._hurry = threading.Event()
        self._waits = False
        """Whether this thread waits for tasks: a second signal ends that."""
        self._running: dict[str, Work] = {}
        self._thread: threading.Thread | None = None

    def __call__(self, work: Work) -> Any:
        """The handler itself, for tests."""
        return self.handler(work)

    @property
    def running(self) -> int:
        """Number of tasks in hand."""
        return len(self._running)

    def run(self) -> None:
        """Works until SIGTERM, SIGINT or ``stop``. A second signal gives back at once what is in hand.

        :raises ApiProblem: the edge refuses this worker from the beginning
        """
        with_signals = threading.current_thread() is threading.main_thread()
        before = {each: signal.signal(each, self._on_signal) for each in _SIGNALS} if with_signals else {}
        try:
            self._work()
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def start(self) -> Worker:
        """Works in a thread of its own until ``stop``."""
        self._thread = threading.Thread(target=self._work_quietly, name=f"ganglion-{self._plan.recipient}", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Takes no more tasks, and waits until nothing is in hand."""
        self._stopping.set()
        self._notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _on_signal(self, _signal: int, _frame: FrameType | None) -> None:
        # No lock is taken here: the thread that is interrupted may hold it.
        if self._stopping.is_set():
            self._hurry.set()
            if self._waits:
                raise _Hurried
        self._stopping.set()

    def _work_quietly(self) -> None:
        try:
            self._work()
        except GanglionError as error:
            self._on_remark(f"the worker has ended: {error}")

    def _work(self) -> None:
        client = self._client or Client()
        self._client = client
        keeper = threading.Thread(target=self._keep, args=(client,), name="ganglion-leases", daemon=True)
        keeper.start()
        try:
            self._take_tasks(client)
            self._drain(client)
        finally:
            self._stopping.set()
            self._stopped.set()
            keeper.join()

    def _take_tasks(self, client: Client) -> None:
        failures = 0
        known = False
        while not self._stopping.is_set():
            free = self._plan.concurrency - self.running
            if free <= 0:
                with self._changed:
                    # Short, because a signal's handler must not wake it by the lock.
                    self._changed.wait(0.2)
                continue
            if self.running == 0:
                self._heartbeat.send("idle")
            try:
                tasks = self._lease(client, free)
            except _Hurried:
                return
            except (ApiProblem, EdgeUnreachable) as error:
                denied = not is_transient(error)
                if denied and not known:
                    raise
                failures += 1
                if self.running == 0:
                    self._heartbeat.send("waiting", "for the edge")
                self._wait_after(error, backoff(failures, MAX_DELAY) + (DENIED_DELAY if denied else 0.0))
                continue
            failures, known = 0, True
            for task in tasks:
                self._begin(client, task)

    def _lease(self, client: Client, free: int) -> list[Task]:
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
        try:
            self._waits = True
            return client._transport.run(flow)
        finally:
            self._waits = False

    def _wait_after(self, error: Exception, delay: float) -> None:
        self._on_remark(f"{error}; trying again in {delay:.1f} s")
        until = time.monotonic() + delay
        while not self._stopping.is_set() and (left := until - time.monotonic()) > 0:
            # A supervisor hears from a worker that waits as often as from one that works.
            self._stopping.wait(min(left, self._heartbeat.seconds / 2))
            self._heartbeat.repeat()

    def _begin(self, client: Client, task: Task) -> None:
        work = Work(task, self._plan.queue, client, self._heartbeat)
        if self._stopping.is_set():
            # The queue gave it before it could know that this worker stops.
            self._report(client, work, outcome_of(None, TaskReleased()))
            return
        self._running[task.lease_id] = work
        self._heartbeat.send("working", task.task_id, 0)
        threading.Thread(target=self._handle, args=(client, work), name=f"ganglion-{task.task_id}", daemon=True).start()

    def _handle(self, client: Client, work: Work) -> None:
        result: Any = None
        error: BaseException | None = unknown_type(self._plan, work.task)
        if error is None:
            try:
                result = self.handler(work)
            except BaseException as raised:  # SystemExit too: it would end this thread, and nobody would hear of the task
                error = raised
        try:
            self._report(client, work, outcome_of(result, error))
        finally:
            self._running.pop(work.task.lease_id, None)
            self._notify()

    def _report(self, client: Client, work: Work, outcome: Outcome) -> None:
        """Reports until the queue has confirmed it; a completion that it has seen it knows again."""
        attempt = 0
        deadline: float | None = None
        while not work.cancelled:
            try:
                if not self._settle(client, outcome.action, work.task, dict(outcome.fields)):
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
            time.sleep(backoff(attempt, MAX_DELAY / 2))

    def _settle(self, client: Client, action: str, task: Task, fields: dict[str, Any]) -> bool:
        return client._transport.run(client._calls.settle(self._plan.queue, action, task, fields))

    def _keep(self, client: Client) -> None:
        """Extends the leases, and repeats the heartbeat while tasks are in hand: whether they move on, the supervisor
        judges by their progress."""
        pause = min(self._plan.lease / 3, self._heartbeat.seconds / 2) if self._heartbeat.expected else self._plan.lease / 3
        due = time.monotonic() + self._plan.lease / 3
        while not self._stopped.wait(pause):
            if self._running:
                self._heartbeat.repeat()
            if time.monotonic() < due:
                continue
            due = time.monotonic() + self._plan.lease / 3
            for work in list(self._running.values()):
                try:
                    if not work.cancelled and not self._settle(client, "extend", work.task, self._plan.renewal()):
                        work._cancel("it was cancelled, or its lease was lost")
                        self._on_remark(f"{work.task_id} was cancelled, or its lease was lost")
                except GanglionError as error:
                    self._on_remark(f"{work.task_id}: its lease was not extended: {error}")

    def _drain(self, client: Client) -> None:
        """Lets the running handlers finish; what has not ended in time is given back."""
        until = time.monotonic() + self._plan.grace
        while self._running and time.monotonic() < until and not self._hurry.is_set():
            with self._changed:
                self._changed.wait(0.2)
        for work in list(self._running.values()):
            if work.cancelled:
                continue
            # A result that still comes is no longer reported.
            released = work.task
            work._cancel("the worker stops, and has given it back")
            try:
                self._settle(client, "release", released, {})
            except (ApiProblem, EdgeUnreachable) as error:
                self._on_remark(f"{work.task_id} was not given back: {error}")

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()


_SIGNALS = (signal.SIGTERM, signal.SIGINT)
