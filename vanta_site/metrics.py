"""`/metrics`: this process's own numbers, and every total that the ledger knows, in Prometheus's text.

The totals are read from the database at each scrape, so that scraping this one place sees every
violation, whichever process it happened in. Labels are bounded: no id of a signal, a person or a transaction.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.db.models import Count, Min, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric

from execution.adapters import rpc_metrics
from execution.domain.intent import LIFECYCLE, UNMINED, IntentKind, IntentStatus
from execution.models import Sender, TxIntent, TxSend
from risk.domain.decision import Denial, Verdict
from risk.domain.halt import TradingState
from risk.domain.lock import LockKind
from risk.models import Decision, Halt, Lock, LossDay
from trading import clock, selectors
from trading.domain.mode import Mode
from trading.domain.price import Rejection
from trading.domain.units import Usdc
from trading.models import AuditRow, Event, Market, Position, Quote, Signal, Source
from vanta_site import outbox_metrics, reconciliation_metrics, standing
from vanta_site.components import WORKERS, look
from vanta_site.models import Heartbeat
from vanta_site.probes import Component, Status
from vanta_site.standing import Standing
from vanta_site.tallies import Labels, Tally
from vanta_site.violations import IllegalMoves, second_opens

# A scrape waits no longer than this for a component that hangs.
PATIENCE_SECONDS = 0.3
_STOP_RAISED = Q(after__emergency_stop=True) | Q(after__environment_stop=True)
ENDED = sorted(str(status) for status in LIFECYCLE.terminal)


@never_cache
@require_safe
def scrape(_: HttpRequest) -> HttpResponse:
    """Everything, unless metrics are off."""
    if not settings.METRICS_ENABLED:
        raise Http404
    # The endpoints' label sets stand at 0 also before anybody asked one.
    rpc_metrics.prepare(len(settings.BASE_RPC_URLS))
    text = generate_latest(REGISTRY) + generate_latest(_ledger())
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


@cache
def _ledger() -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(LedgerCollector())
    return registry


class LedgerCollector:
    """Reads the totals; one in a process, since it remembers what is settled."""

    def __init__(self) -> None:
        self._received = Tally(Signal.objects.all, "source__name")
        self._denied = Tally(lambda: Decision.objects.filter(verdict=Verdict.DENIED), "signal__source__name", "code")
        self._created = Tally(TxIntent.objects.all, "kind")
        self._sends = Tally(TxSend.objects.all)
        # An intent's end is written down once, and never leaves it.
        self._ended = Tally(lambda: Event.objects.filter(kind__in=[f"intent.{word.lower()}" for word in ENDED]), "kind")
        self._switched = Tally(
            lambda: AuditRow.objects.filter(action="mode.change", after__has_key="configured"),
            "before__configured",
            "after__configured",
        )
        self._stopped = Tally(lambda: AuditRow.objects.filter(_STOP_RAISED, action="mode.change"))
        # Fills come from one lane. With a margin this small PostgreSQL looks each new one up, and reads no table.
        self._duplicates = Tally(second_opens, margin=1_000)
        self._illegal = IllegalMoves()

    def describe(self) -> Iterable[Metric]:
        """Nothing: otherwise registering would already read the database."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Every family."""
        seen, stands = look(patience_seconds=PATIENCE_SECONDS)
        yield from _components(seen)
        # Without the database the rest can't be known; what is missing says so itself.
        if seen["database"].status is Status.UNHEALTHY:
            return
        yield from self._flow()
        yield from self._violations()
        yield from _mode(stands or standing.read(), switched=self._switched.read(), stopped=self._stopped.read()[()])
        yield from _state(ended=self._ended.read())
        yield from _losses()
        yield from _surroundings()
        yield from outbox_metrics.families()
        yield from reconciliation_metrics.families()

    def _flow(self) -> Iterator[Metric]:
        sources = list(Source.objects.values_list("name", flat=True))
        denied = self._denied.read()
        by_code: dict[Labels, float] = {}
        for (_, code), number in denied.items():
            by_code[code,] = by_code.get((code,), 0) + number
        pairs = [(source, str(code)) for source in sources for code in Denial]
        yield _counter(
            "vanta_signals_received", "Signals stored.", ["source"], self._received.read(), [(name,) for name in sources]
        )
        yield _counter("vanta_signals_rejected", "Signals denied.", ["source", "code"], denied, pairs)
        yield _counter(
            "vanta_risk_denials", "Denials by their first reason.", ["code"], by_code, [(str(code),) for code in Denial]
        )
        kinds = [(str(kind),) for kind in IntentKind]
        yield _counter("vanta_intent_created", "On-chain effects owed.", ["kind"], self._created.read(), kinds)
        yield _counter("vanta_tx_submissions", "Offers signed and stored for the wire.", [], self._sends.read(), [()])

    def _violations(self) -> Iterator[Metric]:
        yield _counter(
            "vanta_intent_duplicate",
            "Second canonical opening fills of a position: two effects for one signal.",
            [],
            self._duplicates.read(),
            [()],
        )
        yield _counter(
            "vanta_intent_illegal_transition",
            "Moves in the journal that the table doesn't have, since this process began to look.",
            [],
            {(): self._illegal.read()},
            [()],
        )


