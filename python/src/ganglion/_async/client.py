"""The client for asyncio."""

from __future__ import annotations

import os
import time
import uuid
from types import TracebackType
from typing import TYPE_CHECKING, Any, AsyncGenerator, AsyncIterator, Callable, Iterable, Literal, Mapping, Sequence, cast

from .._core.calls import Calls, emit_fields, new_signal, new_task, task_fields
from .._core.exchange import Edge, Retry
from .._core.held_limit import LimitDesk, WhenAway, new_ask
from .._core.held_lock import HeldLock, LockWish, Mode
from .._core.host_agent import HostAgent
from .._core.operation import Operation, Time
from .._core.settings import Settings, read_settings
from .._operations import AsyncOperations
from .._sync.client import MAX_TRIES, MAX_WAIT
from .._sync.follow import OnInterrupted
from ..errors import Conflict, NotFound
from ..models import CallReply, Receipt, Signal, TaskReceipt
from .batch import AsyncBatch
from .coordination import AsyncLimited, AsyncLocked
from .follow import follow, follow_queue
from .later import AsyncLater
from .looks import AsyncLooks
from .transport import AsyncTransport

if TYPE_CHECKING:
    from .. import types
    from ..intelligence import AsyncIntelligence
    from .locks import AsyncLocks
    from .worker import AsyncHandler, AsyncWorker

__all__ = ["AsyncClient"]


