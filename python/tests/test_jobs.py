"""Many jobs with failures, and workers that are killed: each job is done, and completes once.

GANGLION_JOBS and GANGLION_KILLS make it as long as wanted; ``npm run python-jobs`` does.
"""

from __future__ import annotations

import os
import random
import select
import signal as signals
import subprocess
import sys
from collections import Counter
from pathlib import Path

from ganglion import Client

JOBS = int(os.environ.get("GANGLION_JOBS", "150"))
KILLS = int(os.environ.get("GANGLION_KILLS", "6"))
WORKERS = 3
# Seconds within which a worker that has work says that it began a job.
SAYS_WITHIN_S = 5


def begin(queue: str, directory: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "jobs_worker.py"), queue, str(directory)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent / "src")},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_each_job_completes_once_though_jobs_fail_and_workers_are_killed(
    client: Client, name: str, tmp_path: Path
) -> None:
    rng = random.Random(7)
    client.api.configure_queue(name, {"backoff_ms": 10, "signal_complete": True, "max_attempts": 100})
    for first in range(0, JOBS, 1_000):
        client.enqueue_many(
            name,
            (
                {"recipient": "crew", "type": "JOB", "payload": {"n": n}, "task_id": f"{name}-{n}"}
                for n in range(first, min(first + 1_000, JOBS))
            ),
        )
    crew = [begin(name, tmp_path) for _ in range(WORKERS)]
    ended: Counter[str] = Counter()
    kill_at = sorted(rng.sample(range(1, JOBS), KILLS))
    for signal in client.follow("Q_TASK_COMPLETE", after=0):
        if signal.facts.get("queue") != name:
            continue
        ended[signal.facts["task_id"]] += 1
        if kill_at and len(ended) >= kill_at[0]:
            kill_at.pop(0)
            place = rng.randrange(WORKERS)
            victim = crew[place]
            # In the middle of a job: it has said that it began one, and holds up to four. The last jobs may be with the others
            # already, and then it says nothing more.
            assert victim.stdout is not None
            if select.select([victim.stdout], [], [], SAYS_WITHIN_S)[0]:
                victim.stdout.readline()
            victim.kill()
            victim.wait()
            victim.stdout.close()
            crew[place] = begin(name, tmp_path)
        if len(ended) == JOBS:
            break
    for each in crew:
        each.terminate()
    for each in crew:
        # One that was begun a moment ago may not have come to listen to signals yet.
        assert each.wait() in (0, -signals.SIGTERM)
        assert each.stdout is not None
        each.stdout.close()
    wanted = {f"{name}-{n}": n * n for n in range(JOBS)}
    assert {file.stem: int(file.read_text()) for file in tmp_path.glob("*.done")} == wanted
    done = list(client.finished(name))
    assert {task["task_id"]: task["result"] for task in done} == wanted and len(done) == JOBS
    assert {task["status"] for task in done} == {"complete"}
    events = Counter(one.facts["task_id"] for one in client.query("Q_TASK_COMPLETE") if one.facts.get("queue") == name)
    assert events == Counter(dict.fromkeys(wanted, 1))
    assert client.api.list_tasks(name)["tasks"] == []
