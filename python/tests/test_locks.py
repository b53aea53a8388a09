"""Locks over a channel, with a real edge; and the channel itself, frame by frame."""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable

import pytest
from proxy import Proxy
from test_connections import from_server, unmasked
from test_core import edge
from test_worker import finished

from ganglion import AsyncClient, AsyncWork, Client, LockLost, LockNotAvailable, TaskCancelled, Work
from ganglion._core.lock_channel import LockChannel, LockRequest, lock_request, wants_http
from ganglion._core.websocket import TEXT


def frames(data: bytes) -> list[Any]:
    """What a server reads of frames of fewer than 65,536 bytes."""
    read = []
    while data:
        size = data[1] & 0x7F
        end = 6 + size if size < 126 else 8 + int.from_bytes(data[2:4], "big")
        read.append(json.loads(unmasked(data[:end])))
        data = data[end:]
    return read


def said(**frame: Any) -> bytes:
    return from_server(TEXT, json.dumps(frame).encode())


def asking(name: str, **fields: Any) -> LockRequest:
    return lock_request(edge(), "acquire", name, {"owner": "o", "ttl_ms": 1_000, **fields})


def test_a_request_and_its_answer_have_one_id_and_the_fields_of_http() -> None:
    channel = LockChannel()
    first, frame = channel.ask(asking("a"))
    assert frames(frame) == [{"type": "acquire", "id": first, "name": "a", "owner": "o", "ttl_ms": 1_000}]
    second, _ = channel.ask(asking("b"))
    answers, back = channel.feed(said(type="lock", id=second, held=False, holder="x") + said(type="lock", id=first, held=True, fence=7))
    assert [(id, response.status, json.loads(response.body)["held"]) for id, response in answers] == [(second, 200, False), (first, 200, True)]
    assert back == b""


def test_a_refusal_is_what_http_would_have_answered() -> None:
    channel = LockChannel()
    id, _ = channel.ask(asking("a"))
    problem = {"type": "/problems/channel-full", "title": "Full", "status": 429}
    [(_, response)], _ = channel.feed(said(type="refused", id=id, problem=problem, retry_after_ms=50))
    assert (response.status, wants_http(response), json.loads(response.body)["retry_after_ms"]) == (429, True, 50)
    assert asking("a", wait_ms=60_000).over_http().timeout == 20.0


def test_frames_that_nobody_asked_for_or_of_a_later_version_are_passed_over() -> None:
    channel = LockChannel()
    id, _ = channel.ask(asking("a"))
    odd = said(type="lock", id="99", held=True) + said(type="new", id=id) + said(type="refused", id=None, problem={})
    assert channel.feed(odd + from_server(TEXT, b"[1]")) == ([], b"")


@pytest.mark.parametrize("waited", [True, False])
def test_a_lock_that_is_given_to_who_took_the_wait_back_is_released_unless_its_owner_may_have_had_it(waited: bool) -> None:
    channel = LockChannel()
    request = asking("a", wait_ms=1_000)
    id, _ = channel.ask(request)
    if waited:
        channel.feed(said(type="waiting", id=id, holder="x"))
    assert frames(channel.take_back(id, request, None)) == [{"type": "cancel", "id": id}]
    answers, back = channel.feed(said(type="lock", id=id, held=True, fence=7))
    assert answers == []
    assert [(one["type"], one["name"], one["fence"]) for one in frames(back)] == ([("release", "a", 7)] if waited else [])


def test_a_lock_whose_answer_came_as_the_wait_was_taken_back_is_released() -> None:
    channel = LockChannel()
    request = asking("a")
    id, _ = channel.ask(request)
    [(_, response)], _ = channel.feed(said(type="lock", id=id, held=True, fence=7))
    assert [(one["type"], one["fence"]) for one in frames(channel.take_back(id, request, response))] == [("release", 7)]


def waits(client: Client, name: str) -> list[str]:
    return [str(one["owner"]) for one in client.api.list_locks(name=name)["waits"]]


