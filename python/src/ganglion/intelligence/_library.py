"""The library of good practice: what an asker gets at worst. Works without any connection."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Callable, Mapping

from ..errors import SettingsError
from ._words import NODE_TYPES, canonical_domain

__all__ = ["Library", "look_up", "open_library"]

Library = Mapping[str, Mapping[str, Any]]
"""What is known, by the type of nodes."""

_BY_DOMAIN: Mapping[str, Callable[[Any], str]] = {
    "required_mixins": str,
    "practices": lambda practice: str(practice["subject"]),
    "error_scenarios": str,
    "anti_patterns": str,
    "dependencies": lambda dependency: str(dependency["name"]),
    "testing": str,
    "security": str,
    "examples": lambda example: str(example["code"]),
}
"""Lists by domain, and what makes two entries the same."""


def open_library(path: str | None) -> Library:
    """The built-in library, with what a file of the user's adds.

    :raises SettingsError: the file cannot be read
    """
    return _built_in() if path is None else _extended(_built_in(), _read_file(path))


@lru_cache(maxsize=1)
def _built_in() -> Library:
    found: Library = json.loads((Path(__file__).parent / "library.json").read_text("utf-8"))["node_types"]
    return found


def _read_file(path: str) -> Library:
    try:
        text = Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the library {path} cannot be read: {error}") from None
    try:
        document = json.loads(text)
    except ValueError:
        document = _read_yaml(path, text)
    types = document.get("node_types") if isinstance(document, dict) else None
    if not isinstance(types, dict) or document.get("version") != 1 or not set(types) <= set(NODE_TYPES):
        raise SettingsError(
            f"the library {path} cannot be read: give version: 1 and node_types with {', '.join(NODE_TYPES)}"
        )
    return types


def _read_yaml(path: str, text: str) -> Any:
    """A library in YAML wants PyYAML, which this package does not bring: JSON needs nothing."""
    try:
        import yaml  # type: ignore[import]
    except ImportError:
        raise SettingsError(f"the library {path} is no JSON; to read YAML install PyYAML, or give the file as JSON") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SettingsError(f"the library {path} is no valid YAML: {error}") from None


def _extended(library: Library, by: Library) -> Library:
    """Lists of the second come after those of the first; what is the same takes the place of the first one's."""
    return {**library, **{type: _section(library.get(type, {}), added) for type, added in by.items()}}


def _section(section: Mapping[str, Any], by: Mapping[str, Any]) -> dict[str, Any]:
    operations = [*section.get("common_operations", []), *by.get("common_operations", [])]
    joined: dict[str, Any] = {
        "common_operations": list(dict.fromkeys(operations)),
        "performance_targets": {**section.get("performance_targets", {}), **by.get("performance_targets", {})},
    }
    for name, key in _BY_DOMAIN.items():
        domains = {**section.get(name, {})}
        for domain, entries in by.get(name, {}).items():
            domains[domain] = list({key(entry): entry for entry in [*domains.get(domain, []), *entries]}.values())
        joined[name] = domains
    return joined


def look_up(library: Library, node_type: str | None, given_domain: str) -> dict[str, Any]:
    """What the library knows about a kind of node in a domain. :param node_type: ``None``: one that nobody knows"""
    domain = canonical_domain(given_domain)
    section = library.get(node_type, {}) if node_type is not None else {}

    def own(name: str) -> list[Any]:
        return list(section.get(name, {}).get(domain, [])) if domain != "all" else []

    def of(name: str) -> list[Any]:
        return [*section.get(name, {}).get("all", []), *own(name)]

    unknown = {"max_execution_time_ms": 1_000} if node_type is None else {}
    return {
        "domain": domain,
        "node_type_patterns": [practice["rule"] for practice in section.get("practices", {}).get("all", [])],
        "domain_best_practices": [practice["rule"] for practice in own("practices")],
        "common_operations": list(section.get("common_operations", [])),
        "required_mixins": list(dict.fromkeys(of("required_mixins"))),
        "performance_targets": dict(section.get("performance_targets", unknown)),
        "error_scenarios": own("error_scenarios") or list(section.get("error_scenarios", {}).get("all", [])),
        "anti_patterns": of("anti_patterns"),
        "recommended_dependencies": of("dependencies"),
        "testing_recommendations": of("testing"),
        "security_considerations": of("security"),
        "code_examples": of("examples"),
    }
