"""The decorators that make a function a worker."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Protocol, overload

from ._sync.client import Client

if TYPE_CHECKING:
    from ._async.worker import AsyncHandler, AsyncWorker
    from ._sync.worker import Handler, Worker

__all__ = ["answer", "worker"]


class Decorator(Protocol):
    """A coroutine function becomes an ``AsyncWorker``, every other function a ``Worker``."""

    @overload
    def __call__(self, handler: AsyncHandler) -> AsyncWorker: ...

    @overload
    def __call__(self, handler: Handler) -> Worker: ...


def worker(queue: str, recipient: str, **options: Any) -> Decorator:
    """Makes a function a worker for the tasks of a recipient; its ``run`` works until SIGTERM.

    :param client: default: one by the environment
    :param concurrency: most tasks at a time; default 1
    :param lease: length of a lease in seconds, which is extended after each third of it; default 30
    :param wait: where no WebSocket can be opened: how long a request waits for tasks, in seconds; default 8. A stop may
        take as long
    :param grace: after SIGTERM, how long running handlers have to finish before their tasks are given back; default 20
    :param name: of the worker, for people; default: the recipient
    :param skills: what this worker can do: it gets tasks that need these skills, too
    :param host: the host that it runs on: it gets tasks that need what this host has now. Its token must be good for the host
    :param labels: labels of the host, such as ``{"zone": "a"}``
    :param types: types of tasks that it does; others fail at once. Default: all
    :param on_remark: told about the connection and about lost leases; default: the log ``ganglion.worker``
    """
    return _decorator(queue, recipient, options)


def answer(queue: str, recipient: str, *types: str, **options: Any) -> Decorator:
    """Makes a function a responder: what it returns is the reply. Calls of other types fail at once.

    Takes the options of ``worker``; ``concurrency`` is 16 unless another is given.
    """
    return _decorator(queue, recipient, {"concurrency": 16, "types": types, **options})


def _decorator(queue: str, recipient: str, options: dict[str, Any]) -> Decorator:
    def decorate(handler: Any) -> Any:
        client = options.get("client")
        if inspect.iscoroutinefunction(handler):
            from ._async.worker import AsyncWorker

            if isinstance(client, Client):
                raise TypeError("a coroutine function wants an AsyncClient")
            return AsyncWorker(queue, recipient, handler, **options)
        from ._sync.worker import Worker

        if client is not None and not isinstance(client, Client):
            raise TypeError("a function that is no coroutine wants a Client")
        return Worker(queue, recipient, handler, **options)

    return decorate
