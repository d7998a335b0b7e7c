"""Leaders and how they did: the board that followers choose from."""

from collections.abc import Sequence
from datetime import UTC
from typing import Any

from django.db.models import Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from trading import clock, selectors
from trading.api.fields import Plain, Whole, Word
from trading.api.forms import LONGEST_PAGE, Query
from trading.api.shapes import Document, Shape
from trading.api.views import ALL, Resource
from trading.domain.ranking import Measure, Standing, Window
from trading.models import Trader


class StandingShape(Document):
    """What a leader did in the window, from fills that the chain still has; its days are UTC's."""

    net_usdc = Plain(source="result.net")
    volume_usdc = Plain(source="result.volume")
    trades = serializers.IntegerField(source="result.trades")
    won = serializers.IntegerField(source="result.won")
    profit_factor = Plain(source="result.profit_factor", allow_null=True)
    days = serializers.IntegerField()
    good_days = serializers.IntegerField()
    consistency_pct = Plain(source="consistency", allow_null=True)


class LeaderShape(Shape):
    """An address that accounts can follow, with what it did lately."""

    standing = StandingShape(allow_null=True, read_only=True)

    class Meta:
        model = Trader
        fields = ("id", "address", "name", "is_enabled", "created_at", "standing")


class LeaderQuery(Query):
    """How far back, the best by what, and how many."""

    days = Word(Window, default=Window.MONTH)
    by = Word(Measure, default=Measure.PNL)
    limit = Whole(min_value=1, max_value=LONGEST_PAGE, default=50, help_text="How many leaders.")


class Leaders(Resource):
    """Whom accounts can follow; they are the same for everybody."""

    shape = LeaderShape
    query = LeaderQuery

    def rows(self) -> QuerySet[Trader]:
        """Every leader, watched or not."""
        return Trader.objects.leaders()

    def within(self, _: frozenset[int]) -> Q:
        """All."""
        return ALL

    def list(self, request: Request) -> Response:
        """The best of those that are watched."""
        asked = self.asked(request)
        board = _board(asked["days"], asked["by"])[: asked["limit"]]
        rows = {row.pk: row for row in self.rows().filter(pk__in=[each.leader_id for each in board])}
        found = [_with(rows[each.leader_id], each) for each in board]
        return Response({"results": super().documents(found), "next": None})

    def documents(self, page: Sequence[Trader]) -> Any:
        """Leaders with what they did in a month; nothing for whom nobody watches."""
        known = {each.leader_id: each for each in _board(Window.MONTH, Measure.PNL)}
        return super().documents([_with(row, known.get(row.pk)) for row in page])


def _board(window: Window, by: Measure) -> list[Standing]:
    return selectors.leaderboard(window=window, by=by, today=clock.now().astimezone(UTC).date())


def _with(row: Trader, standing: Standing | None) -> Trader:
    row.standing = standing  # type: ignore[attr-defined]  # for the shape
    return row
