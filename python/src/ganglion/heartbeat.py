"""Heartbeats of a process that the host's agent supervises: that it is alive, and its state and task."""

from __future__ import annotations

import json
import os
from typing import Mapping

from .errors import SettingsError

__all__ = ["Heartbeat", "heartbeat"]

_DEFAULT_SECONDS = 10.0


class Heartbeat:
    """Where no supervisor expects heartbeats, every method does nothing."""

    __slots__ = ("_descriptor", "_line", "seconds")

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        env = os.environ if environment is None else environment
        descriptor = _number(env, "GANGLION_HEARTBEAT_FD")
        self._descriptor = None if descriptor is None else int(descriptor)
        self.seconds = _number(env, "GANGLION_HEARTBEAT_SECONDS") or _DEFAULT_SECONDS
        """The longest time between two of them."""
        self._line = b'{"state": "idle"}\n'

    @property
    def expected(self) -> bool:
        """Whether there is a supervisor."""
        return self._descriptor is not None

    def send(self, state: str, task: str | None = None, progress: float | None = None) -> None:
        """:param state: ``working``, ``waiting`` (for what is not its own, such as the edge) or ``idle``
        :param progress: any number that changes as the work moves on
        """
        self._line = (json.dumps({"state": state, "task": task, "progress": progress}) + "\n").encode()
        self.repeat()

    def repeat(self) -> None:
        """Sends the last state again."""
        if self._descriptor is None:
            return
        try:
            os.write(self._descriptor, self._line)
        except (BlockingIOError, BrokenPipeError):
            # The pipe is full, so the supervisor has heartbeats to read; or the supervisor is gone, and its successor
            # starts this process again.
            pass


def heartbeat(state: str = "working", task: str | None = None, progress: float | None = None) -> None:
    """Sends one heartbeat, if this process is supervised. Call it from the code that does the work."""
    Heartbeat().send(state, task, progress)


def _number(env: Mapping[str, str], name: str) -> float | None:
    text = env.get(name)
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise SettingsError(f"{name} is no number: {text!r}") from None
