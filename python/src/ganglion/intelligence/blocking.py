"""Asks hosts that have code, and gathers what is known about a kind of node."""

from __future__ import annotations

import threading
import uuid
from typing import TYPE_CHECKING, Any, Callable, Mapping, Sequence

from ._gathering import Looked, question
from ._parts import LAST_SECONDS, REPORT_EVERY, OnFallback, Parts, kind_of
from ._similar import SimilarNode, live_candidates
from .settings import IntelligenceSettings

if TYPE_CHECKING:
    from .. import types
    from .._sync.client import Client

__all__ = ["Intelligence"]


class Intelligence:
    """May be used by many threads. ``Client.intelligence`` has the one by the environment.

    :param client: ``None``: the library alone
    :param settings: default: by the environment
    :param on_fallback: told the reason and a text when the library is used because no host has answered; default: a log
    """

    def __init__(
        self,
        client: Client | None,
        *,
        settings: IntelligenceSettings | None = None,
        queue: str = "intelligence",
        service: str = "ganglion-client",
        on_fallback: OnFallback | None = None,
        on_remark: Callable[[str], None] | None = None,
    ) -> None:
        self._client = client
        self._parts = Parts(client, settings, queue, service, on_fallback, on_remark)
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()
        self._reporting = threading.Lock()

    @property
    def counts(self) -> Mapping[str, int]:
        """Requests, retries, timeouts, answers of unknown types, and answers to other requests, which stays 0."""
        return self._parts.counts()

    def discover(
        self,
        source_path: str,
        language: str | None = "python",
        *,
        timeout: float | None = None,
        options: Mapping[str, Any] | None = None,
        correlation_id: str | None = None,
    ) -> dict[str, Any]:
        """Patterns of code like ``node_*_effect.py``, the best first.

        :param timeout: from the first attempt to the last, in seconds
        :raises IntelligenceError: nobody could be asked, or answered in time
        """
        limit = self._parts.settings.discovery_timeout_ms / 1_000 if timeout is None else timeout
        asker = self._parts.must_ask()
        answer: dict[str, Any] = self._run(asker.discover(source_path, language, limit, options, correlation_id))
        return answer

    def analyse(
        self,
        source_path: str,
        content: str | None = None,
        language: str | None = None,
        *,
        operation: str = "COMPREHENSIVE_ANALYSIS",
        timeout: float | None = None,
        options: Mapping[str, Any] | None = None,
        correlation_id: str | None = None,
    ) -> dict[str, Any]:
        """Analyses ``content``, or the file ``source_path`` below a code root. :raises IntelligenceError: as discover"""
        limit = self._parts.settings.analysis_timeout_ms / 1_000 if timeout is None else timeout
        asker = self._parts.must_ask()
        flow = asker.analyse(source_path, content, language, operation, limit, options, correlation_id)
        answer: dict[str, Any] = self._run(flow)
        return answer

    def health_check(self) -> bool:
        """Whether the edge is there and somebody who could answer is connected."""
        asker = self._parts.asker
        return asker is not None and bool(self._run(asker.health()))

    def gather(
        self,
        node_type: str,
        domain: str = "",
        *,
        service_name: str = "",
        operations: Sequence[str] = (),
        prompt: str = "",
        correlation_id: str | None = None,
    ) -> types.IntelligenceContext:
        """What is known about a kind of node: from live hosts, the library, and a retrieval service. Always an answer."""
        parts = self._parts
        asked = question(node_type, domain, service_name, operations, prompt, correlation_id or str(uuid.uuid4()))
        looked: Looked = self._run(parts.gatherer.look(asked))
        context, at_once = parts.merge(asked, looked, parts.retrieved(asked))
        self._report_later(0.0 if at_once else REPORT_EVERY)
        return context

    def find_similar(
        self, node_type: str, domain: str, limit: int = 3, *, timeout: float | None = None
    ) -> list[SimilarNode]:
        """Nodes that are similar by their domain, the most similar first."""
        parts, kind = self._parts, kind_of(node_type)
        seconds = parts.settings.discovery_timeout_ms / 1_000 if timeout is None else timeout
        found = self._run(live_candidates(parts.asker, kind, seconds, parts.on_fallback))
        return parts.rank(kind, domain, found, limit)

    def close(self) -> None:
        """Reports what was measured, and ends. Requests that are under way fail with ``IntelligenceClosed``."""
        parts = self._parts
        with self._lock:
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        if parts.asker is not None and not parts.asker.closed:
            parts.asker.closed = True
            self._report(LAST_SECONDS)

    def _run(self, flow: Any) -> Any:
        if self._client is None:
            # Without a client no flow has anything to send.
            try:
                next(flow)
            except StopIteration as end:
                return end.value
            raise AssertionError("a request without a client")
        return self._client._transport.run(flow)

    def _report_later(self, seconds: float) -> None:
        rollout, asker = self._parts.rollout, self._parts.asker
        if rollout is None or asker is None or asker.closed or not rollout.owes:
            return
        with self._lock:
            if self._timer is not None and seconds > 0:
                return
            timer = threading.Timer(seconds, self._report_in_time)
            timer.daemon = True
            self._timer = timer
        timer.start()

    def _report_in_time(self) -> None:
        with self._lock:
            self._timer = None
        self._report(REPORT_EVERY)

    def _report(self, timeout: float) -> None:
        rollout = self._parts.rollout
        if rollout is not None and rollout.owes:
            with self._reporting:
                self._run(rollout.send(timeout))
