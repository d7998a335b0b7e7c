"""Decisions, with every check that was made."""

from django.db.models import Q, QuerySet
from rest_framework import serializers

from risk.domain.decision import Verdict
from risk.models import Decision, Leg
from trading.api.fields import Line, Whole, Word
from trading.api.forms import AccountNumber, PageQuery
from trading.api.shapes import Document, Shape, account, text
from trading.api.views import Resource, of_accounts


class CheckShape(Document):
    """One rule's verdict, with the value that it saw and the limit that it held it to."""

    code = serializers.CharField()
    passed = serializers.BooleanField()
    value = serializers.CharField()
    limit = serializers.CharField()
    message = serializers.CharField()


class LegShape(Shape):
    """One order that a decision allows."""

    position = serializers.IntegerField(source="position_id", read_only=True, allow_null=True)

    class Meta:
        model = Leg
        fields = (
            *("number", "action", "direction", "collateral_usdc", "leverage_x", "slippage_pct", "take_profit", "stop_loss"),
            *("position", "expires_at", "settled_at"),
        )


class DecisionShape(Shape):
    """The recorded verdict on one signal."""

    signal = serializers.IntegerField(source="signal_id", read_only=True)
    intent_key = text("signal.intent_key")
    tg_user_id = account()
    checks = CheckShape(many=True, read_only=True)
    legs = LegShape(many=True, read_only=True)

    class Meta:
        model = Decision
        fields = (
            *("id", "signal", "intent_key", "tg_user_id", "verdict", "code", "message", "price", "decided_at"),
            *("checks", "legs"),
        )


class DecisionQuery(PageQuery):
    """Which decisions."""

    verdict = Word(Verdict, required=False)
    code = Line(max_length=48, required=False)
    signal = Whole(min_value=1, source="signal_id", required=False)
    tg_user_id = AccountNumber(source="trader", required=False)


class Decisions(Resource):
    """Why a signal was taken or refused."""

    shape = DecisionShape
    query = DecisionQuery

    def rows(self) -> QuerySet[Decision]:
        """Every decision."""
        return Decision.objects.select_related("signal", "trader").prefetch_related("legs")

    def within(self, accounts: frozenset[int]) -> Q:
        """Those about the accounts."""
        return of_accounts("trader", accounts)
