"""Asks hosts that have code, and gathers what is known about a kind of node: blocking, and for asyncio."""

from __future__ import annotations

import asyncio
import logging
import threading
import uuid
from typing import TYPE_CHECKING, Any, Callable, Mapping, Sequence, cast

from .._core.exchange import Edge
from ..errors import SettingsError
from ._asking import Asker
from ._gathering import Gatherer, Looked, Question, Retrieved, question
from ._library import open_library
from ._retrieval import RetrievalFailed, retrieve
from ._rollout import AskerRollout
from ._similar import SimilarNode, files_below, live_candidates, rank_similar
from ._words import NODE_TYPES, read_node_type
from .settings import IntelligenceSettings, checked, read_intelligence_settings

if TYPE_CHECKING:
    from .. import types
    from .._async.client import AsyncClient
    from .._sync.client import Client

__all__ = ["AsyncIntelligence", "Intelligence"]

_LOG = logging.getLogger("ganglion.intelligence")
_REPORT_EVERY = 10.0
_LAST_SECONDS = 2.0
OnFallback = Callable[[str, str], None]


def _warn(reason: str, message: str) -> None:
    _LOG.warning("%s: %s", reason, message)


class _Parts:
    """What both kinds are made of."""

    def __init__(
        self,
        client: Client | AsyncClient | None,
        settings: IntelligenceSettings | None,
        queue: str,
        service: str,
        on_fallback: OnFallback | None,
        on_remark: Callable[[str], None] | None,
    ) -> None:
        on_remark = on_remark or _LOG.info
        if settings is None:
            origin = None if client is None else client.settings.origin
            read, problems = read_intelligence_settings(address=origin)
            settings = read if client is None else checked(read, problems)
            for problem in problems:
                if problem.severity == "warning":
                    on_remark(f"{problem.where} {problem.message}")
        self.settings = settings
        self.on_fallback = on_fallback or _warn
        edge: Edge | None = None if client is None else client._edge
        wanted = client is not None and settings.enabled and settings.live
        self.asker = None
        self.rollout = None
        if client is not None and wanted:
            self.asker = Asker(
                client._calls, queue=queue, topic=settings.topic_request, service=service, on_remark=on_remark
            )
            self.rollout = AskerRollout(client._edge, measured=settings.metrics)
        self.gatherer = Gatherer(
            settings=settings,
            library=open_library(settings.library),
            edge=edge,
            asker=self.asker,
            rollout=self.rollout,
            on_fallback=self.on_fallback,
        )

    def must_ask(self) -> Asker:
        """:raises SettingsError: live hosts are not to be asked"""
        if self.asker is None:
            raise SettingsError("live discovery is switched off, or there is no client of an edge: nobody can be asked")
        return self.asker

    def counts(self) -> Mapping[str, int]:
        return {} if self.asker is None else dict(self.asker.counts)

    def merge(
        self, asked: Question, looked: Looked, retrieved: Retrieved | RetrievalFailed | None
    ) -> tuple[types.IntelligenceContext, bool]:
        """:returns: the context, and whether what was measured has to be reported at once"""
        if isinstance(retrieved, RetrievalFailed):
            self.on_fallback("failed_answer", f"the retrieval service failed: {retrieved}")
            retrieved = None
        context = self.gatherer.merged(asked, looked, retrieved)
        at_once = self.rollout is not None and self.rollout.gathered(context, looked.live_ms)
        return cast("types.IntelligenceContext", context), at_once

    def retrieved(self, asked: Question) -> Retrieved | RetrievalFailed | None:
        if not self.settings.retrieval or self.settings.retrieval_url is None:
            return None
        try:
            return retrieve(self.settings.retrieval_url, asked.document())
        except RetrievalFailed as error:
            return error

    def rank(self, node_type: str, domain: str, candidates: Sequence[Any], limit: int) -> list[SimilarNode]:
        if not candidates and self.settings.filesystem_fallback:
            candidates = [one for path in self.settings.paths for one in files_below(path, node_type)]
        return rank_similar(domain, candidates, limit)


