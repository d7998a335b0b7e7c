"""Leading: a leader's fill, owed to his followers under the name of what initiated it."""

from execution.domain.events import Happening, PositionResized, TradeExecuted
from execution.models import VenueOrder
from risk.services import copies
from trading.kinds import piece
from trading.models import Fill, Position, Trader


@piece
def tell(
    fill: Fill | None,
    event: TradeExecuted | PositionResized,
    happening: Happening,
    *,
    trader: Trader,
    registered: VenueOrder | None,
) -> None:
    """Owe a leader's fill to whoever follows him; what an account did, or a leader long ago, is nobody's to copy.

    The caller holds the trader's lock.
    """
    if fill is None or not trader.is_leader or happening.past:
        return
    # As it stands after the fill.
    position = Position.objects.get(pk=fill.position_id)
    copies.owe(fill, position=position, initiated=_initiation(event, registered))


def _initiation(event: TradeExecuted | PositionResized, registered: VenueOrder | None) -> str:
    """The transaction that asked for it and its ordinal there: they stay when a reorganization moves everything else."""
    if registered is not None:
        return f"{registered.tx_hash}:{registered.ordinal}"
    # Registered before anybody watched: its number is all that is known of it.
    return "" if event.order_id is None else f"order:{event.order_id}"
