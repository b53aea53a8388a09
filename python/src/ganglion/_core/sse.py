"""Server-sent events, read piece by piece."""

from __future__ import annotations

import codecs
from typing import Iterator

__all__ = ["Event", "EventReader"]

Event = dict[str, str]
"""The fields of one event by name."""


class EventReader:
    """Takes bytes as they come, and gives whole events. A comment alone, by which the edge keeps a stream open, is an
    event without fields.

    https://html.spec.whatwg.org/multipage/server-sent-events.html
    """

    __slots__ = ("_decoder", "_lines", "_rest", "_started")

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._lines: list[str] = []
        self._started = False

    def feed(self, data: bytes) -> Iterator[Event]:
        text = self._rest + self._decoder.decode(data)
        if not self._started and text:
            text = text.removeprefix("\ufeff")
            self._started = True
        # A line may end with "\r\n" whose second half has not come yet.
        held = "\r" if text.endswith("\r") else ""
        *lines, rest = text[: len(text) - len(held)].replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._rest = rest + held
        for line in lines:
            if line:
                self._lines.append(line)
            elif self._lines:
                event = self._event()
                self._lines.clear()
                yield event

    def _event(self) -> Event:
        event: Event = {}
        for line in self._lines:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "data" and "data" in event:
                event["data"] += "\n" + value
            elif name:
                event[name] = value
        return event
