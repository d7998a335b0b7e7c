"""What an account's trading made: by day, week, month or market, and all in all."""

from dataclasses import asdict
from typing import Any, ClassVar

from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from trading.api import forms
from trading.api.fields import CalendarDay, Plain, Whole, Word
from trading.api.forms import Query, Said
from trading.api.shapes import Document
from trading.api.views import Resource
from trading.domain import people as roles
from trading.domain.mode import Book
from trading.domain.result import Grain, Performance, Result
from trading.models import Trader
from trading.services import reports
from trading.services.reports import Scope


class ResultShape(Document):
    """Sums over fills and over the positions that were closed; costs are positive where they were paid."""

    fills = serializers.IntegerField()
    trades = serializers.IntegerField(help_text="Positions closed.")
    won = serializers.IntegerField()
    gains_usdc = Plain(source="gains", help_text="What won trades made after all costs.")
    losses_usdc = Plain(source="losses", help_text="What lost trades lost.")
    price_pnl_usdc = Plain(source="price_pnl")
    fees_usdc = Plain(source="fees")
    rollover_usdc = Plain(source="rollover")
    funding_usdc = Plain(source="funding")
    net_usdc = Plain(source="net", help_text="The price moves less all costs.")
    volume_usdc = Plain(source="volume")


class KeyedResultShape(ResultShape):
    """What one day, week, month or market brought."""

    key = serializers.CharField(help_text="A date: the week's Monday, the month's first; or a market's symbol.")


class ResultsShape(Document):
    """What an account's trading brought, in the account's own days."""

    results = KeyedResultShape(many=True)


class DrawdownShape(Document):
    """The deepest fall of what had been earned by the ends of days."""

    depth_usdc = Plain(source="depth")
    peak = serializers.DateField()
    trough = serializers.DateField()


class DayShape(Document):
    """A day and what it earned."""

    day = serializers.DateField()
    net_usdc = Plain()


class PerformanceShape(Document):
    """How trading went, all in all. What needs a trade, a loss or a fall is null without one."""

    total = ResultShape()
    days = serializers.IntegerField(help_text="On which anything happened.")
    win_rate_pct = Plain(allow_null=True)
    profit_factor = Plain(allow_null=True)
    expectancy_usdc = Plain(allow_null=True, help_text="What a trade made on average.")
    best = DayShape(allow_null=True)
    worst = DayShape(allow_null=True)
    drawdown = DrawdownShape(allow_null=True)


class ScopeQuery(Query):
    """Whose, in which book, and from which of his days to which."""

    tg_user_id = Whole(min_value=1)
    book = Word(Book)
    since = CalendarDay(required=False)
    until = CalendarDay(required=False, help_text="Within.")


class ResultsQuery(ScopeQuery):
    """The same, and what is added up."""

    by = Word(Grain, default=Grain.DAY)


class Reading(Resource):
    """A report on one account."""

    query: ClassVar[type[Query]] = ScopeQuery
    names_an_account = True

    def said(self, request: Request) -> Said:
        """What is asked.

        Raises:
            NotAllowed: if the caller may not look.
        """
        roles.check(self.caller.person, self.look)
        return forms.read(self.query, request.query_params)

    def scope(self, said: Said) -> Scope:
        """The account and its days; whether there is another account nobody learns.

        Raises:
            Http404: if the caller sees no such account.
        """
        accounts = roles.sight(self.caller.person)
        number = said["tg_user_id"]
        trader = Trader.objects.filter(tg_user_id=number).first() if accounts is None or number in accounts else None
        if trader is None:
            raise Http404
        return Scope(trader=trader, book=said["book"], since=said.get("since"), until=said.get("until"))


class Results(Reading):
    """What each day, week, month or market brought."""

    shape = ResultsShape
    query = ResultsQuery

    def sums(self, request: Request) -> Response:
        """All of them: a row for each day of trading."""
        said = self.said(request)
        found = reports.results(self.scope(said), by=said["by"])
        return Response(self.shape({"results": [_keyed(key, each) for key, each in found]}).data)


class Performances(Reading):
    """How an account's trading went, all in all."""

    shape = PerformanceShape

    def whole(self, request: Request) -> Response:
        """Everything that is said of it."""
        found = reports.performance(self.scope(self.said(request)))
        return Response(self.shape(_performance(found)).data)


def _keyed(key: Any, each: Result) -> dict[str, Any]:
    return {"key": str(key), "net": each.net, **{name: getattr(each, name) for name in asdict(each)}}


def _performance(found: Performance) -> dict[str, Any]:
    all_in_all = found.total
    return {
        "total": all_in_all,
        "days": found.days,
        "win_rate_pct": all_in_all.win_rate,
        "profit_factor": all_in_all.profit_factor,
        "expectancy_usdc": all_in_all.expectancy,
        "best": found.best and {"day": found.best[0], "net_usdc": found.best[1]},
        "worst": found.worst and {"day": found.worst[0], "net_usdc": found.worst[1]},
        "drawdown": found.drawdown,
    }
