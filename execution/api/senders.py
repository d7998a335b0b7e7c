"""Senders: the accounts that sign, and what people do with one."""

from typing import ClassVar

from django.db.models import Q, QuerySet

from execution import conf
from execution.models import Sender
from execution.models.sender import SenderStatus
from execution.services import sender_acts
from execution.services.warrants import Warrant
from trading import clock
from trading.api.fields import Line, Word
from trading.api.forms import PageQuery
from trading.api.shapes import Shape
from trading.api.views import NONE, Needed, Resource, Wish
from trading.domain.people import Act


class SenderShape(Shape):
    """A sender. Which key of which keeper signs for it isn't shown."""

    class Meta:
        model = Sender
        fields = (
            *("id", "chain_id", "address", "status", "status_reason", "next_nonce", "mined_count", "max_in_flight"),
            *("window_size", "waiting_nonce", "fee_ceiling_wei", "gas_floor_wei", "balance_wei", "is_gas_low"),
            *("gas_looked_at", "is_treasury", "created_at"),
        )


class SenderQuery(PageQuery):
    """Which senders."""

    status = Word(SenderStatus, required=False)
    address = Line(max_length=42, source="address__iexact", required=False)


class Senders(Resource):
    """The accounts that sign and pay gas; they are the desk's."""

    shape = SenderShape
    query = SenderQuery

    def rows(self) -> QuerySet[Sender]:
        """Every sender."""
        return Sender.objects.all()

    def within(self, _: frozenset[int]) -> Q:
        """None: a sender carries many accounts' orders."""
        return NONE


class SenderAct(Senders):
    """What people do with one sender."""

    act: ClassVar[Act] = Act.OPERATE
    target: ClassVar[SenderStatus]

    def needs(self, _: Wish) -> Needed:
        """Who operates, or lets it spend."""
        return Needed(act=self.act)

    def do(self, wish: Wish) -> Sender:
        """Do it, and look again."""
        self.perform_on(wish.row.pk, Warrant(actor=wish.person.name, reason=wish.reason, at=wish.at))
        return self.rows().get(pk=wish.row.pk)

    def perform_on(self, sender_id: int, by: Warrant) -> None:
        """The one call of a service."""
        sender_acts.turn(sender_id=sender_id, target=self.target, by=by)


class Pausing(SenderAct):
    """Let a sender take no new nonces; what it has is carried to its end."""

    target = SenderStatus.PAUSED
    is_exit = True


class Draining(SenderAct):
    """Let a sender finish what it has and take nothing new; its traders move to another one."""

    target = SenderStatus.DRAINING
    is_exit = True


class Resuming(SenderAct):
    """Let a sender take new nonces again."""

    act = Act.EMPOWER
    target = SenderStatus.ACTIVE


class Rebroadcasting(SenderAct):
    """Send the newest stored bytes of everything that a sender has on the wire to every node again; nothing is signed."""

    def perform_on(self, sender_id: int, by: Warrant) -> None:
        """Offer the bytes again."""
        sender_acts.rebroadcast(sender_id=sender_id, desk=conf.desk(), clock=clock.now, by=by)
