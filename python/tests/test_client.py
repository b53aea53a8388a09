"""The clients with a real edge."""

from __future__ import annotations

import asyncio
import threading
from datetime import datetime, timezone
from typing import Any

import pytest

from ganglion import ApiProblem, AsyncClient, Client, Conflict, Forbidden, InvalidRequest, NotFound, ServerProblem, Unauthorized


def test_a_signal_is_durable_when_emit_returns_and_an_id_is_stored_once(client: Client, name: str) -> None:
    receipt = client.emit(name, {"n": 1}, source="here", id=f"{name}-1")
    assert (receipt.accepted, receipt.ids) == (1, [f"{name}-1"])
    assert client.emit(name, {"n": 1}, source="here", id=f"{name}-1").duplicates == 1
    signal = client.signal(f"{name}-1")
    assert (signal.seq, signal.source, signal.facts) == (receipt.last_seq, "here", {"n": 1})


def test_a_signal_that_follows_from_another_names_it_and_is_explained(client: Client, name: str) -> None:
    first = client.emit(name, {"n": 1})
    cause = client.signal(first.ids[0])
    second = client.emit(f"{name}.after", cause=cause, timestamp=datetime(2026, 1, 2, tzinfo=timezone.utc))
    found = client.signal(second.ids[0])
    assert (found.cause, found.timestamp, found.depth) == (cause.id, "2026-01-02T00:00:00.000Z", 1)
    lineage = client.explain(second.ids[0])
    assert [one["id"] for one in lineage["causes"]] == [cause.id]


def test_signals_are_read_page_by_page_in_either_order(client: Client, name: str) -> None:
    for first in range(0, 2_200, 1_000):
        client.emit_many({"signal": name, "facts": {"n": n}} for n in range(first, min(first + 1_000, 2_200)))
    assert [one.facts["n"] for one in client.query(name)] == list(range(2_200))
    assert [one.facts["n"] for one in client.query(name, order="desc")] == list(range(2_199, -1, -1))
    assert [one.facts["n"] for one in client.query(name, order="desc", limit=3)] == [2_199, 2_198, 2_197]
    assert [one.facts["n"] for one in client.query([name], filter="facts.n >= 2198.0")] == [2_198, 2_199]


