"""What the agents in Python have in common: the queue, and the calls to the provider within the limit of all."""

import json
import os
import pathlib
import sys
import urllib.error
import urllib.request

# In the source tree the client is beside the examples; installed, it is found without this.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "python" / "src"))

import ganglion

QUEUE = "coordination"
NAME = os.environ.get("GANGLION_AGENT", "agent")
TREE = pathlib.Path(os.environ.get("COORDINATION_TREE", "tree"))
PROVIDER = os.environ.get("COORDINATION_PROVIDER", "")

client = ganglion.Client()


def join(role):
    """Makes a function a worker for the tasks of a role."""
    return ganglion.worker(QUEUE, role, client=client, lease=3, name=NAME)


def note_of(task, name):
    """The value of a note that came with the task, or ``None``."""
    return next((note["value"] for note in task.notes if note["key"].endswith(f"/{name}")), None)


def ask(task, step):
    """Asks the provider. A 429 closes the limit for all; this call is made again when it opens."""
    subject = {"agent": NAME, "task": task}
    while True:
        held = client.api.reserve_limit(
            "provider", {"amounts": {"requests": 1, "usd": 0.02}, "wait_ms": 20_000, **subject}
        )
        if not held["granted"]:
            continue
        settled = {"reservation": held["reservation"], **subject}
        request = urllib.request.Request(PROVIDER, json.dumps({"task": task, "step": step}).encode(), method="POST")
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            if error.code != 429:
                raise
            outcome = {
                "status": 429,
                "retry_after_seconds": float(error.headers["Retry-After"]),
                "reason": "the plan is used up",
            }
            client.api.settle_limit("provider", {**settled, "amounts": {"usd": 0}, "outcome": outcome})
            continue
        used = {name: answer[name] for name in ("usd", "input_tokens", "output_tokens")}
        client.api.settle_limit("provider", {**settled, "amounts": used})
        return answer["text"]
