"""What the client gives: signals, tasks and receipts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, TypeVar

from .errors import UnreadableAnswer

__all__ = ["CallReply", "Receipt", "Signal", "Task", "TaskReceipt"]

Document = Mapping[str, Any]
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal of the log."""

    seq: int
    """Its place in the log."""
    id: str
    signal: str
    source: str
    facts: dict[str, Any]
    timestamp: str
    """When it happened, RFC 3339."""
    received_at: str
    ecosystem: str = "default"
    cause: str | None = None
    """Id of the signal that led to it."""
    trace: str | None = None
    depth: int | None = None
    via: dict[str, Any] | None = None
    """The signal of another ecosystem that was forwarded."""
    hops: int | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The signals are durable."""

    first_seq: int | None
    last_seq: int | None
    accepted: int
    duplicates: int
    """Signals that the log had already: counted, not stored again."""
    ids: list[str]
    left_out: int = 0
    """Observations that were not stored, because the ecosystem's budget is used up."""


@dataclass(frozen=True, slots=True)
class TaskReceipt:
    """The task is durable."""

    task_id: str
    status: str
    known: bool = False
    """The queue had a task of this id already; the status is that of the known one."""


@dataclass(frozen=True, slots=True)
class CallReply:
    correlation_id: str
    result: Any
    responder: str | None
    duration_ms: float
    source: str | None = None
    """Only of a stand-in while the breaker is open: where it comes from."""
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A task as the worker that holds it gets it."""

    task_id: str
    lease_id: str = field(repr=False)
    recipient: str
    type: str
    payload: Any
    priority: int
    attempt: int
    """From 1."""
    sender: str | None
    lease_expires_at: str
    correlation_id: str | None = None
    """Only of a call: its caller waits for the result."""
    cause: str | None = None
    trace: str | None = None
    depth: int | None = None
    needs: dict[str, Any] | None = None
    answers: list[dict[str, Any]] | None = None
    """How the questions ended for which the task has waited; ``None``: it has waited for none."""
    verdict: dict[str, Any] | None = None
    """Why the last completion was refused, of a task that must prove that it is done; ``None``: none was."""
    notes: list[dict[str, Any]] | None = None
    """Notes of the task (``task/<id>/…``), the last change first; ``None``: there are none."""
    notes_left_out: int | None = None
    """Notes of the task that had no room here: ``client.api.list_notes(prefix=…)`` lists them all."""
    notes_missing: bool | None = None
    """The notes could not be read in time."""


def read(kind: type[Made], document: object) -> Made:
    """Reads a document; fields that the edge may have added later are left out.

    :raises UnreadableAnswer: a field is missing
    """
    fields: Mapping[str, Any] = getattr(kind, "__dataclass_fields__")
    if not isinstance(document, Mapping):
        raise UnreadableAnswer(f"the answer is no {kind.__name__}: use the client of the version that the edge runs")
    try:
        return kind(**{name: value for name, value in document.items() if name in fields})
    except TypeError as error:
        missing = str(error).rpartition(": ")[2]
        raise UnreadableAnswer(
            f"the answer is no whole {kind.__name__} (missing: {missing}): use the client of the version that the edge runs"
        ) from None
