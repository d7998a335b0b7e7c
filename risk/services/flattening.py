"""Flattening: a scope is put on exits only, and everything open in it gets one close of its own.

Each close is a signal whose id is the position's, so whoever works a job, however often and wherever he dies:
a position gets one. What is opened meanwhile, by an order that was under way, is closed too.
"""

import json
from datetime import datetime, timedelta

from django.db.models import Count, Q, QuerySet, Sum

from risk.domain import authority
from risk.domain.decision import Action
from risk.domain.flatten import Extent, FlattenStatus, Progress
from risk.domain.halt import HaltScope, TradingState
from risk.models import Flatten, Leg
from risk.services import halts
from trading import doorbell
from trading.domain.mode import Book
from trading.domain.people import Act, Person
from trading.domain.position import PositionStatus
from trading.domain.signal import Side, SignalRequest, SignalStatus, intent_key
from trading.domain.units import Usdc
from trading.kinds import step, write
from trading.models import Position, Signal, Source
from trading.services import audit, journal, signals

# Whose signals the closes are: a person's hand, which no trading state refuses.
SOURCE = "console"
# How often a job counts what it waits for.
PAUSE = timedelta(seconds=2)


@write
def start(*, scope: HaltScope, key: str, book: Book, person: Person, reason: str, at: datetime) -> Flatten:
    """Put a scope on exits only and owe a close to everything open in it; a job that runs there already is the answer.

    Raises:
        ReasonMissing: if nobody says why.
        NotAllowed: if the person may not.
        ScopeUnknown: if there is nothing of that name.
    """
    key = halts.checked_key(scope, key)
    authority.check(person, Act.FLATTEN, reason=reason, account=int(key) if scope is HaltScope.USER else None)
    halts.tighten(scope=scope, key=key, state=TradingState.REDUCING, person=person, reason=reason, at=at)
    running = Flatten.objects.filter(scope=scope, key=key, book=book, status=FlattenStatus.RUNNING).first()
    return running or _begin(scope, key, book=book, person=person, reason=reason, at=at)


@step
def work(*, job_id: int, at: datetime) -> Progress:
    """Send the closes that are missing, and count what became of the others."""
    job = Flatten.objects.get(pk=job_id)
    if job.status != FlattenStatus.RUNNING:
        return job.progress
    source = Source.objects.get(name=SOURCE)
    for position in _unnamed(job).select_related("trader", "market"):
        _close(position, job=job, source=source, at=at)
    return _count(job_id, at=at)


def progress(job: Flatten) -> Progress:
    """What became of a job's positions, counted now. Four queries."""
    named = list(_closes(job).values_list("position_id", "position__status", "status"))
    closing = set(
        _under_way(job, Action.CLOSE).filter(position__in=[pk for pk, _, _ in named]).values_list("position_id", flat=True)
    )
    left = [(pk, status) for pk, held, status in named if held == PositionStatus.OPEN]
    # What somebody else is closing counts as waiting too: our own close may have found nothing left to do.
    waiting = sum(status == SignalStatus.RECEIVED or pk in closing for pk, status in left)
    return Progress(
        closed=len(named) - len(left),
        waiting=waiting + _unnamed(job).count(),
        failed=len(left) - waiting,
        opening=_under_way(job, Action.OPEN).filter(_within(job.scope, job.key, opener="decision__signal")).count(),
    )


def extent(*, scope: HaltScope, key: str, book: Book) -> Extent:
    """What a job would close, said before it is begun.

    Raises:
        ScopeUnknown: if there is nothing of that name.
    """
    key = halts.checked_key(scope, key)
    sums = (
        Position.objects.open()
        .ours()
        .filter(_within(scope, key, opener="signal"), book=book)
        .aggregate(positions=Count("pk"), accounts=Count("trader", distinct=True), collateral=Sum("collateral_usdc"))
    )
    return Extent(positions=sums["positions"], accounts=sums["accounts"], collateral=sums["collateral"] or Usdc.zero())


def _begin(scope: HaltScope, key: str, *, book: Book, person: Person, reason: str, at: datetime) -> Flatten:
    job = Flatten.objects.create(
        scope=scope, key=key, book=book, reason=reason, started_by=person.name, started_at=at, next_action_at=at
    )
    would = extent(scope=scope, key=key, book=book)
    audit.record(
        actor=person.name,
        action="flatten.start",
        subject=f"flatten:{job.pk} {job}",
        before={},
        after={"positions": would.positions, "accounts": would.accounts, "collateral_usdc": str(would.collateral)},
        reason=reason,
        at=at,
    )
    journal.record("flatten.started", job, at=at, scope=scope, key=key, book=book, by=person.name, extent=str(would))
    doorbell.ring("flatten.started", key=job.pk)
    return job


def _close(position: Position, *, job: Flatten, source: Source, at: datetime) -> None:
    said: dict[str, str | int] = {
        "source": SOURCE,
        "signal_id": _signal_id(job, position.pk),
        "tg_user_id": position.trader.account,
        "symbol": position.market.symbol,
        "side": Side.CLOSE,
        "position": position.pk,
    }
    request = SignalRequest(
        source=SOURCE,
        signal_id=_signal_id(job, position.pk),
        tg_user_id=position.trader.account,
        symbol=position.market.symbol,
        side=Side.CLOSE,
        position_id=position.pk,
    )
    signals.accept(request=request, raw=json.dumps(said).encode(), source=source, at=at)


@write
def _count(job_id: int, *, at: datetime) -> Progress:
    job = Flatten.objects.select_for_update(no_key=True).get(pk=job_id)
    if job.status != FlattenStatus.RUNNING:
        return job.progress
    job.count(progress(job), next_at=at + PAUSE, at=at)
    job.save(update_fields=_COUNTED)
    if job.status != FlattenStatus.RUNNING:
        journal.record("flatten.ended", job, at=at, status=job.status, progress=str(job.progress))
    return job.progress


_COUNTED = ["status", "closed", "waiting", "failed", "opening", "ended_at", "next_action_at"]


def _signal_id(job: Flatten, position_id: int | str) -> str:
    return f"flatten:{job.pk}:{position_id}"


def _closes(job: Flatten) -> QuerySet[Signal]:
    return Signal.objects.filter(intent_key__startswith=intent_key(source=SOURCE, signal_id=_signal_id(job, "")))


def _unnamed(job: Flatten) -> QuerySet[Position]:
    """What is open in a job's scope and has no close of the job yet."""
    held = Position.objects.open().ours().filter(_within(job.scope, job.key, opener="signal"), book=job.book)
    return held.exclude(pk__in=_closes(job).values("position_id")).order_by("pk")


def _under_way(job: Flatten, action: Action) -> QuerySet[Leg]:
    return Leg.objects.holding_room().filter(book=job.book, action=action)


def _within(scope: str, key: str, *, opener: str) -> Q:
    """The rows of a scope, by their trader, their market, or the signal that opened them."""
    match HaltScope(scope):
        case HaltScope.SYMBOL:
            return Q(market__symbol=key)
        case HaltScope.USER:
            return Q(trader__tg_user_id=key)
        case HaltScope.SOURCE:
            # As a decision knows them: a source of our own by its whole name too (`copy:0x…`).
            whole = {f"{opener}__source__is_internal": True, f"{opener}__source_name": key}
            return Q((f"{opener}__source__name", key)) | Q(**whole)
    return Q()
