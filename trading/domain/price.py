"""Prices: which quotes count, and the one price they agree on.

A quote is first judged by itself, then by what the others say. Nobody vouches for himself: where several sources
are set up for a market, two of them must agree.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from trading.domain.units import Percent, Price

# A quote may lie ahead of our clock by this much before it is disbelieved (venue practice: 2 s).
AHEAD_LIMIT = timedelta(seconds=2)
# A quote whose confidence is wider than this is dropped; the venue's own guard (1 %).
CONFIDENCE_LIMIT = Percent.of(1)
# Farther from the weighted median than this, a quote doesn't count.
OUTLIER_LIMIT = Percent.of("0.5")
# What was agreed on is shown, and serves exits, for this long.
LAST_KNOWN_LIMIT = timedelta(seconds=30)
# After an outage of the layer-two sequencer, prices are caught up with first.
SEQUENCER_SETTLES = timedelta(hours=1)
# A look at the sequencer that is older says nothing about now.
SEQUENCER_LOOK_LIMIT = timedelta(seconds=60)
# How many sources must agree, where as many are set up.
WITNESSES = 2


class Rejection(StrEnum):
    """Why a quote doesn't count."""

    NOT_POSITIVE = "NOT_POSITIVE"
    STALE = "STALE"  # older than its source's own rhythm allows
    AHEAD = "AHEAD"  # from the future
    UNSURE = "UNSURE"  # its confidence is too wide
    BACKWARD = "BACKWARD"  # older than one that the source gave before
    OUTLIER = "OUTLIER"  # too far from the weighted median


class PriceTrouble(StrEnum):
    """Why a market has no price for entries."""

    PRICE_STALE = "PRICE_STALE"  # too few fresh quotes
    PRICE_DISAGREEMENT = "PRICE_DISAGREEMENT"  # enough of them, and they say different things
    SEQUENCER_DOWN = "SEQUENCER_DOWN"  # the chain's sequencer isn't up, or not for long enough


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """One source's price of one market. `confidence` is half a band, in the price's unit; weight 0 is a cross-check only."""

    symbol: str
    source: str
    price: Price
    confidence: Price
    weight: Decimal
    published_at: datetime
    limit: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedPrice:
    """What the sources that count agree on; `published_at` is that of the oldest of them."""

    symbol: str
    price: Price
    published_at: datetime
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPrice:
    """The last price that was agreed on, and when."""

    agreed: AgreedPrice
    agreed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequencer:
    """The layer-two sequencer as it was last seen."""

    # None while it is down.
    up_since: datetime | None
    # None: its feed never answered.
    seen_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A quote that doesn't count, and why."""

    quote: Quote
    reason: Rejection


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceView:
    """A market's price as it looks now: `agreed` for entries, `last_known` for display and exits."""

    symbol: str
    agreed: AgreedPrice | None
    # What was agreed on within LAST_KNOWN_LIMIT; `agreed` itself while there is one.
    last_known: AgreedPrice | None
    # None exactly while there is an agreed price.
    trouble: PriceTrouble | None
    rejected: tuple[Rejected, ...] = ()
    # Those that agree, the cross-checks too.
    near: tuple[Quote, ...] = ()

    @property
    def counted(self) -> tuple[Quote, ...]:
        """Those among them that have a weight."""
        return tuple(quote for quote in self.near if quote.weight > 0)


def view(
    symbol: str,
    *,
    quotes: Iterable[Quote],
    expected: Collection[str],
    kept: KeptPrice | None = None,
    sequencer: Sequencer | None = None,
    now: datetime,
) -> PriceView:
    """What the quotes of one market are worth together.

    `expected` names the sources that are set up for the market and count; `sequencer` is None where no feed tells of it.
    """
    sound, unsound = _sifted(quotes, now=now)
    fresh = [quote for quote in sound if quote.weight > 0]
    near = _near(sound, median=weighted_median(fresh)) if fresh else sound
    counted = [quote for quote in near if quote.weight > 0]
    outliers = [Rejected(quote=quote, reason=Rejection.OUTLIER) for quote in sound if quote not in near]
    trouble = _trouble(fresh, counted, expected=expected, sequencer=sequencer, now=now)
    agreed = None if trouble else _agreed(symbol, counted)
    return PriceView(
        symbol=symbol,
        agreed=agreed,
        last_known=agreed or _last_known(kept, now=now),
        trouble=trouble,
        rejected=(*unsound, *outliers),
        near=tuple(near),
    )


