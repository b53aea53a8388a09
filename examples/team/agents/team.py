"""How the agents in Python work for the team: a worker of its queue, by the Python client."""

import os
import pathlib
import sys
import time

# In the source tree the client is beside the examples; installed, it is found without this.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "python" / "src"))

from ganglion import TaskRefused as Refused
from ganglion import worker

QUEUE = os.environ.get("TEAM_QUEUE", "team")
DIRECTORY = pathlib.Path(os.environ.get("TEAM_DIR", pathlib.Path(__file__).parent.parent / "workspace"))
PACE_SECONDS = float(os.environ.get("TEAM_PACE_MS", "0")) / 1000


def write_whole(path, text):
    """Whole or not at all: a reader, or we after a crash, never see half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".tmp")
    part.write_text(text)
    part.replace(path)


def say(text):
    print(text, file=sys.stderr, flush=True)


def join_team(name, handlers):
    """Works for the team under `name` until it is asked to stop: what it has begun is finished first."""

    @worker(QUEUE, name, lease=5, on_remark=say)
    def member(task):
        print(f"{task.type} {task.task_id}, attempt {task.attempt}", flush=True)
        handler = handlers.get(task.type)
        if handler is None:
            raise Refused(f"{name} does not know {task.type}")
        time.sleep(PACE_SECONDS)  # a stand-in for the time that thinking takes
        return handler(task.payload, task)

    member.run()
