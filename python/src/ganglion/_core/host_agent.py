"""The local agent of this machine, which holds shares of limits for all of its processes: where its socket is, and what is said over
it."""

from __future__ import annotations

import json
import os
import re
import socket
from dataclasses import dataclass
from typing import Any, Callable, Generator, Mapping

from ..errors import GanglionError
from .settings import Settings

__all__ = ["AgentRequest", "AnswerLost", "HostAgent"]

_ANSWER = 5.0
_SOCKET = "agent.sock"
_SERVICE_STATE = "/var/lib/ganglion"
_MAX_PATH_BYTES = 107
"""The kernel takes 108 bytes with the final zero."""
_NOT_OURS = re.compile("another edge|does not know")
"""What an agent answers that holds no shares for this process: it is of another edge, or of an earlier version."""


class AnswerLost(GanglionError):
    """The agent was asked, and its answer did not come: it may have done what was asked."""


@dataclass(frozen=True, slots=True)
class AgentRequest:
    """A line for the socket of a local agent. It is answered with a line, or with ``None``: nobody listens, or may be asked."""

    path: str
    line: bytes
    timeout: float


AgentFlow = Generator[AgentRequest, Any, Any]


class HostAgent:
    """Whom to ask. Where no agent of this edge and ecosystem runs, every answer is ``None``."""

    def __init__(
        self, settings: Settings, env: Mapping[str, str] | None = None, exists: Callable[[str], bool] = os.path.exists
    ) -> None:
        self._about = {"url": settings.origin + settings.base, "ecosystem": settings.ecosystem}
        self._env = os.environ if env is None else env
        self._exists = exists
        # An agent of another edge refuses; whoever asked it does not ask it again.
        self._refusing: set[str] = set()

    def reserve(self, limit: str, id: str, request: Mapping[str, Any]) -> AgentFlow:
        """:param id: of the call, made once: an agent that is asked again holds nothing twice"""
        payload = {**self._about, "limit": limit, "id": id, **request}
        try:
            return (yield from self._ask("limit.reserve", payload, request.get("wait_ms", 0) / 1000 + _ANSWER))
        except AnswerLost:
            # What the agent holds for a call whose answer was lost expires.
            return None

    def settle(self, limit: str, request: Mapping[str, Any]) -> AgentFlow:
        """:raises AnswerLost: it may have been counted"""
        return (yield from self._ask("limit.settle", {**self._about, "limit": limit, **request}, _ANSWER))

    def _ask(self, type: str, payload: Mapping[str, Any], timeout: float) -> AgentFlow:
        path = next((one for one in self._paths() if one not in self._refusing and self._exists(one)), None)
        if path is None:
            return None
        line = json.dumps({"type": type, "payload": payload}, allow_nan=False).encode() + b"\n"
        answer: bytes | None = yield AgentRequest(path, line, timeout)
        if answer is None:
            return None
        if not answer.endswith(b"\n"):
            raise AnswerLost(f"the agent at {path} ended before it answered")
        try:
            document = json.loads(answer)
            error = document.get("error")
            message = None if error is None else str(error["message"])
        except (ValueError, KeyError, TypeError, AttributeError) as wrong:
            raise AnswerLost(f"what listens at {path} answered no document") from wrong
        if message is None:
            return document.get("result")
        if _NOT_OURS.search(message):
            self._refusing.add(path)
        return None

    def _paths(self) -> list[str]:
        if not hasattr(socket, "AF_UNIX"):
            return []
        env = self._env
        state, home = env.get("XDG_STATE_HOME") or "", env.get("HOME") or ""
        user = state if state.startswith("/") else f"{home}/.local/state" if home else ""
        chosen = env.get("GANGLION_STATE_DIR")
        directories = [chosen] if chosen else [f"{os.getcwd()}/.ganglion", *([f"{user}/ganglion"] if user else []), _SERVICE_STATE]
        paths = [f"{directory}/{_SOCKET}" for directory in directories]
        return [path for path in paths if len(os.fsencode(path)) <= _MAX_PATH_BYTES]