def eventually(true: Callable[[], bool]) -> None:
    for _ in range(400):
        if true():
            return
        threading.Event().wait(0.05)
    raise AssertionError("it did not become true")


def test_one_channel_carries_all_requests_of_all_threads(edge_url: str, client: Client, name: str) -> None:
    with Proxy(edge_url) as proxy, Client(proxy.url) as behind, behind.open_locks() as locks:
        inside: list[int] = []
        fences: list[int] = []

        def work(place: int) -> None:
            with locks.lock(name, owner=f"{name}-{place}", ttl=0.9) as lock:
                inside.append(place)
                assert inside == [place]
                fences.append(lock.fence)
                if place == 0:
                    threading.Event().wait(1.5)  # it is renewed meanwhile
                    lock.check()
                inside.remove(place)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(8)))
        assert len(set(fences)) == 8 and fences == sorted(fences)
        with locks.lock(f"{name}/a"), pytest.raises(LockNotAvailable, match="holds"):
            with locks.lock(f"{name}/**", wait=0):
                raise AssertionError("it was acquired")
        assert (proxy.upgraded, proxy.plain) == (1, 0)
        assert client.api.list_locks(name=name)["locks"] == []


def test_what_is_held_and_waited_for_outlives_the_channel_and_keeps_its_place(edge_url: str, client: Client, name: str) -> None:
    order: list[str] = []

    def take(locks: Any, owner: str) -> None:
        with locks.lock(name, owner=owner, ttl=20):
            order.append(owner)

    with Proxy(edge_url) as proxy, Client(proxy.url) as behind, behind.open_locks() as locks, client.open_locks() as direct:
        with locks.lock(f"{name}-held", ttl=3) as held, ThreadPoolExecutor(2) as pool:
            with direct.lock(name, owner="first", ttl=20):
                second = pool.submit(take, locks, "second")
                eventually(lambda: waits(client, name) == ["second"])
                third = pool.submit(take, direct, "third")
                eventually(lambda: waits(client, name) == ["second", "third"])
                proxy.cut()
                eventually(lambda: proxy.upgraded == 2 and waits(client, name) == ["second", "third"])
            second.result(10)
            third.result(10)
            threading.Event().wait(3.2)  # longer than its time: it was renewed over the second channel
            held.check()
    assert order == ["second", "third"]
    assert proxy.plain == 0


def test_where_no_channel_can_be_opened_the_same_locks_are_held_over_http(edge_url: str, name: str) -> None:
    remarks: list[str] = []
    with Proxy(edge_url, upgrades=False) as proxy, Client(proxy.url) as behind:
        with behind.open_locks(on_remark=remarks.append) as locks:
            with locks.lock(name, ttl=0.9) as lock:
                threading.Event().wait(1.5)
                lock.check()
    assert proxy.plain > 0
    assert len(remarks) == 1 and "locking over plain HTTP" in remarks[0]


def test_more_waits_than_a_channel_has_room_for_wait_over_http(edge_url: str, name: str) -> None:
    done: list[int] = []

    def work(place: int) -> None:
        with locks.lock(name, owner=f"{name}-{place}-{'x' * 150}", ttl=20):
            done.append(place)

    with Proxy(edge_url) as proxy, Client(proxy.url) as behind, behind.open_locks() as locks, ThreadPoolExecutor(40) as pool:
        with locks.lock(name, ttl=20):
            asked = [pool.submit(work, place) for place in range(40)]
            eventually(lambda: proxy.plain > 0)
        for one in asked:
            one.result(30)
        assert sorted(done) == list(range(40)) and proxy.upgraded == 1


