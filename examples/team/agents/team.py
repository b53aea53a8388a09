"""A worker of a Ganglion queue in Python, with nothing but the standard library.

It takes tasks over HTTP with a long poll, renews its leases while it works, and sends heartbeats to its supervisor.
"""

import json
import os
import pathlib
import random
import signal
import sys
import threading
import time
import urllib.error
import urllib.request

URL = os.environ.get("GANGLION_URL", "http://127.0.0.1:8787")
TOKEN = os.environ.get("GANGLION_TOKEN", "")
ECOSYSTEM = os.environ.get("GANGLION_ECOSYSTEM", "default")
QUEUE = os.environ.get("TEAM_QUEUE", "team")
DIRECTORY = pathlib.Path(os.environ.get("TEAM_DIR", pathlib.Path(__file__).parent.parent / "workspace"))
PACE_SECONDS = float(os.environ.get("TEAM_PACE_MS", "0")) / 1000

LEASE_MS = 5_000
# A long poll must be over before a heartbeat is due.
WAIT_MS = int(min(20.0, float(os.environ.get("GANGLION_HEARTBEAT_SECONDS", "20"))) * 1000)


class Refused(Exception):
    """The edge refused the request, and a retry would be refused too."""


class Away(Exception):
    """Nobody answered, or it was too much at once: trying again helps."""


def post(path, body, timeout=10.0):
    """One call of the API. A lost answer can be asked for again: task ids and leases make it one effect."""
    request = urllib.request.Request(
        f"{URL}/v1/{ECOSYSTEM}/queues/{QUEUE}{path}",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        text = error.read().decode(errors="replace")
        if error.code in (429, 502, 503, 504):
            raise Away(f"{error.code}: {text}") from error
        raise Refused(f"{error.code}: {text}") from error
    except (OSError, ValueError) as error:
        raise Away(str(error)) from error


def patiently(attempt):
    """Tries until somebody answers: exponential back-off with full jitter, ten seconds at most."""
    failures = 0
    while True:
        try:
            return attempt()
        except Away as error:
            failures += 1
            say("waiting", "for the edge")
            print(f"no answer ({error})", file=sys.stderr, flush=True)
            time.sleep(random.random() * min(10.0, 0.1 * 2**failures))


def say(state, task=None, progress=None):
    """A heartbeat, where there is a supervisor that wants it."""
    descriptor = os.environ.get("GANGLION_HEARTBEAT_FD")
    if descriptor:
        try:
            os.write(int(descriptor), (json.dumps({"state": state, "task": task, "progress": progress}) + "\n").encode())
        except BrokenPipeError:
            sys.exit("the supervisor is gone")


def write_whole(path, text):
    """Whole or not at all: a reader, or we after a crash, never see half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".tmp")
    part.write_text(text)
    part.replace(path)


class Renewal(threading.Thread):
    """Keeps a lease while its task is worked on."""

    def __init__(self, path, lease_id):
        super().__init__(daemon=True)
        self.path, self.lease_id, self.over = path, lease_id, threading.Event()

    def run(self):
        while not self.over.wait(LEASE_MS / 3000):
            try:
                post(f"{self.path}/extend", {"lease_id": self.lease_id, "lease_ms": LEASE_MS})
            except (Away, Refused) as error:
                print(f"the lease was not renewed ({error})", file=sys.stderr, flush=True)

    def __enter__(self):
        self.start()

    def __exit__(self, *_):
        self.over.set()


class Turn:
    """What a handler can do besides its work."""

    def __init__(self, name, task):
        self.name, self.task = name, task

    def delegate(self, recipient, type, payload):
        """Hands work on. Done again after a crash, it is still the same task: it is named after the one it follows."""
        task = {"recipient": recipient, "type": type, "payload": payload, "sender": self.name}
        task |= {"task_id": f"{self.task['task_id']}.{recipient}", "priority": self.task["priority"]}
        patiently(lambda: post("/tasks", task))

    def call(self, recipient, type, payload):
        """Asks another agent, and waits for what it answers."""
        call = {"recipient": recipient, "type": type, "payload": payload, "sender": self.name, "timeout_ms": 20_000}
        # Named, so that asking again after a lost answer is the same question.
        call["correlation_id"] = f"{self.task['task_id']}.{self.task['attempt']}.{type}"
        return patiently(lambda: post("/calls", call, timeout=25.0))["result"]


def work_off(name, handlers, task):
    print(f"{task['type']} {task['task_id']}, attempt {task['attempt']}", flush=True)
    path = f"/tasks/{task['task_id']}"
    say("working", task["task_id"], 0)
    try:
        handler = handlers.get(task["type"])
        if handler is None:
            raise Refused(f"{name} does not know {task['type']}")
        with Renewal(path, task["lease_id"]):
            time.sleep(PACE_SECONDS)  # a stand-in for the time that thinking takes
            result = handler(task["payload"], Turn(name, task))
        outcome, body = "complete", {"result": result}
    except Exception as error:  # whatever it was, the queue keeps the message, and tries again where that may help
        outcome, body = "fail", {"error": f"{error}"[:4000] or "no word", "retry": not isinstance(error, Refused)}
    try:
        patiently(lambda: post(f"{path}/{outcome}", {"lease_id": task["lease_id"], **body}))
    except Refused as error:
        # The lease was lost meanwhile: somebody else does it, and what was handed on has the same name.
        print(f"{task['task_id']}: {error}", file=sys.stderr, flush=True)


def join_team(name, handlers):
    """Works for the team under `name` until it is asked to stop: what it has begun is finished first."""
    stopping = threading.Event()

    def stop(*_):
        stopping.set()
        if not working.is_set():
            sys.exit(0)  # nothing is held: a long poll may be left at any moment

    working = threading.Event()
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    want = {"recipient": name, "max": 1, "lease_ms": LEASE_MS, "wait_ms": WAIT_MS}
    while not stopping.is_set():
        say("idle")
        for task in patiently(lambda: post("/lease", want, timeout=WAIT_MS / 1000 + 10))["tasks"]:
            working.set()
            work_off(name, handlers, task)
            working.clear()
