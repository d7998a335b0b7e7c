"""An order as the venue registered it, whoever asked for it."""

from enum import StrEnum

from trading.domain.lifecycle import Lifecycle


class VenueOrderKind(StrEnum):
    """What was asked of the venue."""

    OPEN = "OPEN"
    CLOSE = "CLOSE"
    INCREASE = "INCREASE"
    LIMIT = "LIMIT"  # an open that waits for its price: it has a place of its own, and no number


class VenueOrderStatus(StrEnum):
    """What became of it."""

    PENDING = "PENDING"  # its collateral is in escrow; a keeper will fill or cancel it
    FILLED = "FILLED"  # executed
    CANCELED = "CANCELED"  # given up; its collateral was paid back
    REPLACED = "REPLACED"  # a limit whose trader changed its terms: they are an order of their own


_ENDS = (VenueOrderStatus.FILLED, VenueOrderStatus.CANCELED, VenueOrderStatus.REPLACED)

LIFECYCLE = Lifecycle(
    name="venue_order",
    initial=(VenueOrderStatus.PENDING,),
    moves={
        VenueOrderStatus.PENDING: _ENDS,
        # A reorganization takes the block that ended it away.
        **dict.fromkeys(_ENDS, (VenueOrderStatus.PENDING,)),
    },
)
