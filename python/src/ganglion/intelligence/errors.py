"""Why code could not be asked about."""

from __future__ import annotations

from ..errors import GanglionError

__all__ = [
    "IntelligenceClosed",
    "IntelligenceError",
    "IntelligenceFailed",
    "IntelligenceTimeout",
    "IntelligenceUnavailable",
]


class IntelligenceError(GanglionError):
    """Base of the errors of those who ask."""

    fallback_reason = "connection_failed"
    """Why an asker goes on with the library."""
    transient = False
    """Whether the same request may succeed in a moment."""


class IntelligenceTimeout(IntelligenceError):
    """No answer came within the limit."""

    fallback_reason = "timeout"


class IntelligenceFailed(IntelligenceError):
    """A responder answered that the request failed."""

    fallback_reason = "failed_answer"

    def __init__(self, error_code: str, message: str, retry_allowed: bool, suggested_action: str | None = None) -> None:
        super().__init__(message if suggested_action is None else f"{message}. {suggested_action}")
        self.error_code = error_code
        self.retry_allowed = retry_allowed
        self.suggested_action = suggested_action
        self.transient = retry_allowed


class IntelligenceUnavailable(IntelligenceError):
    """Nobody could be asked, or nobody answered in a form that can be read."""

    def __init__(self, reason: str, message: str, transient: bool = False, refused: bool = False) -> None:
        super().__init__(message)
        self.reason = reason
        self.fallback_reason = reason
        self.transient = transient
        self.refused = refused
        """Whether the edge did not let the asker in."""


class IntelligenceClosed(IntelligenceError):
    """The client is not open any more."""

    fallback_reason = "no_client"

    def __init__(self) -> None:
        super().__init__("the intelligence client was closed: make a new one")
