"""The calls that have more to them than one request: as flows, for both clients."""

from __future__ import annotations

import math
from typing import Any, Iterable, Mapping, Sequence

from ..errors import Conflict, EdgeUnreachable, NotFound, UnreadableAnswer
from ..models import CallReply, Receipt, Signal, Task, TaskReceipt, read
from .exchange import Edge, Flow, Request
from .ids import uuid7
from .operation import Time

__all__ = ["Calls", "emit_fields", "milliseconds", "new_signal", "new_task", "task_fields"]

_NETWORK_SECONDS = 5.0
"""Added to the wait of a request that waits at the edge."""


def new_signal(
    signal: str,
    facts: Mapping[str, Any] | None,
    source: str,
    *,
    id: str | None = None,
    cause: str | Signal | None = None,
    timestamp: Time | None = None,
    trace: str | None = None,
) -> dict[str, Any]:
    """A signal as the API takes it. Without an id it gets one, so that sending it again stores it once."""
    made: dict[str, Any] = {"signal": signal, "source": source, "facts": dict(facts or {}), "id": id or uuid7()}
    if isinstance(cause, Signal):
        # How long the chain is by now is what a loop is found by.
        made["cause"] = cause.id
        made["depth"] = (cause.depth or 0) + 1
        trace = trace or cause.trace
    elif cause is not None:
        made["cause"] = cause
    if timestamp is not None:
        made["timestamp"] = timestamp if isinstance(timestamp, (str, int, float)) else timestamp.astimezone().isoformat()
    if trace is not None:
        made["trace"] = trace
    return made


def new_task(recipient: str, type: str, payload: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """A task as the API takes it. Without an id it gets one, so that sending it again queues it once."""
    fields = {name: value for name, value in options.items() if value is not None}
    made = {"recipient": recipient, "type": type, "payload": payload, **fields}
    return made if "task_id" in made else {**made, "task_id": uuid7()}


def emit_fields(signal: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a signal besides its name, its facts and its source."""
    unknown = set(signal) - {"signal", "facts", "source", *_EMIT_FIELDS}
    if unknown:
        raise TypeError(f"a signal has no field {', '.join(sorted(unknown))}")
    if not isinstance(signal.get("signal"), str):
        raise TypeError('a signal needs a name: give {"signal": "Q_…", "facts": {…}}')
    return {name: signal[name] for name in _EMIT_FIELDS if name in signal}


_EMIT_FIELDS = ("id", "cause", "timestamp", "trace")


def task_fields(task: Mapping[str, Any]) -> dict[str, Any]:
    """A task that was given as a document."""
    options = {name: value for name, value in task.items() if name not in ("recipient", "type", "payload")}
    return new_task(task["recipient"], task["type"], task.get("payload"), options)


def milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else math.ceil(seconds * 1000)


class Calls:
    __slots__ = ("edge",)

    def __init__(self, edge: Edge) -> None:
        self.edge = edge

    def emit(self, signals: Sequence[Mapping[str, Any]]) -> Flow[Receipt]:
        if not signals:
            return Receipt(None, None, 0, 0, [])
        body = signals[0] if len(signals) == 1 else list(signals)
        request = self.edge.request("POST", self.edge.inside("signals"), body=body)
        return read(Receipt, (yield from self.edge.call(request)))

    def page(self, query: Mapping[str, Any]) -> Flow[tuple[list[Signal], int | None]]:
        """Signals, and the ``after`` of the next page."""
        document = yield from self.edge.call(self.edge.request("GET", self.edge.inside("signals"), query=query))
        if not isinstance(document, dict) or not isinstance(document.get("signals"), list):
            raise UnreadableAnswer("the answer is no page of signals: use the client of the version that the edge runs")
        return [read(Signal, one) for one in document["signals"]], document.get("next")

    def last_seq(self) -> Flow[int]:
        signals, _ = yield from self.page({"order": "desc", "limit": 1})
        return signals[0].seq if signals else 0

    def signal(self, id: str) -> Flow[Signal]:
        return read(Signal, (yield from self.edge.call(self.edge.request("GET", self.edge.inside("signals", id)))))

    def stream(self, after: int, names: Sequence[str]) -> Request:
        """Opens the stream of signals behind a place in the log."""
        query = {"after": after, "signal": names}
        headers = {"Accept": "text/event-stream"}
        return self.edge.request("GET", self.edge.inside("signals", "stream"), query=query, headers=headers)

    def queue_events(self, queue: str, tail: int, last_id: str | None) -> Request:
        headers = {"Accept": "text/event-stream", **({} if last_id is None else {"Last-Event-ID": last_id})}
        return self.edge.request(
            "GET", self.edge.inside("queues", queue, "events"), query={"tail": tail}, headers=headers
        )

    def enqueue(self, queue: str, tasks: Iterable[Mapping[str, Any]]) -> Flow[list[TaskReceipt]]:
        body = list(tasks)
        if not body:
            return []
        path = self.edge.inside("queues", queue, "tasks")
        document = yield from self.edge.call(self.edge.request("POST", path, body=body))
        return [read(TaskReceipt, one) for one in document["tasks"]]

    def call(
        self,
        queue: str,
        recipient: str,
        type: str,
        payload: Any,
        timeout: float,
        options: Mapping[str, Any],
        *,
        repeatable: bool = True,
    ) -> Flow[CallReply]:
        body = {
            "recipient": recipient,
            "type": type,
            "payload": payload,
            "timeout_ms": milliseconds(timeout),
            **{name: value for name, value in options.items() if value is not None},
        }
        body.setdefault("correlation_id", uuid7())
        path = self.edge.inside("queues", queue, "calls")
        request = self.edge.request("POST", path, body=body, timeout=timeout + _NETWORK_SECONDS)
        # Every answer of the edge is final, 502 and 504 included. Only a call without an answer is sent again, and runs
        # once, because the correlation id is the same.
        response = yield from self.edge.exchange(
            request, repeatable=repeatable, transient=lambda error: isinstance(error, EdgeUnreachable)
        )
        return read(CallReply, self.edge.document(response))

    def lease(
        self,
        queue: str,
        recipient: str,
        *,
        max: int,
        lease: float,
        wait: float,
        worker: str | None,
        claims: Mapping[str, Any],
    ) -> Flow[list[Task]]:
        """Waits for tasks, without a second try: the worker tries again itself.

        :param claims: what the worker has: ``skills``, and its ``host`` with its ``labels``
        """
        body = {"recipient": recipient, "max": max, "lease_ms": milliseconds(lease), "wait_ms": milliseconds(wait), **claims}
        if worker is not None:
            body["worker"] = worker
        path = self.edge.inside("queues", queue, "lease")
        request = self.edge.request("POST", path, body=body, timeout=wait + _NETWORK_SECONDS)
        document = yield from self.edge.call(request, repeatable=False)
        return [read(Task, one) for one in document["tasks"]]

    def work_channel(self, queue: str, worker: str | None) -> Request:
        """The upgrade to a worker's channel."""
        return self.edge.request("GET", self.edge.inside("queues", queue, "work"), query={"worker": worker}, timeout=20.0)

    def settle(self, queue: str, action: str, task: Task, fields: Mapping[str, Any]) -> Flow[bool]:
        """Completes, fails, extends or releases. :returns: whether the lease was still held"""
        path = self.edge.inside("queues", queue, "tasks", task.task_id, action)
        request = self.edge.request("POST", path, body={"lease_id": task.lease_id, **fields})
        try:
            yield from self.edge.exchange(request, repeatable=False)
        except (Conflict, NotFound):
            return False
        return True
