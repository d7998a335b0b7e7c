"""Money on paper: what people put into an account's wallet and take out of it. Whoever calls has asked if they may."""

from dataclasses import dataclass
from datetime import datetime

from execution.services import warrants
from execution.services.warrants import Warrant
from risk.services import funds
from trading import locks
from trading.domain.errors import Conflict, Invalid
from trading.domain.units import Usdc
from trading.domain.wallet import FlowKind
from trading.kinds import piece, write
from trading.models import PaperFlow, PaperWallet, Trader
from trading.services import wallets


class PaperRefused(Invalid):
    """There is no such account, or the amount is none."""

    code = "PAPER_REFUSED"


class PaperShort(Conflict):
    """There isn't so much that is free."""

    code = "PAPER_SHORT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A wallet, how much of it is free, and what its flows and fills sum up to."""

    wallet: PaperWallet
    free: Usdc
    proven: Usdc


@write
def deposit(*, trader_id: int, amount: Usdc, by: Warrant) -> PaperFlow:
    """Put money into an account's wallet on paper.

    Raises:
        PaperRefused: if there is no such account, or nothing is put in.
    """
    wallet = _wallet(trader_id, amount=amount, at=by.at)
    return _flow(wallet, FlowKind.DEPOSIT, amount, by=by)


@write
def withdraw(*, trader_id: int, amount: Usdc, by: Warrant) -> PaperFlow:
    """Take money out of an account's wallet on paper: what is in positions, or promised to orders, stays.

    Raises:
        PaperRefused: if there is no such account, or nothing is taken.
        PaperShort: if less is free.
    """
    wallet = _wallet(trader_id, amount=amount, at=by.at)
    free = _free(wallet, at=by.at)
    if amount > free:
        raise PaperShort(f"{free} USDC are free on paper", field="amount", free=str(free))
    return _flow(wallet, FlowKind.WITHDRAWAL, amount, by=by)


@write
def look(*, trader_id: int, at: datetime) -> Standing:
    """An account's wallet on paper, opened if it never was.

    Raises:
        PaperRefused: if there is no such account.
    """
    wallet = wallets.of(_locked(trader_id).pk, at=at)
    return Standing(wallet=wallet, free=_free(wallet, at=at), proven=wallets.proven(wallet))


def named(tg_user_id: int) -> int:
    """The account of a Telegram id.

    Raises:
        PaperRefused: if there is none.
    """
    found = Trader.objects.filter(tg_user_id=tg_user_id).values_list("pk", flat=True).first()
    if found is None:
        raise PaperRefused("there is no such account", field="tg_user_id", tg_user_id=tg_user_id)
    return found


@piece
def _wallet(trader_id: int, *, amount: Usdc, at: datetime) -> PaperWallet:
    if amount <= Usdc.zero():
        raise PaperRefused("an amount above zero", field="amount")
    return wallets.of(_locked(trader_id).pk, at=at)


def _locked(trader_id: int) -> Trader:
    for trader in locks.accounts([trader_id]):
        return trader
    raise PaperRefused("there is no such account", field="account")


def _free(wallet: PaperWallet, *, at: datetime) -> Usdc:
    return funds.paper(trader=wallet.trader, held=Usdc.zero(), at=at).free


def _flow(wallet: PaperWallet, kind: FlowKind, amount: Usdc, *, by: Warrant) -> PaperFlow:
    before = wallet.balance_usdc
    row = wallets.flow(wallet, kind, amount, by=by.actor, reason=by.reason, at=by.at)
    warrants.use(
        by,
        action=f"paper.{kind.lower()}",
        subject=f"account:{wallet.trader.account}",
        before={"balance_usdc": before},
        after={"balance_usdc": wallet.balance_usdc},
    )
    return row
