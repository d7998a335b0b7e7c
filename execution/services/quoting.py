"""The price that an order is bounded by, or filled at on paper."""

from collections.abc import Mapping

from execution.models import Order
from risk.domain.decision import Action
from trading.domain.price import PriceView
from trading.domain.units import Price


def bound(order: Order, *, views: Mapping[str, PriceView]) -> Price | None:
    """For an entry the agreed price, for an exit what was agreed on within 30 s; None while there is none."""
    view = views.get(order.market.symbol)
    if view is None:
        return None
    found = view.agreed if order.action == Action.OPEN else view.last_known
    return found.price if found else None
