"""The tasks that a worker holds: a thread for each, one that extends their leases, and reports of how they end."""

from __future__ import annotations

import threading
import time
from typing import Any, Callable

from .._core.exchange import backoff, is_transient
from .._core.work import CONFIRM, MAX_DELAY, Outcome, Plan, TaskReleased, outcome_of, refused_outcome, unknown_type
from ..errors import ApiProblem, EdgeUnreachable, GanglionError
from ..heartbeat import Heartbeat
from ..models import Task
from .client import Client
from .locks import Locks
from .work import Handler, Work

__all__ = ["POLL", "Flag", "HeldTasks"]

POLL = 0.2
"""How often is looked at what a signal's handler may have changed: it must take no lock."""


class Flag:
    """As an Event that nobody waits for. An Event takes a lock, which the code that a signal interrupts may hold."""

    __slots__ = ("_is_set",)

    def __init__(self) -> None:
        self._is_set = False

    def set(self) -> None:
        self._is_set = True

    def is_set(self) -> bool:
        return self._is_set


class HeldTasks:
    """leased → running → reported → confirmed; running → cancelled when the lease is lost or the task withdrawn."""

    def __init__(
        self,
        plan: Plan,
        handler: Handler,
        client: Client,
        heartbeat: Heartbeat,
        locks: Locks,
        on_remark: Callable[[str], None],
        stopping: Flag,
    ) -> None:
        self._plan = plan
        self._handler = handler
        self._client = client
        self._heartbeat = heartbeat
        self._locks = locks
        self._on_remark = on_remark
        self._stopping = stopping
        self._changed = threading.Condition()
        self._running: dict[str, Work] = {}

    def __len__(self) -> int:
        return len(self._running)

    def leases(self) -> set[str]:
        return set(self._running)

    def wait_for_change(self) -> None:
        with self._changed:
            self._changed.wait(POLL)

    def begin(self, task: Task) -> None:
        work = Work(task, self._plan.queue, self._client, self._heartbeat, self._locks)
        if self._stopping.is_set():
            # The queue gave it before it could know that this worker stops.
            self._report(work, outcome_of(None, TaskReleased()))
            return
        self._running[task.lease_id] = work
        self._heartbeat.send("working", task.task_id, 0)
        threading.Thread(target=self._handle, args=(work,), name=f"ganglion-{task.task_id}", daemon=True).start()

    def withdraw(self, lease_id: str, reason: str) -> None:
        work = self._running.get(lease_id)
        if work is not None:
            work._cancel(reason)
            self._on_remark(f"{work.task_id}: {reason}")

    def keep(self, stopped: threading.Event) -> None:
        """Extends the leases, and repeats the heartbeat while tasks are in hand: whether they move on, the supervisor
        judges by their progress."""
        third = self._plan.lease / 3
        pause = min(third, self._heartbeat.seconds / 2) if self._heartbeat.expected else third
        due = time.monotonic() + third
        while not stopped.wait(pause):
            if self._running:
                self._heartbeat.repeat()
            if time.monotonic() < due:
                continue
            due = time.monotonic() + third
            for work in list(self._running.values()):
                self._extend(work)

    def drain(self, hurry: Flag) -> None:
        """Lets the running handlers finish; what has not ended in time is given back."""
        until = time.monotonic() + self._plan.grace
        while self._running and time.monotonic() < until and not hurry.is_set():
            self.wait_for_change()
        for work in list(self._running.values()):
            if work.cancelled:
                continue
            # A result that still comes is no longer reported.
            work._cancel("the worker stops, and has given it back")
            try:
                self._settle("release", work.task, {})
            except (ApiProblem, EdgeUnreachable) as error:
                self._on_remark(f"{work.task_id} was not given back: {error}")

    def _handle(self, work: Work) -> None:
        result: Any = None
        error: BaseException | None = unknown_type(self._plan, work.task)
        if error is None:
            try:
                result = self._handler(work)
            except BaseException as raised:  # SystemExit too: it would end this thread, and nobody would hear of the task
                error = raised
        try:
            self._report(work, outcome_of(result, error, work._evidence))
        finally:
            self._running.pop(work.task.lease_id, None)
            if not self._running:
                self._heartbeat.send("idle")
            with self._changed:
                self._changed.notify_all()

    def _report(self, work: Work, outcome: Outcome) -> None:
        """Reports until the queue has confirmed it; a completion that it has seen it knows again."""
        attempt = 0
        deadline: float | None = None
        while not work.cancelled:
            try:
                if not self._settle(outcome.action, work.task, dict(outcome.fields)):
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

    def _extend(self, work: Work) -> None:
        try:
            if not work.cancelled and not self._settle("extend", work.task, self._plan.renewal()):
                self.withdraw(work.task.lease_id, "it was cancelled, or its lease was lost")
        except GanglionError as error:
            self._on_remark(f"{work.task_id}: its lease was not extended: {error}")

    def _settle(self, action: str, task: Task, fields: dict[str, Any]) -> bool:
        return self._client._transport.run(self._client._calls.settle(self._plan.queue, action, task, fields))
