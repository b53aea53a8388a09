"""Signals that wait to be emitted together."""

from __future__ import annotations

from collections import deque
from typing import Any, Mapping, Sequence

from ..errors import ApiProblem
from .exchange import to_json

__all__ = ["MAX_WAITING", "Batcher", "named_by"]

_MAX_SIGNALS = 1_000
_MAX_BYTES = 900 * 1024
MAX_WAITING = 10_000
"""Whoever emits more than this while the edge does not take them has to wait."""

Document = Mapping[str, Any]


class Batcher:
    """Gathers signals into batches that the edge takes: 1,000 and less than 1 MiB."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: deque[tuple[Document, int]] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def full(self) -> bool:
        """Whether a whole batch waits."""
        return len(self._waiting) >= _MAX_SIGNALS

    def add(self, signal: Document) -> None:
        """:raises TypeError: the facts are no JSON"""
        self._waiting.append((signal, len(to_json(signal)) + 1))

    def take(self) -> list[Document]:
        """The next batch; empty: nothing waits."""
        batch: list[Document] = []
        size = 2
        while self._waiting and len(batch) < _MAX_SIGNALS:
            signal, length = self._waiting[0]
            if batch and size + length > _MAX_BYTES:
                break
            size += length
            batch.append(signal)
            self._waiting.popleft()
        return batch

    def put_back(self, batch: Sequence[Document]) -> None:
        """What could not be sent comes first again."""
        self._waiting.extendleft((signal, len(to_json(signal)) + 1) for signal in reversed(batch))


def named_by(problem: ApiProblem, count: int) -> set[int]:
    """The signals of a batch that a refusal names, by their places; all of them, where it names none: a batch is stored as
    a whole or not at all."""
    named = {int(first) for first in (_first_part(error.pointer) for error in problem.errors) if first.isdigit()}
    return {place for place in named if place < count} or set(range(count))


def _first_part(pointer: str) -> str:
    return pointer.split("/")[1] if pointer.startswith("/") else ""