class AsyncClient(AsyncLooks):
    """An ecosystem of an edge, for asyncio; takes the arguments of ``Client``. ``async with`` closes it at the end."""

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        ecosystem: str | None = None,
        *,
        token_file: str | os.PathLike[str] | None = None,
        source: str | None = None,
        context: str | None = None,
        retry: Retry = Retry(),
        timeout: float = 30.0,
        linger: float = 0.2,
        local_agent: bool = True,
    ) -> None:
        self.settings: Settings = read_settings(
            url, token, ecosystem, token_file=token_file, source=source, context=context
        )
        edge = Edge(self.settings, retry, timeout)
        self._edge = edge
        self._calls = Calls(edge)
        self._transport = AsyncTransport(self.settings)
        self._limits = LimitDesk(edge, agent=HostAgent(self.settings) if local_agent else None)
        self._later = AsyncLater(lambda signals: self._transport.run(self._calls.emit(signals)), linger)
        self._intelligence: AsyncIntelligence | None = None
        self.api = AsyncOperations(self._perform)

    def __repr__(self) -> str:
        return f"AsyncClient({self.settings.origin!r}, ecosystem={self.settings.ecosystem!r})"

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Emits and settles what waits, and closes the connections."""
        try:
            await self._later.close()
            await self._transport.run(self._limits.send_unsent())
        finally:
            if self._intelligence is not None:
                await self._intelligence.close()
            await self._transport.close()

    @property
    def intelligence(self) -> AsyncIntelligence:
        """Asks hosts that have code, and gathers what is known about a kind of node."""
        if self._intelligence is None:
            from ..intelligence import AsyncIntelligence

            self._intelligence = AsyncIntelligence(self)
        return self._intelligence

    # Signals

    async def emit(
        self,
        signal: str,
        facts: Mapping[str, Any] | None = None,
        *,
        source: str | None = None,
        id: str | None = None,
        cause: str | Signal | None = None,
        timestamp: Time | None = None,
        trace: str | None = None,
    ) -> Receipt:
        """Emits a signal; returns when it is durable."""
        made = self._signal(signal, facts, source, id=id, cause=cause, timestamp=timestamp, trace=trace)
        return await self._transport.run(self._calls.emit([made]))

    async def emit_many(self, signals: Iterable[Mapping[str, Any]]) -> Receipt:
        """Emits signals, all or none: at most 1,000 and 1 MiB. Each is ``{"signal": …, "facts": …}``."""
        made = [self._signal(one.get("signal", ""), one.get("facts"), one.get("source"), **emit_fields(one)) for one in signals]
        return await self._transport.run(self._calls.emit(made))

    def emit_later(
        self,
        signal: str,
        facts: Mapping[str, Any] | None = None,
        *,
        source: str | None = None,
        id: str | None = None,
        cause: str | Signal | None = None,
        timestamp: Time | None = None,
        trace: str | None = None,
    ) -> str:
        """Emits a signal soon, together with others. ``flush`` waits for it, and ``close`` does. :returns: its id"""
        made = self._signal(signal, facts, source, id=id, cause=cause, timestamp=timestamp, trace=trace)
        self._later.add(made)
        return str(made["id"])

    async def flush(self) -> None:
        """Waits until all that ``emit_later`` was given is durable."""
        await self._later.flush()

    def batch(self) -> AsyncBatch:
        """``async with client.batch() as batch: batch.emit(…)``: emits all at the end, and none after an error."""
        return AsyncBatch(self)

    async def query(
        self,
        signal: str | Sequence[str] | None = None,
        *,
        source: str | None = None,
        after: int | None = None,
        since: Time | None = None,
        until: Time | None = None,
        filter: str | None = None,
        order: Literal["asc", "desc"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[Signal]:
        """Signals of the log, page by page; see ``Client.query``."""
        query = {"signal": signal, "source": source, "since": since, "until": until, "filter": filter, "order": order}
        left = limit
        while left is None or left > 0:
            size = 1000 if left is None else min(left, 1000)
            found, next_ = await self._transport.run(self._calls.page({**query, "after": after, "limit": size}))
            for one in found:
                yield one
            if next_ is None:
                return
            left = None if left is None else left - len(found)
            after = next_

    async def signal(self, id: str) -> Signal:
        """A signal by its id."""
        return await self._transport.run(self._calls.signal(id))

    async def explain(self, id: str) -> types.Lineage:
        """Why a signal came, and what came of it: causes, effects, decisions, tasks."""
        return await self.api.get_lineage(id)

    def follow(
        self, *signals: str, after: int | None = None, on_interrupted: OnInterrupted | None = None
    ) -> AsyncGenerator[Signal, None]:
        """Signals as they come, each once, across lost connections; see ``Client.follow``."""
        return follow(self._transport, self._calls, signals, after, on_interrupted)

    # Queues

    async def enqueue(
        self,
        queue: str,
        recipient: str,
        type: str,
        payload: Any = None,
        *,
        task_id: str | None = None,
        priority: int | None = None,
        sender: str | None = None,
        delay_ms: int | None = None,
        deadline_ms: int | None = None,
        timeout_ms: int | None = None,
        max_attempts: int | None = None,
        needs: types.NewTaskNeeds | None = None,
        limits: Sequence[str] | None = None,
        accept: Mapping[str, str] | None = None,
        cause: str | None = None,
        trace: str | None = None,
        depth: int | None = None,
    ) -> TaskReceipt:
        """Queues a task; returns when it is durable. A second one of the same ``task_id`` is not queued.

        :param needs: what a worker and its host must have to be given it: ``{"skills": ["sql"], "gpu_memory_mb": 8000, "labels":
            {"zone": "a"}}``, or some of that
        :param limits: of the ecosystem: while one of them is closed, the task is parked
        :param accept: how it proves that it is done: ``{"check": name}``, ``{"rule": expression}`` or ``{"reviewer": person}``
        """
        options = {
            "task_id": task_id,
            "priority": priority,
            "sender": sender,
            "delay_ms": delay_ms,
            "deadline_ms": deadline_ms,
            "timeout_ms": timeout_ms,
            "max_attempts": max_attempts,
            "needs": needs,
            "limits": None if limits is None else list(limits),
            "accept": accept,
            "cause": cause,
            "trace": trace,
            "depth": depth,
        }
        made = new_task(recipient, type, payload, options)
        return (await self._transport.run(self._calls.enqueue(queue, [made])))[0]

    async def enqueue_many(self, queue: str, tasks: Iterable[Mapping[str, Any]]) -> list[TaskReceipt]:
        """Queues all tasks or none; each is ``{"recipient": …, "type": …, "payload": …}``."""
        return await self._transport.run(self._calls.enqueue(queue, [task_fields(one) for one in tasks]))

    async def call(
        self,
        queue: str,
        recipient: str,
        type: str,
        payload: Any = None,
        *,
        timeout: float = 5.0,
        priority: int | None = None,
        sender: str | None = None,
        require_responder: bool | None = None,
        correlation_id: str | None = None,
        needs: types.NewCallNeeds | None = None,
        cause: str | None = None,
        trace: str | None = None,
    ) -> CallReply:
        """Asks a responder, and waits for the reply; see ``Client.call``."""
        options = {
            "priority": priority,
            "sender": sender,
            "require_responder": require_responder,
            "correlation_id": correlation_id,
            "needs": needs,
            "cause": cause,
            "trace": trace,
        }
        return await self._transport.run(self._calls.call(queue, recipient, type, payload, timeout, options))

    def follow_queue(
        self, queue: str, *, tail: int = 100, on_interrupted: OnInterrupted | None = None
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The latest events of a queue, and new ones as they happen."""
        return follow_queue(self._transport, self._calls, queue, tail, on_interrupted)

    def worker(self, queue: str, recipient: str, **options: Any) -> Callable[[AsyncHandler], AsyncWorker]:
        """Makes a coroutine function a worker: see ``ganglion.worker``."""
        from .worker import AsyncWorker

        return lambda handler: AsyncWorker(queue, recipient, handler, client=self, **options)

    def answer(self, queue: str, recipient: str, *types: str, **options: Any) -> Callable[[AsyncHandler], AsyncWorker]:
        """Makes a coroutine function a responder for calls of these types: see ``ganglion.answer``."""
        from .worker import AsyncWorker

        given: dict[str, Any] = {"concurrency": 16, **options}
        return lambda handler: AsyncWorker(queue, recipient, handler, client=self, types=types, **given)

    async def ask_human(
        self,
        question: str,
        recipient: str,
        *,
        options: Sequence[str] | None = None,
        context: Any = None,
        expires: str | None = None,
        on_timeout: str | None = None,
        id: str | None = None,
        cause: str | None = None,
        wait: float | None = None,
    ) -> types.Question:
        """Asks a person or a role, and waits until the question is over.

        Nobody has answered where ``answer`` of the result is ``None``: silence is no answer, unless ``on_timeout`` says which.

        :param expires: until when an answer is of use, such as ``2h``; default seven days
        :param id: asked again under it, it is the same question
        :param wait: longest wait in seconds; the question is open then, and may be asked on under its id
        """
        fields: dict[str, Any] = {
            "id": id or f"q-{uuid.uuid4()}",
            "question": question,
            "recipient": recipient,
            "options": None if options is None else list(options),
            "context": context,
            "expires": expires,
            "on_timeout": on_timeout,
            "cause": cause,
        }
        given = {name: value for name, value in fields.items() if value is not None}
        asked = await self.api.ask_question(cast("types.AskQuestionBody", given))
        until = None if wait is None else time.monotonic() + wait
        while True:
            left = MAX_WAIT if until is None else max(0.0, min(MAX_WAIT, until - time.monotonic()))
            known = await self.api.get_question(asked["id"], wait_ms=int(left * 1000))
            if known["state"] != "open" or (until is not None and time.monotonic() >= until):
                return known

    async def update_note(
        self,
        key: str,
        change: Callable[[dict[str, Any] | None], Mapping[str, Any]],
        *,
        ttl_ms: int | None = None,
        cause: str | None = None,
    ) -> types.Note:
        """Changes a note by what it holds, and loses no update of another writer.

        :param change: gets the present value, and ``None`` where there is none; may be called several times
        :raises Conflict: other writers were faster a hundred times
        :raises EdgeUnreachable: nobody knows whether the change was made
        """
        known = await self._note(key)
        for tries in range(MAX_TRIES):
            value = dict(change(None if known is None else dict(known["value"])))
            version = 0 if known is None else known["version"]
            try:
                return await self.api.put_note(key, value, if_version=version, ttl_ms=ttl_ms, cause=cause)
            except Conflict as conflict:
                if conflict.status != 412 or tries == MAX_TRIES - 1:
                    raise
                known = await self._note(key)
        raise AssertionError("unreachable")

    async def _note(self, key: str) -> types.Note | None:
        try:
            return await self.api.get_note(key)
        except NotFound:
            return None

    def limit(
        self,
        name: str,
        *,
        requests: int | None = None,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        usd: float | None = None,
        agent: str | None = None,
        task: str | None = None,
        chain: str | None = None,
        model: str | None = None,
        patience: float = 60.0,
        when_away: WhenAway | None = None,
    ) -> AsyncLimited:
        """``async with client.limit("anthropic", input_tokens=2_000, usd=0.05) as held:`` reserves the most that a call of a provider
        may use, and settles at the end: what ``held.used(…)`` said, or all of it. ``held.refused(…)`` closes the limit for all.
        Where a local agent of the same edge runs on this machine, it answers out of the share that it holds.

        :param agent: whose budgets count it, as those of ``task`` and ``chain``
        :param patience: longest wait until it is granted, in seconds
        :param when_away: what to do where no edge answers: ``open`` goes on, and settles later; default: as the limit said last
        :raises LimitRefused: nothing is granted in time
        """
        ask = new_ask(name, requests, input_tokens, output_tokens, usd, agent, task, chain, model, patience, when_away)
        return AsyncLimited(self._transport, self._limits, ask)

    def lock(
        self,
        name: str,
        *,
        owner: str | None = None,
        ttl: float = 60.0,
        mode: Mode = "exclusive",
        wait: float | None = None,
        task: str | None = None,
    ) -> AsyncLocked:
        """``async with client.lock("tree:/srv/app") as lock:`` holds a lock, and renews it until the end. ``lock.fence`` is for what it
        protects. A lock that is lost cancels the work.

        :param owner: one line of work, which gets the same lock again; default: a new one each time
        :param ttl: it ends so long after it was renewed last, in seconds
        :param wait: longest wait for it, in seconds; default: until it is free
        :raises LockNotAvailable: it was not free in time
        :raises LockLost: at the end, where it was lost meanwhile
        """
        return AsyncLocked(self._transport, HeldLock(self._edge, LockWish(name, owner, ttl, mode, wait, task)))

    def open_locks(self, *, on_remark: Callable[[str], None] | None = None) -> AsyncLocks:
        """Locks over a channel, for a program that locks often: ``async with client.open_locks() as locks:``, and in it
        ``async with locks.lock(…)`` as ``client.lock(…)``. A request and its answer are one message each; a wait costs nothing and keeps
        its place over a lost connection.

        :param on_remark: told when no channel can be opened, and HTTP is used
        """
        from .locks import AsyncLocks

        return AsyncLocks(self._edge, self._transport, on_remark)

    def _signal(
        self, signal: str, facts: Mapping[str, Any] | None, source: str | None, **fields: Any
    ) -> dict[str, Any]:
        return new_signal(signal, facts, source or self.settings.source, **fields)

    async def _perform(
        self, operation: Operation, path: Mapping[str, str], query: Mapping[str, object], body: object
    ) -> Any:
        return await self._transport.run(self._edge.operate(operation, path, query, body))
