"""An order: what we ask the venue for. Mined is not filled."""

from enum import StrEnum

from trading.domain.lifecycle import Lifecycle


class OrderStatus(StrEnum):
    """How far the venue is with it; the field's own names."""

    INITIALIZED = "INITIALIZED"  # exists; its transaction is owed
    SUBMITTED = "SUBMITTED"  # some node has its transaction, or may have it
    ACCEPTED = "ACCEPTED"  # the venue registered it and holds the escrow; a keeper will fill or cancel it
    FILLED = "FILLED"  # executed
    CANCELED = "CANCELED"  # the venue gave it up and paid the escrow back, or we withdrew it
    DENIED = "DENIED"  # we never sent it: its simulation or our policy refused it
    REJECTED = "REJECTED"  # its transaction reverted
    EXPIRED = "EXPIRED"  # its time passed before it could be sent


LIFECYCLE = Lifecycle(
    name="order",
    initial=(OrderStatus.INITIALIZED,),
    moves={
        # A log may be read before the answer to our broadcast was: INITIALIZED can be overtaken.
        OrderStatus.INITIALIZED: (
            OrderStatus.SUBMITTED,
            OrderStatus.ACCEPTED,
            OrderStatus.FILLED,
            OrderStatus.CANCELED,
            OrderStatus.DENIED,
            OrderStatus.EXPIRED,
        ),
        OrderStatus.SUBMITTED: (OrderStatus.ACCEPTED, OrderStatus.REJECTED, OrderStatus.CANCELED),
        # Back to SUBMITTED and to ACCEPTED: a reorganization took the block away.
        OrderStatus.ACCEPTED: (OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.SUBMITTED),
        OrderStatus.FILLED: (OrderStatus.ACCEPTED,),
        OrderStatus.CANCELED: (OrderStatus.ACCEPTED,),
        OrderStatus.DENIED: (),
        OrderStatus.REJECTED: (),
        OrderStatus.EXPIRED: (),
    },
)

# Nothing is owed to an order in one of these; only a reorganization can bring it back.
ENDED = frozenset((OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.DENIED, OrderStatus.REJECTED, OrderStatus.EXPIRED))
