"""What needs somebody, and who is there: reads that people and agents begin with."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, AsyncIterator, Callable, Literal, Mapping

from .._core.exchange import is_transient
from .._operations import AsyncOperations
from ..errors import ApiProblem, EdgeUnreachable

if TYPE_CHECKING:
    from .. import types

__all__ = ["AsyncLooks"]


class AsyncLooks:
    api: AsyncOperations
    """Every operation of the HTTP API, by its name there."""

    async def attention(self) -> types.Attention:
        """What needs somebody now."""
        return await self.api.get_attention()

    async def watch_attention(self, *, every: float = 2.0) -> AsyncIterator[types.Attention]:
        """What needs somebody, now and each time that it has changed. :param every: seconds between two looks"""
        shown: dict[str, Any] | None = None
        while True:
            try:
                attention = await self.attention()
            except (ApiProblem, EdgeUnreachable) as error:
                # The first look shows whether there is an edge; one that is away later comes back.
                if shown is None or not is_transient(error):
                    raise
            else:
                content = {name: value for name, value in attention.items() if name != "checked_at"}
                if content != shown:
                    yield attention
                shown = content
            await asyncio.sleep(every)

    async def gaps(
        self, status: Literal["open", "resolved", "all"] = "open", name: str | None = None
    ) -> list[types.Gap]:
        """Capabilities that the fleet lacks."""
        return (await self.api.list_gaps(status=status, name=name))["gaps"]

    def dead_letters(self, **filter: Any) -> AsyncIterator[types.DeadLetter]:
        """What could not be processed, the newest first. :param filter: kind, daemon, signal, host, since, until, text"""
        return self._pages(self.api.list_dead_letters, "dead_letters", filter)

    def decisions(self, **filter: Any) -> AsyncIterator[types.Decision]:
        """What rules decided, the newest first. :param filter: rule, outcome, signal, since, until"""
        return self._pages(self.api.list_decisions, "decisions", filter)

    def finished(self, queue: str, **filter: Any) -> AsyncIterator[types.Task]:
        """Finished tasks, the newest first. :param filter: state, recipient, type, since, until, text"""
        return self._pages(lambda **query: self.api.list_finished_tasks(queue, **query), "tasks", filter)

    def hosts(self) -> AsyncIterator[types.Agent]:
        """Hosts, by name."""
        return self._pages(self.api.list_agents, "agents", {})

    async def policies(self) -> list[types.Policy]:
        """The rules in force."""
        return (await self.api.list_policies())["policies"]

    async def webhooks(self) -> list[types.Webhook]:
        """Services that are told of signals."""
        return (await self.api.list_webhooks())["webhooks"]

    async def usage(self) -> types.EcosystemUsage:
        """What the ecosystem uses and costs."""
        return await self.api.get_usage()

    async def _pages(self, page: Callable[..., Any], field: str, query: Mapping[str, Any]) -> AsyncIterator[Any]:
        after: Any = None
        while True:
            found = await (page(**query) if after is None else page(**{**query, "after": after}))
            for one in found[field]:
                yield one
            after = found.get("next")
            if after is None:
                return
