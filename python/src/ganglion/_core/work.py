"""What both kinds of workers share."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from ..errors import ApiProblem, GanglionError
from ..models import Task
from .calls import milliseconds
from .exchange import to_json
from .held_lock import LockWish, Mode
from .interruption import Interruption

__all__ = ["Outcome", "Plan", "TaskCancelled", "TaskRefused", "TaskReleased", "Turn", "log_remark", "outcome_of", "plan"]

_LOG = logging.getLogger("ganglion.worker")
_MAX_ERROR = 4_000
_WAIT = 8.0
DENIED_DELAY = 60.0
"""Added to the delay after a refusal, which lasts until the token is replaced: a fleet must not ask too often."""
MAX_DELAY = 10.0
CONFIRM = 10.0
"""After a stop, longest wait for the queue to confirm the last results."""


class TaskRefused(GanglionError):
    """Raised by a handler: the task fails for good, without another attempt."""


class TaskReleased(GanglionError):
    """Raised by a handler: the task is given back as if it had not been begun. Another worker may have it at once."""


class TaskCancelled(GanglionError):
    """The task was cancelled, or its lease was lost: another worker may have it, and no result is sent."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a worker works."""

    queue: str
    recipient: str
    name: str | None
    concurrency: int
    lease: float
    wait: float
    grace: float
    claims: Mapping[str, Any]
    """What it has, of what tasks may need: ``skills``, and its ``host`` with its ``labels``."""
    types: tuple[str, ...]
    """Types that it does; empty: all."""

    def renewal(self) -> dict[str, Any]:
        return {"lease_ms": milliseconds(self.lease)}


def plan(
    queue: str,
    recipient: str,
    *,
    concurrency: int = 1,
    lease: float = 30.0,
    wait: float = _WAIT,
    grace: float = 20.0,
    name: str | None = None,
    skills: Sequence[str] = (),
    host: str | None = None,
    labels: Mapping[str, str] | None = None,
    types: Sequence[str] = (),
    heartbeat_seconds: float | None = None,
) -> Plan:
    if concurrency < 1:
        raise ValueError("concurrency is at least 1")
    if lease < 0.1:
        raise ValueError("a lease lasts at least 0.1 seconds")
    # A request that waits must be over before a heartbeat is due.
    said: dict[str, Any] = {"skills": list(skills), "host": host, "labels": dict(labels or {})}
    claims = {name: value for name, value in said.items() if value}
    longest = 30.0 if heartbeat_seconds is None else heartbeat_seconds / 2
    return Plan(
        queue=queue,
        recipient=recipient,
        name=name or (None if recipient == "*" else recipient),
        concurrency=concurrency,
        lease=lease,
        wait=min(wait, longest),
        grace=grace,
        claims=claims,
        types=tuple(types),
    )


class Turn:
    """A task in a worker's hands."""

    __slots__ = ("_evidence", "_interruption", "_reason", "task")

    def __init__(self, task: Task) -> None:
        self.task = task
        self._reason: str | None = None
        self._evidence: Any = None
        self._interruption = Interruption()

    def __repr__(self) -> str:
        return f"<task {self.task.task_id} of {self.task.type}, attempt {self.task.attempt}>"

    @property
    def task_id(self) -> str:
        return self.task.task_id

    @property
    def type(self) -> str:
        return self.task.type

    @property
    def payload(self) -> Any:
        return self.task.payload

    @property
    def attempt(self) -> int:
        """From 1."""
        return self.task.attempt

    @property
    def sender(self) -> str | None:
        return self.task.sender

    @property
    def notes(self) -> list[dict[str, Any]]:
        """Notes of the task (``task/<id>/…``) as they were when it was given out, the last change first."""
        return self.task.notes or []

    @property
    def answers(self) -> list[dict[str, Any]]:
        """How the questions ended for which the task has waited: ``question``, ``state``, ``answer``, ``answered_by``."""
        return self.task.answers or []

    @property
    def verdict(self) -> dict[str, Any] | None:
        """Why the last completion was refused: ``by``, ``name``, ``reason``, ``attempt``; ``None``: none was."""
        return self.task.verdict

    @property
    def cancelled(self) -> bool:
        """Whether the result is no longer wanted: look at it between two steps."""
        return self._reason is not None

    def raise_if_cancelled(self) -> None:
        """:raises TaskCancelled: the result is no longer wanted"""
        if self._reason is not None:
            raise TaskCancelled(f"{self.task_id}: {self._reason}")

    def evidence(self, value: Any) -> None:
        """Says what shows that the task is done, any JSON of 16 KiB at most, for a task that must prove it: the last call counts."""
        self._evidence = value

    def _lock_wish(
        self, name: str, owner: str | None, ttl: float, mode: Mode, wait: float | None, task: str | None
    ) -> LockWish:
        begin = self.task.recipient if self.task.recipient != "*" else "worker"
        return LockWish(name, owner or f"{begin}/{self.task.lease_id}", ttl, mode, wait, task or self.task.task_id)

    def followed_by(self, recipient: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """Fields of a task that follows from this one: it is named after it, so that it is queued once, though this one
        is done again after a crash."""
        task = self.task
        return {
            "task_id": f"{task.task_id}.{recipient}",
            "sender": task.recipient,
            "priority": task.priority,
            "cause": task.cause,
            "trace": task.trace,
            "depth": task.depth,
            **options,
        }

    def question(self, type: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """Fields of a call out of this task: named, so that asking again after a lost answer is the same question."""
        task = self.task
        named = {"sender": task.recipient, "correlation_id": f"{task.task_id}.{task.attempt}.{type}"}
        return {**named, "cause": task.cause, "trace": task.trace, **options}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended, as it is reported to the queue."""

    action: str
    fields: Mapping[str, Any]


def outcome_of(result: Any, error: BaseException | None, evidence: Any = None) -> Outcome:
    """:param error: what the handler raised; ``None``: it returned ``result``
    :param evidence: what it said beside the result
    """
    if isinstance(error, TaskReleased):
        return Outcome("release", {})
    if error is not None:
        text = f"{error}" or type(error).__name__
        # The name of a foreign exception says what its message often leaves out.
        named = text if isinstance(error, GanglionError) or text == type(error).__name__ else f"{type(error).__name__}: {text}"
        return failure(named, retry=not isinstance(error, TaskRefused))
    for what, value in (("result", result), ("evidence", evidence)):
        try:
            to_json(value)
        except (TypeError, ValueError) as reason:
            # Another attempt would give the same, so the task fails now and for good.
            return failure(f"the {what} is no JSON: {reason}", retry=False)
    proof = {} if evidence is None else {"evidence": evidence}
    return Outcome("complete", {"result": result, **proof})


def failure(error: str, *, retry: bool) -> Outcome:
    return Outcome("fail", {"error": error[:_MAX_ERROR], "retry": retry})


def refused_outcome(outcome: Outcome, problem: ApiProblem) -> Outcome | None:
    """What is reported in place of an outcome that the queue will never take; ``None``: nothing."""
    if outcome.action != "complete":
        return None
    return failure(f"the queue refused the result: {problem}", retry=False)


def unknown_type(plan: Plan, task: Task) -> TaskRefused | None:
    if not plan.types or task.type in plan.types:
        return None
    return TaskRefused(f"{plan.recipient} does not answer {task.type}. It answers: {', '.join(plan.types)}")


def log_remark(text: str) -> None:
    """Where nobody asked for remarks they are warnings of a log, which Python shows on standard error."""
    _LOG.warning("%s", text)
