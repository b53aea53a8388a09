"""The client that blocks."""

from __future__ import annotations

import os
import time
import uuid
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Iterable, Iterator, Literal, Mapping, Sequence, cast

from .._core.calls import Calls, emit_fields, new_signal, new_task, task_fields
from .._core.exchange import Edge, Retry
from .._core.held_limit import LimitDesk, WhenAway, new_ask
from .._core.held_lock import HeldLock, LockWish, Mode
from .._core.host_agent import HostAgent
from .._core.operation import Operation, Time
from .._core.settings import Settings, read_settings
from .._operations import Operations
from ..errors import Conflict, NotFound
from ..models import CallReply, Receipt, Signal, TaskReceipt
from .batch import Batch
from .coordination import Limited, Locked
from .follow import Following, OnInterrupted, QueueFollowing
from .later import Later
from .looks import Looks
from .transport import Transport

if TYPE_CHECKING:
    from .. import types
    from ..intelligence import Intelligence
    from .locks import Locks
    from .worker import Handler, Worker

__all__ = ["MAX_TRIES", "MAX_WAIT", "Client"]

MAX_TRIES = 100
"""Of a change of a note, where other writers are faster."""

MAX_WAIT = 20.0
"""Of one request that waits for an answer, in seconds: below the time limit of requests."""


