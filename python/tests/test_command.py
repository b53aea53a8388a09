"""``python -m ganglion``."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ganglion import Client
from ganglion.__main__ import main

PROJECT = Path(__file__).parent.parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(PROJECT / "src")}


def ganglion(*arguments: str, stdin: str = "", code: int = 0) -> list[Any]:
    """What the command prints: documents, or the lines of its error."""
    done = subprocess.run(
        [sys.executable, "-m", "ganglion", *arguments], env=ENVIRONMENT, input=stdin, capture_output=True, text=True
    )
    assert done.returncode == code, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()] if code == 0 else done.stderr.splitlines()


def running(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(arguments, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)


def end(worker: subprocess.Popen[str]) -> None:
    worker.send_signal(signal.SIGTERM)
    assert worker.wait() == 0


def test_signals_are_emitted_queried_and_followed(edge_url: str, name: str) -> None:
    [receipt] = ganglion("emit", name, "--fact", "n=1", "--fact", "text=a b", "--source", "here")
    lines = "".join(json.dumps({"signal": name, "facts": {"n": n}}) + "\n" for n in (2, 3))
    assert ganglion("emit", "-", "--source", "there", stdin=lines)[0]["accepted"] == 2
    found = ganglion("query", name, "--filter", "facts.n < 3.0")
    assert [(one["facts"], one["source"]) for one in found] == [({"n": 1, "text": "a b"}, "here"), ({"n": 2}, "there")]
    with running(sys.executable, "-m", "ganglion", "follow", name, "--after", str(receipt["seq"])) as following:
        assert following.stdout is not None
        assert [json.loads(following.stdout.readline())["facts"]["n"] for _ in range(2)] == [2, 3]
        following.send_signal(signal.SIGINT)
        assert following.wait() == 130


def test_tasks_are_queued_done_by_a_command_and_calls_answered(client: Client, name: str) -> None:
    assert ganglion("enqueue", name, "shell", "X", "--payload", '{"n": 1}', "--id", "t")[0]["task_id"] == "t"
    script = "import json, sys; task = json.load(sys.stdin); print(json.dumps(task['payload']['n'] * 2))"
    with running(sys.executable, "-m", "ganglion", "work", name, "shell", "--", sys.executable, "-c", script) as worker:
        assert ganglion("call", name, "shell", "X", "--payload", '{"n": 21}', "--timeout", "60") == [42]
        assert client.api.get_task(name, "t")["result"] == 2
        end(worker)


def test_a_command_that_was_given_back_does_not_go_on(client: Client, name: str, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script = f"import os, time; open({str(pid_file)!r}, 'w').write(str(os.getpid())); time.sleep(3600)"
    with running(sys.executable, "-m", "ganglion", "work", name, "shell", "--", sys.executable, "-c", script) as worker:
        client.enqueue(name, "shell", "X", task_id="t")
        while not (pid_file.exists() and pid_file.read_text()):
            time.sleep(0.02)
        # The first signal would wait for the command.
        worker.send_signal(signal.SIGTERM)
        while client.api.get_queue(name)["workers"]:
            time.sleep(0.02)
        end(worker)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)
    assert client.api.get_task(name, "t")["status"] == "queued"


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "says"),
    [
        (["emit", "Q_X", "--fact", "n"], "", 2, "give NAME=VALUE"),
        (["emit", "Q_X", "--facts", "[]"], "", 2, "give a JSON object"),
        (["emit", "-"], "{}\n", 2, "line 1 is no signal"),
        (["emit", "-", "--id", "x"], "", 2, "put them into each line"),
        (["query", "--url", "nonsense"], "", 2, "is not the URL of an edge"),
        (["query", "--token-file", "/none"], "", 2, "token file /none does not exist"),
        (["call", "q", "r", "T", "--payload", "@/none"], "", 2, "No such file"),
        (["work", "team", "x"], "", 2, "give the command after --"),
        (["emit", "Q_X", "--url", "http://127.0.0.1:1"], "", 1, "no edge answers at http://127.0.0.1:1"),
        (["emit", "1"], "", 1, "a signal's name starts with a letter"),
    ],
)
def test_mistakes_are_answered_with_what_to_do(
    edge_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    stdin: str,
    code: int,
    says: str,
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
    assert main(arguments) == code
    assert says in capsys.readouterr().err


def test_the_five_lines_of_the_readme_are_a_worker(client: Client, name: str) -> None:
    readme = (PROJECT / "README.md").read_text("utf-8")
    match = re.search(r"<!-- worker -->\n```python\n(.*?)```", readme, re.DOTALL)
    assert match is not None
    program = match[1]
    assert len([line for line in program.splitlines() if line.strip()]) == 5
    with running(sys.executable, "-c", program) as worker:
        client.enqueue("work", "coder", "BUG_REPORT", {"bug": 4711}, task_id=name)
        for event in client.follow_queue("work"):
            if (event["event"], event["task_id"]) == ("complete", name):
                break
        end(worker)
    assert client.api.get_task("work", name)["result"] == {"fixed": 4711}
