"""Client of Ganglion, the nervous system of fleets of agents. Needs nothing but Python 3.10.

    from ganglion import Client, worker

    with Client() as client:
        client.emit("Q_BUILD_BROKEN", {"branch": "main"})
        for signal in client.query("Q_*", limit=10):
            print(signal.signal, signal.facts)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._core.exchange import Retry
from ._core.work import TaskCancelled, TaskRefused, TaskReleased
from ._sync.batch import Batch
from ._sync.client import Client
from ._worker import answer, worker
from .errors import (
    ApiProblem,
    Conflict,
    EdgeUnreachable,
    FieldError,
    Forbidden,
    GanglionError,
    InvalidRequest,
    LimitRefused,
    LockLost,
    LockNotAvailable,
    NotFound,
    ServerProblem,
    SettingsError,
    TooManyRequests,
    Unauthorized,
    UnreadableAnswer,
)
from .heartbeat import Heartbeat, heartbeat
from .models import CallReply, Receipt, Signal, Task, TaskReceipt

if TYPE_CHECKING:
    from ._async.batch import AsyncBatch
    from ._async.client import AsyncClient
    from ._async.locks import AsyncLocks
    from ._async.work import AsyncWork
    from ._async.worker import AsyncWorker
    from ._sync.locks import Locks
    from ._sync.work import Work
    from ._sync.worker import Worker

    __version__: str

__all__ = [
    "ApiProblem",
    "AsyncBatch",
    "AsyncClient",
    "AsyncLocks",
    "AsyncWork",
    "AsyncWorker",
    "Batch",
    "CallReply",
    "Client",
    "Conflict",
    "EdgeUnreachable",
    "FieldError",
    "Forbidden",
    "GanglionError",
    "Heartbeat",
    "InvalidRequest",
    "LimitRefused",
    "LockLost",
    "LockNotAvailable",
    "Locks",
    "NotFound",
    "Receipt",
    "Retry",
    "ServerProblem",
    "SettingsError",
    "Signal",
    "Task",
    "TaskCancelled",
    "TaskReceipt",
    "TaskRefused",
    "TaskReleased",
    "TooManyRequests",
    "Unauthorized",
    "UnreadableAnswer",
    "Work",
    "Worker",
    "answer",
    "heartbeat",
    "worker",
]


# Loaded when they are first wanted: asyncio alone takes longer to load than all the rest.
_LATER = {
    "AsyncBatch": "_async.batch",
    "AsyncClient": "_async.client",
    "AsyncLocks": "_async.locks",
    "AsyncWork": "_async.work",
    "AsyncWorker": "_async.worker",
    "Locks": "_sync.locks",
    "Work": "_sync.work",
    "Worker": "_sync.worker",
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    if name == "__version__":
        from ._version import read_version

        return read_version()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