class Client(Looks):
    """An ecosystem of an edge. May be used by many threads; ``with`` closes it at the end.

    Address, token and ecosystem come from the arguments, or else from ``GANGLION_URL``, ``GANGLION_TOKEN`` and
    ``GANGLION_ECOSYSTEM``, or else from the context in use (``ganglion context use``), or else from the edge of this
    machine, as with the command ``ganglion``.

    :param source: of signals that name none; default: this host
    :param context: of those that ``ganglion context add`` has kept
    :param timeout: longest wait for an answer, in seconds
    :param linger: how long ``emit_later`` gathers signals, in seconds
    :param local_agent: whether limits are asked of the local agent of this machine, where one of the same edge runs
    """

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
        self._transport = Transport(self.settings)
        self._limits = LimitDesk(edge, agent=HostAgent(self.settings) if local_agent else None)
        self._later = Later(lambda signals: self._transport.run(self._calls.emit(signals)), linger)
        self._intelligence: Intelligence | None = None
        self.api = Operations(self._perform)

    def __repr__(self) -> str:
        return f"Client({self.settings.origin!r}, ecosystem={self.settings.ecosystem!r})"

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Emits and settles what waits, and closes the connections."""
        try:
            self._later.close()
            self._transport.run(self._limits.send_unsent())
        finally:
            if self._intelligence is not None:
                self._intelligence.close()
            self._transport.close()

    @property
    def intelligence(self) -> Intelligence:
        """Asks hosts that have code, and gathers what is known about a kind of node."""
        if self._intelligence is None:
            from ..intelligence import Intelligence

            self._intelligence = Intelligence(self)
        return self._intelligence

    # Signals

    def emit(
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
        return self._transport.run(self._calls.emit([made]))

    def emit_many(self, signals: Iterable[Mapping[str, Any]]) -> Receipt:
        """Emits signals, all or none: at most 1,000 and 1 MiB. Each is ``{"signal": …, "facts": …}``."""
        made = [self._signal(one.get("signal", ""), one.get("facts"), one.get("source"), **emit_fields(one)) for one in signals]
        return self._transport.run(self._calls.emit(made))

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

    def flush(self) -> None:
        """Waits until all that ``emit_later`` was given is durable."""
        self._later.flush()

    def batch(self) -> Batch:
        """``with client.batch() as batch: batch.emit(…)``: emits all together at the end, and none after an error."""
        return Batch(self)

    def query(
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
    ) -> Iterator[Signal]:
        """Signals of the log, page by page.

        :param signal: names in which ``*`` stands for any characters; a leading ``!`` excludes
        :param filter: a condition in CEL, such as ``facts.cpu_percent > 90.0``
        :param order: ``asc`` or ``desc``
        :param limit: most signals; default: all that there are
        """
        query = {"signal": signal, "source": source, "since": since, "until": until, "filter": filter, "order": order}
        left = limit
        while left is None or left > 0:
            size = 1000 if left is None else min(left, 1000)
            found, next_ = self._transport.run(self._calls.page({**query, "after": after, "limit": size}))
            yield from found
            if next_ is None:
                return
            left = None if left is None else left - len(found)
            after = next_

    def signal(self, id: str) -> Signal:
        """A signal by its id."""
        return self._transport.run(self._calls.signal(id))

    def explain(self, id: str) -> types.Lineage:
        """Why a signal came, and what came of it: causes, effects, decisions, tasks."""
        return self.api.get_lineage(id)

    def follow(
        self,
        *signals: str,
        after: int | None = None,
        on_interrupted: OnInterrupted | None = None,
    ) -> Following:
        """Signals as they come, each once, across lost connections.

        :param signals: patterns of names; default: all
        :param after: behind this place in the log; default: from now on
        :param on_interrupted: told why the stream broke, and in how many seconds it is opened again
        """
        return Following(self._transport, self._calls, signals, after, on_interrupted)

    # Queues

    def enqueue(
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
        return self._transport.run(self._calls.enqueue(queue, [new_task(recipient, type, payload, options)]))[0]

    def enqueue_many(self, queue: str, tasks: Iterable[Mapping[str, Any]]) -> list[TaskReceipt]:
        """Queues all tasks or none; each is ``{"recipient": …, "type": …, "payload": …}``."""
        return self._transport.run(self._calls.enqueue(queue, [task_fields(one) for one in tasks]))

    def call(
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
        """Asks a responder, and waits for the reply.

        :param timeout: longest wait in seconds
        :param require_responder: fail at once when nobody is connected who could answer
        :param correlation_id: a call that is sent again under the same id runs once
        :param needs: as those of a task: what a responder and its host must have to be given it
        :raises ServerProblem: 504 no reply in time, 502 the responder failed, 503 there is none or its breaker is open
        """
        options = {
            "priority": priority,
            "sender": sender,
            "require_responder": require_responder,
            "correlation_id": correlation_id,
            "needs": needs,
            "cause": cause,
            "trace": trace,
        }
        return self._transport.run(self._calls.call(queue, recipient, type, payload, timeout, options))

    def follow_queue(
        self, queue: str, *, tail: int = 100, on_interrupted: OnInterrupted | None = None
    ) -> QueueFollowing:
        """The latest events of a queue, and new ones as they happen."""
        return QueueFollowing(self._transport, self._calls, queue, tail, on_interrupted)

    def worker(self, queue: str, recipient: str, **options: Any) -> Callable[[Handler], Worker]:
        """Makes a function a worker: see ``ganglion.worker``."""
        from .worker import Worker

        return lambda handler: Worker(queue, recipient, handler, client=self, **options)

    def answer(self, queue: str, recipient: str, *types: str, **options: Any) -> Callable[[Handler], Worker]:
        """Makes a function a responder for calls of these types: see ``ganglion.answer``."""
        from .worker import Worker

        given: dict[str, Any] = {"concurrency": 16, **options}
        return lambda handler: Worker(queue, recipient, handler, client=self, types=types, **given)

    def ask_human(
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
        asked = self.api.ask_question(cast("types.AskQuestionBody", given))
        until = None if wait is None else time.monotonic() + wait
        while True:
            left = MAX_WAIT if until is None else max(0.0, min(MAX_WAIT, until - time.monotonic()))
            known = self.api.get_question(asked["id"], wait_ms=int(left * 1000))
            if known["state"] != "open" or (until is not None and time.monotonic() >= until):
                return known

    def update_note(
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
        known = self._note(key)
        for tries in range(MAX_TRIES):
            value = dict(change(None if known is None else dict(known["value"])))
            version = 0 if known is None else known["version"]
            try:
                return self.api.put_note(key, value, if_version=version, ttl_ms=ttl_ms, cause=cause)
            except Conflict as conflict:
                if conflict.status != 412 or tries == MAX_TRIES - 1:
                    raise
                known = self._note(key)
        raise AssertionError("unreachable")

    def _note(self, key: str) -> types.Note | None:
        try:
            return self.api.get_note(key)
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
    ) -> Limited:
        """``with client.limit("anthropic", input_tokens=2_000, usd=0.05) as held:`` reserves the most that a call of a provider
        may use, and settles at the end: what ``held.used(…)`` said, or all of it. ``held.refused(…)`` closes the limit for all.
        Where a local agent of the same edge runs on this machine, it answers out of the share that it holds.

        :param agent: whose budgets count it, as those of ``task`` and ``chain``
        :param patience: longest wait until it is granted, in seconds
        :param when_away: what to do where no edge answers: ``open`` goes on, and settles later; default: as the limit said last
        :raises LimitRefused: nothing is granted in time
        """
        ask = new_ask(name, requests, input_tokens, output_tokens, usd, agent, task, chain, model, patience, when_away)
        return Limited(self._transport, self._limits, ask)

    def lock(
        self,
        name: str,
        *,
        owner: str | None = None,
        ttl: float = 60.0,
        mode: Mode = "exclusive",
        wait: float | None = None,
        task: str | None = None,
    ) -> Locked:
        """``with client.lock("tree:/srv/app") as lock:`` holds a lock, and renews it until the end. ``lock.fence`` is for what it
        protects. ``lock.lost`` and ``lock.check()`` say whether it was lost: then leave alone what it protects.

        :param owner: one line of work, which gets the same lock again; default: a new one each time
        :param ttl: it ends so long after it was renewed last, in seconds
        :param wait: longest wait for it, in seconds; default: until it is free
        :raises LockNotAvailable: it was not free in time
        :raises LockLost: at the end, where it was lost meanwhile
        """
        return Locked(self._transport, HeldLock(self._edge, LockWish(name, owner, ttl, mode, wait, task)))

    def open_locks(self, *, on_remark: Callable[[str], None] | None = None) -> Locks:
        """Locks over a channel, for a program that locks often: ``with client.open_locks() as locks:``, and in it
        ``with locks.lock(…)`` as ``client.lock(…)``. A request and its answer are one message each; a wait costs nothing and keeps
        its place over a lost connection.

        :param on_remark: told when no channel can be opened, and HTTP is used
        """
        from .locks import Locks

        return Locks(self._edge, self._transport, on_remark)

    def _signal(
        self, signal: str, facts: Mapping[str, Any] | None, source: str | None, **fields: Any
    ) -> dict[str, Any]:
        return new_signal(signal, facts, source or self.settings.source, **fields)

    def _perform(
        self, operation: Operation, path: Mapping[str, str], query: Mapping[str, object], body: object
    ) -> Any:
        return self._transport.run(self._edge.operate(operation, path, query, body))
