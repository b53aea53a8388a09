"""One operation of the HTTP API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Union

__all__ = ["Operation", "Time"]

Time = Union[str, float, datetime]
"""A time in a query: RFC 3339, seconds since the epoch, or a datetime (one without a zone is local)."""


@dataclass(frozen=True, slots=True)
class Operation:
    id: str
    method: str
    path: str
    """With its parameters in braces."""
    media: str = "application/json"
    """Of the body."""
    keyed: bool = False
    """Takes an ``Idempotency-Key``: sent again under the same key it happens once."""
    text: bool = False
    """The answer is a text and no JSON."""

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent again when no answer came."""
        return self.keyed or self.method in ("GET", "PUT", "DELETE")
