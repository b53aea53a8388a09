"""What both clients share, without any edge."""

from __future__ import annotations

import json
import random
import uuid
from pathlib import Path
from typing import Any

import pytest

from ganglion import ApiProblem, EdgeUnreachable, Forbidden, NotFound, Retry, ServerProblem, SettingsError, TooManyRequests
from ganglion._core.batcher import Batcher, named_by
from ganglion._core.exchange import Edge, Pause, Request, Response
from ganglion._core.http1 import MalformedAnswer, ResponseReader
from ganglion._core.ids import uuid7
from ganglion._core.settings import read_settings
from ganglion._core.sse import EventReader
from ganglion._core.work import TaskRefused, outcome_of
from ganglion.errors import InvalidRequest, problem_from
from ganglion.heartbeat import Heartbeat

EVENTS = "id: 7\ndata: {\"a\": \"é\"}\n\n: quiet\n\nid:8\r\ndata: one\r\ndata: two\r\n\r\nretry\n\n".encode()


def pieces(data: bytes, rng: random.Random) -> list[bytes]:
    cuts = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randrange(8)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)])]


def test_events_are_the_same_wherever_their_bytes_are_cut() -> None:
    wanted = [{"id": "7", "data": '{"a": "é"}'}, {}, {"id": "8", "data": "one\ntwo"}, {"retry": ""}]
    for seed in range(300):
        reader = EventReader()
        found = [event for piece in pieces(EVENTS, random.Random(seed)) for event in reader.feed(piece)]
        assert found == wanted, seed


@pytest.mark.parametrize(
    ("answer", "status", "body", "keep"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, b"hello", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nT: 1\r\n\r\n", 200, b"hello", True),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n", 204, b"", True),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 200, b"", False),
        (b"HTTP/1.0 200 OK\r\n\r\nhello", 200, b"hello", False),
    ],
)
def test_an_answer_is_the_same_wherever_its_bytes_are_cut(answer: bytes, status: int, body: bytes, keep: bool) -> None:
    for seed in range(200):
        reader = ResponseReader()
        got = b"".join(reader.feed(piece) for piece in pieces(answer, random.Random(seed)))
        reader.end()
        assert (reader.status, got, reader.done, reader.keep_alive) == (status, body, True, keep), seed


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
)
def test_an_answer_that_is_none_or_not_whole_is_refused(answer: bytes) -> None:
    reader = ResponseReader()
    with pytest.raises(MalformedAnswer):
        reader.feed(answer)
        reader.end()


def edge(retries: int = 3) -> Edge:
    return Edge(read_settings("http://127.0.0.1:1", "secret-token"), Retry(retries, 0.0), 30.0)


def run(flow: Any, *answers: Response | Exception) -> tuple[Any, list[Any]]:
    """:returns: what a flow ended with, and its steps"""
    steps = [next(flow)]
    left = list(answers)
    while True:
        try:
            if isinstance(steps[-1], Pause):
                steps.append(flow.send(None))
                continue
            answer = left.pop(0)
            steps.append(flow.throw(answer) if isinstance(answer, Exception) else flow.send(answer))
        except StopIteration as end:
            return end.value, steps
        except ApiProblem as problem:
            return problem, steps


def test_a_call_is_repeated_while_the_edge_is_away_or_overloaded_and_waits_as_long_as_it_asks() -> None:
    busy = Response(429, {"retry-after": "2"}, b'{"title": "Busy", "status": 429, "retry_after_ms": 1500}')
    made = edge()
    flow = made.call(made.request("POST", "/x", body={}))
    answer, steps = run(flow, EdgeUnreachable("o", "r"), busy, Response(200, {}, b'{"ok": true}'))
    assert answer == {"ok": True}
    assert [type(step) for step in steps] == [Request, Pause, Request, Pause, Request]
    assert [step.seconds for step in steps if isinstance(step, Pause)] == [0.0, 1.5]


