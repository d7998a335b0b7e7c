"""Traders: who they are to us, what the chain lets our sender do for them, and how much."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

from execution.desk import Desk
from execution.models import Delegation, Sender
from execution.models.sender import SenderStatus
from execution.ports import Wallet
from trading import locks
from trading.domain.errors import Conflict
from trading.domain.units import Usdc
from trading.kinds import step, write
from trading.models import Trader
from trading.services import audit, members

DELEGATION_SPAN = timedelta(days=90)


class NoSender(Conflict):
    """There is no sender yet that a trader could delegate to."""

    code = "SENDER_MISSING"


class IsLeader(Conflict):
    """The address is only watched here, for those who follow it; it can't trade too."""

    code = "ADDRESS_IS_A_LEADER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the chain says about a trader: his dollars, what the venue may take of them, and until when we may trade."""

    balance: Usdc
    allowance: Usdc
    delegated_until: datetime | None


@step
def admit(
    *, tg_user_id: int, name: str, wallet: Wallet, allowance: Usdc, desk: Desk, actor: str, at: datetime
) -> tuple[Trader, Standing]:
    """Add a trader, or find him; the wallet grants the delegation and the allowance; what the chain says then is kept.

    Raises:
        NoSender: if no sender is registered, or none of them is active.
        IsLeader: if the desk watches the address for those who follow it.
    """
    if Trader.objects.leaders().filter(address=wallet.address).exists():
        raise IsLeader("this address is watched as a leader: follow it, or admit another", address=wallet.address)
    sender = _sender_of(tg_user_id, desk=desk)
    if sender is None:
        raise NoSender("no active sender is registered: run manage.py sender sync first")
    until = at + DELEGATION_SPAN
    wallet.grant(delegate=sender.address, until=until, allowance=allowance)
    standing = look(wallet.address, delegate=sender.address, desk=desk)
    trader = _enroll(
        tg_user_id=tg_user_id, name=name, address=wallet.address, sender=sender, standing=standing, actor=actor, at=at
    )
    return trader, standing


def _sender_of(tg_user_id: int, *, desk: Desk) -> Sender | None:
    """The sender that a trader has, or the active one with the fewest traders: whose key is at hand, and no treasury."""
    home = Delegation.objects.filter(trader__tg_user_id=tg_user_id, is_home=True).select_related("sender").first()
    if home is not None:
        return home.sender
    homes = Count("delegations", filter=Q(delegations__is_home=True))
    active = Sender.objects.filter(chain_id=desk.chain.chain_id, status=SenderStatus.ACTIVE, is_treasury=False)
    ranked = active.annotate(homes=homes).order_by("homes", "pk")
    return next((sender for sender in ranked if desk.signer_of(sender.address) is not None), None)


@step
def look(address: str, *, delegate: str, desk: Desk) -> Standing:
    """What the chain says about a trader and one of our senders now."""
    balance, allowance = desk.venue.funds(address, chain=desk.chain)
    permission = desk.venue.permission(address, delegate=delegate, chain=desk.chain)
    return Standing(balance=balance, allowance=allowance, delegated_until=permission.expires_at)


@write
def _enroll(*, tg_user_id: int, name: str, address: str, sender: Sender, standing: Standing, actor: str, at: datetime) -> Trader:
    trader, is_new = Trader.objects.get_or_create(tg_user_id=tg_user_id, defaults={"name": name, "address": address})
    if standing.delegated_until is not None:
        locks.accounts([trader.pk])
        said = {"expires_at": standing.delegated_until, "checked_at": at}
        first = said | {"is_home": not Delegation.objects.filter(trader=trader, is_home=True).exists()}
        Delegation.objects.update_or_create(trader=trader, sender=sender, defaults=said, create_defaults=first)
    if is_new:
        after = {"address": address, "name": name, "sender": sender.address}
        members.welcome_trader(tg_user_id=tg_user_id, name=name, by=actor, at=at)
        audit.record(actor=actor, action="trader.admit", subject=f"trader:{tg_user_id}", before={}, after=after, reason="", at=at)
    return trader
