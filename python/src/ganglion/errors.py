"""Everything that a call may raise. No message and no ``repr`` ever holds a token."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Mapping

__all__ = [
    "ApiProblem",
    "Conflict",
    "EdgeUnreachable",
    "FieldError",
    "Forbidden",
    "GanglionError",
    "InvalidRequest",
    "LimitRefused",
    "LockLost",
    "LockNotAvailable",
    "NotFound",
    "ServerProblem",
    "SettingsError",
    "TooManyRequests",
    "Unauthorized",
    "UnreadableAnswer",
]


class GanglionError(Exception):
    """Base of all errors of this package."""


class SettingsError(GanglionError, ValueError):
    """Address, token or another setting is missing or wrong; the message says which and what to do."""


class EdgeUnreachable(GanglionError, ConnectionError):
    """No edge answered, or the connection broke."""

    def __init__(self, origin: str, reason: str) -> None:
        super().__init__(
            f"no edge answers at {origin} ({reason}); start one on this machine with \"npm start\", "
            "or set GANGLION_URL to where it runs"
        )
        self.origin = origin
        self.reason = reason


class UnreadableAnswer(GanglionError):
    """The answer is not what the API says: another server, or an edge of another version."""


class LimitRefused(GanglionError):
    """A limit granted nothing in time; ``answer`` is what it said: ``why``, ``closed_until``, ``final``."""

    def __init__(self, limit: str, answer: Mapping[str, Any]) -> None:
        until = f" until {answer['closed_until']}" if "closed_until" in answer else ""
        why = answer.get("detail") or answer.get("why") or "no reason was given"
        super().__init__(f"the limit {limit} grants nothing{until}: {why}")
        self.answer = dict(answer)


class LockNotAvailable(GanglionError):
    """Somebody else holds the lock, and the time to wait for it is over; ``answer`` says who."""

    def __init__(self, lock: str, answer: Mapping[str, Any]) -> None:
        if "cycle" in answer:
            said = "all would wait for each other"
        else:
            said = f"{answer['holder']} holds {answer['blocked_by']['name']} since {answer['blocked_by']['since']}"
        super().__init__(f"the lock {lock} is not to be had: {said}")
        self.answer = dict(answer)


class LockLost(GanglionError):
    """The lock is not held any more, though nobody released it here."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """A mistake in one place of a request."""

    pointer: str
    """JSON pointer (RFC 6901) into the request's body."""
    message: str


class ApiProblem(GanglionError):
    """The edge refused the call with a problem document (RFC 9457)."""

    def __init__(self, problem: Mapping[str, Any], retry_after: float | None = None) -> None:
        self.problem = dict(problem)
        self.status = int(problem["status"])
        self.type = str(problem.get("type", "about:blank"))
        """Stable name of the kind of problem, such as ``/problems/invalid-signal``."""
        self.title = str(problem.get("title", ""))
        detail = problem.get("detail")
        self.detail = detail if isinstance(detail, str) else None
        self.errors = _field_errors(problem.get("errors"))
        self.retry_after = retry_after
        """Seconds that the edge asks to wait, if it names them."""
        places = "; ".join(f"{error.pointer or '/'}: {error.message}" for error in self.errors[:3])
        # The detail names a single mistake already.
        said = places if len(self.errors) > 1 else self.detail or places
        super().__init__(f"{self.title}: {said}" if said else self.title)

    @property
    def pointer(self) -> str | None:
        """Where the first mistake is; ``None``: the problem is about the whole request."""
        return self.errors[0].pointer if self.errors else None


class InvalidRequest(ApiProblem):
    """The request itself is wrong (400, 413, 415, 422 and every other 4xx without a class of its own)."""


class Unauthorized(ApiProblem):
    """No token, or one that is not valid (401)."""


class Forbidden(ApiProblem):
    """The token lacks a scope, or is bound to other names (403)."""


class NotFound(ApiProblem):
    """No such thing, or it is gone (404, 410)."""


class Conflict(ApiProblem):
    """The state of the thing forbids it: a lost lease, a name that is taken (409, 412)."""


class TooManyRequests(ApiProblem):
    """Too much at once (429); ``retry_after`` says how long to wait."""


class ServerProblem(ApiProblem):
    """The edge, or whoever answers behind it, could not do it (5xx); a call without an answer in time is a 504."""


_CLASSES: dict[int, type[ApiProblem]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: NotFound,
    412: Conflict,
    429: TooManyRequests,
}


def problem_from(status: int, body: bytes, retry_after: str | None) -> ApiProblem:
    """Reads a refusal. A proxy answers with a page of its own, which becomes a problem of its status."""
    problem = _problem_in(body) or {"type": "about:blank", "title": f"The edge answered {status}", "status": status}
    exact = problem.get("retry_after_ms")
    # The header counts whole seconds; the body may have milliseconds.
    wait = exact / 1000 if isinstance(exact, (int, float)) else _seconds(retry_after)
    kind = _CLASSES.get(status, ServerProblem if status >= 500 else InvalidRequest)
    return kind({**problem, "status": status}, wait if wait is not None and wait >= 0 else None)


def _problem_in(body: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(body)
    except ValueError:
        return None
    return document if isinstance(document, dict) and isinstance(document.get("title"), str) else None


def _field_errors(errors: object) -> tuple[FieldError, ...]:
    if not isinstance(errors, list):
        return ()
    return tuple(
        FieldError(str(error.get("pointer", "")), str(error.get("message", "")))
        for error in errors
        if isinstance(error, dict)
    )


def _seconds(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
