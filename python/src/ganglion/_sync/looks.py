"""What needs somebody, and who is there: reads that people and agents begin with."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Callable, Iterator, Literal, Mapping

from .._core.exchange import is_transient
from .._operations import Operations
from ..errors import ApiProblem, EdgeUnreachable

if TYPE_CHECKING:
    from .. import types

__all__ = ["Looks"]


class Looks:
    api: Operations
    """Every operation of the HTTP API, by its name there."""

    def attention(self) -> types.Attention:
        """What needs somebody now."""
        return self.api.get_attention()

    def watch_attention(self, *, every: float = 2.0) -> Iterator[types.Attention]:
        """What needs somebody, now and each time that it has changed. :param every: seconds between two looks"""
        shown: dict[str, Any] | None = None
        while True:
            try:
                attention = self.attention()
            except (ApiProblem, EdgeUnreachable) as error:
                # The first look shows whether there is an edge; one that is away later comes back.
                if shown is None or not is_transient(error):
                    raise
            else:
                content = {name: value for name, value in attention.items() if name != "checked_at"}
                if content != shown:
                    yield attention
                shown = content
            time.sleep(every)

    def gaps(self, status: Literal["open", "resolved", "all"] = "open", name: str | None = None) -> list[types.Gap]:
        """Capabilities that the fleet lacks."""
        return self.api.list_gaps(status=status, name=name)["gaps"]

    def dead_letters(self, **filter: Any) -> Iterator[types.DeadLetter]:
        """What could not be processed, the newest first. :param filter: kind, daemon, signal, host, since, until, text"""
        return self._pages(self.api.list_dead_letters, "dead_letters", filter)

    def decisions(self, **filter: Any) -> Iterator[types.Decision]:
        """What rules decided, the newest first. :param filter: rule, outcome, signal, since, until"""
        return self._pages(self.api.list_decisions, "decisions", filter)

    def finished(self, queue: str, **filter: Any) -> Iterator[types.Task]:
        """Finished tasks, the newest first. :param filter: state, recipient, type, since, until, text"""
        return self._pages(lambda **query: self.api.list_finished_tasks(queue, **query), "tasks", filter)

    def hosts(self) -> Iterator[types.Agent]:
        """Hosts, by name."""
        return self._pages(self.api.list_agents, "agents", {})

    def policies(self) -> list[types.Policy]:
        """The rules in force."""
        return self.api.list_policies()["policies"]

    def webhooks(self) -> list[types.Webhook]:
        """Services that are told of signals."""
        return self.api.list_webhooks()["webhooks"]

    def usage(self) -> types.EcosystemUsage:
        """What the ecosystem uses and costs."""
        return self.api.get_usage()

    def _pages(self, page: Callable[..., Any], field: str, query: Mapping[str, Any]) -> Iterator[Any]:
        after: Any = None
        while True:
            found = page(**query) if after is None else page(**{**query, "after": after})
            yield from found[field]
            after = found.get("next")
            if after is None:
                return
