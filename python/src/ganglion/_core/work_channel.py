"""What a worker's channel carries: tasks by push, and word of those that were cancelled. How tasks end goes over HTTP, whose
answers say that it is durable."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Mapping

from ..errors import ApiProblem, UnreadableAnswer, problem_from
from ..models import Task, read
from .calls import milliseconds
from .exchange import to_json
from .websocket import CLOSE, PING, TEXT, Message, MessageReader, Upgrade, closing, written
from .work import Plan

__all__ = ["CHANNEL_RETRY", "PROTOCOL", "WorkChannel", "refusal_in"]

PROTOCOL = "ganglion.work.v1"
CHANNEL_RETRY = 30.0
"""While tasks come over plain HTTP: time between two attempts to open the channel."""
PING_EVERY = 20.0
"""A connection on which nothing came between two pings is dead, even if the kernel still holds it open."""
_NOT_BOUND = "/problems/not-bound"


@dataclass(frozen=True, slots=True)
class Given:
    """A task that this worker holds from now on."""

    task: Task


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A lease that counts no longer."""

    lease_id: str
    reason: str


class WorkChannel:
    """open → closed. Takes bytes, gives what they say, and bytes to be sent."""

    __slots__ = ("_alive", "_reader", "closed")

    def __init__(self) -> None:
        self._reader = MessageReader()
        self._alive = True
        self.closed = False

    def ready(self, plan: Plan, credit: int) -> bytes:
        """This end takes so many unfinished tasks at a time; each that ends makes room for the next."""
        frame: dict[str, Any] = {
            "type": "ready",
            "recipient": plan.recipient,
            "credit": credit,
            "lease_ms": milliseconds(plan.lease),
            **plan.claims,
        }
        return written(TEXT, to_json(frame))

    def ping(self) -> bytes | None:
        """To be sent each PING_EVERY; ``None``: the connection is dead."""
        alive, self._alive = self._alive, False
        return written(PING) if alive else None

    def feed(self, data: bytes) -> tuple[list[Given | Withdrawn], bytes]:
        """:returns: what was said, and what has to be sent back

        :raises ApiProblem: the queue will never give this worker a task
        """
        self._alive = True
        said: list[Given | Withdrawn] = []
        back = b""
        for message in self._reader.feed(data):
            if message.kind == TEXT:
                document = json.loads(message.data)
                for frame in document if isinstance(document, list) else [document]:
                    said += _said(frame)
            elif message.kind == PING:
                back += written(0xA, message.data)
            elif message.kind == CLOSE:
                self.closed = True
                back += closing()
        return said, back


def _said(frame: object) -> list[Given | Withdrawn]:
    if not isinstance(frame, Mapping):
        raise UnreadableAnswer("the other end of the channel is no queue")
    kind = frame.get("type")
    if kind == "tasks":
        return [Given(read(Task, task)) for task in frame["tasks"]]
    if kind in ("cancel", "conflict"):
        return [Withdrawn(str(task["lease_id"]), f"it was withdrawn: {task.get('reason')}") for task in frame["tasks"]]
    if kind == "refused":
        problem = frame.get("problem")
        if isinstance(problem, Mapping) and problem.get("type") == _NOT_BOUND:
            raise problem_from(int(problem.get("status", 403)), to_json(problem), None)
    # Frames of other kinds may come with later versions of the edge.
    return []


def refusal_in(upgrade: Upgrade, body: bytes) -> ApiProblem | None:
    """Why an upgrade was refused; ``None``: its answer is not whole yet."""
    answer = upgrade.refusal
    if answer is None or not answer.done:
        return None
    return problem_from(answer.status, body, answer.headers.get("retry-after"))
