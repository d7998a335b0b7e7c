"""What the price says: whether there is one, and whether stop, target and the signal's own price go with it."""

from risk.domain import sizing
from risk.domain.decision import Check, Denial
from risk.domain.rules.speech import check
from risk.domain.situation import Situation
from trading.domain.position import Direction
from trading.domain.price import PriceTrouble
from trading.domain.units import Percent, Price

_WORDS = {
    PriceTrouble.PRICE_STALE: "No fresh price",
    PriceTrouble.PRICE_DISAGREEMENT: "The sources disagree about the price",
    PriceTrouble.SEQUENCER_DOWN: "The chain's sequencer is down or came up a moment ago: no price",
}


def stop_side(situation: Situation) -> Check | None:
    """A stop lies where the position loses."""
    stop, price = situation.wanted.stop_loss, situation.price
    if not situation.is_entry or stop is None or price is None:
        return None
    side = "below" if situation.direction is Direction.LONG else "above"
    message = f"The stop ${stop} must lie {side} ${price.price}"
    return check(Denial.STOP_ON_WRONG_SIDE, _loses(stop, situation, price.price), f"${stop}", f"{side} ${price.price}", message)


def target_side(situation: Situation) -> Check | None:
    """Every target lies where the position gains: the nearest one speaks for all."""
    price, targets = situation.price, situation.wanted.targets
    if not situation.is_entry or not targets or price is None:
        return None
    is_long = situation.direction is Direction.LONG
    target = min(targets) if is_long else max(targets)
    side = "above" if is_long else "below"
    message = f"The target ${target} must lie {side} ${price.price}"
    passed = target != price.price and not _loses(target, situation, price.price)
    return check(Denial.TARGET_ON_WRONG_SIDE, passed, f"${target}", f"{side} ${price.price}", message)


def stop_before_liquidation(situation: Situation) -> Check | None:
    """The stop comes before the venue's liquidation, and leaves a share of the way to it."""
    stop, price, leverage = situation.wanted.stop_loss, situation.price, situation.wanted.leverage
    if not situation.is_entry or stop is None or price is None or not leverage:
        return None
    buffer = situation.policy.overall.liquidation_buffer or Percent.zero()
    limit = sizing.furthest_stop(entry=price.price, leverage=leverage, buffer=buffer)
    safe = sizing.safe_leverage(entry=price.price, stop=stop, buffer=buffer)
    distance = abs(price.price - stop)
    message = f"The stop lies ${distance} away, liquidation less {buffer}% is ${limit} away: at most {safe}x with this stop"
    return check(Denial.STOP_BEYOND_LIQUIDATION, distance <= limit, f"${distance}", f"${limit}", message)


def entry_price(situation: Situation) -> Check | None:
    """An entry needs a price on which fresh sources agree; an exit goes on without one."""
    if not situation.is_entry:
        return None
    price, trouble = situation.price, situation.price_trouble or PriceTrouble.PRICE_STALE
    value = f"${price.price}" if price else "none"
    message = f"{_WORDS[trouble]} for {situation.market.symbol}"
    return check(Denial(trouble), price is not None, value, "an agreed price", message)


def collar(situation: Situation) -> Check | None:
    """The signal's own price lies close to ours: otherwise one of us is mistaken."""
    said, price = situation.wanted.price, situation.price
    shares = [each for each in (situation.policy.overall.max_price_deviation, situation.wanted.max_deviation) if each is not None]
    if not situation.is_entry or said is None or price is None or not shares:
        return None
    share = min(shares)
    distance, limit = abs(said - price.price), price.price.times_down(share.raw, Percent.HUNDRED)
    message = f"The signal's price ${said} lies ${distance} from ${price.price}, limit ${limit}"
    return check(Denial.PRICE_OUTSIDE_COLLAR, distance <= limit, f"${distance}", f"${limit}", message)


def _loses(level: Price, situation: Situation, price: Price) -> bool:
    return level < price if situation.direction is Direction.LONG else level > price
