"""Where a signal stands, with everything that came of it."""

from typing import Any

from django.db.models import Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from execution import selectors
from execution.api import journey
from execution.selectors import Stage
from trading.api import forms
from trading.api.forms import Query
from trading.api.shapes import Document
from trading.api.views import Resource
from trading.domain import people as roles
from trading.domain.mode import Book
from trading.models import Signal


class MomentShape(Document):
    """One event on the way; `ms` after the signal was received."""

    event = serializers.CharField()
    at = serializers.CharField()
    ms = serializers.IntegerField()
    detail = serializers.DictField()


class JourneyShape(Document):
    """A signal's way: its stage, each event, the decision with every check, and each order with its intent and fills."""

    intent_key = serializers.CharField()
    state = serializers.ChoiceField(choices=[str(stage) for stage in Stage])
    has_ended = serializers.BooleanField()
    book = serializers.ChoiceField(choices=[str(book) for book in Book])
    trace_id = serializers.CharField()
    received_at = serializers.CharField()
    timeline = MomentShape(many=True)
    decision = serializers.DictField(allow_null=True)
    orders = serializers.ListField(child=serializers.DictField())


class Journeys(Resource):
    """Where a signal stands, all in all, and how it got there."""

    shape = JourneyShape

    def rows(self) -> QuerySet[Signal]:
        """Every signal."""
        return Signal.objects.select_related("trader", "market")

    def within(self, accounts: frozenset[int]) -> Q:
        """Those for the accounts."""
        return Q(trader__tg_user_id__in=accounts)

    def follow(self, request: Request, pk: int) -> Response:
        """One signal's journey."""
        roles.check(self.caller.person, self.look)
        forms.read(Query, request.query_params)
        found = selectors.journey(self.row(pk))
        told: dict[str, Any] = journey.document(found) | {"has_ended": found.has_ended}
        return Response(self.shape(told).data)
