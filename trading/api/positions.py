"""Positions and their fills; closing one."""

import json
import re

from django.db.models import Q, QuerySet
from rest_framework import serializers

from trading.api.fields import Amount, Line, Whole, Word
from trading.api.forms import AccountNumber, Form, PageQuery
from trading.api.shapes import Shape, account, text
from trading.api.signals import Sending
from trading.api.views import Needed, Resource, Wish, of_accounts
from trading.domain.errors import Invalid
from trading.domain.mode import Book
from trading.domain.people import Act
from trading.domain.position import Direction, FillKind, PositionStatus
from trading.domain.signal import Side, SignalRequest
from trading.domain.units import Percent
from trading.models import Fill, Position
from trading.services.signals import Acceptance

_KEY = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)


class KeyMissing(Invalid):
    """A request that must be named by its caller isn't."""

    code = "IDEMPOTENCY_KEY_MISSING"


class PositionShape(Shape):
    """A position: the fold of its fills."""

    tg_user_id = account()
    symbol = text("market.symbol")
    signal = serializers.IntegerField(source="signal_id", read_only=True, allow_null=True)

    class Meta:
        model = Position
        fields = (
            *("id", "tg_user_id", "symbol", "book", "direction", "status", "origin", "signal", "collateral_usdc", "leverage_x"),
            *("entry_price", "realised_pnl_usdc", "take_profit", "stop_loss", "opened_at", "closed_at"),
        )


class PositionQuery(PageQuery):
    """Which positions."""

    status = Word(PositionStatus, required=False)
    book = Word(Book, required=False)
    direction = Word(Direction, required=False)
    symbol = Line(max_length=16, source="market__symbol", required=False)
    tg_user_id = AccountNumber(source="trader", required=False)


class Positions(Resource):
    """What is and was held."""

    shape = PositionShape
    query = PositionQuery

    def rows(self) -> QuerySet[Position]:
        """Every position."""
        return Position.objects.ours().select_related("trader", "market")

    def within(self, accounts: frozenset[int]) -> Q:
        """Those of the accounts."""
        return of_accounts("trader", accounts)


class CloseForm(Form):
    """How much of it: everything, if nothing is said."""

    reduce_pct = Amount(Percent, most="100", required=False, help_text="The share to close, of what is open.")


class Closing(Positions, Sending):
    """Close a position, or a share of it: a signal whose id is the caller's own `Idempotency-Key`."""

    form = CloseForm
    is_exit = True
    is_keyed = True

    def needs(self, wish: Wish) -> Needed:
        """Who trades the account."""
        return Needed(act=Act.TRADE, account=wish.row.trader.account)

    def do(self, wish: Wish) -> Acceptance:
        """One exit that names the position."""
        share = wish.said.get("reduce_pct")
        request = SignalRequest(
            source=self.caller.source,
            signal_id=self._key(),
            tg_user_id=wish.row.trader.account,
            symbol=wish.row.market.symbol,
            side=Side.CLOSE,
            reduce_share=share,
            position_id=wish.row.pk,
        )
        body = {"side": Side.CLOSE, "position": wish.row.pk, "reduce_pct": None if share is None else str(share)}
        return self.accept(request, raw=json.dumps(body).encode())

    def _key(self) -> str:
        key = self.request.headers.get("Idempotency-Key", "")
        if not _KEY.fullmatch(key):
            raise KeyMissing("send Idempotency-Key: 1 to 128 visible ASCII characters", field="Idempotency-Key")
        return key


class FillShape(Shape):
    """One execution by the venue."""

    tg_user_id = account()
    symbol = text("market.symbol")
    position = serializers.IntegerField(source="position_id", read_only=True)

    class Meta:
        model = Fill
        fields = (
            *("id", "position", "tg_user_id", "symbol", "book", "kind", "price", "collateral_usdc", "leverage_x"),
            *("held_usdc", "entry_price", "fee_usdc", "rollover_usdc", "funding_usdc", "price_pnl_usdc"),
            *(
                "payout_usdc",
                "realised_pnl_usdc",
                "chain_id",
                "tx_hash",
                "log_index",
                "block_number",
                "is_canonical",
                "filled_at",
            ),
        )


class FillQuery(PageQuery):
    """Which fills."""

    book = Word(Book, required=False)
    kind = Word(FillKind, required=False)
    position = Whole(min_value=1, source="position_id", required=False)
    tg_user_id = AccountNumber(source="trader", required=False)


class Fills(Resource):
    """The venue's executions; those that a reorganization took away stay, and say so."""

    shape = FillShape
    query = FillQuery

    def rows(self) -> QuerySet[Fill]:
        """Every fill."""
        return Fill.objects.ours().select_related("trader", "market")

    def within(self, accounts: frozenset[int]) -> Q:
        """Those of the accounts' positions."""
        return of_accounts("trader", accounts)