def test_a_wait_of_asyncio_that_is_cancelled_leaves_the_order_and_a_lost_lock_cancels_the_work(edge_url: str, name: str) -> None:
    async def run() -> None:
        async with Later(edge_url) as (proxy, client, locks):
            async with locks.lock(name, owner="first", ttl=20) as first:
                async def wait() -> None:
                    async with locks.lock(name, owner="second", ttl=20):
                        raise AssertionError("it was acquired")

                waiting = asyncio.ensure_future(wait())
                while [one["owner"] for one in (await client.api.list_locks(name=name))["waits"]] != ["second"]:
                    await asyncio.sleep(0.02)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
                while (await client.api.list_locks(name=name))["waits"] != []:
                    await asyncio.sleep(0.02)
            with pytest.raises(LockLost):
                async with locks.lock(name, ttl=0.6) as lock:
                    assert lock.fence > first.fence
                    await client.api.release_lock(name, {"fence": lock.fence})
                    await asyncio.sleep(30)
            async with locks.lock(name, ttl=3) as lock:
                proxy.cut()
                await asyncio.sleep(3.2)
                lock.check()
            assert proxy.upgraded == 2

    asyncio.run(asyncio.wait_for(run(), 60))


class Later:
    """An asynchronous client behind a proxy, and its locks."""

    def __init__(self, edge_url: str) -> None:
        self._proxy = Proxy(edge_url)

    async def __aenter__(self) -> tuple[Proxy, AsyncClient, Any]:
        self._client = AsyncClient(self._proxy.url)
        self._locks = self._client.open_locks()
        return self._proxy, self._client, self._locks

    async def __aexit__(self, *_: object) -> None:
        await self._locks.close()
        await self._client.close()
        self._proxy.__exit__(None, None, None)


def test_a_handler_holds_a_lock_for_its_task_and_a_wait_ends_with_the_task(client: Client, name: str) -> None:
    ended: list[BaseException] = []

    @client.worker(name, "coder", concurrency=2, lease=3)
    def coder(work: Work) -> Any:
        if work.type == "HOLD":
            with work.lock(name) as lock:
                return [lock.fence, client.api.list_locks(name=name)["locks"][0]]
        try:
            with work.lock(f"{name}-taken"):
                raise AssertionError("it was acquired")
        except BaseException as error:
            ended.append(error)
            raise

    coder.start()
    with client.lock(f"{name}-taken", owner="somebody", ttl=30):
        client.enqueue(name, "coder", "HOLD", task_id="t-1")
        fence, held = finished(client, name, "t-1")["result"]
        assert (held["fence"], held["task"], held["owner"].split("/")[0]) == (fence, "t-1", "coder")
        client.enqueue(name, "coder", "WAIT", task_id="t-2")
        eventually(lambda: len(waits(client, f"{name}-taken")) == 1)
        client.api.cancel_task(name, "t-2")
        eventually(lambda: waits(client, f"{name}-taken") == [] and len(ended) == 1)
    coder.stop()
    assert isinstance(ended[0], TaskCancelled)


def test_a_coroutine_holds_a_lock_for_its_task_and_a_wait_ends_with_the_task(client: Client, name: str) -> None:
    ended: list[str] = []

    async def run() -> None:
        async with AsyncClient() as own:

            @own.worker(name, "coder", concurrency=2, lease=3)
            async def coder(work: AsyncWork) -> Any:
                if work.type == "HOLD":
                    async with work.lock(name):
                        return (await own.api.list_locks(name=name))["locks"][0]
                try:
                    async with work.lock(f"{name}-taken"):
                        raise AssertionError("it was acquired")
                except asyncio.CancelledError:
                    ended.append(work.task_id)
                    raise

            serving = asyncio.ensure_future(coder.serve())
            async with own.lock(f"{name}-taken", owner="somebody", ttl=30):
                await own.enqueue(name, "coder", "HOLD", task_id="t-1")
                held = (await asyncio.to_thread(finished, client, name, "t-1"))["result"]
                assert (held["task"], held["owner"].split("/")[0]) == ("t-1", "coder")
                await own.enqueue(name, "coder", "WAIT", task_id="t-2")
                await asyncio.to_thread(eventually, lambda: len(waits(client, f"{name}-taken")) == 1)
                await own.api.cancel_task(name, "t-2")
                await asyncio.to_thread(eventually, lambda: waits(client, f"{name}-taken") == [] and ended == ["t-2"])
            coder.stop()
            await serving

    asyncio.run(asyncio.wait_for(run(), 60))
