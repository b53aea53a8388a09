"""Tasks that must prove that they are done, with a real edge."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, Callable

import pytest
from test_worker import finished

from ganglion import AsyncClient, AsyncWork, Client, InvalidRequest, Work


def eventually(read: Callable[[], Any]) -> Any:
    """What is read, as soon as it is something."""
    for _ in range(400):
        found = read()
        if found:
            return found
        threading.Event().wait(0.05)
    raise AssertionError("it never came")


def test_a_rule_refuses_a_completion_with_its_reason_and_the_next_attempt_knows_why(client: Client, name: str) -> None:
    client.api.configure_queue(name, {"backoff_ms": 1})
    known: list[Any] = []

    @client.worker(name, "coder")
    def coder(work: Work) -> Any:
        known.append(work.verdict)
        work.evidence({"tests": work.attempt})
        return {"failed": 2 - work.attempt}

    coder.start()
    accept = {"rule": "result.failed == 0 && evidence.tests > 1"}
    client.enqueue(name, "coder", "FIX", accept=accept, max_attempts=3, task_id="t-1")
    done = finished(client, name, "t-1")
    coder.stop()
    assert (done["status"], done["result"], done["attempt"]) == ("complete", {"failed": 0}, 2)
    assert (done["verdict"]["accepted"], done["verdict"]["by"], done["verdict"]["attempt"]) == (True, "rule", 2)
    assert known[0] is None
    assert (known[1]["accepted"], known[1]["attempt"]) == (False, 1) and "result.failed == 0" in known[1]["reason"]


def test_a_task_that_never_proves_that_it_is_done_fails_with_the_reason(client: Client, name: str) -> None:
    client.api.configure_queue(name, {"backoff_ms": 1})

    @client.worker(name, "coder")
    def coder(_: Work) -> Any:
        return {"failed": 1}

    coder.start()
    client.enqueue(name, "coder", "FIX", accept={"rule": "result.failed == 0"}, max_attempts=2, task_id="t-1")
    done = finished(client, name, "t-1")
    coder.stop()
    assert (done["status"], done["attempt"], done["verdict"]["accepted"]) == ("failed", 2, False)
    assert "result.failed == 0" in done["error"]


def test_a_task_is_verifying_until_its_reviewer_has_judged_and_says_who_did_and_why(client: Client, name: str) -> None:
    client.api.configure_queue(name, {"backoff_ms": 1})
    attempts: list[int] = []

    @client.worker(name, "writer")
    def writer(work: Work) -> Any:
        attempts.append(work.attempt)
        return {"page": work.attempt, "told": None if work.verdict is None else work.verdict["reason"]}

    writer.start()
    client.enqueue(name, "writer", "PAGE", accept={"reviewer": name}, max_attempts=3, task_id="t-1")
    [first] = eventually(lambda: client.api.list_questions(recipient=name, state="open")["questions"])
    waiting = client.api.get_task(name, "t-1")
    assert waiting["status"] == "verifying"
    assert (waiting["verifying"]["worker"], name in waiting["verifying"]["why"]) == ("writer", True)
    assert [one["task_id"] for one in client.api.list_tasks(name, status="verifying")["tasks"]] == ["t-1"]
    client.api.answer_question(first["id"], {"answer": "refuse", "comment": "the title is missing"})
    [second] = eventually(lambda: client.api.list_questions(recipient=name, state="open")["questions"])
    client.api.answer_question(second["id"], {"answer": "accept"})
    done = finished(client, name, "t-1")
    writer.stop()
    assert attempts == [1, 2]
    assert (done["status"], done["result"]) == ("complete", {"page": 2, "told": "ADMIN_TOKEN refused it: the title is missing"})
    assert (done["verdict"]["accepted"], done["verdict"]["by"], "name" in done["verdict"]) == (True, "reviewer", True)


def test_a_check_that_no_host_has_leaves_the_task_verifying_and_says_so(edge_url: str, name: str) -> None:
    async def run() -> None:
        async with AsyncClient() as client:

            @client.worker(name, "coder")
            async def coder(work: AsyncWork) -> Any:
                work.evidence({"commit": "1a2b"})
                return {"commit": "1a2b"}

            serving = asyncio.ensure_future(coder.serve())
            await client.enqueue(name, "coder", "FIX", accept={"check": f"check-{name}"}, task_id="t-1")
            while (task := await client.api.get_task(name, "t-1"))["status"] != "verifying":
                await asyncio.sleep(0.02)
            assert f"check-{name}" in task["verifying"]["why"]
            await client.api.cancel_task(name, "t-1")
            coder.stop()
            await serving

    asyncio.run(asyncio.wait_for(run(), 60))


def test_a_proof_that_cannot_be_judged_is_refused_before_the_task_is_queued(client: Client, name: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        client.enqueue(name, "coder", "FIX", accept={"rule": "result."}, task_id="t-1")
    assert refused.value.pointer == "/0/accept/rule"


def test_evidence_that_is_no_json_fails_the_task_for_good(client: Client, name: str) -> None:
    @client.worker(name, "coder")
    def coder(work: Work) -> Any:
        work.evidence(object())
        return 1

    coder.start()
    client.enqueue(name, "coder", "FIX", task_id="t-1")
    done = finished(client, name, "t-1")
    coder.stop()
    assert (done["status"], done["attempt"]) == ("failed", 1) and "the evidence is no JSON" in done["error"]
