"""Row locks of `execution`, in the one order of `trading.locks`."""

from collections.abc import Iterable

from execution.models import Cursor, Order, Sender, TxIntent
from trading.kinds import piece
from trading.lanes import Lease, LeaseLost
from trading.locks import enter


@piece
def sender(lease: Lease) -> Sender:
    """The sender that a lease is for.

    Raises:
        LeaseLost: if its epoch has moved on.
    """
    enter("sender")
    found = Sender.objects.select_for_update(no_key=True).filter(pk=lease.pk, epoch=lease.epoch).first()
    if found is None:
        raise LeaseLost(f"sender {lease.pk} has another holder", sender=lease.pk, epoch=lease.epoch)
    return found


@piece
def senders(sender_ids: Iterable[int]) -> list[Sender]:
    """Several senders, ascending, whoever works their lanes: for what people do. Between two writes of a drain it holds."""
    enter("sender")
    return list(Sender.objects.select_for_update(no_key=True).filter(pk__in=set(sender_ids)).order_by("pk"))


@piece
def intents(intent_ids: Iterable[int]) -> list[TxIntent]:
    """Several intents, ascending."""
    enter("intent")
    rows = TxIntent.objects.select_for_update(no_key=True, of=("self",)).select_related(
        "sender", "order__leg", "order__market", "order__trader", "order__position"
    )
    return list(rows.filter(pk__in=set(intent_ids)).order_by("pk"))


@piece
def orders(order_ids: Iterable[int]) -> list[Order]:
    """Several orders, ascending."""
    enter("order")
    rows = Order.objects.select_for_update(no_key=True, of=("self",)).select_related("leg", "market", "trader")
    return list(rows.filter(pk__in=set(order_ids)).order_by("pk"))


@piece
def cursor(lease: Lease) -> Cursor:
    """The cursor that a lease is for.

    Raises:
        LeaseLost: if its epoch has moved on.
    """
    enter("cursor")
    found = Cursor.objects.select_for_update(no_key=True).filter(pk=lease.pk, epoch=lease.epoch).first()
    if found is None:
        raise LeaseLost(f"cursor {lease.pk} has another holder", cursor=lease.pk, epoch=lease.epoch)
    return found
