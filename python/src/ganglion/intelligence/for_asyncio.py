"""Asks hosts that have code, and gathers what is known about a kind of node, for asyncio."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any, Callable, Mapping, Sequence

from ._gathering import question
from ._parts import LAST_SECONDS, REPORT_EVERY, OnFallback, Parts, kind_of
from ._similar import SimilarNode, live_candidates
from .settings import IntelligenceSettings

if TYPE_CHECKING:
    from .. import types
    from .._async.client import AsyncClient

__all__ = ["AsyncIntelligence"]


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
        self._parts = Parts(client, settings, queue, service, on_fallback, on_remark)
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
        self._report_later(0.0 if at_once else REPORT_EVERY)
        return context

    async def find_similar(
        self, node_type: str, domain: str, limit: int = 3, *, timeout: float | None = None
    ) -> list[SimilarNode]:
        """See ``Intelligence.find_similar``."""
        parts, kind = self._parts, kind_of(node_type)
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
                await self._client._transport.run(parts.rollout.send(LAST_SECONDS))

    def _report_later(self, seconds: float) -> None:
        rollout, asker = self._parts.rollout, self._parts.asker
        if rollout is None or asker is None or asker.closed or not rollout.owes:
            return
        if self._timer is None or self._timer.done():
            self._timer = asyncio.get_running_loop().create_task(self._report(seconds))

    async def _report(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if self._parts.rollout is not None:
            await self._client._transport.run(self._parts.rollout.send(REPORT_EVERY))
