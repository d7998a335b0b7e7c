"""What guards a position, and what a person wants it guarded by."""

from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from risk.services import protections
from risk.services.protections import Word
from trading import clock
from trading.api import forms
from trading.api.fields import Json, Line, Strict, Whole
from trading.api.forms import REASON, Form, Query, Why
from trading.api.shapes import Shape
from trading.api.views import Needed, Resource, Wish, of_accounts
from trading.domain import people as roles
from trading.domain import protection_form
from trading.domain.form import LONGEST_SPAN
from trading.domain.people import Act
from trading.models import Firing, Position, Protection

_NUMBER: Json = {"anyOf": [{"type": "string"}, {"type": "number"}]}


class Part(Strict):
    """One part of a guard: described here, read by the closed form of the whole."""

    def __init__(self, schema: Json, **kwargs: Any) -> None:
        super().__init__(required=False, allow_null=True, **kwargs)
        self._schema = schema

    @property
    def json_schema(self) -> Json:
        """What it looks like."""
        return self._schema

    def to_internal_value(self, data: Any) -> Any:
        """As it was said."""
        return data


def _object(*names: str, required: tuple[str, ...] = ()) -> Json:
    found: Json = {"type": "object", "properties": dict.fromkeys(names, _NUMBER), "additionalProperties": False}
    return found | ({"required": list(required)} if required else {})


class ProtectionForm(Form):
    """A guard, as a signal's: levels are prices, moves from the entry in percent, or multiples of the stop's distance."""

    stop = Part(_object("price", "move_pct"), help_text="One of the two.")
    targets = Part(
        {"type": "array", "maxItems": 5, "items": _object("price", "move_pct", "reward", "close_pct")},
        help_text="Each says one of the three, and the share of the position that it closes; without it, everything.",
    )
    breakeven_after = Part({"type": "integer", "minimum": 1}, help_text="How many targets move the stop to the entry.")
    trail = Part(_object("activate_pct", "distance_pct", required=("activate_pct", "distance_pct")))
    time_stop_minutes = Whole(
        min_value=1,
        max_value=LONGEST_SPAN,
        required=False,
        allow_null=True,
        help_text="All of it is closed so long after.",
    )
    reason = Line(max_length=REASON)


class FiringShape(Shape):
    """A level that was reached, and what became of its close."""

    signal = serializers.IntegerField(source="signal_id", read_only=True, allow_null=True)

    class Meta:
        model = Firing
        fields = (
            *("id", "cause", "level", "attempt", "level_price", "price", "reduce_usdc", "fired_at", "signal", "fate"),
            "retry_at",
        )


class ProtectionShape(Shape):
    """A guard, what it remembers, and what it fired."""

    position = serializers.IntegerField(source="position_id", read_only=True)
    firings = FiringShape(many=True, read_only=True)

    class Meta:
        model = Protection
        fields = (
            *("id", "position", "guard", "direction", "entry_price", "guarded_usdc", "stop_price", "stop_reason", "best_price"),
            *("targets_hit", "deadline_at", "placed_by", "placed_at", "replaced_at", "replaced_by", "firings"),
        )


class Guarding(Resource):
    """What guards a position; put another guard in its place, or take it away."""

    http_method_names = ["get", "head", "put", "delete"]
    shape = ProtectionShape
    form: ClassVar[type[Form]] = ProtectionForm

    def rows(self) -> QuerySet[Position]:
        """Every position."""
        return Position.objects.ours().select_related("trader")

    def within(self, accounts: frozenset[int]) -> Q:
        """Those of the accounts."""
        return of_accounts("trader", accounts)

    def look_now(self, request: Request, pk: int) -> Response:
        """The one that stands."""
        roles.check(self.caller.person, self.look)
        forms.read(Query, request.query_params)
        found = Protection.objects.standing().filter(position=self.row(pk)).prefetch_related("firings").first()
        if found is None:
            raise Http404
        return self.answered(found)

    def remove(self, request: Request, pk: int) -> Response:
        """Take it away."""
        forms.read(Query, request.query_params)
        wish = Wish(person=self.caller.person, said={"reason": "taken away through the API"}, row=self.row(pk), at=clock.now())
        self.demand(self.needs(wish), at=wish.at)
        return self.answered(protections.unprotect(position_id=pk, by=_word(wish)))

    def needs(self, wish: Wish) -> Needed:
        """Who trades the account."""
        return Needed(act=Act.TRADE, account=wish.row.trader.account)

    def do(self, wish: Wish) -> Protection:
        """Guard it by this from now on."""
        said = dict(self.request.data)
        said.pop("reason")
        wanted = protection_form.read(said)
        return protections.protect(position_id=wish.row.pk, wanted=wanted, by=_word(wish))


class Breakeven(Guarding):
    """Move a position's stop to where closing it costs nothing."""

    http_method_names = ["post"]
    form = Why

    def do(self, wish: Wish) -> Protection:
        """Move it."""
        return protections.to_breakeven(position_id=wish.row.pk, by=_word(wish))


def _word(wish: Wish) -> Word:
    return Word(person=wish.person, reason=wish.reason, at=wish.at)
