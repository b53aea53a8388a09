"""Asks whichever host has code, as flows. Requests are calls, each under an id of its own; an answer is given to the asker
of its correlation id alone."""

from __future__ import annotations

import time
import uuid
from datetime import datetime, timezone
from typing import Any, Callable, Mapping

from ..errors import ApiProblem, EdgeUnreachable
from .._core.calls import Calls
from .._core.exchange import Flow, Pause, backoff
from ..models import CallReply
from ._words import HEALTH_CALL, event_type_of, read_error_code, retry_allowed, written_event_type
from .errors import (
    IntelligenceClosed,
    IntelligenceError,
    IntelligenceFailed,
    IntelligenceTimeout,
    IntelligenceUnavailable,
)

__all__ = ["Asker"]

_HEALTH_SECONDS = 2.0
_FRESH_SECONDS = 30.0
"""A success within this time says that somebody is there."""
_MAX_DELAY = 1.0


class Breaker:
    """closed; open after failures in a row; then one probe after each pause, whose success closes it."""

    __slots__ = ("_failures", "_now", "_open_until")
    THRESHOLD = 5
    PAUSE = 10.0

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._failures = 0
        self._open_until: float | None = None

    def admits(self) -> bool:
        """Whether a request may be sent now; while the breaker is open, one after each pause: the probe."""
        if self._open_until is None:
            return True
        if self._now() < self._open_until:
            return False
        self._open_until = self._now() + self.PAUSE
        return True

    def succeeded(self) -> None:
        self._failures = 0
        self._open_until = None

    def failed(self) -> None:
        self._failures += 1
        if self._failures >= self.THRESHOLD:
            self._open_until = self._now() + self.PAUSE


