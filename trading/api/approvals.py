"""A person's word on a signal of a source that asks first."""

from django.db.models import Q, QuerySet

from trading.api.signals import SignalShape
from trading.api.views import Needed, Resource, Wish
from trading.domain.people import Act
from trading.models import Signal
from trading.services import approvals


class Word(Resource):
    """One word on one waiting signal; the answer is the signal."""

    shape = SignalShape

    def rows(self) -> QuerySet[Signal]:
        """Every signal: one that waits no longer says so."""
        return Signal.objects.select_related("trader", "market")

    def within(self, accounts: frozenset[int]) -> Q:
        """Those for the accounts."""
        return Q(trader__tg_user_id__in=accounts)

    def needs(self, wish: Wish) -> Needed:
        """Who trades for the account."""
        return Needed(act=Act.TRADE, account=wish.row.trader.account)


class Granting(Word):
    """Let a waiting signal be decided now; it is as fresh as the yes."""

    def do(self, wish: Wish) -> Signal:
        """Say yes."""
        return approvals.grant(signal_id=wish.row.pk, person=wish.person, reason=wish.reason, at=wish.at)


class Declining(Word):
    """Let a waiting signal end undecided."""

    def do(self, wish: Wish) -> Signal:
        """Say no."""
        return approvals.decline(signal_id=wish.row.pk, person=wish.person, reason=wish.reason, at=wish.at)
