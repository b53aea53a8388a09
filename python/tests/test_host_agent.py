"""Limits by way of the local agent, with an agent and an edge that answer as they are told."""

from __future__ import annotations

import json
import socket
import threading
from typing import Any

import pytest

from ganglion import EdgeUnreachable, LimitRefused, Retry
from ganglion._core.exchange import Edge, Pause, Request, Response
from ganglion._core.held_limit import LimitDesk, new_ask
from ganglion._core.host_agent import AgentRequest, HostAgent
from ganglion._core.settings import read_settings
from ganglion._sync.agent_socket import ask_agent

LOST = b""
SETTLED = {"result": {"state": "settled"}}


def line(document: object) -> bytes:
    return json.dumps(document).encode() + b"\n"


class World:
    """A desk whose agent answers in order, and an edge that takes all."""

    def __init__(self, *answers: object, **settings: Any) -> None:
        self.now = 1_000.0
        self.answers = list(answers)
        self.asked: list[tuple[str, Any]] = []
        self.edge_away = False
        self.edge: list[tuple[str, Any]] = []
        made = read_settings("http://127.0.0.1:1/", "token", "default")
        self.agent = HostAgent(made, {"GANGLION_STATE_DIR": "/state"}, lambda _: True)
        self.desk = LimitDesk(Edge(made, Retry(retries=0), 30.0), lambda: self.now, lambda: self.now, self.agent)
        given: dict[str, Any] = {"usd": 2.0, "model": None, "when_away": None, **settings}
        self.ask = new_ask("api", None, None, None, given["usd"], "coder", None, None, given["model"], 60.0, given["when_away"])

    def run(self, flow: Any) -> Any:
        try:
            step = next(flow)
            while True:
                if isinstance(step, Pause):
                    self.now += step.seconds
                    step = flow.send(None)
                elif isinstance(step, AgentRequest):
                    said = json.loads(step.line)
                    self.asked.append((said["type"], said["payload"]))
                    answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                    step = flow.send(answer if answer is None or isinstance(answer, bytes) else line(answer))
                elif self.edge_away:
                    step = flow.throw(EdgeUnreachable("http://127.0.0.1:1", "connection refused"))
                else:
                    assert isinstance(step, Request)
                    self.edge.append((step.target.rpartition("/")[2], json.loads(step.body or b"")))
                    step = flow.send(Response(200, {}, b'{"granted": true, "reservation": "r-1"}'))
        except StopIteration as end:
            return end.value

    def call(self, **used: float) -> None:
        held = self.run(self.desk.reserve(self.ask))
        held.used(**used)
        self.run(self.desk.settle(self.ask, held))


def granted(expires_at: str = "2030-01-01T00:00:00.000Z", **more: Any) -> Any:
    return {"result": {"granted": True, "expires_at": expires_at, **more}}


def test_the_agent_is_asked_in_the_place_of_the_edge_and_told_what_was_used() -> None:
    world = World(granted(), SETTLED, when_away="closed")
    world.call(usd=0.5)
    [(first, asked), (second, told)] = world.asked
    assert (first, second, world.edge) == ("limit.reserve", "limit.settle", [])
    about = {"url": "http://127.0.0.1:1", "ecosystem": "default", "limit": "api"}
    assert asked == {**about, "id": asked["id"], "amounts": {"usd": 2.0}, "agent": "coder", "wait_ms": 0, "when_away": "closed"}
    assert asked["id"].startswith("h-")
    assert told == {**about, "reservation": asked["id"], "amounts": {"usd": 0.5}, "agent": "coder", "reserved": {"usd": 2.0}}


@pytest.mark.parametrize("answer", [None, LOST, b"half", b"no document\n", {"error": {"message": "it is full"}}])
def test_the_edge_is_asked_where_the_agent_says_nothing_of_use(answer: object) -> None:
    world = World(answer)
    world.call()
    assert [what for what, _ in world.edge] == ["reserve", "settle"]


def test_an_agent_of_another_edge_is_asked_once_and_never_again() -> None:
    world = World({"error": {"message": "the agent of this host belongs to another edge or ecosystem"}})
    world.call()
    world.call()
    assert (len(world.asked), len(world.edge)) == (1, 4)


def test_what_the_agent_does_not_grant_is_refused_as_the_edge_would_refuse_it() -> None:
    world = World({"result": {"granted": False, "why": "budget", "final": True}})
    with pytest.raises(LimitRefused):
        world.call()
    closed = World({"result": {"granted": False, "away": True, "when_away": "closed"}})
    with pytest.raises(EdgeUnreachable, match="the agent of this host reaches none"):
        closed.call()
    assert (world.edge, closed.edge) == ([], [])


