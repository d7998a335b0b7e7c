"""Locks: temporary blocks of entries, placed by rules and people, lifted before their time by people only."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from risk.domain import authority
from risk.domain.lock import LIFTING, LockKind, LockPlan, outlasts
from risk.models import Lock
from risk.models.bounded import ENDING
from trading import locks
from trading.domain.errors import Conflict, Invalid
from trading.domain.mode import Book
from trading.domain.people import Act, Person
from trading.kinds import piece, write
from trading.models import Market, Trader
from trading.services import audit, journal

SUPERSEDED = "a longer one took its place"


class LockUnknown(Invalid):
    """There is no such lock, account or market."""

    code = "LOCK_UNKNOWN"


class LockEnded(Conflict):
    """The lock holds no longer."""

    code = "LOCK_ENDED"


@write
def place(
    *,
    tg_user_id: int,
    book: Book,
    symbol: str | None,
    person: Person,
    reason: str,
    at: datetime,
    until: datetime | None = None,
) -> Lock:
    """Block an account's entries in a market, or in all, by a person's word; a longer block that holds stands.

    Raises:
        ReasonMissing: if nobody says why.
        NotAllowed: if the person may not.
        LockUnknown: if there is no such account or market, or it would end before it begins.
    """
    authority.check(person, Act.LOCK, reason=reason, account=tg_user_id)
    if until is not None and until <= at:
        raise LockUnknown("it would end before it begins", field="until")
    trader = _trader(tg_user_id)
    plan = LockPlan(
        kind=LockKind.MANUAL, symbol=symbol, value="locked", limit="unlocked", reason=reason, caused_at=at, until=until
    )
    place_all([plan], trader=trader, book=book, by=person.name, at=at)
    held = Lock.objects.holding(at=at).of(trader_id=trader.pk, book=book)
    return held.select_related("market").get(kind=LockKind.MANUAL, market__symbol=symbol)


@piece
def place_all(plans: Iterable[LockPlan], *, trader: Trader, book: Book, by: str, at: datetime) -> list[Lock]:
    """Place the locks that aren't there; the caller holds the account's lock. What the same fact locked once isn't news."""
    wanted = list(plans)
    if not wanted:
        return []
    earliest = min(plan.caused_at for plan in wanted)
    near = Lock.objects.of(trader_id=trader.pk, book=book).filter(Q(ended_at=None) | Q(caused_at__gte=earliest))
    rows = list(near.select_related("market"))
    markets = _markets(plan.symbol for plan in wanted)
    placed = []
    for plan in wanted:
        same = [row for row in rows if (row.kind, row.market) == (plan.kind, markets.get(plan.symbol or ""))]
        if not _is_news(plan, same, at=at):
            continue
        for row in (row for row in same if row.ended_at is None):
            _close(row, by=by, reason=SUPERSEDED, at=at)
        placed.append(_begin(plan, trader=trader, book=book, market=markets.get(plan.symbol or ""), by=by, at=at))
    return placed


@write
def lift(*, lock_id: int, person: Person, reason: str, at: datetime) -> Lock:
    """End a lock before its time.

    Raises:
        ReasonMissing: if nobody says why.
        NotAllowed: if the person may not lift locks of this kind.
        LockUnknown: if there is no such lock.
        LockEnded: if it holds no longer.
    """
    trader_id = Lock.objects.filter(pk=lock_id).values_list("trader_id", flat=True).first()
    if trader_id is None:
        raise LockUnknown("there is no such lock", field="lock", lock=lock_id)
    locks.accounts([trader_id])
    row = Lock.objects.select_related("market", "trader").get(pk=lock_id)
    authority.check(person, LIFTING[LockKind(row.kind)], reason=reason, account=row.trader.account)
    if not row.holds(at=at):
        raise LockEnded("it holds no longer", lock=lock_id)
    _close(row, by=person.name, reason=reason, at=at)
    _note("lock.lift", row, by=person.name, before={"lock": str(row.as_active())}, after={}, reason=reason, at=at)
    journal.record("risk.lock_lifted", row, at=at, kind=row.kind, by=person.name, reason=reason)
    return row


def _is_news(plan: LockPlan, same: list[Lock], *, at: datetime) -> bool:
    if any(row.caused_at >= plan.caused_at for row in same):
        return False
    return all(outlasts(plan.until, row.until) for row in same if row.holds(at=at))


def _begin(plan: LockPlan, *, trader: Trader, book: Book, market: Market | None, by: str, at: datetime) -> Lock:
    row = Lock.objects.create(
        trader=trader,
        book=book,
        market=market,
        kind=plan.kind,
        value=plan.value,
        limit=plan.limit,
        reason=plan.reason,
        placed_by=by,
        since=at,
        caused_at=plan.caused_at,
        until=plan.until,
    )
    _note("lock.place", row, by=by, before={}, after={"lock": str(row.as_active())}, reason=plan.reason, at=at)
    journal.record("risk.locked", row, at=at, kind=plan.kind, book=book, symbol=plan.symbol, value=plan.value, limit=plan.limit)
    return row


def _close(row: Lock, *, by: str, reason: str, at: datetime) -> None:
    row.end(by=by, reason=reason, at=at)
    row.save(update_fields=ENDING)


def _note(action: str, row: Lock, *, by: str, before: dict[str, str], after: dict[str, str], reason: str, at: datetime) -> None:
    subject = f"lock:{row.pk} account:{row.trader.account}"
    audit.record(actor=by, action=action, subject=subject, before=before, after=after, reason=reason, at=at)


def _trader(tg_user_id: int) -> Trader:
    found = Trader.objects.filter(tg_user_id=tg_user_id).values_list("pk", flat=True).first()
    if found is None:
        raise LockUnknown("there is no such account", field="tg_user_id", tg_user_id=tg_user_id)
    (trader,) = locks.accounts([found])
    return trader


def _markets(symbols: Iterable[str | None]) -> dict[str, Market]:
    named = {symbol for symbol in symbols if symbol is not None}
    found = {market.symbol: market for market in Market.objects.filter(symbol__in=named)} if named else {}
    if missing := named - found.keys():
        raise LockUnknown(f"there is no market {sorted(missing)[0]}", field="symbol")
    return found
