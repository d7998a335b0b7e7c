"""What an account has, and what of it an entry may risk."""

from risk.domain import sizing
from risk.domain.decision import Check, Denial
from risk.domain.rules.speech import check, refused
from risk.domain.situation import Situation
from risk.domain.sizing import Unsized
from trading.domain.signal import ENTRY_LIFETIME
from trading.domain.units import Percent, Usdc

_WHY = {
    Unsized.STOP_REQUIRED: "A size by risk needs a stop",
    Unsized.PRICE_UNKNOWN: "A size by risk needs a price",
    Unsized.NOTHING: "The size rounds down to nothing",
}


def size(situation: Situation) -> Check | None:
    """A size that isn't collateral yet becomes some."""
    why = situation.wanted.unsized
    if why is None:
        return None
    code = Denial.STOP_REQUIRED if why is Unsized.STOP_REQUIRED else Denial.SIZE_UNKNOWN
    return refused(code, "none", "some collateral", _WHY[why])


def free_collateral(situation: Situation) -> Check | None:
    """What the account has free covers the collateral; what is promised already isn't free."""
    wanted, funds = situation.wanted.collateral, situation.funds
    if not situation.is_entry or wanted is None or funds is None:
        return None
    message = f"Insufficient collateral: ${wanted} required, ${funds.free} available"
    return check(Denial.INSUFFICIENT_COLLATERAL, wanted <= funds.free, f"${wanted}", f"${funds.free}", message)


def account_risk(situation: Situation) -> Check | None:
    """What is lost at the stop, or the whole collateral without one, is a bounded share of the equity."""
    share, funds = situation.policy.overall.max_account_risk, situation.funds
    if not situation.is_entry or share is None or funds is None:
        return None
    value, limit = loss(situation), funds.equity.times_down(share.raw, Percent.HUNDRED)
    where = "at the stop" if situation.wanted.stop_loss else "at liquidation, there is no stop"
    message = f"Risks ${value} {where}, {share}% of the equity is ${limit}"
    return check(Denial.ACCOUNT_RISK_ABOVE_MAX, value <= limit, f"${value}", f"${limit}", message)


def loss(situation: Situation) -> Usdc:
    """The most that an entry loses: at its stop, costs included, or all of its collateral."""
    wanted, price = situation.wanted, situation.price
    collateral = wanted.collateral or Usdc.zero()
    if wanted.stop_loss is None or price is None:
        return collateral
    at_stop = sizing.loss_at(wanted.stop_loss, entry=price.price, notional=wanted.notional, cost=situation.market.cost)
    # Nobody loses more than he put up: the venue liquidates first.
    return min(at_stop, collateral)


def gas(situation: Situation) -> Check | None:
    """The sender that would carry it has gas."""
    funds, floor = situation.funds, situation.gas_floor
    if not situation.is_entry or funds is None or funds.gas is None:
        return None
    message = f"The sender has {funds.gas} wei for gas, it needs {floor}"
    return check(Denial.GAS_TOO_LOW, funds.gas >= floor, f"{funds.gas} wei", f"{floor} wei", message)


def allowance(situation: Situation) -> Check | None:
    """The venue may take as much of the account's dollars."""
    wanted, funds = situation.wanted.collateral, situation.funds
    if not situation.is_entry or wanted is None or funds is None or funds.allowance is None:
        return None
    message = f"The venue may take ${funds.allowance}, ${wanted} are required: approve more"
    return check(Denial.ALLOWANCE_TOO_LOW, wanted <= funds.allowance, f"${wanted}", f"${funds.allowance}", message)


def delegation(situation: Situation) -> Check | None:
    """The account lets a sender of ours trade, for as long as an entry can wait."""
    funds, needed = situation.funds, situation.at + ENTRY_LIFETIME
    if not situation.is_entry or funds is None or funds.allowance is None:
        return None
    until = funds.delegated_until
    value = until.isoformat() if until else "none"
    message = "No sender of ours may trade for this account: set the delegate" if until is None else f"The delegate ends {value}"
    return check(Denial.DELEGATE_INVALID, until is not None and until >= needed, value, needed.isoformat(), message)
