"""The console's pages over `execution`: orders, intents with their sends and receipts, senders, the chain as read."""

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.safestring import SafeString

from execution.admin.acts import OperatedIntent, OperatedSender
from execution.admin.operated import operate
from execution.models import (
    ChainBlock,
    Cursor,
    DatabaseIdentity,
    Delegation,
    Order,
    Sender,
    TxIntent,
    TxReceipt,
    TxSend,
    VenueOrder,
)
from trading.admin.base import NOTHING, ReadOnlyAdmin, ReadOnlyInline, link, onward, table


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    """What we asked of the venue."""

    list_display = (
        "pk",
        link("leg.decision.signal", name="signal"),
        "created_at",
        "action",
        "direction",
        link("market"),
        link("trader"),
        "book",
        "collateral_usdc",
        "leverage_x",
        "status",
        "reason",
        link("intent", text="intent"),
        link("position"),
    )
    list_select_related = ("leg__decision__signal", "market", "trader", "intent", "position")
    list_filter = ("status", "action", "book")
    search_fields = ("pk__exact", "trace_id__exact", "venue_order_id__exact")
    search_help_text = "an order's number, the venue's number, or a trace id"
    more = (link("leg.decision.signal", name="signal"), link("leg.decision", name="decision"), link("intent"))


@admin.register(VenueOrder)
class VenueOrderAdmin(ReadOnlyAdmin):
    """What the venue registered for our traders, whoever asked for it."""

    list_display = (
        "pk",
        "registered_at",
        "kind",
        "venue_order_id",
        link("trader"),
        "pair_index",
        "direction",
        "collateral_usdc",
        "wanted_price",
        "status",
        "ended_at",
        "is_canonical",
        onward(("send", "execution_txsend", "tx_hash", "tx_hash")),
    )
    list_select_related = ("trader",)
    list_filter = ("kind", "status", "is_canonical")
    search_fields = ("venue_order_id__exact", "tx_hash__exact")
    search_help_text = "the venue's number, or a transaction"


@admin.display(description="receipts", empty_value=NOTHING)
def receipts(send: TxSend) -> SafeString | None:
    """The blocks in which a send was found."""
    found = [
        (receipt.block_number, "success" if receipt.is_success else "reverted", "yes" if receipt.is_canonical else "reorged out")
        for receipt in send.receipts.all()
    ]
    return table(("block", "outcome", "stands"), found) if found else None


class SendInline(ReadOnlyInline):
    """The offers for an intent, each with its receipts."""

    model = TxSend
    columns = (
        "seq",
        "purpose",
        "tx_hash",
        "state",
        "fee_cap_wei",
        "tip_cap_wei",
        "times_sent",
        "last_answer",
        "last_sent_at",
        receipts,
    )
    ordering = ("seq",)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[TxSend]:
        """With their receipts."""
        rows: models.QuerySet[TxSend] = super().get_queryset(request)
        return rows.prefetch_related("receipts")


@admin.register(TxIntent)
class TxIntentAdmin(OperatedIntent):
    """The on-chain effects that we owe, each once."""

    list_display = (
        "intent_key",
        "created_at",
        "kind",
        "book",
        "status",
        "blocked_reason",
        "failure_code",
        "nonce",
        link("order", text="order"),
        link("sender"),
        operate,
        onward(
            ("sends", "execution_txsend", "intent__id__exact", "pk"),
            ("signal", "trading_signal", "trace_id", "trace_id"),
            ("journal", "trading_event", "trace_id", "trace_id"),
        ),
    )
    list_select_related = ("order__leg__decision__signal", "order__position", "sender")
    list_filter = ("status", "kind", "book", "blocked_reason")
    search_fields = ("intent_key__exact", "idempotency_key__exact", "trace_id__exact")
    search_help_text = "a whole intent key, idempotency key or trace id"
    inlines = (SendInline,)
    more = (link("order.leg.decision.signal", name="signal"), link("order.position", name="position"), operate, list_display[-1])


class ReceiptInline(ReadOnlyInline):
    """The blocks in which a send was found."""

    model = TxReceipt
    columns = ("block_number", "block_hash", "is_success", "gas_used", "gas_price_wei", "l1_fee_wei", "is_canonical", "seen_at")


@admin.register(TxSend)
class TxSendAdmin(ReadOnlyAdmin):
    """Signed offers; their bytes are not shown."""

    list_display = (
        "pk",
        "created_at",
        link("intent"),
        "seq",
        "purpose",
        "tx_hash",
        "state",
        "fee_cap_wei",
        "tip_cap_wei",
        "times_sent",
        onward(
            ("receipts", "execution_txreceipt", "send__id__exact", "pk"),
            ("fills", "trading_fill", "tx_hash", "tx_hash"),
        ),
    )
    list_select_related = ("intent",)
    list_filter = ("state", "purpose")
    search_fields = ("tx_hash__exact",)
    search_help_text = "a whole transaction hash"
    hidden = ("raw",)
    inlines = (ReceiptInline,)
    more = (list_display[-1],)


@admin.register(TxReceipt)
class TxReceiptAdmin(ReadOnlyAdmin):
    """Sends in blocks."""

    list_display = (
        "pk",
        "seen_at",
        link("send"),
        link("send.intent", name="intent"),
        "block_number",
        "is_success",
        "gas_used",
        "gas_price_wei",
        "is_canonical",
    )
    list_select_related = ("send__intent",)
    list_filter = ("is_success", "is_canonical")
    search_fields = ("send__tx_hash__exact",)
    search_help_text = "a whole transaction hash"


@admin.register(Sender)
class SenderAdmin(OperatedSender):
    """The accounts that sign."""

    list_display = (
        "address",
        "chain_id",
        "status",
        "next_nonce",
        "status_reason",
        "balance_wei",
        "window_size",
        "max_in_flight",
        "is_treasury",
        "leased_until",
        operate,
        onward(
            ("intents", "execution_txintent", "sender__id__exact", "pk"),
            ("delegations", "execution_delegation", "sender__id__exact", "pk"),
        ),
    )
    more = (operate, list_display[-1])


@admin.register(Delegation)
class DelegationAdmin(ReadOnlyAdmin):
    """Who allowed which sender to trade for him, and until when."""

    list_display = ("pk", link("trader"), link("sender"), "expires_at", "is_home", "checked_at")
    list_select_related = ("trader", "sender")


@admin.register(Cursor)
class CursorAdmin(ReadOnlyAdmin):
    """How far the venue's events were read."""

    list_display = ("stream", "chain_id", "number", "hash", "leased_until")


@admin.register(ChainBlock)
class ChainBlockAdmin(ReadOnlyAdmin):
    """The blocks that we read."""

    list_display = ("number", "hash", "mined_at", "is_canonical", "chain_id")
    list_filter = ("is_canonical",)
    search_fields = ("number__exact", "hash__exact")
    search_help_text = "a block's number or hash"


@admin.register(DatabaseIdentity)
class DatabaseIdentityAdmin(ReadOnlyAdmin):
    """The database that was last confirmed to hold our latest rows."""

    list_display = ("system_identifier", "timeline", "confirmed_at")
