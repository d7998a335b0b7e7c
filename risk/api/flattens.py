"""Jobs that close everything in a scope."""

from django.db.models import Q, QuerySet

from risk.api import scopes
from risk.api.scopes import ScopeForm, account_of
from risk.domain.flatten import FlattenStatus
from risk.domain.halt import HaltScope
from risk.models import Flatten
from risk.services import flattening
from trading.api.fields import Line, Typed, Word
from trading.api.forms import REASON, PageQuery
from trading.api.shapes import Shape
from trading.api.views import Needed, Resource, Wish
from trading.domain.mode import Book
from trading.domain.people import Act


class FlattenShape(Shape):
    """A job and its counts, as last made."""

    class Meta:
        model = Flatten
        fields = (
            *("id", "scope", "key", "book", "reason", "started_by", "started_at", "status", "closed", "waiting", "failed"),
            *("opening", "ended_at"),
        )


class FlattenQuery(PageQuery):
    """Which jobs."""

    scope = Word(HaltScope, required=False)
    key = Line(max_length=64, required=False)
    book = Word(Book, required=False)
    status = Word(FlattenStatus, required=False)


class FlattenForm(ScopeForm):
    """Where everything is closed, in which book, and why."""

    book = Word(Book)
    confirmation = Typed("FLATTEN", help_text="What is closed stays closed.")
    reason = Line(max_length=REASON)


class Flattens(Resource):
    """Put a scope on exits only, and close everything that is open in it; a job that runs there already is the answer."""

    shape = FlattenShape
    query = FlattenQuery
    form = FlattenForm
    status = 202
    is_exit = True

    def rows(self) -> QuerySet[Flatten]:
        """Every job."""
        return Flatten.objects.all()

    def within(self, accounts: frozenset[int]) -> Q:
        """What touches everybody, and what the accounts."""
        return scopes.within(accounts)

    def needs(self, wish: Wish) -> Needed:
        """Who may close everything there."""
        return Needed(act=Act.FLATTEN, account=account_of(wish.said))

    def do(self, wish: Wish) -> Flatten:
        """Begin it."""
        about = {"scope": wish.said["scope"], "key": wish.said["key"], "book": wish.said["book"]}
        return flattening.start(**about, person=wish.person, reason=wish.reason, at=wish.at)
