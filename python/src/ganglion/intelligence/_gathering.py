"""Gathers what is known about a kind of node. Whoever asks always gets an answer, and is told where it comes from."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Callable, Mapping, Sequence

from ..errors import GanglionError
from .._core.exchange import Edge, Flow
from ._asking import Asker
from ._library import Library, look_up
from ._rollout import AskerRollout
from ._words import file_pattern_of, is_in_share, read_node_type
from .errors import IntelligenceError
from .settings import IntelligenceSettings

__all__ = ["Gatherer", "Question", "Retrieved", "question"]

LIVE, LIBRARY, RETRIEVAL = "event_based_discovery", "builtin_pattern_library", "archon_rag"
_LIBRARY_CONFIDENCE = 0.7
_LIVE_CONFIDENCE = 0.9
_LIVE_NOT_PREFERRED = 0.8
_PATTERNS = 10
_SERVED_SECONDS = 1.0
_AWAY = ("connection_failed", "timeout")


@dataclass(frozen=True, slots=True)
class Question:
    node_type: str
    domain: str
    service_name: str
    operations: Sequence[str]
    prompt: str
    correlation_id: str

    def document(self) -> dict[str, Any]:
        return {
            "node_type": self.node_type,
            "domain": self.domain,
            "service_name": self.service_name,
            "operations": list(self.operations),
            "prompt": self.prompt,
        }


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What a retrieval service gave."""

    texts: Sequence[str]
    confidence: float


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of asking live hosts and the edge's library."""

    patterns: list[dict[str, Any]]
    reason: str | None
    message: str
    live_ms: float | None
    served: dict[str, Any] | None
    began: float


def question(
    node_type: str, domain: str, service_name: str, operations: Sequence[str], prompt: str, correlation_id: str
) -> Question:
    """:raises ValueError: a field is blank or too long"""
    limits = (("node_type", node_type, 64), ("domain", domain, 256), ("service_name", service_name, 256))
    for name, text, longest in limits:
        if len(text) > longest:
            raise ValueError(f"{name}: give {longest} characters at most")
    if not node_type.strip():
        raise ValueError("node_type: give EFFECT, COMPUTE, REDUCER or ORCHESTRATOR")
    if len(operations) > 100 or any(len(operation) > 256 for operation in operations):
        raise ValueError("operations: give 100 of 256 characters at most")
    if len(prompt) > 65_536:
        raise ValueError("prompt: give 65536 characters at most")
    return Question(node_type.strip(), domain.strip(), service_name.strip(), operations, prompt, correlation_id)