def test_an_agent_that_was_killed_is_told_when_it_is_back_and_the_edge_is_not() -> None:
    world = World(granted(), LOST, LOST, LOST, SETTLED)
    world.call(usd=0.5)
    assert [what for what, _ in world.asked] == ["limit.reserve", *["limit.settle"] * 4]
    assert (world.edge, round(world.now, 1)) == ([], 1_000.6)


@pytest.mark.parametrize(
    ("used", "model", "expires_at", "told"),
    [
        ({"usd": 0.5}, None, "2030-01-01T00:00:00.000Z", {"requests": 1, "usd": 0.5}),
        ({}, None, "2030-01-01T00:00:00.000Z", {"requests": 1, "usd": 2.0}),
        # At the edge tokens become dollars by the prices of the model.
        ({"input_tokens": 7}, "m", "2030-01-01T00:00:00.000Z", {"requests": 1, "input_tokens": 7}),
        # Its block was settled as it was reserved: only what goes beyond it counts.
        ({"usd": 2.5}, None, "1970-01-01T00:00:00.000Z", {"requests": 0, "usd": 0.5}),
        ({"usd": 0.5}, None, "1970-01-01T00:00:00.000Z", {"requests": 0, "usd": 0}),
    ],
)
def test_where_the_agent_is_gone_the_edge_is_told_what_it_does_not_know(used: Any, model: Any, expires_at: str, told: Any) -> None:
    world = World(granted(expires_at), None, model=model)
    world.call(**used)
    [(what, body)] = world.edge
    assert (what, body["amounts"], body["reservation"].startswith("h-")) == ("settle", told, True)


def test_a_reservation_of_the_edge_that_the_agent_passed_on_is_settled_there_as_it_is() -> None:
    world = World(granted(reservation="r-7"), None)
    world.call(usd=0.5)
    assert world.edge == [("settle", {"reservation": "r-7", "amounts": {"usd": 0.5}, "agent": "coder"})]


def test_what_neither_agent_nor_edge_could_be_told_goes_to_the_agent_that_is_back() -> None:
    world = World(granted(), None, granted(), SETTLED)
    world.edge_away = True
    world.call(usd=0.5)
    assert len(world.desk.unsent) == 1
    world.call(usd=0.25)
    settled = [payload for what, payload in world.asked if what == "limit.settle"]
    assert [one["amounts"].get("usd") for one in settled] == [0.5, 0.25, 0.5]
    assert len(world.desk.unsent) == 0


@pytest.mark.parametrize(
    ("env", "paths"),
    [
        ({"GANGLION_STATE_DIR": "/s", "HOME": "/h"}, ["/s/agent.sock"]),
        ({"HOME": "/h"}, ["/h/.local/state/ganglion/agent.sock", "/var/lib/ganglion/agent.sock"]),
        ({"HOME": "/h", "XDG_STATE_HOME": "/x"}, ["/x/ganglion/agent.sock", "/var/lib/ganglion/agent.sock"]),
        ({"XDG_STATE_HOME": "relative"}, ["/var/lib/ganglion/agent.sock"]),
        ({"GANGLION_STATE_DIR": "/" + "s" * 97}, []),
    ],
)
def test_the_socket_is_where_the_agent_of_this_machine_has_it(env: Any, paths: list[str]) -> None:
    looked: list[str] = []

    def exists(path: str) -> bool:
        looked.append(path)
        return False

    agent = HostAgent(read_settings("http://127.0.0.1:1", "token", "default"), env, exists)
    flow = agent.reserve("api", "h-1", {})
    with pytest.raises(StopIteration):
        next(flow)
    assert [path for path in looked if ".ganglion/" not in path] == paths


def test_a_socket_that_answers_in_pieces_is_read_whole_and_one_that_ends_is_not(tmp_path: Any) -> None:
    path = str(tmp_path / "a.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(path)
        server.listen()

        def serve() -> None:
            for pieces in ((b'{"res', b'ult": 1}\n'), (b'{"res',)):
                connection, _ = server.accept()
                with connection:
                    connection.recv(65_536)
                    for piece in pieces:
                        connection.sendall(piece)

        threading.Thread(target=serve, daemon=True).start()
        request = AgentRequest(path, b"{}\n", 5.0)
        assert ask_agent(request) == b'{"result": 1}\n'
        assert ask_agent(request) == b'{"res'
    assert ask_agent(AgentRequest(str(tmp_path / "none.sock"), b"{}\n", 5.0)) is None
