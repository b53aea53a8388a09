"""Emits in the background what ``emit_later`` was given."""

from __future__ import annotations

import atexit
import threading
from typing import Callable, Mapping, Sequence

from ..errors import ApiProblem, GanglionError
from ..models import Receipt
from .._core.batcher import MAX_WAITING, Batcher, named_by
from .._core.exchange import backoff, is_transient

__all__ = ["Later"]

_MAX_DELAY = 10.0
Emit = Callable[[Sequence[Mapping[str, object]]], Receipt]


class Later:
    """One thread that sends what waits, a moment after the first signal or as soon as a batch is full.

    While the edge is away the signals stay; a refused signal is dropped, and the refusal is raised by the next ``flush``.
    """

    def __init__(self, emit: Emit, linger: float) -> None:
        self._emit = emit
        self._linger = linger
        self._batcher = Batcher()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._sending = False
        self._hurry = False
        self._closed = False
        self._refusal: ApiProblem | None = None
        self._failure: Exception | None = None

    def add(self, signal: Mapping[str, object]) -> None:
        with self._changed:
            if self._closed:
                raise GanglionError("the client was closed: make a new one")
            while len(self._batcher) >= MAX_WAITING and not self._closed:
                self._changed.wait()
            self._batcher.add(signal)
            self._ensure_thread()
            self._changed.notify_all()

    def flush(self) -> None:
        """Waits until everything is durable.

        :raises ApiProblem: the edge refused a signal, which was dropped
        :raises EdgeUnreachable: no edge answers; the signals wait on
        """
        with self._changed:
            self._hurry = True
            self._failure = None
            if len(self._batcher) > 0:
                self._ensure_thread()
            self._changed.notify_all()
            while (len(self._batcher) > 0 or self._sending) and self._failure is None:
                self._changed.wait()
            self._hurry = False
            refusal, self._refusal = self._refusal, None
            failure = refusal or self._failure
        if failure is not None:
            raise failure

    def close(self) -> None:
        """Sends what waits, once; see ``flush``."""
        if self._thread is None or self._closed:
            self._closed = True
            return
        atexit.unregister(self.close)
        try:
            self.flush()
        finally:
            with self._changed:
                self._closed = True
                self._changed.notify_all()

    def _ensure_thread(self) -> None:
        """After a fork the child has no thread, and starts its own."""
        if self._thread is not None and self._thread.is_alive():
            return
        if self._thread is None:
            # A program that ends without a word still has its last signals sent.
            atexit.register(self.close)
        self._thread = threading.Thread(target=self._run, name="ganglion-emit-later", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        failures = 0
        while True:
            with self._changed:
                while len(self._batcher) == 0 and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                delay = self._linger if failures == 0 else backoff(failures, _MAX_DELAY)
                self._changed.wait_for(lambda: self._hurry or self._closed or self._is_due(failures), delay)
                batch = self._batcher.take()
                self._sending = True
            error = self._send(batch)
            with self._changed:
                self._sending = False
                failures = 0 if error is None else failures + 1
                if error is not None:
                    self._batcher.put_back(batch)
                    self._failure = error
                self._changed.notify_all()

    def _is_due(self, failures: int) -> bool:
        return failures == 0 and self._batcher.full

    def _send(self, batch: Sequence[Mapping[str, object]]) -> Exception | None:
        """:returns: why the batch has to be sent again"""
        while batch:
            try:
                self._emit(batch)
            except ApiProblem as problem:
                if is_transient(problem):
                    return problem
                self._refusal = problem
                bad = named_by(problem, len(batch))
                batch = [signal for place, signal in enumerate(batch) if place not in bad]
            except Exception as error:
                return error
            else:
                return None
        return None
