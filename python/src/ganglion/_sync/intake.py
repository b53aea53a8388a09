"""How tasks come to a worker: by push over a channel, or by requests that wait for them."""

from __future__ import annotations

import time
from typing import Callable

from .._core.exchange import backoff, is_transient
from .._core.frames import PING_EVERY
from .._core.work import DENIED_DELAY, MAX_DELAY, Plan
from .._core.work_channel import CHANNEL_RETRY, Given
from ..errors import ApiProblem, EdgeUnreachable
from ..heartbeat import Heartbeat
from ..models import Task
from .channel import Channel, Wake
from .client import Client
from .held import POLL, Flag, HeldTasks

__all__ = ["Intake"]


class _Hurried(BaseException):
    """A second signal came: a task that the queue gives at this moment is given to another worker when its lease ends."""


class Intake:
    """connecting → channel, or requests where it cannot be opened; requests → channel again after a while; either →
    connecting when the edge is away."""

    def __init__(
        self,
        plan: Plan,
        client: Client,
        held: HeldTasks,
        heartbeat: Heartbeat,
        on_remark: Callable[[str], None],
        stopping: Flag,
        wake: Wake,
    ) -> None:
        self._plan = plan
        self._client = client
        self._held = held
        self._heartbeat = heartbeat
        self._on_remark = on_remark
        self._stopping = stopping
        self._wake = wake
        self._waits = False
        """Whether a request waits for tasks: a second signal ends that."""
        self._known = False
        """Whether the edge has ever let this worker work."""
        self._answered = False
        """Whether it did so since the last attempt to connect."""
        self._channel: Channel | None = None
        self._channel_error: Exception | None = None
        self._longest_wait = min(PING_EVERY, heartbeat.seconds / 2) if heartbeat.expected else PING_EVERY

    def hurry(self) -> None:
        """From the handler of a second signal, in the thread that takes tasks."""
        if self._waits:
            raise _Hurried

    def take_no_more(self) -> None:
        if self._channel is not None:
            try:
                self._channel.ready(self._plan, 0)
            except EdgeUnreachable as error:
                self._on_remark(str(error))

    def close(self) -> None:
        """Last, because the queue gives to others what this end still holds."""
        if self._channel is not None:
            self._channel.close()

    def take_tasks(self) -> None:
        """Until this worker stops. :raises ApiProblem: the edge refuses it from the beginning"""
        failures = 0
        while not self._stopping.is_set():
            if len(self._held) == 0:
                self._heartbeat.send("idle")
            self._answered = False
            try:
                channel = self._open()
                if channel is None:
                    self._over_http()
                else:
                    self._over(channel)
            except _Hurried:
                return
            except (ApiProblem, EdgeUnreachable) as error:
                denied = not is_transient(error)
                if denied and not self._known:
                    raise
                failures = 1 if self._answered else failures + 1
                if len(self._held) == 0:
                    self._heartbeat.send("waiting", "for the edge")
                self._wait_after(error, backoff(failures, MAX_DELAY) + (DENIED_DELAY if denied else 0.0))

    def _open(self) -> Channel | None:
        """``None``: tasks come by requests, because a proxy on the way may know no WebSockets."""
        try:
            request = self._client._calls.work_channel(self._plan.queue, self._plan.name)
            return Channel(self._client.settings, request, self._wake)
        except (ApiProblem, EdgeUnreachable) as error:
            self._channel_error = error
            return None

    def _over(self, channel: Channel) -> None:
        """Takes tasks by push, until this worker stops. :raises EdgeUnreachable: the channel is lost"""
        self._channel = channel
        earlier = self._held.leases()
        room = -1
        try:
            while not self._stopping.is_set():
                # Tasks of an earlier connection leave room as they end.
                earlier &= self._held.leases()
                free = max(0, self._plan.concurrency - len(earlier))
                if free != room:
                    channel.ready(self._plan, free)
                    room = free
                for one in channel.receive(POLL if earlier else self._longest_wait):
                    if isinstance(one, Given):
                        self._held.begin(one.task)
                    else:
                        self._held.withdraw(one.lease_id, one.reason)
                self._known = self._answered = True
                if len(self._held) == 0:
                    self._heartbeat.repeat()
        except BaseException:
            self._channel = None
            channel.abort()
            raise

    def _over_http(self) -> None:
        """Takes tasks by requests that wait for them, until the channel may be there again."""
        until = time.monotonic() + CHANNEL_RETRY
        while not self._stopping.is_set() and time.monotonic() < until:
            free = self._plan.concurrency - len(self._held)
            if free <= 0:
                self._held.wait_for_change()
                continue
            tasks = self._lease(free)
            if not self._answered:
                self._on_remark(f"the channel could not be opened ({self._channel_error}); working over plain HTTP")
            self._known = self._answered = True
            if len(self._held) == 0:
                self._heartbeat.repeat()
            for task in tasks:
                self._held.begin(task)

    def _lease(self, free: int) -> list[Task]:
        plan = self._plan
        flow = self._client._calls.lease(
            plan.queue,
            plan.recipient,
            max=free,
            lease=plan.lease,
            wait=plan.wait,
            worker=plan.name,
            claims=plan.claims,
        )
        try:
            self._waits = True
            return self._client._transport.run(flow)
        finally:
            self._waits = False

    def _wait_after(self, error: Exception, delay: float) -> None:
        self._on_remark(f"{error}; trying again in {delay:.1f} s")
        until = time.monotonic() + delay
        # A supervisor hears from a worker that waits as often as from one that works.
        beat = time.monotonic() + self._heartbeat.seconds / 2
        while not self._stopping.is_set() and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, POLL))
            if time.monotonic() >= beat:
                self._heartbeat.repeat()
                beat += self._heartbeat.seconds / 2
