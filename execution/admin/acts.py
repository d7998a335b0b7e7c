"""What people do with senders and intents from the console."""

from collections.abc import Sequence
from typing import Any

from django import forms

from execution import conf
from execution.admin.operated import Act, OperatedAdmin, ReasonForm, TypedForm
from execution.models import Sender, TxIntent
from execution.models.sender import SenderStatus
from execution.services import drift, gas, intent_acts, releasing, sender_acts
from execution.services.sender_acts import GWEI, Limits
from execution.services.warrants import Warrant
from trading import clock
from trading.domain import people
from trading.domain.units import Wei

Said = dict[str, Any]


class ReleaseForm(TypedForm):
    """Out of quarantine; the count is typed from what the nodes say."""

    word = "RELEASE"
    adopt_count = forms.IntegerField(
        required=False, min_value=0, help_text="The chain's count to adopt. Empty: rows and chain agree."
    )


class CancelForm(TypedForm):
    """What is canceled isn't done."""

    word = "CANCEL"


class GiveUpForm(TypedForm):
    """What is given up is never looked for again."""

    word = "GIVE UP"


class TreasuryForm(TypedForm):
    """The treasury trades for nobody."""

    word = "TREASURY"


class CeilingForm(ReasonForm):
    """The most that is paid for a gas."""

    ceiling_gwei = forms.IntegerField(required=False, min_value=1, help_text="Empty: as its sender's.")


class LimitsForm(ReasonForm):
    """A sender's limits."""

    ceiling_gwei = forms.IntegerField(required=False, min_value=1, help_text="Empty: as it is.")
    gas_floor_wei = forms.IntegerField(required=False, min_value=0, help_text="Empty: as it is.")
    max_in_flight = forms.IntegerField(required=False, min_value=1, help_text="Empty: as it is.")


def _wei(number: int | None, *, unit: int = 1) -> Wei | None:
    return None if number is None else Wei(number * unit)


def _turn(pk: int, target: SenderStatus, by: Warrant) -> None:
    sender_acts.turn(sender_id=pk, target=target, by=by)


def _release(pk: int, said: Said, by: Warrant) -> None:
    releasing.release(sender_id=pk, adopt_count=said["adopt_count"], desk=conf.desk(), by=by)


def _limit_sender(pk: int, said: Said, by: Warrant) -> None:
    limits = Limits(
        fee_ceiling_wei=_wei(said["ceiling_gwei"], unit=GWEI),
        gas_floor_wei=_wei(said["gas_floor_wei"]),
        max_in_flight=said["max_in_flight"],
    )
    sender_acts.limit(sender_id=pk, limits=limits, by=by)


def _rebroadcast(pk: int, _: Said, by: Warrant) -> None:
    sender_acts.rebroadcast(sender_id=pk, desk=conf.desk(), clock=clock.now, by=by)


def _top_up(pk: int, _: Said, by: Warrant) -> None:
    gas.top_up(sender_id=pk, by=by)


def _cancel(pk: int, _: Said, by: Warrant) -> None:
    intent_acts.cancel(intent_id=pk, by=by)


def _give_up(pk: int, _: Said, by: Warrant) -> None:
    intent_acts.give_up(intent_id=pk, by=by)


def _limit_intent(pk: int, said: Said, by: Warrant) -> None:
    intent_acts.limit(intent_id=pk, ceiling=_wei(said["ceiling_gwei"], unit=GWEI), by=by)


class OperatedSender(OperatedAdmin):
    """A sender against the chain, and what people do with it."""

    acts = {
        "pause": Act(
            title="Pause",
            says="It takes no new nonces. What it has is carried to its end.",
            do=lambda pk, _, by: _turn(pk, SenderStatus.PAUSED, by),
        ),
        "drain": Act(
            title="Drain",
            says="It finishes what it has and takes nothing new; its traders move to another sender of theirs.",
            do=lambda pk, _, by: _turn(pk, SenderStatus.DRAINING, by),
        ),
        "resume": Act(
            title="Resume",
            says="It takes new nonces again.",
            do=lambda pk, _, by: _turn(pk, SenderStatus.ACTIVE, by),
            needs=people.Act.EMPOWER,
        ),
        "rebroadcast": Act(
            title="Rebroadcast",
            says="The newest stored bytes of everything on the wire go to every node again. Nothing is signed.",
            do=_rebroadcast,
        ),
        "limits": Act(
            title="Limits",
            says="What it pays for a gas, what it keeps, how many may be in flight.",
            do=_limit_sender,
            form=LimitsForm,
            needs=people.Act.EMPOWER,
        ),
        "top_up": Act(
            title="Top up",
            says="The treasury owes it one payment of gas money.",
            do=_top_up,
            needs=people.Act.EMPOWER,
        ),
        "treasury": Act(
            title="Treasury",
            says="It pays for the others' gas from now on and trades for nobody.",
            do=lambda pk, _, by: sender_acts.appoint(sender_id=pk, by=by),
            form=TreasuryForm,
            needs=people.Act.EMPOWER,
            is_dangerous=True,
        ),
        "release": Act(
            title="Release",
            says="Out of quarantine: it signs again. With a count, the next nonce rises to it for good.",
            do=_release,
            form=ReleaseForm,
            needs=people.Act.EMPOWER,
            is_dangerous=True,
        ),
    }

    def standing(self, row: Sender) -> Sequence[Sequence[object]]:
        """The drift report; the nodes are asked."""
        report = drift.report(sender_id=row.pk, desk=conf.desk(), at=clock.now())
        lines = [(line.name, line.value, line.expected, line.verdict) for line in report.lines]
        return [("what", "is", "expected", "verdict"), ("status", f"{row.status} {row.status_reason}", "ACTIVE", ""), *lines]


class OperatedIntent(OperatedAdmin):
    """An intent as it stands, and what people do with it."""

    acts = {
        "bump": Act(
            title="Bump",
            says="More is offered at once for its nonce, if that is its sender's lowest.",
            do=lambda pk, _, by: intent_acts.bump(intent_id=pk, by=by),
        ),
        "limit": Act(
            title="Ceiling",
            says="The most that this one pays for a gas.",
            do=_limit_intent,
            form=CeilingForm,
            needs=people.Act.EMPOWER,
        ),
        "cancel": Act(
            title="Cancel",
            says="Without a nonce it ends at once; with one, its next offer is a cancellation.",
            do=_cancel,
            form=CancelForm,
            is_dangerous=True,
        ),
        "give_up": Act(
            title="Give up",
            says="It ends, and its room is free: only if something else is proven to have used its nonce. Look at what, before.",
            do=_give_up,
            form=GiveUpForm,
            # It frees room, and takes away what keeps its sender from being released.
            needs=people.Act.EMPOWER,
            is_dangerous=True,
        ),
    }

    def standing(self, row: TxIntent) -> Sequence[Sequence[object]]:
        """The row in short."""
        heads = ("status", "waits for", "nonce", "cancellation", "ceiling, wei")
        return [heads, (row.status, row.blocked_reason, row.nonce, row.cancel_reason, row.fee_ceiling_wei)]
