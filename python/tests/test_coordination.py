"""Limits and locks with a real edge, and with one that is away."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ganglion import AsyncClient, Client, EdgeUnreachable, LimitRefused, LockLost, LockNotAvailable, Retry
from ganglion._core.exchange import Edge, Pause, Request, Response
from ganglion._core.held_limit import LimitDesk, new_ask
from ganglion._core.held_lock import HeldLock, LockWish
from ganglion._core.settings import read_settings


def test_a_limit_is_reserved_and_settled_with_what_was_used_also_where_the_work_fails(client: Client, name: str) -> None:
    client.api.put_limit(name, {"usd_per_day": 10})
    client.api.put_spending_budget(name, {"scope": "agent", "match": name, "usd": 5})
    with client.limit(name, usd=2, agent=name) as held:
        assert client.api.get_limit(name)["held_usd"] == 2
        held.used(usd=0.5)
    with pytest.raises(ZeroDivisionError):
        with client.limit(name, usd=1):
            1 // 0
    known = client.api.get_limit(name)
    assert (known["spent_usd"], known["held_usd"], known["held"]) == (1.5, 0, 0)
    [used] = client.api.get_spending_budget(name)["used"]
    assert (used["subject"], used["usd"], used["held_usd"]) == (name, 0.5, 0)


def test_a_refusal_of_the_provider_closes_the_limit_and_the_next_one_is_told_at_once(client: Client, name: str) -> None:
    client.api.put_limit(name, {"concurrency": 5})
    with client.limit(name) as held:
        held.refused(retry_after_seconds=600, reason="usage limit")
    began = time.monotonic()
    with pytest.raises(LimitRefused, match="usage limit") as refused:
        with client.limit(name, patience=20):
            raise AssertionError("it was granted")
    assert refused.value.answer["why"] == "closed"
    assert time.monotonic() - began < 5


def test_a_budget_that_is_spent_for_life_refuses_at_once(client: Client, name: str) -> None:
    client.api.put_limit(name, {})
    client.api.put_spending_budget(name, {"scope": "task", "match": name, "tokens": 100, "per": "life"})
    with client.limit(name, input_tokens=100, task=name):
        pass
    with pytest.raises(LimitRefused) as refused:
        with client.limit(name, input_tokens=1, task=name):
            raise AssertionError("it was granted")
    assert (refused.value.answer["why"], refused.value.answer["final"]) == ("budget", True)


def test_threads_of_one_client_share_a_limit_and_none_waits_in_vain(client: Client, name: str) -> None:
    client.api.put_limit(name, {"concurrency": 2})
    most = 0
    inside = 0
    guard = threading.Lock()

    def work(_: int) -> None:
        nonlocal inside, most
        with client.limit(name):
            with guard:
                inside += 1
                most = max(most, inside)
            with guard:
                inside -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(24)))
    assert 1 <= most <= 2
    assert client.api.get_limit(name)["held"] == 0


def test_a_limit_is_held_by_asyncio(edge_url: str, name: str) -> None:
    async def run() -> None:
        async with AsyncClient() as client:
            await client.api.put_limit(name, {"usd_per_day": 10})
            async with client.limit(name, usd=2) as held:
                held.used(usd=0.25)
            assert (await client.api.get_limit(name))["spent_usd"] == 0.25

    asyncio.run(run())


class Script:
    """An edge that answers as it is told, by a clock that only the test moves."""

    def __init__(self, name: str) -> None:
        self.now = 1_000.0
        self.away = False
        self.when_away = "open"
        self.settled: list[str] = []
        settings = read_settings("http://127.0.0.1:1", "token", "default")
        edge = Edge(settings, Retry(retries=0), 30.0)
        self.desk = LimitDesk(edge, lambda: self.now, lambda: self.now)
        self.ask = new_ask(name, None, None, None, 1.0, None, None, None, None, 60.0, None)

    def run(self, flow: Any) -> Any:
        try:
            step = next(flow)
            while True:
                assert isinstance(step, Request)
                if self.away:
                    step = flow.throw(EdgeUnreachable("http://127.0.0.1:1", "connection refused"))
                    continue
                step = flow.send(self._answer(step))
        except StopIteration as end:
            return end.value

    def _answer(self, request: Request) -> Response:
        body = json.loads(request.body or b"{}")
        if request.target.endswith("/settle"):
            self.settled.append(body["reservation"])
            return Response(200, {}, json.dumps({"reservation": body["reservation"], "state": "settled"}).encode())
        answer = {"granted": True, "reservation": f"r-{self.now}", "when_away": self.when_away}
        return Response(200, {}, json.dumps(answer).encode())

    def hold(self) -> str:
        held = self.run(self.desk.reserve(self.ask))
        self.run(self.desk.settle(self.ask, held))
        assert isinstance(held.reservation, str)
        return held.reservation


def test_an_hour_without_the_edge_goes_on_where_the_limit_is_open_and_settles_each_call_once_afterwards() -> None:
    script = Script("api")
    script.hold()
    script.away = True
    made = []
    for _ in range(60):
        script.now += 60
        made.append(script.hold())
    assert len(script.desk.unsent) == 60
    script.away = False
    script.now += 60
    last = script.hold()
    assert all(one.startswith("away-") for one in made)
    assert script.settled[1:] == [last, *made]
    script.hold()
    assert len(script.settled) == 63


def test_an_hour_without_the_edge_stops_where_the_limit_said_that_it_is_closed_then() -> None:
    script = Script("api")
    script.when_away = "closed"
    script.hold()
    script.away = True
    for _ in range(60):
        script.now += 60
        with pytest.raises(EdgeUnreachable):
            script.hold()
    script.away = False
    script.hold()
    assert len(script.settled) == 2


def test_a_lock_keeps_others_out_and_gives_each_holder_a_higher_fence(client: Client, name: str) -> None:
    with client.lock(f"tree:/{name}/**") as lock:
        assert not lock.lost
        with pytest.raises(LockNotAvailable, match="holds"):
            with client.lock(f"tree:/{name}/x", wait=0):
                raise AssertionError("it was acquired")
    with client.lock(f"tree:/{name}/**", wait=5) as again:
        assert again.fence > lock.fence
    assert client.api.list_locks(name=f"tree:/{name}/**")["locks"] == []


def test_a_lock_is_renewed_for_as_long_as_it_is_held(client: Client, name: str) -> None:
    with client.lock(name, ttl=1) as lock:
        until = time.monotonic() + 2.2
        while time.monotonic() < until:
            lock.check()
            threading.Event().wait(0.1)
        [held] = client.api.list_locks(name=name)["locks"]
        assert held["name"] == name


def test_a_lock_whose_fence_is_not_the_current_one_is_lost_and_says_so_at_the_end(client: Client, name: str) -> None:
    lost = threading.Event()
    with pytest.raises(LockLost, match=name):
        with client.lock(name, ttl=0.6) as lock:
            client.api.release_lock(name, {"fence": lock.fence})
            for _ in range(100):
                if lock.lost:
                    lost.set()
                    break
                threading.Event().wait(0.05)
    assert lost.is_set()
    with pytest.raises(ZeroDivisionError):
        with client.lock(name, ttl=0.6) as lock:
            client.api.release_lock(name, {"fence": lock.fence})
            1 // 0


def test_a_lock_that_asyncio_loses_cancels_the_work(edge_url: str, name: str) -> None:
    async def run() -> None:
        async with AsyncClient() as client:
            with pytest.raises(LockLost):
                async with client.lock(name, ttl=0.6) as lock:
                    await client.api.release_lock(name, {"fence": lock.fence})
                    await asyncio.sleep(30)
            async with client.lock(name, ttl=30) as again:
                assert again.fence > lock.fence

    began = time.monotonic()
    asyncio.run(run())
    assert time.monotonic() - began < 10


def test_a_lock_is_lost_when_its_time_is_over_though_no_edge_says_so() -> None:
    now = [0.0]
    edge = Edge(read_settings("http://127.0.0.1:1", "token", "default"), Retry(retries=0), 30.0)
    lock = HeldLock(edge, LockWish("a", "o", 30.0, "exclusive", None, None), lambda: now[0])
    drive(lock.acquire(), {"held": True, "fence": 3})
    assert (lock.fence, lock.left) == (3, 30.0)
    now[0] = 10.0
    assert drive(lock.renew(), {"held": True, "fence": 3}) == 10.0
    now[0] = 39.0
    assert drive(lock.renew(), None) == 1.0
    assert not lock.lost
    now[0] = 40.0
    assert drive(lock.renew(), None) == 0.0
    with pytest.raises(LockLost, match="not renewed in time"):
        lock.check()


def drive(flow: Any, answer: dict[str, Any] | None) -> Any:
    """:param answer: `None`: no edge answers"""
    try:
        step = next(flow)
        while True:
            if isinstance(step, Pause):
                step = flow.send(None)
            elif answer is None:
                step = flow.throw(EdgeUnreachable("http://127.0.0.1:1", "connection refused"))
            else:
                step = flow.send(Response(200, {}, json.dumps(answer).encode()))
    except StopIteration as end:
        return end.value


def test_a_lock_that_was_waited_for_longer_than_its_time_is_renewed_at_once_and_not_taken_for_lost() -> None:
    now = [0.0]
    asked: list[str] = []

    def run(flow: Any) -> None:
        try:
            step = next(flow)
            while True:
                what = step.target.rpartition("/")[2]
                asked.append(what)
                # The wait takes longer than the lock is held; the first renewal finds that it has expired meanwhile.
                now[0] += 50.0 if what == "acquire" and "renew" not in asked else 1.0
                if asked.count("renew") == 1 and what == "renew":
                    step = flow.send(Response(409, {}, b'{"type": "/problems/lock-not-held", "title": "Not held", "status": 409}'))
                    assert isinstance(step, Pause)
                    step = flow.send(None)
                else:
                    step = flow.send(Response(200, {}, json.dumps({"held": True, "fence": 3 + len(asked)}).encode()))
        except StopIteration:
            pass

    edge = Edge(read_settings("http://127.0.0.1:1", "token", "default"), Retry(retries=0), 30.0)
    lock = HeldLock(edge, LockWish("a", "o", 30.0, "exclusive", None, None), lambda: now[0])
    run(lock.acquire())
    assert asked == ["acquire", "renew", "acquire"]
    assert not lock.lost and (lock.fence, lock.left) == (6, 29.0)
