"""Signals: what came in, and what a program or a hand sends."""

from typing import ClassVar

from django.db.models import Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from trading import clock
from trading.api import forms
from trading.api.fields import Amount, Line, Moment, Strict, Whole, Word
from trading.api.forms import AccountNumber, Form, PageQuery, Query
from trading.api.parsing import Body
from trading.api.shapes import Document, Shape, account, text
from trading.api.views import Needed, Resource, of_accounts
from trading.domain import signal_form
from trading.domain.errors import Conflict
from trading.domain.form import LONGEST_SPAN, FormError
from trading.domain.mode import Book
from trading.domain.people import Act
from trading.domain.signal import PLAIN_SIDES, Side, SignalRequest, SignalStatus
from trading.domain.units import Leverage, Percent, Price, Usdc
from trading.models import Signal, Source
from trading.services import signals
from trading.services.signals import Acceptance, Outcome

SYMBOL = "^[A-Za-z0-9]{2,10}[-/]?[Uu][Ss][Dd]$"
PRINTABLE = r"^[\x20-\x7e]+$"


class SignalShape(Shape):
    """A signal as it was read; its body word for word stays in the console."""

    tg_user_id = account()
    symbol = text("market.symbol")
    position = serializers.IntegerField(source="position_id", read_only=True, allow_null=True)

    class Meta:
        model = Signal
        fields = (
            *(
                "id",
                "intent_key",
                "source_name",
                "signal_id",
                "trace_id",
                "tg_user_id",
                "symbol",
                "side",
                "stance",
                "closes",
                "book",
                "status",
            ),
            *("collateral_usdc", "size_kind", "size_pct", "leverage_x", "reduce_usdc", "reduce_pct", "slippage_pct"),
            *("price", "take_profit", "stop_loss", "protection", "position", "is_test", "signaled_at", "received_at"),
            *("granted_at", "granted_by", "decided_at", "expires_at"),
        )


class SignalQuery(PageQuery):
    """Which signals."""

    status = Word(SignalStatus, required=False)
    side = Word(Side, required=False)
    book = Word(Book, required=False)
    symbol = Line(max_length=16, source="market__symbol", required=False)
    source_name = Line(max_length=64, required=False)
    tg_user_id = AccountNumber(source="trader", required=False)
    intent_key = Line(max_length=600, required=False)
    trace_id = Line(max_length=32, required=False)


class Meta4KiB(Strict):
    """What the sender keeps with its signal."""

    json_schema = {"type": "object", "additionalProperties": True}


class SignalForm(Form):
    """What `POST /signals` takes, without its `source`: the caller is the source.

    Written down for the schema; it is read by the same closed form (`trading.domain.signal_form`).
    """

    signal_id = Line(max_length=128, pattern=PRINTABLE)
    tg_user_id = Whole(min_value=1)
    symbol = Line(max_length=16, pattern=SYMBOL)
    side = Word(PLAIN_SIDES)
    collateral_usdc = Amount(Usdc, required=False, help_text="For LONG and SHORT.")
    leverage_x = Amount(Leverage, required=False, help_text="For LONG and SHORT.")
    reduce_usdc = Amount(Usdc, required=False, help_text="For CLOSE.")
    reduce_pct = Amount(Percent, required=False, help_text="For CLOSE, instead of reduce_usdc. Neither: everything.")
    slippage_pct = Amount(Percent, required=False)
    price = Amount(Price, required=False)
    take_profit = Amount(Price, required=False)
    stop_loss = Amount(Price, required=False)
    time_stop_minutes = Whole(
        min_value=1, max_value=LONGEST_SPAN, required=False, help_text="For LONG and SHORT: all of it is closed so long after."
    )
    ts = Moment(required=False)
    meta = Meta4KiB(required=False)


class AcceptanceShape(Document):
    """What became of a signal at the door. `trace_id` follows it through the journal."""

    status = serializers.ChoiceField(choices=[str(Outcome.ACCEPTED), str(Outcome.DUPLICATE)], source="outcome")
    id = serializers.IntegerField(source="signal.pk")
    intent_key = serializers.CharField(source="signal.intent_key")
    trace_id = serializers.CharField(source="signal.trace_id")
    state = serializers.ChoiceField(choices=[str(status) for status in SignalStatus], source="signal.status")


class SignalConflict(Conflict):
    """This id came before with another body."""

    code = "SIGNAL_CONFLICT"


class Sending(Resource):
    """Whatever becomes a signal: accepted once (202), found again (200), or refused because its id said something else."""

    answer = AcceptanceShape
    form: ClassVar[type[Form]] = SignalForm
    status = 202

    def accept(self, request: SignalRequest, *, raw: bytes) -> Acceptance:
        """Store a signal under the caller's own source.

        Raises:
            SignalConflict: if the id came before with another body.
        """
        source = Source.objects.get(name=self.caller.source.partition(":")[0])
        accepted = signals.accept(request=request, raw=raw, source=source, at=clock.now())
        if accepted.outcome is Outcome.CONFLICT:
            raise SignalConflict("this id came before with another body")
        return accepted

    def answered(self, done: Acceptance) -> Response:
        """202 for the first, 200 for the same again."""
        response = super().answered(done)
        response.status_code = 202 if done.outcome is Outcome.ACCEPTED else 200
        return response


class Signals(Sending):
    """What came in, whoever sent it."""

    shape = SignalShape
    query = SignalQuery
    # Counted once it is read: an exit never is.
    is_exit = True

    def rows(self) -> QuerySet[Signal]:
        """Every signal."""
        return Signal.objects.select_related("trader", "market")

    def within(self, accounts: frozenset[int]) -> Q:
        """Those for the accounts."""
        return of_accounts("trader", accounts)

    def perform(self, request: Request, _: int | None = None) -> Response:
        """Read by the same form as at the door, stored under the caller's own source."""
        forms.read(Query, request.query_params)
        body = request.data if isinstance(request.data, Body) else Body()
        wanted = self._read(body)
        if wanted.is_entry:
            self.count(request)
        self.demand(Needed(act=Act.TRADE, account=wanted.tg_user_id), at=clock.now())
        return self.answered(self.accept(wanted, raw=body.raw))

    def _read(self, body: Body) -> SignalRequest:
        if "source" in body:
            raise FormError("the caller is the source", field="source", code="FIELD_UNKNOWN")
        return signal_form.read({**body, "source": self.caller.source})