class Asker:
    def __init__(
        self,
        calls: Calls,
        *,
        queue: str,
        topic: str,
        service: str,
        on_remark: Callable[[str], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._calls = calls
        self._queue = queue
        self._topic = topic
        self._service = service
        self._on_remark = on_remark
        self._now = now
        self._breaker = Breaker(now)
        self._healthy_at: float | None = None
        self.closed = False
        self.counts = {"requests": 0, "retries": 0, "timeouts": 0, "mismatches": 0, "unknown": 0}

    def discover(
        self,
        source_path: str,
        language: str | None,
        timeout: float,
        options: Mapping[str, Any] | None,
        correlation_id: str | None,
    ) -> Flow[dict[str, Any]]:
        payload = {"source_path": source_path, "language": language, "operation_type": "PATTERN_EXTRACTION"}
        answer = yield from self._ask(_with_options(payload, options), timeout, correlation_id)
        patterns = answer.get("patterns")
        whole = isinstance(patterns, list) and all(_is_pattern(pattern) for pattern in patterns)
        if whole and isinstance(answer.get("source_path"), str):
            return answer
        raise IntelligenceUnavailable("unreadable_answer", "the answer is none to a request for patterns")

    def analyse(
        self,
        source_path: str,
        content: str | None,
        language: str | None,
        operation: str,
        timeout: float,
        options: Mapping[str, Any] | None,
        correlation_id: str | None,
    ) -> Flow[dict[str, Any]]:
        payload = {"source_path": source_path, "content": content, "language": language, "operation_type": operation}
        answer = yield from self._ask(_with_options(payload, options), timeout, correlation_id)
        scores = ("quality_score", "onex_compliance", "complexity_score", "maintainability_score")
        if isinstance(answer.get("source_path"), str) and all(_is_share(answer.get(name, 0)) for name in scores):
            return answer
        raise IntelligenceUnavailable("unreadable_answer", "the answer is none to a request for an analysis")

    def health(self) -> Flow[bool]:
        """Whether the edge is there and somebody who could answer is connected."""
        try:
            yield from self._probe()
        except IntelligenceClosed:
            raise
        except IntelligenceError:
            return False
        return True

    def _probe(self) -> Flow[None]:
        yield from self._call(HEALTH_CALL, None, _HEALTH_SECONDS, str(uuid.uuid4()))
        self._healthy_at = self._now()
        self._breaker.succeeded()

    def _ask(self, payload: Mapping[str, Any], timeout: float, given_id: str | None) -> Flow[dict[str, Any]]:
        self._must_be_open()
        self.counts["requests"] += 1
        if not self._breaker.admits():
            raise IntelligenceUnavailable("breaker_open", "nobody answered lately: nobody is asked for a moment")
        end = self._now() + timeout
        correlation_id = given_id or str(uuid.uuid4())
        try:
            # Whoever waits five seconds for somebody who is not there could have gone on at once.
            if self._healthy_at is None or self._now() - self._healthy_at > _FRESH_SECONDS:
                yield from self._probe()
            answer = yield from self._with_retries(payload, correlation_id, end)
        except IntelligenceError as error:
            if isinstance(error, IntelligenceFailed) and not error.retry_allowed:
                self._breaker.succeeded()  # a request that was refused says that somebody is there
            # The edge's own breaker says no at once, and knows when to try.
            elif not isinstance(error, IntelligenceClosed) and error.fallback_reason != "breaker_open":
                self._breaker.failed()
                self._healthy_at = None
            if isinstance(error, IntelligenceTimeout):
                self.counts["timeouts"] += 1
            raise
        self._breaker.succeeded()
        self._healthy_at = self._now()
        return answer

    def _with_retries(self, payload: Mapping[str, Any], correlation_id: str, end: float) -> Flow[dict[str, Any]]:
        attempt = 0
        while True:
            attempt += 1
            try:
                return (yield from self._once(payload, correlation_id, attempt, max(0.001, end - self._now())))
            except IntelligenceError as error:
                left = end - self._now()
                if not error.transient or left <= 0:
                    raise
                self.counts["retries"] += 1
                yield Pause(min(backoff(attempt, _MAX_DELAY), left))
                self._must_be_open()
                if end - self._now() <= 0:
                    raise

    def _once(
        self, payload: Mapping[str, Any], correlation_id: str, attempt: int, left: float
    ) -> Flow[dict[str, Any]]:
        event_id = str(uuid.uuid4())
        event = {
            "event_id": event_id,
            "event_type": written_event_type("requested"),
            "correlation_id": correlation_id,
            "causation_id": None,
            "timestamp": datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "version": "1.0.0",
            "source": {"service": self._service, "instance_id": self._service},
            "payload": payload,
        }
        # The queue answers a call that it knows by the stored result: an attempt is a call of its own.
        reply = yield from self._call(self._topic, event, left, f"{correlation_id}.{attempt}.{event_id[:8]}")
        if reply.source is not None:
            raise IntelligenceUnavailable("breaker_open", f"the breaker is open, and {reply.source} stands in")
        return self._answer_in(reply.result, correlation_id)

    def _answer_in(self, document: object, correlation_id: str) -> dict[str, Any]:
        if not isinstance(document, dict):
            raise IntelligenceUnavailable("unreadable_answer", "the answer is no event")
        kind = str(document.get("event_type") or "")
        event = event_type_of(kind)
        if event not in ("completed", "failed"):
            self.counts["unknown"] += 1
            self._on_remark(f"an answer has the unknown type {kind[:200]!r} (request {correlation_id})")
            raise IntelligenceUnavailable("unknown_event_type", f"the answer has the unknown type {kind[:200]!r}")
        headers = document.get("_headers")
        in_headers = headers.get("x-correlation-id") if isinstance(headers, dict) else None
        if (document.get("correlation_id") or in_headers) != correlation_id:
            self.counts["mismatches"] += 1
            self._on_remark(f"an answer belongs to another request, and is not given out (request {correlation_id})")
            raise IntelligenceUnavailable("correlation_mismatch", "the answer belongs to another request")
        payload = document.get("payload")
        if not isinstance(payload, dict):
            raise IntelligenceUnavailable("unreadable_answer", "the answer has no payload")
        if event == "completed":
            return payload
        message = payload.get("error_message")
        if not isinstance(message, str) or message == "":
            raise IntelligenceUnavailable("unreadable_answer", "the answer says of no failure what it is")
        code = read_error_code(str(payload.get("error_code") or "INTERNAL_ERROR"))
        allowed = payload.get("retry_allowed")
        action = payload.get("suggested_action")
        raise IntelligenceFailed(
            code,
            message,
            allowed if isinstance(allowed, bool) else retry_allowed(code),
            action if isinstance(action, str) else None,
        )

    def _call(self, type: str, payload: Any, timeout: float, correlation_id: str) -> Flow[CallReply]:
        self._must_be_open()
        options = {"require_responder": True, "correlation_id": correlation_id}
        try:
            # What is repeated, and for how long, is decided here.
            reply = yield from self._calls.call(self._queue, "*", type, payload, timeout, options, repeatable=False)
        except (ApiProblem, EdgeUnreachable) as error:
            self._must_be_open()
            raise _error_of(error) from error
        self._must_be_open()
        return reply

    def _must_be_open(self) -> None:
        if self.closed:
            raise IntelligenceClosed()


def _error_of(error: ApiProblem | EdgeUnreachable) -> IntelligenceError:
    """What a failed call means for whoever asks about code."""
    if isinstance(error, EdgeUnreachable):
        if error.reason == "no answer in time":
            return IntelligenceTimeout(str(error))
        return IntelligenceUnavailable("connection_failed", str(error), transient=True)
    if error.type == "/problems/call-timed-out":
        return IntelligenceTimeout(str(error))
    if error.type == "/problems/no-responder":
        return IntelligenceUnavailable("no_responder", "no host that has code is connected")
    if error.type == "/problems/breaker-open":
        return IntelligenceUnavailable("breaker_open", str(error))
    if error.type == "/problems/responder-failed":
        return IntelligenceUnavailable("failed_answer", str(error))
    passing = error.status >= 500 or error.status == 429
    return IntelligenceUnavailable("connection_failed", str(error), passing, error.status in (401, 403))


def _with_options(payload: dict[str, Any], options: Mapping[str, Any] | None) -> dict[str, Any]:
    given = {name: value for name, value in payload.items() if value is not None}
    return given if options is None else {**given, "options": dict(options)}


def _is_pattern(pattern: object) -> bool:
    return (
        isinstance(pattern, dict)
        and isinstance(pattern.get("file_path"), str)
        and _is_share(pattern.get("confidence"))
    )


def _is_share(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1