def _mode(stands: Standing, *, switched: Mapping[Labels, int], stopped: int) -> Iterator[Metric]:
    modes = {(str(mode),): float(stands.holds.mode is mode) for mode in Mode}
    moves = [(str(source), str(target)) for source in Mode for target in Mode if source is not target]
    yield _gauge("vanta_exec_mode", "The mode that holds in this process.", ["mode"], modes)
    yield _gauge("vanta_emergency_stop", "Whether the desk is stopped.", [], {(): float(stands.holds.emergency_stop)})
    yield _gauge(
        "vanta_redis_health_streak",
        "Healthy looks at the switch in a row, by the watch or by this process.",
        [],
        {(): stands.streak},
    )
    changes = {pair: number for pair, number in switched.items() if pair in moves}
    yield _counter("vanta_exec_mode_changes", "Switches of the mode that people want.", ["from", "to"], changes, moves)
    yield _counter("vanta_emergency_stop_activations", "Stops raised.", [], {(): stopped}, [()])


def _state(*, ended: Mapping[Labels, int]) -> Iterator[Metric]:
    now = clock.now()
    waiting = TxIntent.objects.filter(closed_at=None).order_by()
    by_status: dict[Labels, float] = {(str(status),): 0.0 for status in IntentStatus}
    by_status |= {(kind.removeprefix("intent.").upper(),): number for (kind,), number in ended.items()}
    by_status |= {(status,): number for status, number in waiting.values_list("status").annotate(rows=Count("pk"))}
    yield _gauge("vanta_intents", "Intents by status.", ["status"], by_status)
    oldest = waiting.aggregate(oldest=Min("created_at"))["oldest"]
    yield _gauge(
        "vanta_oldest_unsettled_intent_seconds",
        "Age of the oldest intent to which something is owed.",
        [],
        {(): _age(oldest, now)},
    )
    in_flight: dict[Labels, float] = {(address,): 0.0 for address in Sender.objects.values_list("address", flat=True)}
    flying = waiting.filter(status__in=[str(status) for status in UNMINED])
    in_flight |= {(address,): number for address, number in flying.values_list("sender__address").annotate(rows=Count("pk"))}
    yield _gauge("vanta_sender_in_flight", "Intents with a nonce that the chain hasn't used.", ["sender"], in_flight)
    symbols: dict[Labels, float] = {(symbol,): 0.0 for symbol in Market.objects.values_list("symbol", flat=True)}
    held = Position.objects.open().ours().order_by().values_list("market__symbol").annotate(rows=Count("pk"))
    yield _gauge("vanta_open_positions", "Open positions.", ["symbol"], symbols | {(symbol,): number for symbol, number in held})


def _losses() -> Iterator[Metric]:
    now = clock.now()
    running = LossDay.objects.running(at=now).filter(limit_usdc__gt=Usdc.zero()).values_list("loss_usdc", "limit_usdc")
    # Exactly 1 at the limit: whoever may lose nothing has no share of it.
    worst = max((lost.raw / limit.raw for lost, limit in running if limit is not None), default=0.0)
    yield _gauge(
        "vanta_daily_loss_used_ratio", "The largest share of a day's limit that an account has lost.", [], {(): max(0.0, worst)}
    )
    kinds: dict[Labels, float] = {(str(kind),): 0.0 for kind in LockKind}
    held = Lock.objects.holding(at=now).order_by().values_list("kind").annotate(rows=Count("pk"))
    yield _gauge("vanta_locks", "Locks that hold.", ["kind"], kinds | {(kind,): number for kind, number in held})
    states: dict[Labels, float] = {(str(state),): 0.0 for state in TradingState if state is not TradingState.ACTIVE}
    halted = Halt.objects.holding(at=now).order_by().values_list("state").annotate(rows=Count("pk"))
    yield _gauge("vanta_halts", "Scopes by trading state.", ["state"], states | {(state,): number for state, number in halted})


