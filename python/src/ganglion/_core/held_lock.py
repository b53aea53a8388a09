"""A lock that is held: until when, and what has become of it."""

from __future__ import annotations

import os
import socket
import time
import uuid
from typing import Any, Callable, Literal

from ..errors import ApiProblem, Conflict, EdgeUnreachable, GanglionError, LockLost, LockNotAvailable
from .exchange import Edge, Flow, Pause, is_transient
from .interruption import Interruption
from .lock_channel import HTTP_WAIT, What, lock_request

__all__ = ["HeldLock", "LockWish", "Mode"]

Mode = Literal["exclusive", "shared"]

_RETRY = 1.0
_LOST = (401, 403, 404, 409, 422)
"""Refusals after which a lock is not held any more: its fence is another's, or the token may not hold it."""


class LockWish:
    """Which lock is asked for, and how."""

    def __init__(self, name: str, owner: str | None, ttl: float, mode: Mode, wait: float | None, task: str | None) -> None:
        self.name = name
        # One line of work: the same owner that asks again has the same lock.
        self.owner = owner or f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4()}"
        self.ttl = ttl
        self.mode = mode
        self.wait = wait
        self.task = task


class HeldLock:
    """Which lock is held, by which fence. Counts as lost when the edge says so, and when its time is over since the last
    renewal was asked for: by the clock of this process, which nobody sets, and which is never later than that of the edge."""

    def __init__(
        self,
        edge: Edge,
        wish: LockWish,
        clock: Callable[[], float] = time.monotonic,
        *,
        longest_wait: float = HTTP_WAIT,
        interruption: Interruption | None = None,
    ) -> None:
        """:param longest_wait: of one request, in seconds
        :param interruption: of the task that the lock is held for
        """
        self.name = wish.name
        self.fence = 0
        """For what the lock protects, which refuses a lower one than it has seen."""
        self._edge = edge
        self._wish = wish
        self._clock = clock
        self._longest_wait = longest_wait
        self._interruption = interruption
        self._until = 0.0
        self._loss: LockLost | None = None
        self._released = False

    @property
    def lost(self) -> bool:
        """The lock is not held any more, though nobody released it here: what it protects is to be left alone at once."""
        if self._loss is None and not self._released and self._clock() >= self._until:
            self._lose("it was not renewed in time")
        return self._loss is not None

    def check(self) -> None:
        """:raises LockLost: the lock is not held any more
        :raises TaskCancelled: nobody wants the result of the task that it is held for
        """
        if self._interruption is not None:
            self._interruption.check()
        self._check_loss()

    def _check_loss(self) -> None:
        if self.lost and self._loss is not None:
            raise self._loss

    def acquire(self) -> Flow[None]:
        """:raises LockNotAvailable: somebody else holds it, and the time to wait is over
        :raises TaskCancelled: nobody wants the result of the task that it is for
        """
        wish = self._wish
        until = None if wish.wait is None else self._clock() + wish.wait
        about = {} if wish.task is None else {"task": wish.task}
        body = {"owner": wish.owner, "ttl_ms": int(wish.ttl * 1000), "mode": wish.mode, **about}
        wait = 0.0
        while True:
            if self._interruption is not None:
                self._interruption.check()
            asked = self._clock()
            try:
                answer = yield from self._ask("acquire", {**body, "wait_ms": int(wait * 1000)})
                if answer["held"]:
                    self.fence = answer["fence"]
                    if self._clock() - asked > wish.ttl / 3:
                        # After a wait nobody here knows when it was given, from where the edge counts its time: a renewal says so.
                        asked = self._clock()
                        yield from self._ask("renew", self._renewal, timeout=wish.ttl)
                    self._until = asked + wish.ttl
                    return
                if "cycle" in answer or (until is not None and self._clock() >= until):
                    raise LockNotAvailable(self.name, answer)
            except (ApiProblem, EdgeUnreachable) as error:
                expired = isinstance(error, Conflict) and self.fence != 0  # while its answer was on the way
                if not (expired or is_transient(error)) or (until is not None and self._clock() >= until):
                    raise
                asked_for = error.retry_after if isinstance(error, ApiProblem) else None
                yield Pause(_RETRY if asked_for is None else asked_for)
            # The owner keeps its place among those who wait from one request to the next.
            longest = self._longest_wait
            wait = longest if until is None else max(0.001, min(longest, until - self._clock()))

    def renew(self) -> Flow[float]:
        """Renews it once. :returns: after how many seconds to do so again; 0: it is lost"""
        asked = self._clock()
        timeout = self._until - asked
        if self.lost:
            return 0.0
        try:
            yield from self._ask("renew", self._renewal, timeout=max(0.001, timeout))
        except ApiProblem as error:
            if error.status in _LOST:
                self._lose(str(error))
                return 0.0
        except GanglionError:
            pass  # tried again below, until its time is over
        else:
            self._until = asked + self._wish.ttl
            return self._wish.ttl / 3
        return 0.0 if self.lost else min(self._wish.ttl / 10, self.left)

    def release(self) -> Flow[None]:
        """Ends the holding. A lock that is lost is released already."""
        lost, self._released = self.lost, True
        if lost:
            return
        try:
            yield from self._ask("release", {"fence": self.fence}, timeout=self._edge.timeout, repeatable=True)
        except ApiProblem as error:
            # Released already by a request whose answer was lost, or lost: nothing is left to release.
            if error.status not in _LOST:
                raise

    @property
    def _renewal(self) -> dict[str, Any]:
        return {"fence": self.fence, "ttl_ms": int(self._wish.ttl * 1000)}

    @property
    def left(self) -> float:
        """Seconds until it is lost, unless it is renewed."""
        return max(0.0, self._until - self._clock())

    def _lose(self, why: str) -> None:
        self._loss = self._loss or LockLost(f"the lock {self.name} is lost: {why}")

    def _ask(
        self, what: What, fields: dict[str, Any], *, timeout: float | None = None, repeatable: bool = False
    ) -> Flow[Any]:
        interruption = self._interruption if what == "acquire" else None
        request = lock_request(self._edge, what, self.name, fields, timeout=timeout, interruption=interruption)
        response = yield from self._edge.exchange(request, repeatable=repeatable)
        return self._edge.document(response)
