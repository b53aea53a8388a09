"""What the asker that blocks and that for asyncio are both made of."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Callable, Mapping, Sequence, cast

from .._core.exchange import Edge
from ..errors import SettingsError
from ._asking import Asker
from ._gathering import Gatherer, Looked, Question, Retrieved
from ._library import open_library
from ._retrieval import RetrievalFailed, retrieve
from ._rollout import AskerRollout
from ._similar import SimilarNode, files_below, rank_similar
from ._words import NODE_TYPES, read_node_type
from .settings import IntelligenceSettings, checked, read_intelligence_settings

if TYPE_CHECKING:
    from .. import types
    from .._async.client import AsyncClient
    from .._sync.client import Client

__all__ = ["LAST_SECONDS", "REPORT_EVERY", "OnFallback", "Parts", "kind_of"]

_LOG = logging.getLogger("ganglion.intelligence")
REPORT_EVERY = 10.0
"""How long outcomes are gathered before they are reported, in seconds."""
LAST_SECONDS = 2.0
"""Longest wait for the last report."""
OnFallback = Callable[[str, str], None]


def _warn(reason: str, message: str) -> None:
    _LOG.warning("%s: %s", reason, message)


class Parts:
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


def kind_of(node_type: str) -> str:
    kind = read_node_type(node_type)
    if kind is None:
        raise ValueError(f"node_type: give one of {', '.join(NODE_TYPES)}")
    return kind
