"""Comparisons: a position on paper beside a live one, and every difference by its name. Nothing is written."""

from dataclasses import dataclass

from execution.domain import comparing
from execution.domain.comparing import Explained, Told
from execution.services import paper_positions
from trading.domain.errors import Invalid
from trading.domain.mode import Book
from trading.domain.position import Direction, FillKind, PositionStatus
from trading.domain.units import Usdc
from trading.models import Fill, Position


class NotAlike(Invalid):
    """The two aren't the same trade in both books."""

    code = "NOT_ALIKE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One trade in both books."""

    on_paper: Told
    live: Told
    why: Explained


def compare(*, paper_id: int, live_id: int) -> Comparison:
    """Two closed positions of one market and direction, each opened once and closed once.

    Raises:
        NotAlike: if they aren't.
    """
    on_paper, live = (_position(pk, book=book) for pk, book in ((paper_id, Book.PAPER), (live_id, Book.LIVE)))
    if (on_paper.market_id, on_paper.direction) != (live.market_id, live.direction):
        raise NotAlike("another market, or another direction", field="position")
    told = _told(on_paper), _told(live)
    why = comparing.explain(on_paper=told[0], live=told[1], terms=paper_positions.terms(live.market))
    return Comparison(on_paper=told[0], live=told[1], why=why)


def _position(pk: int, *, book: Book) -> Position:
    found = Position.objects.select_related("market").filter(pk=pk, book=book, status=PositionStatus.CLOSED).first()
    if found is None:
        raise NotAlike(f"{pk} is no closed position of the {book} book", field="position")
    return found


def _told(position: Position) -> Told:
    opening, closing = _fills(position)
    return Told(
        direction=Direction(position.direction),
        collateral=opening.collateral_usdc,
        leverage=opening.leverage_x,
        entry=opening.price,
        exit=closing.price,
        price_pnl=closing.price_pnl_usdc,
        fees=opening.fee_usdc + closing.fee_usdc,
        rollover=opening.rollover_usdc + closing.rollover_usdc,
        funding=opening.funding_usdc + closing.funding_usdc,
    )


def _fills(position: Position) -> tuple[Fill, Fill]:
    fills = list(position.fills.canonical().order_by("block_number", "log_index"))
    kinds = [FillKind(fill.kind) for fill in fills]
    if len(fills) != 2 or kinds[0] is not FillKind.OPEN or not kinds[1].closes:
        raise NotAlike(f"{position.pk} wasn't opened once and closed once", field="position")
    return fills[0], fills[1]


def lines(found: Comparison) -> list[str]:
    """The report: what each book brought, and why they differ, down to the last unit."""
    why, difference = found.why, found.live.net - found.on_paper.net
    prices = [
        f"{name}: paper {ours}, live {theirs}; {_price(part.delay)} by delay, {_price(part.spread)} by spread"
        for name, ours, theirs, part in (
            ("entry", found.on_paper.entry, found.live.entry, why.entry),
            ("exit", found.on_paper.exit, found.live.exit, why.exit),
        )
    ]
    parts = ("delay", "spread", "size", "fees", "rollover", "funding")
    money = [f"  {name}: {_usdc(getattr(why, name))}" for name in parts]
    return [*prices, f"net: paper {found.on_paper.net}, live {found.live.net}; {_usdc(difference)}, of it", *money]


def _usdc(amount: Usdc) -> str:
    return f"{amount} USDC" if amount < Usdc.zero() else f"+{amount} USDC"


def _price(part: object) -> str:
    text = str(part)
    return text if text.startswith("-") else f"+{text}"
