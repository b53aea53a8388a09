"""The third source: a service that is sent the request for a context as JSON, and answers ``{texts, confidence}``."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any, Mapping

from ._gathering import Retrieved

__all__ = ["RetrievalFailed", "retrieve"]

_TIMEOUT = 2.0
_MAX_BYTES = 1024 * 1024


class RetrievalFailed(Exception):
    """Says why, without the address, which may hold a key."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """An answer is wanted of the service that was named, and of no other."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def retrieve(url: str, question: Mapping[str, Any]) -> Retrieved:
    """:raises RetrievalFailed: no answer that can be used"""
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    request = urllib.request.Request(url, json.dumps(question).encode(), headers, method="POST")
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=_TIMEOUT) as answer:
            body = answer.read(_MAX_BYTES + 1)
    except urllib.error.HTTPError as error:
        raise RetrievalFailed(f"it answered {error.code}") from None
    except OSError as error:
        late = isinstance(error, TimeoutError) or isinstance(getattr(error, "reason", None), TimeoutError)
        raise RetrievalFailed(f"it did not answer within {_TIMEOUT:g} s" if late else "it cannot be reached") from None
    if len(body) > _MAX_BYTES:
        raise RetrievalFailed(f"its answer is longer than {_MAX_BYTES} bytes")
    try:
        document = json.loads(body)
    except ValueError:
        raise RetrievalFailed("its answer is not JSON") from None
    texts = document.get("texts") if isinstance(document, dict) else None
    confidence = document.get("confidence") if isinstance(document, dict) else None
    usable = isinstance(texts, list) and all(isinstance(text, str) and text.strip() for text in texts)
    if not usable or not isinstance(confidence, (int, float)) or not 0 <= confidence <= 1:
        raise RetrievalFailed("its answer is not {texts, confidence}")
    return Retrieved([text.strip() for text in texts or []], float(confidence))
