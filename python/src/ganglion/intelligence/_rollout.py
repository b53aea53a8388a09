"""The asker's side of the roll-out: the share by which it decides, and what it measured and has not reported yet."""

from __future__ import annotations

import math
import threading
import uuid
from collections import Counter
from typing import Any, Mapping

from ..errors import ApiProblem, EdgeUnreachable, GanglionError
from .._core.exchange import Edge, Flow, is_transient

__all__ = ["AskerRollout"]

_GROWTH = math.log(1.01)
_MAX_MS = 3_600_000.0
_MAX_REQUESTS = 1_000_000
_NOT_WANTED = ("live_off", "not_in_share")
_UNASKED = ("no_client", "connection_failed", "no_responder", "breaker_open")


class _Arm:
    """Outcomes that are added up. Times fall into buckets of one percent."""

    def __init__(self) -> None:
        self.requests = 0
        self._counts: Counter[str] = Counter()
        self._sum = 0.0
        self._squares = 0.0
        self._latency: Counter[int] = Counter()

    def add(self, outcome: str, context: Mapping[str, Any], ms: float) -> None:
        reason = context["fallback_reason"]
        self.requests += 1
        self._counts[outcome] += 1
        self._counts["connection_errors"] += reason == "connection_failed"
        self._counts["mismatches"] += reason == "correlation_mismatch"
        self._counts["corrupted"] += reason == "unreadable_answer"
        self._counts["patterns"] += len(context["production_examples"])
        self._sum += context["confidence_score"]
        self._squares += context["confidence_score"] ** 2
        self._latency[round(math.log(min(_MAX_MS, max(0.1, ms))) / _GROWTH)] += 1

    def outcomes(self) -> dict[str, Any]:
        return {
            **self._counts,
            "confidence": {"sum": self._sum, "squares": self._squares},
            "latency_ms": [[min(_MAX_MS, math.exp(at * _GROWTH)), times] for at, times in self._latency.items()],
        }


class AskerRollout:
    """May be used by many threads."""

    def __init__(self, edge: Edge, *, measured: bool) -> None:
        self._edge = edge
        self._measured = measured
        self._reporter = str(uuid.uuid4())
        self._lock = threading.Lock()
        self._arms: dict[int, dict[str, _Arm]] = {}
        self._report: dict[str, Any] | None = None
        self._number = 0
        self._version = 0
        self.share = 100.0
        self.known = False
        """Whether the edge was asked for the share."""
        self.refused: str | None = None
        """Why the edge takes no reports of this asker."""

    @property
    def owes(self) -> bool:
        """Whether something waits to be reported."""
        return self.refused is None and (self._report is not None or bool(self._arms))

    def gathered(self, context: Mapping[str, Any], live_ms: float | None) -> bool:
        """Takes the outcome of a request. :returns: whether it has to be reported at once"""
        reason = context["fallback_reason"]
        arm = "live" if live_ms is not None else "library" if reason == "not_in_share" else None
        if arm is None or not self._measured or self.refused is not None:
            return False
        outcome = _outcome_of(reason) if arm == "live" else "successes"
        with self._lock:
            arms = self._arms.setdefault(self._version, {"live": _Arm(), "library": _Arm()})
            # An edge that was away for so long learns of the first million.
            if arms[arm].requests < _MAX_REQUESTS:
                arms[arm].add(outcome, context, context["duration_ms"] if live_ms is None else live_ms)
        return reason in ("correlation_mismatch", "unreadable_answer")

    def send(self, timeout: float, *, ask: bool = False) -> Flow[None]:
        """Reports all there is; never fails. :param ask: also where there is nothing to report, for the share alone"""
        again = ask
        surely = False
        while self.refused is None and (again or self.owes):
            report = self._next()
            path = self._edge.inside("intelligence", "outcomes")
            request = self._edge.request("POST", path, body=report, timeout=timeout)
            try:
                state = yield from self._edge.call(request, repeatable=False)
            except (ApiProblem, EdgeUnreachable) as error:
                # An edge of an earlier version knows no roll-out, and a token may lack the scope: the settings' share counts.
                self.refused = None if is_transient(error) else str(error)
                return
            except GanglionError as error:
                self.refused = str(error)
                return
            self._confirmed(report)
            # An edge that was set back to a backup has an older version: it says so a second time.
            again = not self._learn(state, surely)
            surely = again

    def _learn(self, state: Any, surely: bool) -> bool:
        if not isinstance(state, dict) or not isinstance(state.get("version"), int):
            return True
        if state["version"] < self._version and not surely:
            return False
        self.share, self._version, self.known = float(state.get("share", 100)), state["version"], True
        return True

    def _next(self) -> dict[str, Any]:
        """The report to be sent: the one that is not confirmed, or what was measured since; at last one without figures."""
        with self._lock:
            if self._report is not None:
                return self._report
            self._number += 1
            head = {"reporter": self._reporter, "number": self._number, "version": self._version}
            if not self._arms:
                return head
            version = next(iter(self._arms))
            arms = self._arms.pop(version)
            figures = {name: arm.outcomes() for name, arm in arms.items() if arm.requests > 0}
            self._report = {**head, "version": version, **figures}
            return self._report

    def _confirmed(self, report: Mapping[str, Any]) -> None:
        with self._lock:
            if self._report is not None and self._report["number"] == report["number"]:
                self._report = None


def _outcome_of(reason: str | None) -> str:
    if reason is None or reason in _NOT_WANTED:
        return "successes"
    if reason == "timeout":
        return "timeouts"
    return "fallbacks" if reason in _UNASKED else "errors"
