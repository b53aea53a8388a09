"""A worker that a test kills at any moment. What a job does is done under the job's id: a file that is made once."""

from __future__ import annotations

import os
import sys
import zlib
from pathlib import Path
from typing import Any

from ganglion import Work, worker

queue, directory = sys.argv[1], Path(sys.argv[2])


@worker(queue, "crew", concurrency=4, lease=1.5, wait=1)
def crew(work: Work) -> Any:
    print("begun", flush=True)
    if work.attempt == 1 and zlib.crc32(work.task_id.encode()) % 5 == 0:
        raise RuntimeError("every fifth job fails at first")
    # Whole or not at all, and the same whoever does it again.
    part = directory / f"{work.task_id}.{os.getpid()}.part"
    part.write_text(str(work.payload["n"] ** 2))
    part.replace(directory / f"{work.task_id}.done")
    return work.payload["n"] ** 2


crew.run()
