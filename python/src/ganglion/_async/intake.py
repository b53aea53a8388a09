"""How tasks come to a worker: by push over a channel, or by requests that wait for them."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Awaitable, Callable

from .._core.exchange import backoff, is_transient
from .._core.frames import PING_EVERY
from .._core.work import DENIED_DELAY, MAX_DELAY, Plan
from .._core.work_channel import CHANNEL_RETRY, Given
from .._sync.held import POLL
from ..errors import ApiProblem, EdgeUnreachable
from ..heartbeat import Heartbeat
from ..models import Task
from .channel import AsyncChannel, open_channel
from .client import AsyncClient
from .held import AsyncHeldTasks

__all__ = ["AsyncIntake"]


class AsyncIntake:
    """connecting → channel, or requests where it cannot be opened; requests → channel again after a while; either →
    connecting when the edge is away."""

    def __init__(
        self,
        plan: Plan,
        client: AsyncClient,
        held: AsyncHeldTasks,
        heartbeat: Heartbeat,
        on_remark: Callable[[str], None],
        stopping: asyncio.Event,
        hurry: asyncio.Event,
    ) -> None:
        self._plan = plan
        self._client = client
        self._held = held
        self._heartbeat = heartbeat
        self._on_remark = on_remark
        self._stopping = stopping
        self._hurry = hurry
        self._known = False
        """Whether the edge has ever let this worker work."""
        self._answered = False
        """Whether it did so since the last attempt to connect."""
        self._channel: AsyncChannel | None = None
        self._channel_error: Exception | None = None

    def take_no_more(self) -> None:
        if self._channel is not None:
            self._channel.ready(self._plan, 0)

    async def close(self) -> None:
        """Last, because the queue gives to others what this end still holds."""
        if self._channel is not None:
            await self._channel.close()

    async def take_tasks(self) -> None:
        """Until this worker stops. :raises ApiProblem: the edge refuses it from the beginning"""
        failures = 0
        while not self._stopping.is_set():
            if len(self._held) == 0:
                self._heartbeat.send("idle")
            self._answered = False
            try:
                channel = await self._open()
                if channel is None:
                    await self._over_http()
                else:
                    await self._over(channel)
            except (ApiProblem, EdgeUnreachable) as error:
                denied = not is_transient(error)
                if denied and not self._known:
                    raise
                failures = 1 if self._answered else failures + 1
                if len(self._held) == 0:
                    self._heartbeat.send("waiting", "for the edge")
                delay = backoff(failures, MAX_DELAY) + (DENIED_DELAY if denied else 0.0)
                self._on_remark(f"{error}; trying again in {delay:.1f} s")
                await _wait(self._stopping, delay)

    async def _open(self) -> AsyncChannel | None:
        """``None``: tasks come by requests, because a proxy on the way may know no WebSockets."""
        try:
            request = self._client._calls.work_channel(self._plan.queue, self._plan.name)
            return await open_channel(self._client.settings, request)
        except (ApiProblem, EdgeUnreachable) as error:
            self._channel_error = error
            return None

    async def _over(self, channel: AsyncChannel) -> None:
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
                for one in await channel.receive(POLL if earlier else PING_EVERY, self._stopping):
                    if isinstance(one, Given):
                        await self._held.begin(one.task)
                    else:
                        self._held.withdraw(one.lease_id, one.reason)
                self._known = self._answered = True
        except BaseException:
            self._channel = None
            channel.abort()
            raise

    async def _over_http(self) -> None:
        """Takes tasks by requests that wait for them, until the channel may be there again."""
        until = time.monotonic() + CHANNEL_RETRY
        while not self._stopping.is_set() and time.monotonic() < until:
            free = self._plan.concurrency - len(self._held)
            if free <= 0:
                await self._held.wait_for_change()
                continue
            tasks = await self._unless_hurried(self._lease(free))
            if not self._answered:
                self._on_remark(f"the channel could not be opened ({self._channel_error}); working over plain HTTP")
            self._known = self._answered = True
            for task in tasks:
                await self._held.begin(task)

    async def _lease(self, free: int) -> list[Task]:
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
        return await self._client._transport.run(flow)

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


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except asyncio.TimeoutError:
        pass
