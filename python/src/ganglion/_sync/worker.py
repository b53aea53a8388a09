"""Workers and responders whose handlers run in threads."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, Callable, Mapping, Sequence

from .._core.work import log_remark, plan
from ..errors import GanglionError
from ..heartbeat import Heartbeat
from .channel import Wake
from .client import Client
from .held import Flag, HeldTasks
from .intake import Intake
from .work import Handler, Work

__all__ = ["Handler", "Work", "Worker"]


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
        self._stopping = Flag()
        self._hurry = Flag()
        self._wake: Wake | None = None
        self._held: HeldTasks | None = None
        self._intake: Intake | None = None
        self._thread: threading.Thread | None = None

    def __call__(self, work: Work) -> Any:
        """The handler itself, for tests."""
        return self.handler(work)

    @property
    def running(self) -> int:
        """Number of tasks in hand."""
        return 0 if self._held is None else len(self._held)

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
        self._end_wait()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _on_signal(self, _signal: int, _frame: FrameType | None) -> None:
        # No lock is taken here: the thread that is interrupted may hold it.
        if self._stopping.is_set():
            self._hurry.set()
            if self._intake is not None:
                self._intake.hurry()
        self._end_wait()

    def _end_wait(self) -> None:
        self._stopping.set()
        if self._wake is not None:
            self._wake.ring()

    def _work_quietly(self) -> None:
        try:
            self._work()
        except GanglionError as error:
            self._on_remark(f"the worker has ended: {error}")

    def _work(self) -> None:
        client = self._client = self._client or Client()
        plan, heartbeat, on_remark, stopping = self._plan, self._heartbeat, self._on_remark, self._stopping
        locks = client.open_locks(on_remark=on_remark)
        held = self._held = HeldTasks(plan, self.handler, client, heartbeat, locks, on_remark, stopping)
        wake = self._wake = Wake()
        intake = self._intake = Intake(plan, client, held, heartbeat, on_remark, stopping, wake)
        stopped = threading.Event()
        keeper = threading.Thread(target=held.keep, args=(stopped,), name="ganglion-leases", daemon=True)
        keeper.start()
        try:
            intake.take_tasks()
            intake.take_no_more()
            held.drain(self._hurry)
        finally:
            stopping.set()
            stopped.set()
            intake.close()
            locks.close()
            keeper.join()
            wake.close()


_SIGNALS = (signal.SIGTERM, signal.SIGINT)