def _kind(node_type: str) -> str:
    kind = read_node_type(node_type)
    if kind is None:
        raise ValueError(f"node_type: give one of {', '.join(NODE_TYPES)}")
    return kind


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
        self._parts = _Parts(client, settings, queue, service, on_fallback, on_remark)
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
        self._report_later(0.0 if at_once else _REPORT_EVERY)
        return context

    def find_similar(
        self, node_type: str, domain: str, limit: int = 3, *, timeout: float | None = None
    ) -> list[SimilarNode]:
        """Nodes that are similar by their domain, the most similar first."""
        parts, kind = self._parts, _kind(node_type)
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
            self._report(_LAST_SECONDS)

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
        self._report(_REPORT_EVERY)

    def _report(self, timeout: float) -> None:
        rollout = self._parts.rollout
        if rollout is not None and rollout.owes:
            with self._reporting:
                self._run(rollout.send(timeout))


class AsyncIntelligence:
    """As ``Intelligence``, for asyncio."""

    def __init__(
        self,
        client: AsyncClient,
        *,
        settings: IntelligenceSettings | None = None,
        queue: str = "intelligence",
        service: str = "ganglion-client",
        on_fallback: OnFallback | None = None,
        on_remark: Callable[[str], None] | None = None,
    ) -> None:
        self._client = client
        self._parts = _Parts(client, settings, queue, service, on_fallback, on_remark)
        self._timer: asyncio.Task[None] | None = None

    @property
    def counts(self) -> Mapping[str, int]:
        """Requests, retries, timeouts, answers of unknown types, and answers to other requests, which stays 0."""
        return self._parts.counts()

    async def discover(
        self,
        source_path: str,
        language: str | None = "python",
        *,
        timeout: float | None = None,
        options: Mapping[str, Any] | None = None,
        correlation_id: str | None = None,
    ) -> dict[str, Any]:
        """See ``Intelligence.discover``."""
        limit = self._parts.settings.discovery_timeout_ms / 1_000 if timeout is None else timeout
        asker = self._parts.must_ask()
        return await self._client._transport.run(
            asker.discover(source_path, language, limit, options, correlation_id)
        )

    async def analyse(
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
        """See ``Intelligence.analyse``."""
        limit = self._parts.settings.analysis_timeout_ms / 1_000 if timeout is None else timeout
        asker = self._parts.must_ask()
        return await self._client._transport.run(
            asker.analyse(source_path, content, language, operation, limit, options, correlation_id)
        )

    async def health_check(self) -> bool:
        """Whether the edge is there and somebody who could answer is connected."""
        asker = self._parts.asker
        return asker is not None and await self._client._transport.run(asker.health())

    async def gather(
        self,
        node_type: str,
        domain: str = "",
        *,
        service_name: str = "",
        operations: Sequence[str] = (),
        prompt: str = "",
        correlation_id: str | None = None,
    ) -> types.IntelligenceContext:
        """See ``Intelligence.gather``."""
        parts = self._parts
        asked = question(node_type, domain, service_name, operations, prompt, correlation_id or str(uuid.uuid4()))
        looked = await self._client._transport.run(parts.gatherer.look(asked))
        retrieved = None
        if parts.settings.retrieval:
            retrieved = await asyncio.to_thread(parts.retrieved, asked)
        context, at_once = parts.merge(asked, looked, retrieved)
        self._report_later(0.0 if at_once else _REPORT_EVERY)
        return context

    async def find_similar(
        self, node_type: str, domain: str, limit: int = 3, *, timeout: float | None = None
    ) -> list[SimilarNode]:
        """See ``Intelligence.find_similar``."""
        parts, kind = self._parts, _kind(node_type)
        seconds = parts.settings.discovery_timeout_ms / 1_000 if timeout is None else timeout
        found = await self._client._transport.run(live_candidates(parts.asker, kind, seconds, parts.on_fallback))
        return await asyncio.to_thread(parts.rank, kind, domain, found, limit)

    async def close(self) -> None:
        """Reports what was measured, and ends. Requests that are under way fail with ``IntelligenceClosed``."""
        parts = self._parts
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            await asyncio.gather(timer, return_exceptions=True)
        if parts.asker is not None and not parts.asker.closed:
            parts.asker.closed = True
            if parts.rollout is not None and parts.rollout.owes:
                await self._client._transport.run(parts.rollout.send(_LAST_SECONDS))

    def _report_later(self, seconds: float) -> None:
        rollout, asker = self._parts.rollout, self._parts.asker
        if rollout is None or asker is None or asker.closed or not rollout.owes:
            return
        if self._timer is None or self._timer.done():
            self._timer = asyncio.get_running_loop().create_task(self._report(seconds))

    async def _report(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if self._parts.rollout is not None:
            await self._client._transport.run(self._parts.rollout.send(_REPORT_EVERY))
