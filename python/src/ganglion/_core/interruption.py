"""What ends the waits of a task that nobody wants any more, in whichever thread they are."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import Callable, Iterator

__all__ = ["Interruption"]


class Interruption:
    """waiting → interrupted, for good."""

    __slots__ = ("_error", "_lock", "_wakers")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._error: BaseException | None = None
        self._wakers: list[Callable[[], None]] = []

    @property
    def error(self) -> BaseException | None:
        """What every wait raises from now on; ``None``: nothing has interrupted it."""
        return self._error

    def check(self) -> None:
        """:raises BaseException: what it was interrupted with"""
        if self._error is not None:
            raise self._error

    def interrupt(self, error: BaseException) -> None:
        with self._lock:
            self._error = self._error or error
            wakers, self._wakers = self._wakers, []
        for wake in wakers:
            wake()

    @contextmanager
    def waking(self, wake: Callable[[], None]) -> Iterator[None]:
        """Calls ``wake`` when it is interrupted meanwhile, and at once where it was before."""
        with self._lock:
            over = self._error is not None
            if not over:
                self._wakers.append(wake)
        if over:
            wake()
        try:
            yield
        finally:
            with self._lock:
                if wake in self._wakers:
                    self._wakers.remove(wake)
