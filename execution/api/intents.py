"""Intents with every offer and receipt; what people do with one."""

from django.db.models import Prefetch, Q, QuerySet

from execution.domain.intent import IntentKind, IntentStatus
from execution.models import TxIntent, TxReceipt, TxSend
from execution.services import intent_acts
from execution.services.warrants import Warrant
from trading.api.fields import Line, Typed, Word
from trading.api.forms import REASON, AccountNumber, Form, PageQuery
from trading.api.shapes import Shape, account, text
from trading.api.views import Needed, Resource, Wish, of_accounts
from trading.domain.mode import Book
from trading.domain.people import Act


class ReceiptShape(Shape):
    """A send in a block."""

    class Meta:
        model = TxReceipt
        fields = (
            *("block_number", "block_hash", "is_success", "is_canonical", "gas_used", "gas_price_wei", "l1_fee_wei"),
            *("deep_at_block", "seen_at"),
        )


class SendShape(Shape):
    """One signed offer. Its bytes aren't shown: whoever has them can send them."""

    receipts = ReceiptShape(many=True, read_only=True)

    class Meta:
        model = TxSend
        fields = (
            *("seq", "purpose", "tx_hash", "state", "fee_cap_wei", "tip_cap_wei", "times_sent", "first_sent_at"),
            *("last_sent_at", "last_answer", "created_at", "receipts"),
        )


class IntentShape(Shape):
    """One on-chain effect, with every offer that was made for it."""

    tg_user_id = account("order.trader.tg_user_id", allow_null=True, default=None)
    sender = text("sender.address")
    sends = SendShape(many=True, read_only=True)

    class Meta:
        model = TxIntent
        fields = (
            *("id", "intent_key", "kind", "book", "tg_user_id", "sender", "status", "nonce", "priority", "target"),
            *("value_wei", "gas_limit", "wanted_price", "fee_ceiling_wei", "failure_code", "cancel_reason", "blocked_reason"),
            *("trace_id", "created_at", "reserved_at", "deadline_at", "closed_at", "sends"),
        )


class IntentQuery(PageQuery):
    """Which intents."""

    status = Word(IntentStatus, required=False)
    kind = Word(IntentKind, required=False)
    book = Word(Book, required=False)
    intent_key = Line(max_length=620, required=False)
    trace_id = Line(max_length=32, required=False)
    sender = Line(max_length=42, source="sender__address", required=False)
    tg_user_id = AccountNumber(source="order__trader", required=False)


class Intents(Resource):
    """What we owe the chain."""

    shape = IntentShape
    query = IntentQuery

    def rows(self) -> QuerySet[TxIntent]:
        """Every intent. What is big or signed stays in the database."""
        sends = TxSend.objects.defer("raw").order_by("seq").prefetch_related("receipts")
        near = TxIntent.objects.select_related("sender", "order__trader").defer("calldata")
        return near.prefetch_related(Prefetch("sends", queryset=sends))

    def within(self, accounts: frozenset[int]) -> Q:
        """Those of the accounts' orders."""
        return of_accounts("order__trader", accounts)


class IntentAct(Intents):
    """What people do with one intent."""

    def needs(self, _: Wish) -> Needed:
        """Who operates."""
        return Needed(act=Act.OPERATE)

    def do(self, wish: Wish) -> TxIntent:
        """Do it, and look again."""
        self.perform_on(wish.row.pk, Warrant(actor=wish.person.name, reason=wish.reason, at=wish.at))
        return self.rows().get(pk=wish.row.pk)

    def perform_on(self, intent_id: int, by: Warrant) -> None:
        """The one call of a service."""
        raise NotImplementedError


class Bumping(IntentAct):
    """Offer more at once, if the intent's nonce is its sender's lowest."""

    def perform_on(self, intent_id: int, by: Warrant) -> None:
        """Let the next look offer more."""
        intent_acts.bump(intent_id=intent_id, by=by)


class CancelForm(Form):
    """What is canceled isn't done."""

    confirmation = Typed("CANCEL")
    reason = Line(max_length=REASON)


class Canceling(IntentAct):
    """Withdraw an intent: at once without a nonce, else by a cancellation on it."""

    form = CancelForm

    def perform_on(self, intent_id: int, by: Warrant) -> None:
        """Withdraw it."""
        intent_acts.cancel(intent_id=intent_id, by=by)
