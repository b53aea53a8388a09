"""Settings of those who ask: our variables, and those of the older design by their names."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, fields
from typing import Any, Literal, Mapping, Sequence
from urllib.parse import urlsplit

from ..errors import SettingsError
from ._words import topics_of

__all__ = ["IntelligenceSettings", "SettingProblem", "read_intelligence_settings"]


@dataclass(frozen=True, slots=True)
class IntelligenceSettings:
    """Times are in milliseconds, as in the variables."""

    enabled: bool = True
    live: bool = True
    environment: str = "development"
    request_timeout_ms: int = 5_000
    discovery_timeout_ms: int = 5_000
    analysis_timeout_ms: int = 10_000
    topic_request: str = topics_of("development")[0]
    topic_completed: str = topics_of("development")[1]
    topic_failed: str = topics_of("development")[2]
    filesystem_fallback: bool = True
    paths: tuple[str, ...] = ()
    retrieval: bool = False
    retrieval_url: str | None = None
    correlation_tracking: bool = True
    metrics: bool = True
    share: float = 100.0
    prefer_live: bool = True
    library: str | None = None


@dataclass(frozen=True, slots=True)
class SettingProblem:
    severity: Literal["error", "warning"]
    where: str
    """The variable."""
    message: str


@dataclass(frozen=True, slots=True)
class _Row:
    kind: str
    older: Sequence[str] = ()
    min: float = 0
    max: float = 100


_TABLE: Mapping[str, _Row] = {
    "enabled": _Row("switch", ("KAFKA_ENABLE_INTELLIGENCE",)),
    "live": _Row("switch", ("ENABLE_EVENT_INTELLIGENCE", "ENABLE_EVENT_BASED_DISCOVERY")),
    "environment": _Row("text"),
    "request_timeout_ms": _Row("ms", ("KAFKA_REQUEST_TIMEOUT_MS",), 1_000, 60_000),
    "discovery_timeout_ms": _Row("ms", ("KAFKA_PATTERN_DISCOVERY_TIMEOUT_MS",), 1_000, 60_000),
    "analysis_timeout_ms": _Row("ms", ("KAFKA_CODE_ANALYSIS_TIMEOUT_MS",), 1_000, 120_000),
    "topic_request": _Row("topic", ("KAFKA_TOPIC_REQUEST",)),
    "topic_completed": _Row("topic", ("KAFKA_TOPIC_COMPLETED",)),
    "topic_failed": _Row("topic", ("KAFKA_TOPIC_FAILED",)),
    "filesystem_fallback": _Row("switch", ("ENABLE_FILESYSTEM_FALLBACK",)),
    "paths": _Row("paths"),
    "retrieval": _Row("switch", ("ENABLE_ARCHON_RAG",)),
    "retrieval_url": _Row("url"),
    "correlation_tracking": _Row("switch", ("CORRELATION_TRACKING_ENABLED",)),
    "metrics": _Row("switch", ("METRICS_ENABLED",)),
    "share": _Row("percent"),
    "prefer_live": _Row("switch"),
    "library": _Row("text"),
}
_DEPRECATED_PATHS = ("OMNIARCHON_PATH", "OMNINODE_BRIDGE_PATH")
_UNUSED_ADDRESS = "KAFKA_BOOTSTRAP_SERVERS"
_TOPIC = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,127}")
_TRUE = ("true", "1", "yes", "on")
_FALSE = ("false", "0", "no", "off")


def read_intelligence_settings(
    environment: Mapping[str, str] | None = None, *, address: str | None = None
) -> tuple[IntelligenceSettings, list[SettingProblem]]:
    """Our variable, then an older name, then the default; an empty variable counts as unset.

    :param address: of the edge; ``None``: there is none
    :returns: the settings, where a wrong one has its default, and what is wrong
    """
    env = os.environ if environment is None else environment
    problems: list[SettingProblem] = []
    given: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for name, row in _TABLE.items():
        found = _find(name, row, env)
        if found is None:
            continue
        origin, text = found
        try:
            given[name], origins[name] = _value(row, text), origin
        except ValueError as error:
            problems.append(SettingProblem("error", origin, str(error)))
    deprecated = [name for name in _DEPRECATED_PATHS if env.get(name)]
    if deprecated and "paths" not in given:
        given["paths"] = tuple(env[name] for name in deprecated)
    problems += [
        SettingProblem("warning", name, "is deprecated: name the directories in GANGLION_INTELLIGENCE_PATHS")
        for name in deprecated
    ]
    settings = _settings(given)
    problems += _conflicts(settings, origins, address)
    if env.get(_UNUSED_ADDRESS):
        what = f"is not used, because no broker is spoken to: what counts is GANGLION_URL, which is {address or 'not set'}"
        problems.append(SettingProblem("warning", _UNUSED_ADDRESS, what))
    return settings, problems


def checked(settings: IntelligenceSettings, problems: Sequence[SettingProblem]) -> IntelligenceSettings:
    """:raises SettingsError: some of them are errors"""
    errors = [f"{problem.where}: {problem.message}" for problem in problems if problem.severity == "error"]
    if errors:
        raise SettingsError("; ".join(errors))
    return settings


def _find(name: str, row: _Row, env: Mapping[str, str]) -> tuple[str, str] | None:
    for variable in (f"GANGLION_INTELLIGENCE_{name.upper()}", *row.older):
        text = env.get(variable)
        # A topic that is set to nothing is a mistake, and not a wish for the default.
        if text is not None and (text.strip() or row.kind == "topic"):
            return variable, text.strip()
    return None


def _value(row: _Row, text: str) -> Any:
    """:raises ValueError: says what to give"""
    if row.kind == "switch":
        lower = text.lower()
        if lower not in (*_TRUE, *_FALSE):
            raise ValueError("give true or false")
        return lower in _TRUE
    if row.kind in ("ms", "percent"):
        unit = "milliseconds" if row.kind == "ms" else "percent"
        number = float(text) if re.fullmatch(r"\d{1,9}(\.\d+)?", text) else -1.0
        if not row.min <= number <= row.max or (row.kind == "ms" and not number.is_integer()):
            raise ValueError(f"give {unit} from {row.min:g} to {row.max:g}")
        return int(number) if row.kind == "ms" else number
    if row.kind == "topic":
        if _TOPIC.fullmatch(text) is None:
            empty = "is empty: " if text == "" else ""
            raise ValueError(
                f"{empty}a topic starts with a letter and holds letters, digits and _ . : - (128 characters at most), "
                f"such as {topics_of('development')[0]}"
            )
        return text
    if row.kind == "paths":
        return tuple(path.strip() for path in re.split("[:,]", text) if path.strip())
    if row.kind == "url":
        parts = urlsplit(text)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise ValueError("give an address such as https://rag.example.org/query")
    return text


def _settings(given: Mapping[str, Any]) -> IntelligenceSettings:
    environment = str(given.get("environment", "development"))
    requested, completed, failed = topics_of(environment)
    request_ms = int(given.get("request_timeout_ms", 5_000))
    defaults: dict[str, Any] = {
        "topic_request": requested,
        "topic_completed": completed,
        "topic_failed": failed,
        "filesystem_fallback": environment.lower() != "production",
        # The general limit counts where a finer one is not set.
        "discovery_timeout_ms": request_ms,
        "analysis_timeout_ms": max(request_ms, 10_000),
    }
    names = {field.name for field in fields(IntelligenceSettings)}
    return IntelligenceSettings(**{name: value for name, value in {**defaults, **given}.items() if name in names})


def _conflicts(
    settings: IntelligenceSettings, origins: Mapping[str, str], address: str | None
) -> list[SettingProblem]:
    problems: list[SettingProblem] = []
    live = origins.get("live", "ENABLE_EVENT_INTELLIGENCE")
    if settings.enabled and settings.live and not address:
        what = f"live hosts are asked, but there is no address of an edge: set it, or {live} to false"
        problems.append(SettingProblem("error", "GANGLION_URL", what))
    if settings.enabled and not settings.live and not settings.filesystem_fallback:
        what = (
            f"live hosts and the file system are both switched off: set {live} or ENABLE_FILESYSTEM_FALLBACK to true, "
            "or KAFKA_ENABLE_INTELLIGENCE to false for the library alone"
        )
        where = origins.get("filesystem_fallback", "ENABLE_FILESYSTEM_FALLBACK")
        problems.append(SettingProblem("error", where, what))
    if settings.retrieval and settings.retrieval_url is None:
        what = "has no effect: name the address of the retrieval service in GANGLION_INTELLIGENCE_RETRIEVAL_URL"
        problems.append(SettingProblem("warning", origins.get("retrieval", "ENABLE_ARCHON_RAG"), what))
    return problems
