"""What somebody holds of a limit while work is done, and what has to be settled."""

from __future__ import annotations

import time
import uuid
from collections import deque
from datetime import datetime, timezone
from functools import partial
from typing import Any, Callable, Literal, Mapping

from ..errors import EdgeUnreachable, LimitRefused
from .exchange import Edge, Flow, Pause, is_transient
from .host_agent import AnswerLost, HostAgent
from .ids import uuid7

__all__ = ["Ask", "HeldLimit", "LimitDesk", "WhenAway", "new_ask"]

WhenAway = Literal["open", "closed"]

_REQUEST = 20.0
"""One request waits so long at most, in seconds."""
_NETWORK = 5.0
_AGENT_PATIENCE = 10.0
"""An agent that was killed is started again within this time, mostly."""
_AGENT_PAUSE = 0.2
_REFUSALS = (429, 529)
_MAX_UNSENT = 1_000
"""Settlements that no edge has taken, at most: the oldest are given up."""


class HeldLimit:
    """A part of a limit that is held. What nobody says of it was used as it was reserved."""

    def __init__(
        self, reservation: str, amounts: Mapping[str, float], *, by_agent: bool = False, expires: float | None = None
    ) -> None:
        """:param by_agent: the agent of this host holds it
        :param expires: until then the agent counts the call in no settlement, by the clock of the wall
        """
        self.reservation = reservation
        self.by_agent = by_agent
        self.expires = expires
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
    """Reserves and settles; where an agent of the same edge runs on this machine, out of the share that it holds. Remembers what each
    limit said to do where no edge answers, and what was used meanwhile."""

    def __init__(
        self,
        edge: Edge,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        agent: HostAgent | None = None,
    ) -> None:
        """:param agent: default: none is asked"""
        self._edge = edge
        self._agent = agent
        self._clock = clock
        self._wall = wall
        self._said: dict[str, str] = {}
        self.unsent: deque[tuple[str, dict[str, Any]]] = deque(maxlen=_MAX_UNSENT)

    def reserve(self, ask: Ask) -> Flow[HeldLimit]:
        """:raises LimitRefused: nothing is granted in time
        :raises EdgeUnreachable: no edge answers, and the limit is closed then"""
        held = yield from self._through_agent(ask)
        if held is not None:
            return held
        try:
            answer = yield from self._granted(ask, self._at_edge)
        except EdgeUnreachable:
            if (ask.when_away or self._said.get(ask.name, "open")) == "closed":
                raise
            return HeldLimit(f"away-{uuid.uuid4()}", ask.amounts)
        assert answer is not None
        return HeldLimit(answer["reservation"], ask.amounts)

    def _through_agent(self, ask: Ask) -> Flow[HeldLimit | None]:
        """``None``: no agent answers, and nothing was done."""
        agent = self._agent
        if agent is None:
            return None
        id = f"h-{uuid.uuid4()}"
        answer = yield from self._granted(ask, partial(self._at_agent, agent, id))
        if answer is None:
            return None
        expires = answer.get("expires_at")
        return HeldLimit(
            answer.get("reservation", id), ask.amounts, by_agent=True, expires=None if expires is None else _seconds(expires)
        )

    def _at_agent(self, agent: HostAgent, id: str, ask: Ask, wait: float) -> Flow[Any]:
        body: dict[str, Any] = {**ask.body, "wait_ms": int(wait * 1000)}
        if ask.when_away is not None:
            body["when_away"] = ask.when_away
        answer = yield from agent.reserve(ask.name, id, body)
        if answer is not None and answer.get("away") is True and not answer["granted"]:
            raise EdgeUnreachable(self._edge.settings.origin, "the agent of this host reaches none")
        return answer

    def _at_edge(self, ask: Ask, wait: float) -> Flow[Any]:
        answer = yield from self._post(ask.name, "reserve", {**ask.body, "wait_ms": int(wait * 1000)}, wait + _NETWORK)
        if "when_away" in answer:
            self._said[ask.name] = answer["when_away"]
        return answer

    def _granted(self, ask: Ask, once: Callable[[Ask, float], Flow[Any]]) -> Flow[Any]:
        """Asks until it is granted, or patience ends. ``None``: whoever is asked does not answer."""
        until = self._clock() + ask.patience
        wait = 0.0
        while True:
            answer = yield from once(ask, wait)
            if answer is None or answer["granted"]:
                return answer
            # What is closed for longer than anybody waits here is said at once.
            if answer.get("final") is True or self._is_later(answer, until) or self._clock() >= until:
                raise LimitRefused(ask.name, answer)
            # The first request does not wait: what is closed for long is to be said at once.
            wait = max(0.001, min(_REQUEST, until - self._clock()))

    def settle(self, ask: Ask, held: HeldLimit) -> Flow[None]:
        """Where nobody answers, the settlement is sent with the next one."""
        body = {**held.settlement, **ask.subject}
        if held.by_agent:
            if (yield from self._told_agent(ask, body)):
                # What neither agent nor edge could be told before goes to the agent that is back.
                yield from self._send_unsent(self._offer)
                return
            body = _without_agent(body, ask.amounts, held.expires is not None and self._wall() >= held.expires)
        try:
            yield from self._post(ask.name, "settle", body, self._edge.timeout)
        except EdgeUnreachable:
            self.unsent.append((ask.name, body))
            return
        yield from self.send_unsent()

    def _told_agent(self, ask: Ask, body: Mapping[str, Any]) -> Flow[bool]:
        """An agent that was killed may have counted it: it knows when it is back, mostly within seconds."""
        assert self._agent is not None
        until = self._clock() + _AGENT_PATIENCE
        while True:
            try:
                answer = yield from self._agent.settle(ask.name, {**body, "reserved": ask.amounts})
                lost = False
            except AnswerLost:
                answer, lost = None, True
            if answer is not None:
                return True
            if not lost or self._clock() >= until:
                return False
            yield Pause(_AGENT_PAUSE)

    def _offer(self, name: str, body: Mapping[str, Any]) -> Flow[bool]:
        """:returns: whether the agent has taken it, as far as is known; it knows a repeated one"""
        assert self._agent is not None
        try:
            return (yield from self._agent.settle(name, body)) is not None
        except AnswerLost:
            return False

    def _tell_edge(self, name: str, body: Mapping[str, Any]) -> Flow[bool]:
        try:
            yield from self._post(name, "settle", body, self._edge.timeout)
        except EdgeUnreachable:
            return False
        return True

    def send_unsent(self) -> Flow[None]:
        """Sends what no edge has taken yet, each once: the edge knows a repeated settlement by its reservation."""
        yield from self._send_unsent(self._tell_edge)

    def _send_unsent(self, through: Callable[[str, Mapping[str, Any]], Flow[bool]]) -> Flow[None]:
        for _ in range(len(self.unsent)):
            try:
                # Taken out first: two threads must not send the same one, and drop the next.
                name, body = self.unsent.popleft()
            except IndexError:
                return
            if not (yield from through(name, body)):
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
        return _seconds(closed_until) - self._wall() > until - self._clock()


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


