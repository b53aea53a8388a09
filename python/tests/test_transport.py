"""Both transports against servers that misbehave."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import Any, Callable

import pytest
from fake_edge import FakeEdge, hangs_up, says, streams

from ganglion import AsyncClient, Client, EdgeUnreachable, Retry, TooManyRequests, UnreadableAnswer

RECEIPT = '{"first_seq": 1, "last_seq": 1, "accepted": 1, "duplicates": 0, "ids": ["a"], "added_later": true}'
Run = Callable[[str, Callable[[Any], Any]], Any]


def run_sync(url: str, work: Callable[[Any], Any]) -> Any:
    with Client(url, "token", retry=Retry(3, 0.01)) as client:
        return work(client)


def run_async(url: str, work: Callable[[Any], Any]) -> Any:
    async def main() -> Any:
        async with AsyncClient(url, "token", retry=Retry(3, 0.01)) as client:
            return await work(client)

    return asyncio.run(main())


@pytest.fixture(params=[run_sync, run_async])
def run(request: pytest.FixtureRequest) -> Run:
    found: Run = request.param
    return found


def test_a_signal_that_is_sent_again_after_a_lost_answer_has_the_same_id(run: Run) -> None:
    with FakeEdge(hangs_up, says(503), says(202, RECEIPT)) as edge:
        assert run(edge.url, lambda client: client.emit("S", {"a": 1})).accepted == 1
        bodies = {request.partition(b"\r\n\r\n")[2] for request in edge.requests}
        assert len(edge.requests) == 3 and len(bodies) == 1 and b'"id":"' in bodies.pop()


def test_an_operation_with_a_key_is_sent_again_under_the_same_key_and_another_once(run: Run) -> None:
    with FakeEdge(hangs_up, says(200, "{}")) as edge:
        run(edge.url, lambda client: client.api.run_monitors())
        keys = [line for request in edge.requests for line in request.split(b"\r\n") if line.startswith(b"Idempotency-Key")]
        assert len(keys) == 2 and len(set(keys)) == 1
    with FakeEdge(hangs_up) as edge:
        with pytest.raises(EdgeUnreachable):
            run(edge.url, lambda client: client.api.change_policies({"policies": []}))
        assert len(edge.requests) == 1


def test_requests_share_a_connection_and_one_that_the_server_closed_is_not_used_again() -> None:
    with FakeEdge(says(202, RECEIPT), says(202, RECEIPT), says(202, RECEIPT, keep=False), says(202, RECEIPT)) as edge:
        with Client(edge.url, "token", retry=Retry(0)) as client:
            for _ in range(3):
                client.emit("S")
            # The end has arrived before the next request: it is there as soon as the socket can be read.
            connection = client._transport._idle[0].sock
            connection.setblocking(True)
            assert connection.recv(1, socket.MSG_PEEK) == b""
            client.emit("S")
        assert edge.connections == 2


def test_the_token_is_sent_and_stands_in_no_error(run: Run) -> None:
    with FakeEdge(says(429, '{"title": "Busy", "status": 429, "retry_after_ms": 1}')) as edge:
        with pytest.raises(TooManyRequests) as raised:
            run(edge.url, lambda client: client.emit("S"))
        assert b"Authorization: Bearer token" in edge.requests[0]
        assert "Bearer" not in repr(raised.value) and raised.value.retry_after == 0.001
        assert len(edge.requests) == 4


def test_a_server_that_is_no_edge_is_named(run: Run) -> None:
    with FakeEdge(says(200, "<html>")) as edge:
        with pytest.raises(UnreadableAnswer, match="is not Ganglion"):
            run(edge.url, lambda client: client.attention())


def test_no_server_is_an_error_that_says_what_to_do(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(EdgeUnreachable, match='connection refused.*npm start'):
        run(f"http://127.0.0.1:{port}", lambda client: client.emit("S"))


def event(seq: int) -> bytes:
    document = f'{{"seq": {seq}, "id": "i{seq}", "signal": "S", "source": "s", "facts": {{}}, "timestamp": "t", "received_at": "t"}}'
    return f"id: {seq}\ndata: {document}\n\n".encode()


def test_a_stream_that_breaks_goes_on_where_it_was_and_gives_each_signal_once() -> None:
    broken = streams(event(1) + event(2)[:-1])
    again = streams(b": quiet\n\n", event(1) + event(2), b"id: 9\n\n")
    with FakeEdge(broken, again, streams(event(10))) as edge:
        with Client(edge.url, "token") as client:
            found = []
            for signal in client.follow("S", after=0):
                found.append(signal.seq)
                if signal.seq == 10:
                    break
        assert found == [1, 2, 10]
        assert [request.split(b" ")[1].decode() for request in edge.requests[:3]] == [
            f"/v1/default/signals/stream?after={after}&signal=S" for after in (0, 1, 9)
        ]


def test_a_stream_that_breaks_goes_on_in_asyncio_too() -> None:
    async def main(url: str) -> list[int]:
        found = []
        async with AsyncClient(url, "token") as client:
            async for signal in client.follow("S", after=0):
                found.append(signal.seq)
                if signal.seq == 3:
                    break
        return found

    with FakeEdge(streams(event(1)), streams(event(1), event(2)[:20], event(2)[20:], event(3))) as edge:
        assert asyncio.run(main(edge.url)) == [1, 2, 3]


def test_a_follower_that_another_thread_closes_ends() -> None:
    def waits(connection: socket.socket, _request: bytes) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"%x\r\n%s\r\n" % (len(event(1)), event(1)))
        connection.recv(1)
        return False

    with FakeEdge(waits) as edge, Client(edge.url, "token") as client:
        following = client.follow(after=0)
        assert next(following).seq == 1
        following.close()
        assert list(following) == []


def test_after_a_fork_the_child_opens_connections_of_its_own() -> None:
    with FakeEdge(says(202, RECEIPT)) as edge, Client(edge.url, "token") as client:
        client.emit("S")
        child = os.fork()
        if child == 0:
            try:
                client.emit("S")
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        client.emit("S")
        assert edge.connections == 2
