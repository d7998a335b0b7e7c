"""The components of the desk, each with its check."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache

import redis
from celery import current_app
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from kombu.exceptions import OperationalError as BrokerError

from execution import conf as execution_conf
from execution.domain.endpoint import EndpointState
from execution.models import Cursor, Sender
from execution.services import indexing
from trading import clock, selectors
from trading.domain.errors import Unavailable
from trading.models import Market, PriceFeed
from trading.selectors import PriceBoard
from vanta_site import standing
from vanta_site.models import Heartbeat
from vanta_site.probes import PATIENCE_SECONDS, Component, Group, Prober, Status, degraded, healthy, unhealthy
from vanta_site.standing import Standing

# The name under which the prober knows how the desk stands.
MODE = "mode"
# Processes that must show a sign of life; `webhook` shows it by answering.
WORKERS = ("worker", "tpsl", "indexer", "sweeper")
HEARTBEAT_LIMIT = timedelta(seconds=15)
# Blocks that the indexer may lag before somebody should look: half a minute of the chain.
LAG_LIMIT = 15


@dataclass(slots=True)
class _Known:
    """What a check learned and another one, or the answer, needs; each is written by one thread only."""

    migrations_applied: bool = False
    standing: Standing | None = None
    head: int | None = None


known = _Known()


def execution_mode() -> Component:
    """How the desk stands could be read; not a component, but asked like one, since a switch that is down costs its timeout."""
    known.standing = standing.read()
    return healthy()


def database() -> Component:
    """PostgreSQL answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return healthy()


def migrations() -> Component:
    """Every migration is applied; once true, it stays so while this process lives."""
    if not known.migrations_applied:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if waiting:
            return unhealthy(f"{len(waiting)} to apply: run manage.py migrate")
        known.migrations_applied = True
    return healthy()


def workers() -> Component:
    """Every process has shown a sign of life lately."""
    now = clock.now()
    beats = dict(Heartbeat.objects.values_list("process", "at"))
    silent = [name for name in WORKERS if name not in beats or now - beats[name] > HEARTBEAT_LIMIT]
    return unhealthy(f"silent: {', '.join(silent)}", silent=silent) if silent else healthy()


def price_feeds() -> Component:
    """Every listed market has a price that its sources agree on, and every source is well."""
    now = clock.now()
    listed = list(Market.objects.filter(is_listed=True).order_by("symbol").values_list("symbol", flat=True))
    board = selectors.price_board(now=now, symbols=listed)
    missing = [f"{symbol} {view.trouble}" for symbol, view in board.views.items() if view.trouble is not None]
    unwell = [feed.name for feed in board.feeds if feed.name not in board.healthy]
    sources = [_feed(feed, board) for feed in board.feeds]
    if len(missing) == len(listed):
        return unhealthy(f"no price: {', '.join(missing) or 'no market is listed'}", sources=sources)
    if missing:
        return degraded(f"no price: {', '.join(missing)}", sources=sources)
    return degraded(f"not well: {', '.join(unwell)}", sources=sources) if unwell else healthy(sources=sources)


def _feed(feed: PriceFeed, board: PriceBoard) -> dict[str, object]:
    return {
        "source": feed.name,
        "healthy": feed.name in board.healthy,
        "last_success": feed.answered_at.isoformat() if feed.answered_at else None,
        "error": feed.error,
    }


def signer() -> Component:
    """The key's account is a sender of ours."""
    desk = execution_conf.desk()
    sender = Sender.objects.filter(chain_id=settings.CHAIN_ID, address=desk.signer.address).first()
    if sender is None:
        return unhealthy("not enlisted: run manage.py sender sync", address=desk.signer.address)
    look = healthy if sender.status == "ACTIVE" else degraded
    return look(sender.status, address=sender.address)


def redis_server() -> Component:
    """Redis answers a ping."""
    try:
        _redis().ping()
    except redis.RedisError as error:
        return unhealthy(type(error).__name__)
    return healthy()


@cache
def _redis() -> redis.Redis:
    timeout = settings.REDIS_TIMEOUT_SECONDS
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=timeout, socket_connect_timeout=timeout, retry=None)


def broker() -> Component:
    """The broker takes a connection, made the way Celery makes it."""
    try:
        with current_app.connection_for_write() as way:
            way.connect()
    except (redis.RedisError, BrokerError, OSError) as error:
        return unhealthy(type(error).__name__)
    return healthy()


def rpc() -> Component:
    """Some endpoint of the chain answers with its head, and none of the others fails or is behind."""
    known.head = None
    chain = execution_conf.desk().chain
    known.head = chain.head().number
    states = chain.states()
    shown = [_shown(state) for state in states]
    unwell = [str(state.endpoint) for state in states if state.needs_a_look]
    if unwell:
        return degraded(f"not well: {', '.join(unwell)}", head=known.head, endpoints=shown)
    return healthy(head=known.head, endpoints=shown)


def _shown(state: EndpointState) -> dict[str, object]:
    return {
        "endpoint": state.endpoint,
        "healthy": state.is_healthy,
        "primary": state.is_primary,
        "faults": state.faults,
        "head": state.head,
    }


def indexer() -> Component:
    """The venue's events are read nearly up to the head."""
    read = Cursor.objects.filter(stream=indexing.STREAM).values_list("number", flat=True).first()
    if read is None:
        return unhealthy("has never run: run manage.py sender sync")
    if known.head is None:
        raise Unavailable("the chain's head isn't known")
    lag = max(0, known.head - read)
    return healthy(lag_blocks=lag) if lag <= LAG_LIMIT else degraded(f"{lag} blocks behind", lag_blocks=lag)


def telegram() -> Component:
    """Off without a token; it never takes the desk down."""
    is_set = bool(settings.TELEGRAM_BOT_TOKEN)
    return healthy("configured") if is_set else Component(status=Status.DISABLED, detail="no token")


@cache
def prober() -> Prober:
    """This process's prober, made after the fork."""
    return Prober(
        (
            Group(
                name="ledger",
                checks=(
                    ("database", database),
                    ("migrations", migrations),
                    ("celery", workers),
                    ("price_feeds", price_feeds),
                    ("signer", signer),
                ),
            ),
            Group(name="mode", checks=((MODE, execution_mode),)),
            Group(name="redis", checks=(("redis", redis_server),)),
            Group(name="broker", checks=(("broker", broker),)),
            Group(name="chain", checks=(("rpc", rpc), ("indexer", indexer))),
            Group(name="telegram", checks=(("telegram", telegram),)),
        )
    )


def look(*, patience_seconds: float = PATIENCE_SECONDS) -> tuple[dict[str, Component], Standing | None]:
    """Every component, and how the desk stands if that could be read in time."""
    seen = prober().look(patience_seconds=patience_seconds)
    could_be_read = seen.pop(MODE).status is Status.HEALTHY
    return seen, known.standing if could_be_read else None
