"""Finds nodes that are similar by their domain: of live hosts first, then below directories of this machine."""

from __future__ import annotations

import os
import re
from fnmatch import fnmatchcase
from typing import Any, Callable, Iterator, Mapping, Sequence, TypedDict

from .._core.exchange import Flow
from ._asking import Asker
from ._words import file_pattern_of, stem_of, words_of
from .errors import IntelligenceError

__all__ = ["SimilarNode", "files_below", "live_candidates", "rank_similar"]

_LIVE_CANDIDATES = 500
_MAX_FILES = 100_000
_IGNORED = {".git", "node_modules", "__pycache__", ".venv", "venv", "site-packages"}


class SimilarNode(TypedDict):
    path: str
    similarity: float
    confidence: float | None
    """``None``: nobody has looked into the file."""
    source: str
    host: str | None


Candidate = Mapping[str, Any]


def rank_similar(domain: str, candidates: Sequence[Candidate], limit: int) -> list[SimilarNode]:
    """Ranks all candidates and then cuts the list. Ties by confidence, then by path; a path is there once."""
    scored: list[dict[str, Any]] = [{**one, "similarity": similarity_of(domain, one["path"])} for one in candidates]
    ranked = sorted(scored, key=lambda one: (-one["similarity"], -(one["confidence"] or 0), one["path"]))
    by_path: dict[str, Any] = {}
    for one in ranked:
        by_path.setdefault(one["path"], one)
    return list(by_path.values())[:limit]


def similarity_of(domain: str, path: str) -> float:
    """How similar a file is to a domain by its path, from 0 to 1."""
    wanted = words_of(domain)
    if not wanted:
        return 0.0
    name = "_".join(wanted)
    stem = words_of(stem_of(path))
    in_stem = 1.0 if name in "_".join(stem) else 0.0
    shared = sum(word in stem for word in wanted) / len(wanted)
    in_path = 0.3 if name in "_".join(words_of(path)) else 0.0
    factor = 1.2 if re.search("best|example", path.lower()) else 1.0
    return min(1.0, (in_stem + 0.5 * shared + in_path) * factor)


def live_candidates(
    asker: Asker | None, node_type: str, timeout: float, on_fallback: Callable[[str, str], None]
) -> Flow[list[Candidate]]:
    if asker is None:
        return []
    options = {"limit": _LIVE_CANDIDATES, "all_hosts": True, "quality_threshold": 0}
    try:
        answer = yield from asker.discover(file_pattern_of(node_type), "python", timeout, options, None)
    except IntelligenceError as error:
        on_fallback(error.fallback_reason, str(error))
        return []
    if not answer["patterns"]:
        on_fallback("nothing_found", "no host has such a file")
    return [
        {
            "path": pattern["file_path"],
            "confidence": pattern["confidence"],
            "source": "event_based_discovery",
            "host": pattern.get("host"),
        }
        for pattern in answer["patterns"]
    ]


def files_below(root: str, node_type: str) -> Iterator[Candidate]:
    """Links are not followed, and what cannot be read is left out: this is a second best."""
    seen = 0
    for directory, directories, files in os.walk(root):
        directories[:] = [name for name in directories if name not in _IGNORED]
        for name in files:
            seen += 1
            if seen > _MAX_FILES:
                return
            path = os.path.join(directory, name)
            if fnmatchcase(name, file_pattern_of(node_type)) and not os.path.islink(path):
                yield {"path": path, "confidence": None, "source": "filesystem", "host": None}
