"""Equity: what accounts are worth, what their trading earned, and the curve of it."""

from django.db.models import Q, QuerySet

from risk.models import Equity, EquitySample
from trading.api.fields import Moment, Word
from trading.api.forms import AccountNumber, PageQuery
from trading.api.shapes import Shape, account
from trading.api.views import Resource, of_accounts
from trading.domain.mode import Book


class EquityShape(Shape):
    """One book of an account as last measured; `doubts` says where no price was agreed."""

    tg_user_id = account()

    class Meta:
        model = Equity
        fields = (
            *("id", "tg_user_id", "book", "earned_usdc", "equity_usdc", "doubts"),
            *("peak_earned_usdc", "peak_equity_usdc", "peak_at", "measured_at"),
        )


class EquityQuery(PageQuery):
    """Which accounts."""

    book = Word(Book, required=False)
    tg_user_id = AccountNumber(source="trader", required=False)


class Equities(Resource):
    """What accounts are worth now: measured every few seconds while something is open."""

    shape = EquityShape
    query = EquityQuery

    def rows(self) -> QuerySet[Equity]:
        """Every book that was measured."""
        return Equity.objects.select_related("trader")

    def within(self, accounts: frozenset[int]) -> Q:
        """Those of the accounts."""
        return of_accounts("trader", accounts)


class SampleShape(Shape):
    """One point of a curve: realised and unrealised together; deposits move the equity only."""

    tg_user_id = account()

    class Meta:
        model = EquitySample
        fields = ("id", "tg_user_id", "book", "at", "earned_usdc", "equity_usdc")


class SampleQuery(EquityQuery):
    """Which points."""

    since = Moment(source="at__gte", required=False)
    until = Moment(source="at__lt", required=False)


class Samples(Resource):
    """The curve of what an account was worth: a point each quarter of an hour while something is open."""

    shape = SampleShape
    query = SampleQuery

    def rows(self) -> QuerySet[EquitySample]:
        """Every point."""
        return EquitySample.objects.select_related("trader")

    def within(self, accounts: frozenset[int]) -> Q:
        """Those of the accounts."""
        return of_accounts("trader", accounts)
