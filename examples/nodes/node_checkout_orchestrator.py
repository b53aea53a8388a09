"""Takes an order from its cart to its delivery."""

import asyncio

from nodes.base import NodeOrchestrator

from .errors import StepFailed


class NodeCheckoutOrchestrator(NodeOrchestrator):
    """Runs the steps of a checkout, and compensates them in reverse where one fails."""

    def __init__(self, steps) -> None:
        self._steps = steps

    async def execute_orchestrator(self, cart: "Cart") -> "Outcome":
        """Gives the outcome, whether the steps were done or compensated."""
        done = []
        try:
            for step in self._steps:
                await asyncio.wait_for(step.run(cart), step.limit_s)
                done.append(step)
        except StepFailed as error:
            for step in reversed(done):
                await step.compensate(cart)
            return Outcome.failed(error)
        return Outcome.completed()
