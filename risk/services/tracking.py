"""Tracking: each day's report of each following, once it is over."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Case, F, QuerySet, Sum, Value, When
from django.db.models.expressions import ExpressionWrapper

from risk.domain import tracking as domain
from risk.domain.copying import CopyKind, CopyStatus
from risk.domain.following import Sizing
from risk.domain.tracking import Made, Report, Trade
from risk.models import Copy, Equity, Following, Tracking
from trading.domain.mode import Book
from trading.domain.position import OPENING, Direction, PositionStatus
from trading.domain.units import Percent, Usdc, notional
from trading.kinds import step, write
from trading.models import Fill, Position
from trading.models.fields import UsdcField
from trading.services import mode

# What a day's last blocks hold is read, and what was copied from them closed, so long after its end.
SETTLED_AFTER = timedelta(hours=1)
# So many days back a report that is missing is made.
DAYS_BACK = 7
NOT_FILLED = "NOT_FILLED"


@step
def catch_up(*, at: datetime) -> int:
    """Make the reports that are missing; how many."""
    last = (at - SETTLED_AFTER).astimezone(UTC).date() - timedelta(days=1)
    days = [last - timedelta(days=back) for back in reversed(range(DAYS_BACK))]
    return sum(len(measure(following_id=pk, day=day, at=at)) for day in days for pk in _missing(day))


@write
def measure(*, following_id: int, day: date, at: datetime) -> list[Tracking]:
    """A day's report of a following, one for each book in which something of it was copied; a day has one for ever."""
    copies = list(_ended(day).filter(following=following_id).select_related("following", "position", "fill").order_by("pk"))
    signals = _signals(copies)
    books = sorted({Book(found[1]) for found in signals.values()}) or [mode.copy_book()]
    rows = [_row(following_id, day, book, _report(copies, signals, book=book), at=at) for book in books]
    return Tracking.objects.bulk_create(rows, ignore_conflicts=True)


# A copy's signal: its number, its book, and why it came to nothing, as far as that is known.
Signals = dict[int, tuple[int, str, str]]


def _missing(day: date) -> list[int]:
    known = Tracking.objects.filter(day=day).values("following_id")
    copied = _ended(day).exclude(following__in=known).order_by("following_id")
    return list(copied.values_list("following_id", flat=True).distinct())


def _ended(day: date) -> QuerySet[Copy]:
    """Opens of the positions that leaders closed on a day."""
    begins_at = datetime.combine(day, time(), tzinfo=UTC)
    opens = Copy.objects.filter(kind=CopyKind.OPEN, fill__is_canonical=True, position__status=PositionStatus.CLOSED)
    return opens.filter(position__closed_at__gte=begins_at, position__closed_at__lt=begins_at + timedelta(days=1))


def _signals(copies: Iterable[Copy]) -> Signals:
    columns = ("pk", "signals__signal", "signals__signal__book", "signals__signal__decisions__code", "signals__signal__status")
    sent = Copy.objects.filter(pk__in=[copy.pk for copy in copies], status=CopyStatus.SENT)
    return {pk: (signal, book, code or status) for pk, signal, book, code, status in sent.values_list(*columns)}


def _report(copies: list[Copy], signals: Signals, *, book: Book) -> Report:
    """Of one book; what was copied in the other one isn't this one's."""
    listed = [copy for copy in copies if signals.get(copy.pk, (0, book, ""))[1] == book]
    own = Position.objects.filter(signal__in=[signals[copy.pk][0] for copy in listed if copy.pk in signals], book=book)
    held = {position.signal_id: position for position in own}
    made = _made([*(copy.position for copy in listed), *held.values()])
    return domain.report(_trade(copy, signals.get(copy.pk), held=held, made=made, book=book) for copy in listed)


def _trade(
    copy: Copy, signal: tuple[int, str, str] | None, *, held: dict[int | None, Position], made: dict[int, Made], book: Book
) -> Trade:
    position = held.get(signal[0]) if signal is not None else None
    # One that a reorganization took back made nothing.
    copied = None if position is None else made.get(position.pk)
    put_up = copy.fill.collateral_usdc + copy.fill.fee_usdc
    unsent = copy.reason if signal is None else NOT_FILLED if signal[2] == "APPROVED" else signal[2]
    return Trade(
        direction=Direction(copy.position.direction),
        leader=made[copy.position_id],
        put_up=put_up,
        notional=notional(copy.fill.collateral_usdc, copy.fill.leverage_x),
        wanted=_wanted(copy.following, put_up=put_up, book=book),
        copied=copied,
        reason="" if copied is not None else unsent,
    )


def _wanted(following: Following, *, put_up: Usdc, book: Book) -> Usdc:
    """What the following's size asks, before any cap, as its terms are now."""
    terms = following.terms
    if terms.sizing is Sizing.FIXED or terms.share is None:
        return terms.fixed or Usdc.zero()
    of = put_up if terms.sizing is Sizing.MIRROR else _equity(following, book=book)
    share: Usdc = of.times_down(terms.share.raw, Percent.HUNDRED)
    return share


def _equity(following: Following, *, book: Book) -> Usdc:
    """As it was last measured."""
    found = Equity.objects.filter(trader=following.follower_id, book=book).values_list("equity_usdc", flat=True).first()
    return found or Usdc.zero()


def _made(positions: Iterable[Position]) -> dict[int, Made]:
    """What positions made, in parts. One query; each position is of one book."""
    wanted = {position.pk: position for position in positions}
    opened = ExpressionWrapper(F("collateral_usdc") * F("leverage_x"), output_field=UsdcField())
    size = Case(When(kind__in=sorted(OPENING), then=opened), default=Value(0), output_field=UsdcField())
    sums = Fill.objects.canonical().filter(position__in=wanted).order_by().values("position_id")
    rows = sums.annotate(
        size=Sum(size),
        price=Sum("price_pnl_usdc"),
        fees=Sum("fee_usdc"),
        carrying=Sum(F("rollover_usdc") + F("funding_usdc"), output_field=UsdcField()),
    )
    return {
        row["position_id"]: Made(
            notional=row["size"],
            entry=wanted[row["position_id"]].entry_price,
            price_pnl=row["price"],
            fees=row["fees"],
            carrying=row["carrying"],
        )
        for row in rows
    }


def _row(following_id: int, day: date, book: Book, report: Report, *, at: datetime) -> Tracking:
    parts = report.parts
    return Tracking(
        following_id=following_id,
        day=day,
        book=book,
        trades=report.trades,
        leader_net_usdc=report.leader_net,
        leader_basis_usdc=report.leader_basis,
        leader_return_pct=report.leader_return,
        follower_net_usdc=report.follower_net,
        follower_basis_usdc=report.follower_basis,
        follower_return_pct=report.follower_return,
        expected_usdc=report.expected,
        not_copied={why: str(amount) for why, amount in parts.not_copied.items()},
        not_copied_usdc=parts.missed,
        size_usdc=parts.size,
        entry_usdc=parts.entry,
        exit_usdc=parts.exit,
        fees_usdc=parts.fees,
        carrying_usdc=parts.carrying,
        measured_at=at,
    )
