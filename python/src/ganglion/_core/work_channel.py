"""What a worker's channel carries: tasks by push, and word of those that were cancelled. How tasks end goes over HTTP, whose
answers say that it is durable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from ..errors import UnreadableAnswer, problem_from
from ..models import Task, read
from .calls import milliseconds
from .exchange import to_json
from .frames import FrameChannel
from .websocket import TEXT, written
from .work import Plan

__all__ = ["CHANNEL_RETRY", "PROTOCOL", "Given", "Withdrawn", "WorkChannel"]

PROTOCOL = "ganglion.work.v1"
CHANNEL_RETRY = 30.0
"""While tasks come over plain HTTP: time between two attempts to open the channel."""
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


class WorkChannel(FrameChannel):
    """The queue's end of it gives tasks for as long as this one has room."""

    __slots__ = ()

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

    def feed(self, data: bytes) -> tuple[list[Given | Withdrawn], bytes]:
        """:returns: what was said, and what has to be sent back

        :raises ApiProblem: the queue will never give this worker a task
        """
        said: list[Given | Withdrawn] = []
        documents, back = self.read(data)
        for document in documents:
            for frame in document if isinstance(document, list) else [document]:
                said += _said(frame)
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