def test_signals_that_are_emitted_later_are_all_there_after_a_flush(client: Client, name: str) -> None:
    def emit(thread: int) -> None:
        for n in range(600):
            client.emit_later(name, {"n": thread * 600 + n})

    threads = [threading.Thread(target=emit, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.flush()
    assert sorted(one.facts["n"] for one in client.query(name)) == list(range(2_400))


def test_a_refused_signal_is_told_by_the_flush_and_takes_no_other_with_it(client: Client, name: str) -> None:
    for n in range(3):
        client.emit_later(name, {"n": n})
    client.emit_later("no name of a signal", {})
    client.emit_later(name, {"n": 3})
    with pytest.raises(InvalidRequest, match="signal's name"):
        client.flush()
    client.flush()
    assert [one.facts["n"] for one in client.query(name)] == [0, 1, 2, 3]


def test_a_batch_is_emitted_at_its_end_and_not_after_an_error(client: Client, name: str) -> None:
    with client.batch() as batch:
        batch.emit(name, {"n": 1})
        batch.emit(name, {"n": 2}, source="there")
        assert list(client.query(name)) == []
    with pytest.raises(ZeroDivisionError):
        with client.batch() as batch:
            batch.emit(name, {"n": 1 // 0})
    assert [(one.facts["n"], one.source) for one in client.query(name)][1] == (2, "there")


def test_a_signal_without_a_name_or_with_a_field_that_is_none_is_named_before_it_is_sent(client: Client) -> None:
    with pytest.raises(TypeError, match="needs a name"):
        client.emit_many([{"facts": {}}])
    with pytest.raises(TypeError, match="no field fact"):
        client.emit_many([{"signal": "Q_X", "fact": {}}])


def test_a_follower_gets_what_comes_after_its_place(client: Client, name: str) -> None:
    with client.follow(name) as following:
        client.emit(name, {"n": 1})
        client.emit(f"{name}.other", {"n": 9})
        client.emit(name, {"n": 2})
        assert [next(following).facts["n"], next(following).facts["n"]] == [1, 2]
        place = following.after
    client.emit(name, {"n": 3})
    with client.follow(name, after=place) as following:
        assert next(following).facts["n"] == 2  # the last one was not taken to its end
        assert next(following).facts["n"] == 3


def test_a_refusal_is_of_the_class_of_its_status(client: Client, edge_url: str, name: str) -> None:
    with pytest.raises(InvalidRequest) as invalid:
        client.emit("1 2", {})
    assert (invalid.value.pointer, invalid.value.type) == ("/signal", "/problems/invalid-signal")
    with pytest.raises(NotFound):
        client.signal("nobody-has-it")
    with pytest.raises(Unauthorized) as refused, Client(token="gng_wrong") as stranger:
        stranger.attention()
    assert "gng_wrong" not in f"{refused.value!r}{stranger!r}"
    narrow = client.api.create_token({"name": name, "ecosystems": ["default"], "scopes": ["signals:read"]})
    with pytest.raises(Forbidden), Client(token=narrow["token"]) as reader:
        reader.emit(name)
    client.enqueue(name, "somebody", "X")
    with pytest.raises(Conflict):
        client.api.delete_queue(name)


def test_what_needs_somebody_and_who_is_there_can_be_read(client: Client, name: str) -> None:
    assert client.attention()["checked_at"]
    assert client.gaps("all") == [] and list(client.hosts()) == [] and client.webhooks() == []
    assert "built_in" in client.policies()[0]
    assert list(client.dead_letters(text=name)) == [] and list(client.decisions(rule="none")) == []
    assert client.usage() and client.api.get_metrics().startswith("# HELP")
    hook = client.api.put_webhook(name.lower(), {"url": "http://127.0.0.1:9/hook"})
    assert hook["secret"]
    client.api.put_policy(name.lower(), {"when": name, "then": [{"emit": {"signal": f"{name}.seen"}}]})
    client.emit(name)
    with client.follow(f"{name}.seen", after=0) as following:
        assert next(following).cause
    assert [one["rule"] for one in client.decisions(rule=name.lower())] == [name.lower()]
    client.api.delete_policy(name.lower())
    client.api.delete_webhook(name.lower())
    assert client.webhooks() == []


def test_a_watcher_is_told_what_needs_somebody_each_time_that_it_changes(client: Client, name: str) -> None:
    with Client(ecosystem=name.lower()) as own:
        watching = own.watch_attention(every=0.1)
        assert next(watching)["total"] == 0
        own.emit_many({"signal": "OBSERVATION", "facts": {"zooid": "demo", "cpu_percent": 97}} for _ in range(5))
        assert [item["kind"] for item in next(watching)["items"]] == ["gap"]
        assert [gap["status"] for gap in own.gaps()] == ["open"]


def test_a_person_is_asked_and_the_first_answer_comes_back(client: Client, name: str) -> None:
    open_question = client.ask_human("Deploy?", "ops", options=["yes", "no"], id=f"{name}-1", wait=0)
    assert (open_question["state"], open_question["answer"]) == ("open", None)
    threading.Timer(0.2, lambda: client.api.answer_question(f"{name}-1", {"answer": "yes"})).start()
    answered = client.ask_human("Deploy?", "ops", options=["yes", "no"], id=f"{name}-1")
    assert (answered["state"], answered["answer"]) == ("answered", "yes")
    with pytest.raises(Conflict):
        client.api.answer_question(f"{name}-1", {"answer": "no"})


def test_a_note_that_many_change_at_once_loses_no_change(client: Client, name: str) -> None:
    key = f"counts/{name}"

    def count(now: dict[str, Any] | None) -> dict[str, Any]:
        return {"n": (0 if now is None else now["n"]) + 1}

    def change() -> None:
        for _ in range(4):
            client.update_note(key, count)

    threads = [threading.Thread(target=change) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    note = client.api.get_note(key)
    assert (note["key"], note["value"]) == (key, {"n": 24})
    with pytest.raises(Conflict):
        client.api.put_note(key, {}, if_version=0)
    client.api.delete_note(key, if_version=note["version"])
    with pytest.raises(NotFound):
        client.api.get_note(key)


def test_an_ecosystem_of_another_name_is_another_one(client: Client, name: str) -> None:
    with Client(ecosystem=name.lower()) as other:
        other.emit(name)
        assert len(list(other.query(name))) == 1
        assert list(client.query(name)) == []
        assert other.api.export_ecosystem()["lines"]


def test_the_asynchronous_client_does_the_same(edge_url: str, name: str) -> None:
    async def main() -> None:
        async with AsyncClient() as client:
            await client.emit(name, {"n": 0})
            for n in range(1, 1_500):
                client.emit_later(name, {"n": n})
            with pytest.raises(InvalidRequest):
                client.emit_later("no name", {})
                await client.flush()
            async with client.batch() as batch:
                batch.emit(name, {"n": 1_500})
            assert sorted([one.facts["n"] async for one in client.query(name)]) == list(range(1_501))
            async for one in client.follow(name, after=0):
                assert one.facts["n"] == 0
                break
            answers = await asyncio.gather(*(client.enqueue(name, "*", "X", n, task_id=f"{name}.{n}") for n in range(20)))
            assert {answer.status for answer in answers} == {"queued"}
            assert (await client.enqueue(name, "*", "X", 0, task_id=f"{name}.0")).known
            with pytest.raises(ServerProblem) as none:
                await client.call(name, "nobody", "ASK", require_responder=True)
            assert none.value.type == "/problems/no-responder"
            async for attention in client.watch_attention():
                assert attention["total"] >= 0
                break
            assert [one["event"] async for one in _first(client.follow_queue(name))] == ["queued"]
            changes = (client.update_note(f"{name}/n", lambda now: {"n": (now or {"n": 0})["n"] + 1}) for _ in range(8))
            await asyncio.gather(*changes)
            asked = await client.ask_human("Go on?", "ops", id=f"{name}-async", wait=0)
            assert asked["state"] == "open"
            assert (await client.api.get_note(f"{name}/n"))["value"] == {"n": 8}

    asyncio.run(main())


async def _first(events: Any) -> Any:
    async for event in events:
        yield event
        break
