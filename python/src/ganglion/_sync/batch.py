"""Signals that are emitted together."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Mapping

if TYPE_CHECKING:
    from .client import Client

__all__ = ["Batch"]


class Batch:
    """Signals that are emitted together at the end of the block. More than 1,000 are several requests."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._signals: list[Mapping[str, Any]] = []

    def __enter__(self) -> Batch:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error is None:
            for first in range(0, len(self._signals), 1000):
                self._client.emit_many(self._signals[first : first + 1000])

    def emit(self, signal: str, facts: Mapping[str, Any] | None = None, **options: Any) -> None:
        """Takes the arguments of ``Client.emit``."""
        self._signals.append({"signal": signal, "facts": facts, **options})
