"""Workers whose connection breaks, or whose proxy knows no WebSockets; with a real edge behind it."""

from __future__ import annotations

import asyncio
import random
import threading
from typing import Any

import pytest
from proxy import Proxy
from test_core import edge, pieces
from test_worker import finished

from ganglion import AsyncClient, AsyncWork, Client, Retry, Work
from ganglion._core.http1 import MalformedAnswer
from ganglion._core.websocket import CLOSE, PING, TEXT, Message, MessageReader, Upgrade, written


def from_server(kind: int, data: bytes, last: bool = True) -> bytes:
    size = len(data)
    long = bytes([size]) if size < 126 else bytes([126]) + size.to_bytes(2, "big") if size < 65_536 else bytes([127]) + size.to_bytes(8, "big")
    return bytes([(0x80 if last else 0) | kind]) + long + data


def unmasked(frame: bytes) -> bytes:
    """What a server reads from a frame of a client."""
    assert frame[1] & 0x80
    size = frame[1] & 0x7F
    start = {126: 4, 127: 10}.get(size, 2)
    mask, data = frame[start : start + 4], frame[start + 4 :]
    return bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))


def test_messages_are_the_same_wherever_their_bytes_are_cut() -> None:
    long, short = b"x" * 70_000, "é".encode() * 100
    stream = from_server(TEXT, long) + from_server(TEXT, b"one ", False) + from_server(PING, b"p") + from_server(0, short)
    wanted = [Message(TEXT, long), Message(PING, b"p"), Message(TEXT, b"one " + short), Message(CLOSE, b"\x03\xe8")]
    stream += from_server(CLOSE, b"\x03\xe8")
    for seed in range(100):
        reader = MessageReader()
        assert [one for piece in pieces(stream, random.Random(seed)) for one in reader.feed(piece)] == wanted, seed


@pytest.mark.parametrize("frame", [b"\xc1\x00", b"\x81\x80aaaa", b"\x80\x01a", b"\x81\x7f" + b"\xff" * 8])
def test_what_no_server_would_send_is_refused(frame: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        MessageReader().feed(frame)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_a_written_message_is_masked_and_read_back(size: int) -> None:
    data = bytes(place % 251 for place in range(size))
    assert unmasked(written(TEXT, data)) == data


def test_an_upgrade_that_another_one_answers_is_refused() -> None:
    made = edge()
    upgrade = Upgrade(made.settings, made.request("GET", "/work"), "p")
    with pytest.raises(MalformedAnswer):
        upgrade.feed(b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\n\r\n")


def test_where_no_websocket_can_be_opened_tasks_come_by_requests(client: Client, edge_url: str, name: str) -> None:
    remarks: list[str] = []
    with Proxy(edge_url, upgrades=False) as proxy, Client(proxy.url) as near:
        worker = near.worker(name, "coder", wait=1, concurrency=2, on_remark=remarks.append)(lambda work: work.payload)
        worker.start()
        for n in range(5):
            client.enqueue(name, "coder", "X", n, task_id=f"t{n}")
        assert [finished(client, name, f"t{n}")["result"] for n in range(5)] == [0, 1, 2, 3, 4]
        worker.stop()
    assert proxy.upgraded == 0 and "working over plain HTTP" in remarks[0]


def test_a_task_outlives_the_connections_that_it_came_over(client: Client, edge_url: str, name: str) -> None:
    begun, go = threading.Event(), threading.Event()

    def slow(work: Work) -> Any:
        if work.type == "SLOW":
            begun.set()
            go.wait()
        return work.attempt

    with Proxy(edge_url) as proxy, Client(proxy.url, retry=Retry(0)) as near:
        worker = near.worker(name, "slow", wait=1, concurrency=2)(slow).start()
        client.enqueue(name, "slow", "SLOW", task_id="slow")
        assert begun.wait(60)
        for _ in range(3):
            proxy.away = True
            proxy.cut()
            # A task that comes over the next connection shows that it is there.
            proxy.away = False
            task = f"fast{proxy.upgraded}"
            client.enqueue(name, "slow", "FAST", task_id=task)
            assert finished(client, name, task)["status"] == "complete"
        go.set()
        assert finished(client, name, "slow")["result"] == 1
        worker.stop()
        assert proxy.upgraded >= 2


def test_coroutines_outlive_the_connections_that_they_came_over(edge_url: str, name: str) -> None:
    async def main() -> None:
        with Proxy(edge_url) as proxy:
            async with AsyncClient() as client, AsyncClient(proxy.url, retry=Retry(0)) as near:
                begun, go = asyncio.Event(), asyncio.Event()

                @near.worker(name, "slow", wait=1)
                async def slow(work: AsyncWork) -> int:
                    begun.set()
                    await go.wait()
                    return work.attempt

                serving = asyncio.create_task(slow.serve())
                await client.enqueue(name, "slow", "SLOW", task_id="slow")
                await begun.wait()
                proxy.upgrades = False
                proxy.cut()
                go.set()
                async for event in client.follow_queue(name):
                    if event["event"] == "complete":
                        break
                assert (await client.api.get_task(name, "slow"))["result"] == 1
                # Now by requests.
                await client.enqueue(name, "slow", "NEXT", task_id="next")
                async for event in client.follow_queue(name):
                    if (event["event"], event["task_id"]) == ("complete", "next"):
                        break
                slow.stop()
                await serving

    asyncio.run(main())


def test_a_worker_over_plain_http_says_its_host_labels_and_skills_too(client: Client, edge_url: str, name: str) -> None:
    with Proxy(edge_url, upgrades=False) as proxy, Client(proxy.url) as behind:

        @behind.worker(name, "trainer", host="gpu-a", labels={"zone": "a"}, skills=["cuda"], wait=1, on_remark=lambda _: None)
        def train(_: Work) -> str:
            return "done"

        train.start()
        client.enqueue(name, "trainer", "TRAIN", needs={"labels": {"zone": "a"}, "skills": ["cuda"]}, task_id="t-1")
        assert finished(client, name, "t-1")["result"] == "done"
        train.stop()
