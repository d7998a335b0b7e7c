"""Funds: what an account has in a book, free and in all. The caller holds the account's lock."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db.models import Q, Sum

from risk.domain.decision import Action
from risk.domain.situation import Funds
from risk.models import Leg
from risk.ports import AccountReading
from trading.domain.mode import Book
from trading.domain.position import Direction, gross_profit
from trading.domain.price import PriceView
from trading.domain.units import Percent, Usdc, notional
from trading.kinds import piece
from trading.models import Position, Trader
from trading.services import wallets


@piece
def live(reading: AccountReading, *, trader: Trader, held: Usdc) -> Funds:
    """On the chain: the wallet less what is promised and not yet taken from it; `held` is what open positions are worth."""
    opens = Leg.objects.holding_room().filter(trader=trader, book=Book.LIVE, action=Action.OPEN)
    is_taken = Q(charged_in_block__lte=reading.block_number)
    sums = opens.aggregate(taken=Sum("collateral_usdc", filter=is_taken), owed=Sum("collateral_usdc", filter=~is_taken))
    taken, owed = sums["taken"] or Usdc.zero(), sums["owed"] or Usdc.zero()
    return Funds(
        free=max(reading.balance - owed, Usdc.zero()),
        equity=reading.balance + taken + held,
        allowance=max(reading.allowance - owed, Usdc.zero()),
        delegated_until=reading.delegated_until,
        gas=reading.gas,
    )


@piece
def paper(*, trader: Trader, held: Usdc, at: datetime) -> Funds:
    """On paper: what is in the account's wallet, less what is promised."""
    opens = Leg.objects.holding_room().filter(trader=trader, book=Book.PAPER, action=Action.OPEN)
    promised = opens.aggregate(sum=Sum("collateral_usdc"))["sum"] or Usdc.zero()
    balance: Usdc = wallets.of(trader.pk, at=at).balance_usdc
    return Funds(free=max(balance - promised, Usdc.zero()), equity=balance + held)


def worth(positions: Iterable[Position], *, prices: Mapping[str, PriceView]) -> Usdc:
    """Collateral and unrealised profit, before the fees of closing; at its entry where no price is known for a market."""
    return sum((_worth(each, prices.get(each.market.symbol)) for each in positions), Usdc.zero())


def surely(position: Position, collateral: Usdc, *, view: PriceView | None) -> Usdc:
    """What closing so much of a position brings at least: no gain is counted, a loss and the fee are."""
    if not collateral or not position.collateral_usdc:
        return Usdc.zero()
    share = min(position.collateral_usdc, _worth(position, view)).times_down(collateral.raw, position.collateral_usdc.raw)
    fee = notional(collateral, position.leverage_x).times_up(position.market.close_fee_pct.raw, Percent.HUNDRED)
    left: Usdc = share - fee
    return max(left, Usdc.zero())


def _worth(position: Position, view: PriceView | None) -> Usdc:
    put_up: Usdc = position.collateral_usdc
    price = view.last_known if view else None
    if price is None:
        return put_up
    profit = gross_profit(
        direction=Direction(position.direction),
        collateral=put_up,
        leverage=position.leverage_x,
        entry=position.entry_price,
        exit_price=price.price,
    )
    # The venue takes no more than what was put up.
    return max(put_up + profit, Usdc.zero())