def _components(seen: Mapping[str, Component]) -> Iterator[Metric]:
    up = {(name,): float(component.status in (Status.HEALTHY, Status.DEGRADED)) for name, component in seen.items()}
    yield _gauge("vanta_component_up", "Whether a component works.", ["component"], up)
    lag = seen["indexer"].facts.get("lag_blocks")
    yield _gauge(
        "vanta_indexer_lag_blocks", "Blocks between the chain's head and our reading.", [], {} if lag is None else {(): lag}
    )


def _surroundings() -> Iterator[Metric]:
    now = clock.now()
    beats: dict[Labels, float] = {(process,): 0.0 for process in WORKERS}
    beats |= {(row.process,): row.at.timestamp() for row in Heartbeat.objects.all()}
    yield _gauge("vanta_worker_heartbeat_timestamp_seconds", "Last sign of life; 0 for none ever.", ["process"], beats)
    yield from _sources()
    yield from _prices(now)
    build = InfoMetricFamily("vanta_build", "What runs here.")
    build.add_metric([], {"version": settings.DEPLOY_VERSION, "environment": settings.DEPLOY_ENV})
    yield build


def _sources() -> Iterator[Metric]:
    """Instants, so that a rule says how long is too long; the heartbeat beside them says it for each source."""
    rows = list(Source.objects.filter(is_internal=False, is_enabled=True).order_by("pk"))
    # Who was never heard is counted from when he was admitted.
    heard: dict[Labels, float] = {(row.name,): (row.last_heard_at or row.created_at).timestamp() for row in rows}
    beats: dict[Labels, float] = {(row.name,): row.heartbeat_seconds for row in rows if row.heartbeat_seconds is not None}
    yield _gauge("vanta_source_last_heard_timestamp_seconds", "When a source last proved itself.", ["source"], heard)
    yield _gauge("vanta_source_heartbeat_seconds", "How long a source may be silent.", ["source"], beats)


def _prices(now: datetime) -> Iterator[Metric]:
    board = selectors.price_board(now=now)
    # A quote that never came is as old as can be: a gauge that isn't there would never alert.
    ages: dict[Labels, float] = {(symbol, feed.name): math.inf for feed in board.feeds for symbol in feed.symbols}
    quoted = Quote.objects.order_by().values_list("market__symbol", "source", "published_at")
    ages |= {(symbol, source): _age(at, now) for symbol, source, at in quoted if (symbol, source) in ages}
    yield _gauge("vanta_price_age_seconds", "Age of a source's newest quote.", ["symbol", "source"], ages)
    # Those that were never asked yet too.
    named = {*settings.PRICE_SOURCES, *(feed.name for feed in board.feeds)}
    rejected = {(feed.name, reason): number for feed in board.feeds for reason, number in feed.rejections.items()}
    pairs = [(name, str(reason)) for name in named for reason in Rejection]
    yield _counter("vanta_price_rejected", "Quotes that didn't count.", ["source", "reason"], rejected, pairs)
    well = {(name,): float(name in board.healthy) for name in named}
    yield _gauge("vanta_price_source_healthy", "Whether a source answers and is believed.", ["source"], well)


def _age(instant: datetime | None, now: datetime) -> float:
    return 0.0 if instant is None else max(0.0, (now - instant).total_seconds())


def _counter(name: str, text: str, labels: list[str], values: Mapping[Any, float], always: Iterable[Labels]) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels)
    for key, value in ({tuple(each): 0.0 for each in always} | dict(values)).items():
        family.add_metric([str(part) for part in key], value)
    return family


def _gauge(name: str, text: str, labels: list[str], values: Mapping[Any, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric([str(part) for part in key], value)
    return family