def test_a_refusal_and_a_call_that_may_not_be_repeated_are_tried_once() -> None:
    made = edge()
    refusal, steps = run(made.call(made.request("GET", "/x")), Response(403, {}, b'{"title": "No", "status": 403}'))
    assert isinstance(refusal, Forbidden) and len(steps) == 1
    once = made.call(made.request("POST", "/x"), repeatable=False)
    answer, steps = run(once, Response(503, {}, b""))
    assert isinstance(answer, ServerProblem) and len(steps) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, InvalidRequest), (403, Forbidden), (404, NotFound), (410, NotFound), (422, InvalidRequest), (429, TooManyRequests), (500, ServerProblem), (504, ServerProblem)],
)
def test_every_status_has_its_class(status: int, kind: type[ApiProblem]) -> None:
    assert type(problem_from(status, b"<html>a proxy's page</html>", None)) is kind


def test_a_problem_says_what_is_wrong_and_where() -> None:
    body = b'{"type": "/problems/x", "title": "Not valid", "status": 422, "errors": [{"pointer": "/a", "message": "no"}]}'
    problem = problem_from(422, body, "3")
    assert (problem.type, problem.pointer, problem.retry_after, str(problem)) == ("/problems/x", "/a", 3.0, "Not valid: /a: no")


def test_settings_come_from_arguments_then_the_environment_then_the_local_edge(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    local = {"HOME": str(tmp_path), "GANGLION_STATE_DIR": str(tmp_path), "GANGLION_PORT": "9999", "GANGLION_HOST_ID": "gpu-01"}
    found = read_settings(environment=local)
    assert (found.origin, found.token, found.ecosystem, found.source) == ("http://127.0.0.1:9999", "from-file", "default", "gpu-01")
    env = {**local, "GANGLION_URL": "https://edge.example/base/", "GANGLION_TOKEN": "t", "GANGLION_ECOSYSTEM": "eco"}
    found = read_settings(environment=env)
    assert (found.origin, found.base, found.token, found.ecosystem) == ("https://edge.example", "/base", "t", "eco")
    assert read_settings("http://other:80", token_file=tmp_path / "token", environment=env).token == "from-file"


@pytest.mark.parametrize(
    ("url", "env", "says"),
    [
        ("ftp://x", {}, '"ftp://x" is not the URL of an edge'),
        ("http://x:port", {}, "is not the URL of an edge"),
        ("http://user:password@x", {}, "must not hold a name or password"),
        ("http://other", {}, "no token for http://other"),
        (None, {"GANGLION_TOKEN": "two words"}, "GANGLION_TOKEN holds no token"),
        (None, {"GANGLION_STATE_DIR": "/nonexistent"}, "no token: set GANGLION_TOKEN"),
        (None, {"GANGLION_ECOSYSTEM": "Not One"}, "'Not One' is no name of an ecosystem"),
        (None, {"GANGLION_CONTEXT": "work"}, 'no context is called "work": there are none'),
    ],
)
def test_a_setting_that_is_wrong_is_named_without_any_secret(url: str | None, env: dict[str, str], says: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings(url, environment={"HOME": "/nonexistent", **env})
    assert says in str(raised.value)
    assert "password@" not in str(raised.value) and "two words" not in str(raised.value)


def test_a_context_of_the_command_says_where_its_edge_is(tmp_path: Path) -> None:
    token = tmp_path / "work-token"
    token.write_text("of-work")
    token.chmod(0o600)
    work = {"url": "https://work.example", "token_file": str(token), "ecosystem": "team"}
    file = tmp_path / "ganglion" / "contexts.json"
    file.parent.mkdir()
    file.write_text(json.dumps({"current": "work", "contexts": {"work": work, "home": {"url": "http://home:1"}}}))
    env = {"XDG_CONFIG_HOME": str(tmp_path), "GANGLION_TOKEN": "of-the-variable", "GANGLION_ECOSYSTEM": "other"}
    found = read_settings(environment=env)
    assert (found.origin, found.token, found.ecosystem) == ("https://work.example", "of-work", "team")
    found = read_settings(environment=env, context="home")
    assert (found.origin, found.token, found.ecosystem) == ("http://home:1", "of-the-variable", "other")
    assert read_settings(environment={**env, "GANGLION_CONTEXT": "home"}).origin == "http://home:1"
    # A URL that somebody names has nothing to do with the contexts.
    assert read_settings("http://other:2", environment=env).token == "of-the-variable"
    assert read_settings(environment={**env, "GANGLION_URL": "http://other:2"}).origin == "http://other:2"
    with pytest.raises(SettingsError, match='did you mean "work"'):
        read_settings(environment=env, context="wrok")
    with pytest.raises(SettingsError, match="does not go with context="):
        read_settings("http://other:2", environment=env, context="work")
    token.chmod(0o644)
    with pytest.raises(SettingsError, match="others can use the token file .* 0644"):
        read_settings(environment=env)
    file.write_text("{}")
    with pytest.raises(SettingsError, match="does not hold contexts"):
        read_settings(environment=env)


def test_no_token_is_in_any_repr() -> None:
    made = edge()
    request = made.request("POST", "/x", body={"a": 1}, headers={"Idempotency-Key": "k"})
    assert "secret-token" not in f"{made.settings!r} {request!r} {made!r}"


def test_ids_sort_by_time_and_are_uuids_of_version_7() -> None:
    ids = [uuid7() for _ in range(100)]
    assert len(set(ids)) == 100
    assert {(uuid.UUID(id).version, uuid.UUID(id).variant) for id in ids} == {(7, uuid.RFC_4122)}
    assert [id[:8] for id in ids] == sorted(id[:8] for id in ids)


def test_waiting_signals_are_batches_that_the_edge_takes_in_their_order() -> None:
    batcher = Batcher()
    signals = [{"signal": "S", "facts": {"n": n, "x": "y" * (100_000 if n % 7 == 0 else 1)}} for n in range(2_500)]
    for signal in signals:
        batcher.add(signal)
    first = batcher.take()
    batcher.put_back(first)
    taken = []
    while batch := batcher.take():
        assert len(batch) <= 1_000 and sum(len(str(one)) for one in batch) < 1_048_576
        taken += batch
    assert taken == signals


def test_of_a_refused_batch_the_signals_that_the_refusal_names_are_left_out() -> None:
    named = problem_from(422, b'{"title": "t", "errors": [{"pointer": "/2/facts", "message": ""}]}', None)
    assert named_by(named, 4) == {2}
    assert named_by(problem_from(413, b"", None), 3) == {0, 1, 2}


def test_an_outcome_says_whether_another_attempt_may_help() -> None:
    assert outcome_of({"a": 1}, None).fields == {"result": {"a": 1}}
    assert outcome_of(float("nan"), None).fields["retry"] is False
    assert outcome_of(object(), None).fields["retry"] is False
    assert outcome_of(None, KeyError("x")).fields == {"error": "KeyError: 'x'", "retry": True}
    assert outcome_of(None, TaskRefused("never")).fields == {"error": "never", "retry": False}


def test_a_heartbeat_is_a_line_for_the_supervisor_and_nothing_without_one(tmp_path: Path) -> None:
    Heartbeat({}).send("working")
    with (tmp_path / "pipe").open("w+") as file:
        beat = Heartbeat({"GANGLION_HEARTBEAT_FD": str(file.fileno()), "GANGLION_HEARTBEAT_SECONDS": "5"})
        beat.send("working", "t-1", 0.5)
        beat.repeat()
        assert beat.seconds == 5
        file.seek(0)
        assert file.read() == '{"state": "working", "task": "t-1", "progress": 0.5}\n' * 2
