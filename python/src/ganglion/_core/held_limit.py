"""What somebody holds of a limit while work is done, and what has to be settled."""

from __future__ import annotations

import time
import uuid
from collections import deque
from datetime import datetime, timezone
from typing import Any, Callable, Literal, Mapping

from ..errors import EdgeUnreachable, LimitRefused
from .exchange import Edge, Flow, is_transient
from .ids import uuid7

__all__ = ["Ask", "HeldLimit", "LimitDesk", "WhenAway", "new_ask"]

WhenAway = Literal["open", "closed"]

_REQUEST = 20.0
"""One request waits so long at most, in seconds."""
_NETWORK = 5.0
_MAX_UNSENT = 1_000
"""Settlements that no edge has taken, at most: the oldest are given up."""


class HeldLimit:
    """A part of a limit that is held. What nobody says of it was used as it was reserved."""

    def __init__(self, reservation: str, amounts: Mapping[str, float]) -> None:
        self.reservation = reservation
        # The edge does not know what a client has reserved that could not reach it.
        self._amounts: dict[str, float] = {"requests": 1, **amounts} if reservation.startswith("away-") else {}
        self._outcome: dict[str, Any] | None = None

    @property
    def away(self) -> bool:
        """No edge answered: the work goes on without a reservation, as ``when_away`` says."""
        return self.reservation.startswith("away-")

    def used(
        self,
        *,
        requests: int | None = None,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        usd: float | None = None,
    ) -> None:
        """Says what was really used."""
        self._amounts.update(_named(requests=requests, input_tokens=input_tokens, output_tokens=output_tokens, usd=usd))

    def refused(
        self,
        *,
        status: int = 429,
        retry_after_seconds: float | None = None,
        until: str | float | None = None,
        reason: str | None = None,
    ) -> None:
        """The provider answered 429, or something like it: the limit closes for all."""
        about = _named(retry_after_seconds=retry_after_seconds, until=until, reason=reason)
        self._outcome = {"status": status, **about}

    @property
    def settlement(self) -> dict[str, Any]:
        outcome = {} if self._outcome is None else {"outcome": self._outcome}
        return {"reservation": self.reservation, "amounts": dict(self._amounts), **outcome}


class Ask:
    """What is asked for, by whom, and how long it is waited for."""

    def __init__(
        self, name: str, amounts: dict[str, float], subject: dict[str, str], patience: float, away: WhenAway | None
    ) -> None:
        self.name = name
        self.amounts = amounts
        self.subject = subject
        self.patience = patience
        self.when_away = away

    @property
    def body(self) -> dict[str, Any]:
        return {"amounts": self.amounts, **self.subject}


class LimitDesk:
    """Reserves and settles. Remembers what each limit said to do where no edge answers, and what was used meanwhile."""

    def __init__(self, edge: Edge, clock: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time) -> None:
        self._edge = edge
        self._clock = clock
        self._wall = wall
        self._said: dict[str, str] = {}
        self.unsent: deque[tuple[str, dict[str, Any]]] = deque(maxlen=_MAX_UNSENT)

    def reserve(self, ask: Ask) -> Flow[HeldLimit]:
        """:raises LimitRefused: nothing is granted in time
        :raises EdgeUnreachable: no edge answers, and the limit is closed then"""
        until = self._clock() + ask.patience
        wait = 0.0
        try:
            while True:
                body = {**ask.body, "wait_ms": int(wait * 1000)}
                answer = yield from self._post(ask.name, "reserve", body, wait + _NETWORK)
                if "when_away" in answer:
                    self._said[ask.name] = answer["when_away"]
                if answer["granted"]:
                    return HeldLimit(answer["reservation"], ask.amounts)
                # What is closed for longer than anybody waits here is said at once.
                if answer.get("final") is True or self._is_later(answer, until) or self._clock() >= until:
                    raise LimitRefused(ask.name, answer)
                # The first request does not wait: what is closed for long is to be said at once.
                wait = max(0.001, min(_REQUEST, until - self._clock()))
        except EdgeUnreachable:
            if (ask.when_away or self._said.get(ask.name, "open")) == "closed":
                raise
            return HeldLimit(f"away-{uuid.uuid4()}", ask.amounts)

    def settle(self, ask: Ask, held: HeldLimit) -> Flow[None]:
        """Where no edge answers, the settlement is sent with the next one."""
        body = {**held.settlement, **ask.subject}
        try:
            yield from self._post(ask.name, "settle", body, self._edge.timeout)
        except EdgeUnreachable:
            self.unsent.append((ask.name, body))
            return
        yield from self.send_unsent()

    def send_unsent(self) -> Flow[None]:
        """Sends what no edge has taken yet, each once: the edge knows a repeated settlement by its reservation."""
        for _ in range(len(self.unsent)):
            try:
                # Taken out first: two threads must not send the same one, and drop the next.
                name, body = self.unsent.popleft()
            except IndexError:
                return
            try:
                yield from self._post(name, "settle", body, self._edge.timeout)
            except EdgeUnreachable:
                self.unsent.appendleft((name, body))
                return

    def _post(self, name: str, what: str, body: Mapping[str, Any], timeout: float) -> Flow[Any]:
        headers = {"Idempotency-Key": uuid7()}
        path = self._edge.inside("limits", name, what)
        request = self._edge.request("POST", path, body=body, headers=headers, timeout=timeout)
        response = yield from self._edge.exchange(request, transient=_is_refusal)
        return self._edge.document(response)

    def _is_later(self, answer: Mapping[str, Any], until: float) -> bool:
        closed_until = answer.get("closed_until")
        if closed_until is None:
            return False
        at = datetime.strptime(closed_until, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
        return at.timestamp() - self._wall() > until - self._clock()


def new_ask(
    name: str,
    requests: int | None,
    input_tokens: int | None,
    output_tokens: int | None,
    usd: float | None,
    agent: str | None,
    task: str | None,
    chain: str | None,
    model: str | None,
    patience: float,
    when_away: WhenAway | None,
) -> Ask:
    amounts = _named(requests=requests, input_tokens=input_tokens, output_tokens=output_tokens, usd=usd)
    return Ask(name, amounts, _named(agent=agent, task=task, chain=chain, model=model), patience, when_away)


def _is_refusal(error: BaseException) -> bool:
    """An edge that has no time is asked again. That none answers is a state, for which the limit has a setting."""
    return is_transient(error) and not isinstance(error, EdgeUnreachable)


def _named(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
