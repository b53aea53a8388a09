"""Names and rules that askers, responders and the edge share. Pure."""

from __future__ import annotations

import re
from typing import Sequence

__all__ = [
    "HEALTH_CALL",
    "NODE_TYPES",
    "canonical_domain",
    "event_type_of",
    "file_pattern_of",
    "is_in_share",
    "read_error_code",
    "read_node_type",
    "retry_allowed",
    "stem_of",
    "topics_of",
    "words_of",
    "written_event_type",
]

NODE_TYPES = ("EFFECT", "COMPUTE", "REDUCER", "ORCHESTRATOR")
HEALTH_CALL = "code-analysis-health"
"""Type of the call that asks whether somebody who could answer is there."""

_MASK = 0xFFFFFFFF
_RETRY = {
    "INVALID_INPUT": False,
    "UNSUPPORTED_LANGUAGE": False,
    "PARSING_ERROR": False,
    "INVALID_OPERATION": False,
    "TIMEOUT": True,
    "EXTERNAL_SERVICE_ERROR": True,
    "INTERNAL_ERROR": True,
    "RATE_LIMIT_EXCEEDED": True,
    "PATTERN_QUERY_FAILED": True,
    "BACKEND_UNAVAILABLE": True,
}
_LATER_NAMES = {
    "SERVICE_UNAVAILABLE": "BACKEND_UNAVAILABLE",
    "RATE_LIMITED": "RATE_LIMIT_EXCEEDED",
    "UNKNOWN": "INTERNAL_ERROR",
}
_DOMAINS: Sequence[tuple[str, Sequence[str]]] = (
    ("database", ("postgresql", "postgres", "mysql", "database", "sql", "db")),
    ("messaging", ("kafka", "rabbitmq", "queue", "messaging")),
    ("cache", ("redis", "memcached", "cache")),
    ("api", ("http", "rest", "graphql", "api")),
)
_SHORT = 4
"""Short parts occur in other words (rest in interest), so they count as whole words alone."""
_BARE = "code_analysis_"


def read_node_type(text: str) -> str | None:
    """Reads a kind in any case."""
    upper = text.strip().upper()
    return upper if upper in NODE_TYPES else None


def file_pattern_of(node_type: str) -> str:
    return f"node_*_{node_type.lower()}.py"


def stem_of(path: str) -> str:
    """A file's name without directories and without its last extension, in lower case."""
    name = path.rpartition("/")[2].lower()
    stem, dot, _ = name.rpartition(".")
    return stem if dot and stem else name


def words_of(text: str) -> list[str]:
    """The words of a name in snake, kebab or camel case, in lower case."""
    return [word for word in re.split("[^a-z0-9]+", re.sub("([a-z0-9])([A-Z])", r"\1_\2", text).lower()) if word]


def canonical_domain(domain: str) -> str:
    """Brings a domain to its canonical name by what occurs in it: ``postgres_users`` is ``database``."""
    lower = domain.lower()
    words = {*words_of(domain), *words_of(lower)}
    for name, parts in _DOMAINS:
        if any(part in words if len(part) <= _SHORT else part in lower for part in parts):
            return name
    return "_".join(words_of(domain))


def is_in_share(key: str, percent: float) -> bool:
    """Whether a key is among a share, always the same: those of 10 % are among those of 50 %."""
    value = 0x811C9DC5
    for byte in key.encode():
        value = ((value ^ byte) * 0x01000193) & _MASK
    value = ((value ^ (value >> 16)) * 0x85EBCA6B) & _MASK
    value = ((value ^ (value >> 13)) * 0xC2B2AE35) & _MASK
    return (value ^ (value >> 16)) / 2**32 * 100 < percent


def topics_of(environment: str) -> tuple[str, str, str]:
    """Signals of a request, of an answer and of a failure, in an environment."""
    name = environment.strip().lower()
    part = "dev" if name in ("", "development") else name
    requested, completed, failed = (
        f"{part}.archon-intelligence.intelligence.code-analysis-{event}.v1"
        for event in ("requested", "completed", "failed")
    )
    return requested, completed, failed


def written_event_type(event: str) -> str:
    return f"omninode.intelligence.event.{_BARE}{event}.v1"


def event_type_of(text: str) -> str | None:
    """The event of a type in any of the three spellings."""
    for event in ("requested", "completed", "failed"):
        if text in (f"{_BARE}{event}", f"{_BARE}{event}".upper(), written_event_type(event)):
            return event
    return None


def read_error_code(text: str) -> str:
    """Reads a code in either case. One that nobody knows counts as INTERNAL_ERROR, which may be tried again."""
    upper = text.strip().upper().replace("-", "_")
    return upper if upper in _RETRY else _LATER_NAMES.get(upper, "INTERNAL_ERROR")


def retry_allowed(code: str) -> bool:
    return _RETRY[code]