def _without_agent(body: dict[str, Any], reserved: Mapping[str, float], expired: bool) -> dict[str, Any]:
    """What the edge is told by a process whose agent is gone. It does not know the calls of a block: they count here. A call that was
    longer than its block was counted as it was reserved, when the block was settled."""
    if not str(body["reservation"]).startswith("h-"):
        return body
    said: Mapping[str, float] = body["amounts"]
    took: dict[str, float] = {"requests": 1, **reserved}
    used: dict[str, float]
    if body.get("outcome", {}).get("status") in _REFUSALS:
        used = {"requests": took["requests"], **said}
    else:
        used = {**took, **said}
        # Tokens that were said become dollars at the edge, by the prices of the model.
        if "usd" not in said and "model" in body and ("input_tokens" in said or "output_tokens" in said):
            used.pop("usd", None)
    if expired:
        used = {kind: max(0, amount - took.get(kind, 0)) for kind, amount in used.items()}
    return {**body, "amounts": used}


def _seconds(timestamp: str) -> float:
    return datetime.strptime(timestamp, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc).timestamp()


def _is_refusal(error: BaseException) -> bool:
    """An edge that has no time is asked again. That none answers is a state, for which the limit has a setting."""
    return is_transient(error) and not isinstance(error, EdgeUnreachable)


def _named(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
