"""Requests and answers without sockets. A *flow* is a generator that yields what it wants done (a request to be sent, to
the edge or to the agent of this host; a pause) and is sent the answer; both transports run the same flows."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Callable, Generator, Mapping, TypeVar, Union
from urllib.parse import quote, urlencode

from ..errors import ApiProblem, EdgeUnreachable, UnreadableAnswer, problem_from
from .host_agent import AgentRequest
from .ids import uuid7
from .operation import Operation
from .settings import Settings

__all__ = ["Edge", "Flow", "Pause", "Request", "Response", "Retry", "Step", "backoff", "is_transient"]


@dataclass(frozen=True, slots=True)
class Request:
    """A request but for the token, which the transport adds."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: Mapping[str, str]
    """By names in lower case."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


Step = Union[Request, Pause, AgentRequest]
Answer = TypeVar("Answer")
Flow = Generator[Step, Any, Answer]


@dataclass(frozen=True, slots=True)
class Retry:
    """How calls are repeated after failures that may pass."""

    retries: int = 5
    """Tries after the first; 0: none."""
    max_delay: float = 5.0
    """Longest back-off in seconds. A longer ``Retry-After`` of the edge is kept to."""


def backoff(attempt: int, max_delay: float) -> float:
    """Exponential back-off with full jitter, so that clients who lost the same edge do not come back in step.

    :param attempt: 1 for the first retry
    """
    return random.random() * min(max_delay, 0.1 * 2.0 ** min(attempt - 1, 30))


def is_transient(error: BaseException) -> bool:
    """Whether the same call may succeed later: no edge answers, it is overloaded, or a gateway gave up."""
    if isinstance(error, EdgeUnreachable):
        return True
    return isinstance(error, ApiProblem) and error.status in (429, 502, 503, 504)


class Edge:
    """Builds the requests of one client, and reads their answers."""

    __slots__ = ("settings", "retry", "timeout")

    def __init__(self, settings: Settings, retry: Retry, timeout: float) -> None:
        self.settings = settings
        self.retry = retry
        self.timeout = timeout

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        media: str = "application/json",
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Request:
        """:param path: from the root, its parts encoded"""
        sent = dict(headers or {})
        data: bytes | None = None
        if body is not None:
            sent["Content-Type"] = media
            data = body.encode() if isinstance(body, str) and media != "application/json" else to_json(body)
        target = self.settings.base + path
        pairs = [(name, text) for name, value in (query or {}).items() for text in _texts(value)]
        if pairs:
            target += "?" + urlencode(pairs)
        return Request(method, target, sent, data, self.timeout if timeout is None else timeout)

    def inside(self, *parts: str) -> str:
        """A path below the ecosystem, its parts encoded."""
        return "/".join(["/v1", quote(self.settings.ecosystem, safe=""), *(quote(part, safe="") for part in parts)])

    def operate(
        self,
        operation: Operation,
        path: Mapping[str, str],
        query: Mapping[str, object],
        body: object,
        *,
        timeout: float | None = None,
    ) -> Flow[Any]:
        """One call of an operation."""
        names = {"eco": self.settings.ecosystem, **path}
        target = operation.path
        for name, value in names.items():
            target = target.replace("{" + name + "}", quote(str(value), safe=""))
        headers = {"Idempotency-Key": uuid7()} if operation.keyed else {}
        request = self.request(
            operation.method, target, query=query, body=body, media=operation.media, headers=headers, timeout=timeout
        )
        # A change of a known version, sent again after a lost answer, would be refused because of itself.
        repeatable = operation.repeatable and query.get("if_version") is None
        response = yield from self.exchange(request, repeatable=repeatable)
        return response.body.decode() if operation.text else self.document(response)

    def call(self, request: Request, *, repeatable: bool = True) -> Flow[Any]:
        """One call; its answer as a document."""
        return self.document((yield from self.exchange(request, repeatable=repeatable)))

    def exchange(
        self,
        request: Request,
        *,
        repeatable: bool = True,
        transient: Callable[[BaseException], bool] = is_transient,
    ) -> Flow[Response]:
        """Sends a request until it has an answer, or as often as the client's ``retry`` says.

        :raises ApiProblem: the edge refused it
        :raises EdgeUnreachable: no edge answered
        """
        attempt = 0
        while True:
            attempt += 1
            error: Exception
            try:
                response: Response = yield request
            except EdgeUnreachable as unreachable:
                error = unreachable
            else:
                if response.status < 300:
                    return response
                error = problem_from(response.status, response.body, response.headers.get("retry-after"))
            if not repeatable or attempt > self.retry.retries or not transient(error):
                raise error
            asked = error.retry_after if isinstance(error, ApiProblem) else None
            yield Pause((asked or 0.0) + backoff(attempt, self.retry.max_delay))

    def document(self, response: Response) -> Any:
        """What an answer holds; ``None``: it is empty."""
        if not response.body:
            return None
        try:
            return json.loads(response.body)
        except ValueError:
            raise UnreadableAnswer(
                f"the server at {self.settings.origin} is not Ganglion: its answer is not JSON"
            ) from None


def to_json(value: object) -> bytes:
    """:raises TypeError: the value is no JSON
    :raises ValueError: a number is not finite, which JSON cannot say"""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _texts(value: object) -> list[str]:
    if value is None:
        return []
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, datetime):
        return [value.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")]
    if isinstance(value, (list, tuple, set, frozenset)):
        return [text for one in value for text in _texts(one)]
    return [str(value)]
