"""Locks: temporary blocks of an account's entries."""

from typing import ClassVar

from django.db.models import Q, QuerySet

from risk.domain.lock import LIFTING, LockKind
from risk.models import Lock
from risk.services import blocks
from trading.api.fields import Line, Moment, Whole, Word, WrittenFlag
from trading.api.forms import REASON, AccountNumber, Form, PageQuery, Why
from trading.api.shapes import Shape, account, text
from trading.api.views import Needed, Resource, Wish, of_accounts
from trading.domain.mode import Book
from trading.domain.people import Act
from trading.domain.signal import normalized_symbol


class LockShape(Shape):
    """A block, with what was measured and against what; no symbol: every market."""

    tg_user_id = account()
    symbol = text("market.symbol", allow_null=True, default=None)

    class Meta:
        model = Lock
        fields = (
            *("id", "tg_user_id", "book", "symbol", "kind", "value", "limit", "reason", "placed_by", "since", "until"),
            *("caused_at", "ended_at", "ended_by", "end_reason"),
        )


class LockQuery(PageQuery):
    """Which locks."""

    kind = Word(LockKind, required=False)
    book = Word(Book, required=False)
    tg_user_id = AccountNumber(source="trader", required=False)
    is_open = WrittenFlag(source="ended_at__isnull", required=False, help_text="Those that nobody ended yet.")


class LockForm(Form):
    """Whose entries are blocked, where and until when, and why."""

    tg_user_id = Whole(min_value=1)
    book = Word(Book)
    symbol = Line(max_length=16, required=False, help_text="Without it: in every market.")
    until = Moment(required=False, help_text="Without it: until somebody lifts it.")
    reason = Line(max_length=REASON)


class Locks(Resource):
    """Block an account's entries; a longer block that holds stands."""

    shape = LockShape
    query = LockQuery
    form: ClassVar[type[Form]] = LockForm
    is_exit = True

    def rows(self) -> QuerySet[Lock]:
        """Every lock."""
        return Lock.objects.select_related("trader", "market")

    def within(self, accounts: frozenset[int]) -> Q:
        """Those of the accounts."""
        return of_accounts("trader", accounts)

    def needs(self, wish: Wish) -> Needed:
        """Who may block the account."""
        return Needed(act=Act.LOCK, account=wish.said["tg_user_id"])

    def do(self, wish: Wish) -> Lock:
        """Place it."""
        symbol = wish.said.get("symbol")
        return blocks.place(
            tg_user_id=wish.said["tg_user_id"],
            book=wish.said["book"],
            symbol=(normalized_symbol(symbol) or symbol) if symbol else None,
            until=wish.said.get("until"),
            person=wish.person,
            reason=wish.reason,
            at=wish.at,
        )


class Lifting(Locks):
    """End a lock before its time."""

    form = Why
    is_exit = False

    def needs(self, wish: Wish) -> Needed:
        """Who may lift locks of its kind."""
        return Needed(act=LIFTING[LockKind(wish.row.kind)], account=wish.row.trader.account)

    def do(self, wish: Wish) -> Lock:
        """Lift it."""
        return blocks.lift(lock_id=wish.row.pk, person=wish.person, reason=wish.reason, at=wish.at)