def is_fresh(quote: Quote, *, now: datetime) -> bool:
    """Whether a quote is young enough for its source."""
    return now - quote.published_at <= quote.limit


def is_ahead(quote: Quote, *, now: datetime) -> bool:
    """Whether a quote claims to be from the future."""
    return quote.published_at - now > AHEAD_LIMIT


def is_confident(quote: Quote) -> bool:
    """Whether the source itself is sure enough of its price."""
    return quote.confidence.raw * Percent.HUNDRED <= quote.price.raw * CONFIDENCE_LIMIT.raw


def is_settled(sequencer: Sequencer | None, *, now: datetime) -> bool:
    """Whether the sequencer was lately seen up, and had been for SEQUENCER_SETTLES; always where nobody tells of it."""
    if sequencer is None:
        return True
    if sequencer.up_since is None or sequencer.seen_at is None or now - sequencer.seen_at > SEQUENCER_LOOK_LIMIT:
        return False
    return now - sequencer.up_since >= SEQUENCER_SETTLES


def weighted_median(quotes: Sequence[Quote]) -> Price:
    """The lowest price at which half of the weight lies at or below; needs a quote."""
    ascending = sorted(quotes, key=lambda quote: quote.price)
    half = sum(quote.weight for quote in ascending) / 2
    passed = Decimal(0)
    for quote in ascending:
        passed += quote.weight
        if passed >= half:
            return quote.price
    raise ValueError("no quote, no median")


def distance(price: Price, *, base: Price) -> Percent:
    """How far a price lies from a positive base, signed, rounded toward minus infinity."""
    return Percent.from_raw((price.raw - base.raw) * Percent.HUNDRED // base.raw)


def _sifted(quotes: Iterable[Quote], *, now: datetime) -> tuple[list[Quote], list[Rejected]]:
    """Those that are sound by themselves, and those that aren't."""
    judged = [(quote, _fault(quote, now=now)) for quote in quotes]
    unsound = [Rejected(quote=quote, reason=reason) for quote, reason in judged if reason is not None]
    return [quote for quote, reason in judged if reason is None], unsound


def _fault(quote: Quote, *, now: datetime) -> Rejection | None:
    if quote.price.raw <= 0:
        return Rejection.NOT_POSITIVE
    if is_ahead(quote, now=now):
        return Rejection.AHEAD
    if not is_fresh(quote, now=now):
        return Rejection.STALE
    return None if is_confident(quote) else Rejection.UNSURE


def _near(quotes: Iterable[Quote], *, median: Price) -> list[Quote]:
    room = median.raw * OUTLIER_LIMIT.raw
    return [quote for quote in quotes if abs(quote.price.raw - median.raw) * Percent.HUNDRED <= room]


def _trouble(
    fresh: Sequence[Quote], counted: Sequence[Quote], *, expected: Collection[str], sequencer: Sequencer | None, now: datetime
) -> PriceTrouble | None:
    witnesses = max(1, min(WITNESSES, len(expected)))
    if not is_settled(sequencer, now=now):
        return PriceTrouble.SEQUENCER_DOWN
    if len(fresh) < witnesses:
        return PriceTrouble.PRICE_STALE
    is_minority = 2 * _weight(counted) < _weight(fresh)
    return PriceTrouble.PRICE_DISAGREEMENT if len(counted) < witnesses or is_minority else None


def _weight(quotes: Sequence[Quote]) -> Decimal:
    return sum((quote.weight for quote in quotes), Decimal(0))


def _agreed(symbol: str, counted: Sequence[Quote]) -> AgreedPrice:
    return AgreedPrice(
        symbol=symbol,
        price=weighted_median(counted),
        published_at=min(quote.published_at for quote in counted),
        sources=tuple(sorted(quote.source for quote in counted)),
    )


def _last_known(kept: KeptPrice | None, *, now: datetime) -> AgreedPrice | None:
    return kept.agreed if kept is not None and now - kept.agreed_at <= LAST_KNOWN_LIMIT else None
