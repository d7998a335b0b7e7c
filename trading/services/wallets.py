"""Wallets on paper: a running balance, written under the account's lock with each fill and each flow."""

from datetime import datetime

from django.conf import settings
from django.db.models import Q, Sum

from trading.domain.mode import Book
from trading.domain.position import FillKind
from trading.domain.units import Usdc
from trading.domain.wallet import FlowKind, moved
from trading.kinds import piece
from trading.models import Fill, PaperFlow, PaperWallet
from trading.models.position import WALLET_GAIN
from trading.services import journal

# Who put the stake in.
ENVIRONMENT = "environment"
STAKE = "PAPER_BALANCE_USDC"


@piece
def of(trader_id: int, *, at: datetime) -> PaperWallet:
    """An account's wallet, opened with the configured stake if this is the first to ask. The caller holds the account's lock."""
    found = PaperWallet.objects.filter(trader_id=trader_id).first()
    return found or _open(trader_id, at=at)


def _open(trader_id: int, *, at: datetime) -> PaperWallet:
    # An account that traded on paper before it had a wallet: this one time its fills are summed.
    earlier = _sum(trader_id)
    wallet = PaperWallet.objects.create(trader_id=trader_id, balance_usdc=earlier, put_in_usdc=Usdc.zero(), opened_at=at)
    flow(wallet, FlowKind.STAKE, Usdc.of(settings.PAPER_BALANCE_USDC), by=ENVIRONMENT, reason=STAKE, at=at)
    return wallet


@piece
def flow(wallet: PaperWallet, kind: FlowKind, amount: Usdc, *, by: str, reason: str, at: datetime) -> PaperFlow:
    """Put money into a wallet, or take it out. The caller holds the account's lock, and has judged the amount."""
    wallet.put_in_usdc += kind.signed(amount)
    _move(wallet, kind.signed(amount))
    row = PaperFlow.objects.create(
        wallet=wallet, kind=kind, amount_usdc=amount, balance_after_usdc=wallet.balance_usdc, placed_by=by, reason=reason, at=at
    )
    journal.record("paper.flowed", wallet, at=at, kind=kind, amount_usdc=amount, balance_usdc=wallet.balance_usdc, by=by)
    return row


@piece
def settle(wallet: PaperWallet, fill: Fill) -> None:
    """Let a new fill move the money; the caller holds the account's lock."""
    kind = FillKind(fill.kind)
    _move(wallet, moved(kind=kind, collateral=fill.collateral_usdc, fee=fill.fee_usdc, payout=fill.payout_usdc))


def _move(wallet: PaperWallet, change: Usdc) -> None:
    wallet.balance_usdc += change
    wallet.save(update_fields=["balance_usdc", "put_in_usdc"])


def proven(wallet: PaperWallet) -> Usdc:
    """What the balance must be: its flows and all its fills, summed. For checks; no decision asks this."""
    flows = wallet.flows.aggregate(
        put_in=Sum("amount_usdc", filter=~Q(kind=FlowKind.WITHDRAWAL)),
        taken=Sum("amount_usdc", filter=Q(kind=FlowKind.WITHDRAWAL)),
    )
    put_in, taken = flows["put_in"] or Usdc.zero(), flows["taken"] or Usdc.zero()
    return put_in - taken + _sum(wallet.trader_id)


def _sum(trader_id: int) -> Usdc:
    fills = Fill.objects.canonical().filter(trader_id=trader_id, book=Book.PAPER)
    return fills.aggregate(gained=Sum(WALLET_GAIN))["gained"] or Usdc.zero()
