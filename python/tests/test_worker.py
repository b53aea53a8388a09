"""Workers and responders with a real edge."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from ganglion import (
    AsyncClient,
    AsyncWork,
    Client,
    Forbidden,
    ServerProblem,
    TaskCancelled,
    TaskRefused,
    TaskReleased,
    Unauthorized,
    Work,
    Worker,
    answer,
    worker,
)

PROGRAM = """
import sys, time
from ganglion import worker

@worker(sys.argv[1], "slow", lease=3, wait=1, grace=float(sys.argv[2]))
def slow(work):
    print("begun", flush=True)
    sys.stdin.readline()
    return {"done": work.payload}

slow.run()
print("ended", flush=True)
"""


def finished(client: Client, queue: str, task: str) -> Any:
    """The task as soon as it has ended."""
    for event in client.follow_queue(queue, tail=1_000):
        if event["task_id"] == task and event["event"] in ("complete", "failed", "cancelled"):
            break
    return client.api.get_task(queue, task)


def test_a_worker_returns_results_repeats_failures_and_refuses_for_good(client: Client, name: str) -> None:
    client.api.configure_queue(name, {"backoff_ms": 1})

    @worker(name, "coder", client=client, wait=1)
    def coder(work: Work) -> Any:
        if work.type == "BAD":
            raise TaskRefused("nobody could do that")
        if work.type == "LARGE":
            return "x" * 100_000
        if work.type == "ODD":
            return object()
        if work.attempt == 1:
            raise ValueError("not yet")
        return {"attempt": work.attempt, "of": work.payload}

    coder.start()
    for kind in ("GOOD", "BAD", "LARGE", "ODD"):
        client.enqueue(name, "coder", kind, {"kind": kind}, task_id=f"t-{kind}")
    good = finished(client, name, "t-GOOD")
    assert (good["status"], good["result"]) == ("complete", {"attempt": 2, "of": {"kind": "GOOD"}})
    assert [event["error"] for event in good["history"] if "error" in event] == ["ValueError: not yet"]
    for kind, error in (("BAD", "nobody could do that"), ("LARGE", "is larger than"), ("ODD", "the result is no JSON")):
        bad = finished(client, name, f"t-{kind}")
        assert (bad["status"], bad["attempt"]) == ("failed", 1) and error in bad["error"]
    coder.stop()
    assert {task["task_id"] for task in client.finished(name, state="failed")} == {"t-BAD", "t-LARGE", "t-ODD"}


def test_a_lease_is_extended_while_the_handler_runs(client: Client, name: str) -> None:
    go = threading.Event()

    @client.worker(name, "slow", lease=6)
    def slow(work: Work) -> str:
        go.wait()
        return "in time"

    slow.start()
    client.enqueue(name, "slow", "LONG", task_id="long")
    begun: str | None = None
    while True:
        expires = client.api.get_task(name, "long").get("lease_expires_at")
        begun = begun or expires
        if expires != begun:
            break
        go.wait(0.1)
    go.set()
    long = finished(client, name, "long")
    assert (long["status"], long["result"], long["attempt"]) == ("complete", "in time", 1)
    slow.stop()


def test_a_cancelled_task_is_noticed_and_its_result_is_not_reported(client: Client, name: str) -> None:
    @client.worker(name, "slow")
    def slow(work: Work) -> str:
        client.api.cancel_task(name, work.task_id)
        while not work.cancelled:
            threading.Event().wait(0.02)
        with pytest.raises(TaskCancelled):
            work.progress(0.5)
        noticed.set()
        return "late"

    noticed = threading.Event()
    slow.start()
    client.enqueue(name, "slow", "CANCELLED", task_id="cancelled")
    assert noticed.wait(60)
    slow.stop()
    task = client.api.get_task(name, "cancelled")
    assert (task["outcome"], task.get("result")) == ("cancelled", None)


def test_a_released_task_goes_to_another_worker_without_counting(client: Client, name: str) -> None:
    given: list[str] = []

    def handler(work: Work) -> str:
        given.append(work.task_id)
        if len(given) == 1:
            raise TaskReleased()
        return "done"

    one = client.worker(name, "*", wait=1)(handler).start()
    client.enqueue(name, "anybody", "X", task_id="t")
    two = client.worker(name, "anybody", wait=1)(handler).start()
    assert finished(client, name, "t")["attempt"] == 1
    one.stop()
    two.stop()
    assert given == ["t", "t"]


def test_a_task_comes_with_its_notes_and_waits_for_an_answer_without_a_worker(client: Client, name: str) -> None:
    @client.worker(name, "coder", wait=1)
    def coder(work: Work) -> Any:
        if not work.answers:
            client.api.put_note(f"task/{name}/progress", {"step": 3})
            client.api.ask_question({"id": name, "question": "Go on?", "recipient": "ops", "options": ["yes", "no"]})
            work.park(name)
        return {"notes": [note["value"] for note in work.notes], "answer": work.answers[-1]["answer"]}

    coder.start()
    client.enqueue(name, "coder", "X", task_id=name, max_attempts=1)
    while client.api.get_task(name, name).get("waits_for") is None:
        time.sleep(0.05)
    client.api.answer_question(name, {"answer": "yes"})
    task = finished(client, name, name)
    coder.stop()
    assert (task["result"], task["attempt"]) == ({"notes": [{"step": 3}], "answer": "yes"}, 1)


def test_a_responder_answers_calls_and_refuses_other_types(client: Client, name: str) -> None:
    @client.answer(name, "oracle", "DOUBLE", "ASK_ON", wait=1)
    def oracle(work: Work) -> Any:
        if work.type == "DOUBLE":
            return work.payload * 2
        return work.call("oracle", "DOUBLE", work.payload).result + 1

    oracle.start()
    assert client.call(name, "oracle", "DOUBLE", 21, timeout=30).result == 42
    assert client.call(name, "oracle", "ASK_ON", 5, timeout=30).result == 11
    with pytest.raises(ServerProblem, match="oracle does not answer OTHER") as refused:
        client.call(name, "oracle", "OTHER", timeout=30)
    assert refused.value.status == 502
    oracle.stop()


def test_work_that_is_handed_on_is_one_task_whatever_is_repeated(client: Client, name: str) -> None:
    client.api.configure_queue(name, {"backoff_ms": 1})

    @client.worker(name, "first", wait=1)
    def first(work: Work) -> None:
        work.delegate("second", "NEXT", {"n": 1})
        if work.attempt == 1:
            raise RuntimeError("after it was handed on")

    first.start()
    client.enqueue(name, "first", "BEGIN", task_id="flow", priority=2)
    finished(client, name, "flow")
    first.stop()
    waiting = client.api.list_tasks(name)["tasks"]
    assert [(one["task_id"], one["sender"], one["priority"]) for one in waiting] == [("flow.second", "first", 2)]


def test_a_worker_without_the_right_to_work_ends_with_the_refusal(client: Client, name: str) -> None:
    with Client(token="wrong") as stranger, pytest.raises(Unauthorized):
        stranger.worker(name, "x")(lambda work: None).run()
    narrow = client.api.create_token({"name": name, "ecosystems": ["default"], "scopes": ["signals:read"]})
    with Client(token=narrow["token"]) as reader, pytest.raises(Forbidden):
        reader.worker(name, "x")(lambda work: None).run()


def program(queue: str, grace: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, queue, str(grace)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent / "src")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_sigterm_lets_the_task_in_hand_finish(client: Client, name: str) -> None:
    with program(name, 60) as process:
        client.enqueue(name, "slow", "X", 1, task_id="a")
        client.enqueue(name, "slow", "X", 2, task_id="b")
        assert said(process) == "begun"
        process.send_signal(signal.SIGTERM)
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
        assert (said(process), process.wait()) == ("ended", 0)
    assert client.api.get_task(name, "a")["result"] == {"done": 1}
    assert client.api.get_task(name, "b")["status"] == "queued"


def test_after_sigterm_and_the_time_of_grace_the_task_in_hand_is_given_back(client: Client, name: str) -> None:
    with program(name, 0.1) as process:
        client.enqueue(name, "slow", "X", 1, task_id="a")
        assert said(process) == "begun"
        process.send_signal(signal.SIGTERM)
        assert (said(process), process.wait()) == ("ended", 0)
    task = client.api.get_task(name, "a")
    assert (task["status"], [event["event"] for event in task["history"]][-1]) == ("queued", "returned")


def test_coroutines_work_side_by_side_and_one_that_is_cancelled_ends(edge_url: str, name: str) -> None:
    async def main() -> None:
        async with AsyncClient() as client:
            together: list[str] = []
            both = asyncio.Event()
            cancelled = asyncio.Event()

            @worker(name, "pair", client=client, concurrency=3)
            async def pair(work: AsyncWork) -> str:
                if work.type == "CANCELLED":
                    try:
                        await client.api.cancel_task(name, work.task_id)
                        await asyncio.Event().wait()
                    finally:
                        cancelled.set()
                together.append(work.task_id)
                if len(together) == 2:
                    both.set()
                await both.wait()
                return work.task_id

            @answer(name, "oracle", "ASK", client=client, wait=1)
            async def oracle(work: AsyncWork) -> Any:
                return work.payload + 1

            serving = [asyncio.create_task(one.serve()) for one in (pair, oracle)]
            await client.enqueue_many(name, [{"recipient": "pair", "type": "X", "task_id": id} for id in ("a", "b")])
            await client.enqueue(name, "pair", "CANCELLED", task_id="c")
            await cancelled.wait()
            assert (await client.call(name, "oracle", "ASK", 1, timeout=30)).result == 2
            for each in (pair, oracle):
                each.stop()
            await asyncio.gather(*serving)
            done = [await client.api.get_task(name, id) for id in ("a", "b", "c")]
            assert [(one["status"], one.get("result")) for one in done[:2]] == [("complete", "a"), ("complete", "b")]
            assert done[2]["outcome"] == "cancelled"

    asyncio.run(main())


def test_a_task_goes_to_the_worker_whose_host_has_the_labels_and_skills_that_it_needs(client: Client, name: str) -> None:
    def on(zone: str) -> Worker:
        @client.worker(name, "trainer", host=f"gpu-{zone}", labels={"zone": zone}, skills=["cuda"], wait=1)
        def train(_: Work) -> str:
            return zone

        return train.start()

    first, second = on("a"), on("b")
    for task, zone in (("t-1", "b"), ("t-2", "a"), ("t-3", "b")):
        client.enqueue(name, "trainer", "TRAIN", needs={"labels": {"zone": zone}, "skills": ["cuda"]}, task_id=task)
        assert finished(client, name, task)["result"] == zone
    assert client.call(name, "trainer", "TRAIN", needs={"labels": {"zone": "a"}}).result == "a"
    first.stop()
    second.stop()
    client.enqueue(name, "trainer", "TRAIN", needs={"gpu_memory_mb": 8_000, "labels": {"zone": "a"}}, task_id="t-4")
    waiting = client.api.get_task(name, "t-4")
    assert (waiting["status"], waiting["needs"]) == ("queued", {"skills": [], "gpu_memory_mb": 8000, "labels": {"zone": "a"}})
