"""Trading states: those that hold or held, and setting one."""

from django.db.models import Q, QuerySet
from rest_framework import serializers

from risk.api import scopes
from risk.api.scopes import ScopeForm, account_of
from risk.domain.halt import HaltScope, StateHeld, TradingState
from risk.models import Halt
from risk.services import halts
from trading.api.fields import Line, Moment, Word, WrittenFlag
from trading.api.forms import REASON, PageQuery
from trading.api.shapes import Document, Shape
from trading.api.views import Needed, Resource, Wish


class HaltShape(Shape):
    """A trading state other than ACTIVE, for as long as it held."""

    class Meta:
        model = Halt
        fields = ("id", "scope", "key", "state", "reason", "placed_by", "since", "until", "ended_at", "ended_by", "end_reason")


class HaltQuery(PageQuery):
    """Which states."""

    scope = Word(HaltScope, required=False)
    key = Line(max_length=64, required=False)
    is_open = WrittenFlag(source="ended_at__isnull", required=False, help_text="Those that nobody ended yet.")


class StateForm(ScopeForm):
    """A state for a scope, until somebody sets another or for a while, and why."""

    state = Word(TradingState, help_text="REDUCING pauses, HALTED halts, ACTIVE resumes.")
    until = Moment(required=False, help_text="Without it: until somebody resumes.")
    reason = Line(max_length=REASON)


class StateShape(Document):
    """What holds for a scope now."""

    scope = serializers.ChoiceField(choices=[str(scope) for scope in HaltScope])
    key = serializers.CharField()
    state = serializers.ChoiceField(choices=[str(state) for state in TradingState])
    reason = serializers.CharField()
    set_by = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True)


class Halts(Resource):
    """Pause, halt or resume the desk, a market, a source or an account."""

    shape = HaltShape
    query = HaltQuery
    form = StateForm
    answer = StateShape
    # A pause must never wait, and which one it is nobody knows before it is read.
    is_exit = True

    def rows(self) -> QuerySet[Halt]:
        """Every state that somebody set."""
        return Halt.objects.all()

    def within(self, accounts: frozenset[int]) -> Q:
        """What everybody meets, and what the accounts do."""
        return scopes.within(accounts)

    def needs(self, wish: Wish) -> Needed:
        """Who may make it stricter, or less strict than it is."""
        about = {"scope": wish.said["scope"], "key": wish.said["key"], "state": wish.said["state"]}
        return Needed(act=halts.act_for(**about, until=wish.said.get("until"), at=wish.at), account=account_of(wish.said))

    def do(self, wish: Wish) -> StateHeld:
        """Set it."""
        return halts.set_state(
            scope=wish.said["scope"],
            key=wish.said["key"],
            state=wish.said["state"],
            until=wish.said.get("until"),
            person=wish.person,
            reason=wish.reason,
            at=wish.at,
        )
