"""The sweep: lanes with due rows, stage by stage. It makes every lost ring harmless.

Beat rings each such lane (`ring_due`); the `sweeper` process works those that nobody has worked for
a while itself (`work_overdue`), without a broker.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db.models import Exists, Max, OuterRef
from django.db.models.functions import Greatest

from bots import conf as bots_conf
from bots.models import Channel, Delivery
from bots.services import collecting, deliveries
from execution import conf as execution_conf
from execution.models import Cursor, TxIntent
from execution.services import indexing, level_updates, orders, paper_liquidations, reconciliation, senders
from risk import conf as risk_conf
from risk.models import Flatten, Leg
from risk.services import copies, copying, decisions, flattening, losses
from trading import clock, conf
from trading.models import PriceFeed, Signal
from trading.services import firings, prices, protecting
from vanta_site import pipeline

log = structlog.get_logger(__name__)

# The workers' time to follow a ring, before the sweeper does their work.
OVERDUE = timedelta(seconds=3)
# Prices are refreshed each second, and worth nothing to an entry after five.
PRICES_OVERDUE = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of the pipeline: the task that works a lane, which lanes are due, and the same work done here."""

    task: str
    due: Callable[[datetime], Iterable[int]]
    work: Callable[[int], object]


def _accounts_with_signals(before: datetime) -> Iterable[int]:
    return Signal.objects.filter(next_action_at__lte=before).values_list("trader_id", flat=True).distinct()


def _accounts_with_legs(before: datetime) -> Iterable[int]:
    return Leg.objects.filter(next_action_at__lte=before).values_list("trader_id", flat=True).distinct()


def _senders_with_intents(before: datetime) -> Iterable[int]:
    return TxIntent.objects.filter(next_action_at__lte=before).values_list("sender_id", flat=True).distinct()


def _streams(_: datetime) -> Iterable[int]:
    return Cursor.objects.values_list("pk", flat=True)


def _flattens(before: datetime) -> Iterable[int]:
    return Flatten.objects.filter(next_action_at__lte=before).values_list("pk", flat=True)


def _journal(_: datetime) -> Iterable[int]:
    # The one reader's key.
    return [0] if collecting.is_behind() else []


def _channels(before: datetime) -> Iterable[int]:
    ready = Delivery.objects.ready(at=before).filter(channel=OuterRef("pk"))
    return Channel.objects.open(at=before).filter(Exists(ready)).values_list("pk", flat=True)


STAGES: tuple[Stage, ...] = (
    # These two are worked last of all by the sweeper: ours stand whatever the venue holds, and it may take its time to answer.
    Stage(
        task="execution.reconcile",
        due=lambda before: [0] if reconciliation.due(at=before) else [],
        work=lambda _: reconciliation.look_due(desk=execution_conf.desk(), clock=clock.now),
    ),
    Stage(
        task="execution.levels",
        due=lambda before: level_updates.due(before=before),
        work=lambda pk: level_updates.keep_in_step(position_id=pk, desk=execution_conf.desk(), at=clock.now()),
    ),
    Stage(
        task="trading.close",
        due=lambda before: protecting.unsent(before=before),
        work=lambda pk: firings.send(firing_id=pk, at=clock.now()),
    ),
    Stage(
        task="risk.copy",
        due=lambda before: copies.due(before=before),
        work=lambda pk: copying.work(following_id=pk, at=clock.now()),
    ),
    Stage(
        task="risk.flatten",
        due=_flattens,
        work=lambda pk: flattening.work(job_id=pk, at=clock.now()),
    ),
    Stage(
        task="risk.drain",
        due=_accounts_with_signals,
        work=lambda pk: decisions.drain(trader_id=pk, switch=conf.mode_switch(), accounts=risk_conf.accounts(), clock=clock.now),
    ),
    Stage(
        task="risk.watch",
        due=lambda before: losses.due(before=before),
        work=lambda pk: losses.watch(trader_id=pk, at=clock.now()),
    ),
    Stage(
        task="execution.order",
        due=_accounts_with_legs,
        work=lambda pk: orders.take_in(trader_id=pk, at=clock.now()),
    ),
    Stage(
        task="execution.drain",
        due=_senders_with_intents,
        work=lambda pk: senders.drain(sender_id=pk, desk=execution_conf.desk(), clock=clock.now),
    ),
    Stage(
        task="execution.index",
        due=_streams,
        work=lambda _: indexing.drain(desk=execution_conf.desk(), clock=clock.now),
    ),
    Stage(
        task="execution.liquidate_paper",
        # The price of now, whoever asks: one of a while ago would take a position that has recovered.
        due=lambda _: paper_liquidations.reached(at=clock.now()),
        work=lambda pk: paper_liquidations.close_reached(trader_id=pk, at=clock.now()),
    ),
)
# What happened, told outside. The sweeper works these beside the stages above: nobody's trade waits for a slow target.
OUTBOX: tuple[Stage, ...] = (
    Stage(
        task="bots.collect",
        due=_journal,
        work=lambda _: collecting.collect(at=clock.now()),
    ),
    Stage(
        task="bots.deliver",
        due=_channels,
        work=lambda pk: deliveries.drain(channel_id=pk, postman=bots_conf.postman(), clock=clock.now),
    ),
)


def ring_due(*, at: datetime) -> int:
    """Ring every lane that has a due row; the number of rings."""
    lanes = [(stage.task, key) for stage in (*STAGES, *OUTBOX) for key in stage.due(at)]
    for task, key in lanes:
        pipeline.send(task, key)
    return len(lanes)


def refresh_overdue_prices(*, at: datetime) -> bool:
    """Ask for prices if nobody has for a while: neither beat nor the broker is needed for them. Whether it was needed."""
    asked = PriceFeed.objects.aggregate(last=Greatest(Max("answered_at"), Max("failed_at")))["last"]
    if asked is not None and at - asked < PRICES_OVERDUE:
        return False
    prices.refresh(sources=conf.price_sources(), sequencer=conf.sequencer_feed(), at=at)
    return True


def watch_over(*, at: datetime) -> int:
    """Make a pass over what is guarded, whoever else does: it needs neither beat nor the broker. How many closes were fired."""
    return protecting.watch(exits=conf.exits(), at=at)


def work_overdue(*, at: datetime) -> int:
    """Work every lane whose rows have been due for longer than OVERDUE; the number of lanes."""
    # What is furthest along first: new signals, each of which waits for a Redis that hangs, must not
    # keep what is on the wire from being watched.
    return _work_all(reversed(STAGES), before=at - OVERDUE)


def tell_overdue(*, at: datetime) -> int:
    """The same for what is told outside."""
    return _work_all(OUTBOX, before=at - OVERDUE)


def _work_all(stages: Iterable[Stage], *, before: datetime) -> int:
    lanes = [(stage, key) for stage in stages for key in list(stage.due(before))]
    for stage, key in lanes:
        _work(stage, key)
    return len(lanes)


def _work(stage: Stage, key: int) -> None:
    try:
        stage.work(key)
    except Exception:
        # A lane that throws must not keep the sweep from the lanes behind it.
        log.exception("sweep.lane_failed", task=stage.task, key=key)