class Gatherer:
    def __init__(
        self,
        *,
        settings: IntelligenceSettings,
        library: Library,
        edge: Edge | None,
        asker: Asker | None,
        rollout: AskerRollout | None,
        on_fallback: Callable[[str, str], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._library = library
        self._edge = edge
        self._asker = asker
        self._rollout = rollout
        self._on_fallback = on_fallback
        self._now = now

    def look(self, asked: Question) -> Flow[Looked]:
        """Never fails because a source does."""
        settings, rollout = self._settings, self._rollout
        if rollout is not None and not rollout.known and rollout.refused is None:
            # A question once in the life of the process: from then on the answers to reports tell of changes.
            yield from rollout.send(1.0, ask=True)
            rollout.known = True
        began = self._now()
        patterns: list[dict[str, Any]] = []
        node_type = read_node_type(asked.node_type)
        share = min(settings.share, 100.0 if rollout is None else rollout.share)
        reason: str | None = None
        message = ""
        live_ms: float | None = None
        if not (settings.enabled and settings.live):
            reason, message = "live_off", "live discovery is switched off"
        elif self._asker is None:
            reason, message = "no_client", "there is no connection to an edge"
        elif not is_in_share(asked.service_name or asked.correlation_id, share):
            reason, message = "not_in_share", f"the roll-out of {share:g} % did not choose this request"
        elif node_type is None:
            reason, message = "failed_answer", f"the node type {asked.node_type[:50]!r} is unknown"
        else:
            try:
                patterns = yield from self._live(self._asker, node_type, asked)
            except IntelligenceError as error:
                reason, message = error.fallback_reason, str(error)
            live_ms = (self._now() - began) * 1_000
        served = None if reason in _AWAY else (yield from self._served(asked))
        return Looked(patterns, reason, message, live_ms, served, began)

    def _live(self, asker: Asker, node_type: str, asked: Question) -> Flow[list[dict[str, Any]]]:
        limit = self._settings.discovery_timeout_ms / 1_000
        end = self._now() + limit
        pattern = file_pattern_of(node_type)
        options: dict[str, Any] = {"limit": _PATTERNS, **({"domain": asked.domain} if asked.domain else {})}
        own = yield from asker.discover(pattern, "python", limit, options, asked.correlation_id)
        found: list[dict[str, Any]] = own["patterns"]
        if found or not asked.domain:
            return found
        # Nodes of the same kind for other domains show the kind all the same.
        left = max(0.001, end - self._now())
        any_domain = yield from asker.discover(pattern, "python", left, {"limit": _PATTERNS}, asked.correlation_id)
        rest: list[dict[str, Any]] = any_domain["patterns"]
        return rest

    def _served(self, asked: Question) -> Flow[dict[str, Any] | None]:
        """The edge's library, whose rules take the place of those that this package carries along."""
        # A library of one's own is known here alone.
        if self._edge is None or not self._settings.enabled or self._settings.library is not None:
            return None
        path = self._edge.inside("intelligence", "library")
        query = {"node_type": asked.node_type, "domain": asked.domain}
        request = self._edge.request("GET", path, query=query, timeout=_SERVED_SECONDS)
        try:
            document = yield from self._edge.call(request, repeatable=False)
        except GanglionError:
            return None
        return document if isinstance(document, dict) else None

    def merged(self, asked: Question, looked: Looked, retrieved: Retrieved | None) -> dict[str, Any]:
        """Merges what the sources gave, in the order of their use. A text that two of them gave is there once."""
        about = f" (request {asked.correlation_id})" if self._settings.correlation_tracking else ""
        if looked.reason is not None:
            self._on_fallback(looked.reason, f"{looked.message}; the built-in library is used instead{about}")
        library = looked.served or look_up(self._library, read_node_type(asked.node_type), asked.domain)
        patterns = looked.patterns
        texts = [] if retrieved is None else list(retrieved.texts)
        confidences = [_LIBRARY_CONFIDENCE]
        if patterns:
            best = max(float(pattern["confidence"]) for pattern in patterns)
            confidences.append(max(_LIVE_CONFIDENCE, best) if self._settings.prefer_live else _LIVE_NOT_PREFERRED)
        if retrieved is not None and texts:
            confidences.append(retrieved.confidence)
        described = [pattern["description"] for pattern in patterns if pattern.get("description")]
        practised = [practice for pattern in patterns for practice in pattern.get("best_practices") or []]
        own = [{"source": LIBRARY, "code": one["code"], "context": one["context"]} for one in library["code_examples"]]
        examples = [*(_example(pattern) for pattern in patterns if pattern.get("code_snippet")), *own]
        return {
            "node_type_patterns": _once([*described, *library["node_type_patterns"], *texts]),
            "common_operations": library["common_operations"],
            "required_mixins": library["required_mixins"],
            "performance_targets": library["performance_targets"],
            "error_scenarios": library["error_scenarios"],
            "domain_best_practices": _once([*practised, *library["domain_best_practices"]]),
            "code_examples": list({example["code"]: example for example in examples}.values()),
            "anti_patterns": library["anti_patterns"],
            "recommended_dependencies": library["recommended_dependencies"],
            "testing_recommendations": library["testing_recommendations"],
            "security_considerations": library["security_considerations"],
            "rag_sources": [*([LIVE] if patterns else []), LIBRARY, *([RETRIEVAL] if texts else [])],
            "confidence_score": max(confidences),
            "production_examples": patterns,
            "fallback_reason": looked.reason,
            "correlation_id": asked.correlation_id,
            "duration_ms": (self._now() - looked.began) * 1_000,
        }


def _example(pattern: Mapping[str, Any]) -> dict[str, Any]:
    path = pattern["file_path"]
    return {"source": path, "code": pattern["code_snippet"], "context": pattern.get("description") or path}


def _once(texts: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(texts))
