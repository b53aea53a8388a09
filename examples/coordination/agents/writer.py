"""Writes what a scout has found into the tree that all writers share: one at a time, under a lock. See ``tree.ts``."""

import json
import time

from shared import NAME, TREE, client, join, note_of

JOURNAL = TREE / "journal.jsonl"
INDEX = TREE / "INDEX.md"
BUSY = TREE / "busy"


def record(event, task, fence):
    with JOURNAL.open("a") as journal:
        journal.write(json.dumps({"event": event, "owner": NAME, "task": task, "fence": fence}) + "\n")


def last_fence():
    lines = JOURNAL.read_text().splitlines() if JOURNAL.exists() else []
    return max((json.loads(line)["fence"] for line in lines), default=0)


def add_to_index(line, task, fence):
    TREE.mkdir(parents=True, exist_ok=True)
    if fence < last_fence():
        record("refused", task, fence)
        raise RuntimeError(f"the fence {fence} is too old")
    try:
        BUSY.touch(exist_ok=False)
    except FileExistsError:
        record("overlap", task, fence)
        raise
    record("begin", task, fence)
    before = INDEX.read_text() if INDEX.exists() else ""
    time.sleep(0.04)
    INDEX.write_text(f"{before}{line}\n")
    record("end", task, fence)
    BUSY.unlink()


@join("writer")
def writer(task):
    findings = note_of(task, "findings")
    if findings is None:
        raise RuntimeError("the task came without the notes of its scout")
    name = f"tree:{TREE}/**"
    held = {"held": False}
    while not held["held"]:
        wanted = {"owner": NAME, "ttl_ms": 10_000, "wait_ms": 10_000, "task": task.task_id}
        held = client.api.acquire_lock(name, wanted)
    try:
        line = f"- {task.payload['topic']}: {len(findings['found'])} findings of {findings['by']}"
        add_to_index(line, task.task_id, held["fence"])
    finally:
        client.api.release_lock(name, {"fence": held["fence"]})
    return {"by": NAME, "findings_of": findings["by"], "fence": held["fence"]}


writer.run()
