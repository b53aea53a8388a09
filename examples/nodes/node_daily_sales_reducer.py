"""Folds sales into one sum a day."""

from nodes.base import NodeReducer

from .errors import CheckpointFailed


class NodeDailySalesReducer(NodeReducer):
    """Keeps sums by day, and takes each sale once."""

    def __init__(self, store) -> None:
        self._store = store

    async def execute_reducer(self, sale: "Sale") -> "DailySales":
        """Adds a sale, and writes state and position together."""
        state = await self._store.load(sale.day)
        if sale.offset <= state.offset:
            return state
        try:
            return await self._store.save(state.plus(sale.amount, offset=sale.offset))
        except OSError as error:
            raise CheckpointFailed(sale.day) from error
