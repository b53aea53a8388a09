"""Adds up orders, to the cent."""

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from nodes.base import NodeCompute

CENT = Decimal("0.01")


class NodeOrderTotalCompute(NodeCompute):
    """Calculates the total of an order from its lines alone."""

    def execute_compute(self, order: "Order") -> Decimal:
        """Gives the total, rounded once at the end."""
        try:
            net = sum((line.price * line.count for line in order.lines), Decimal(0))
            return (net * (1 + order.tax_rate)).quantize(CENT, ROUND_HALF_EVEN)
        except InvalidOperation as error:
            raise InvalidOrder(order.number) from error
