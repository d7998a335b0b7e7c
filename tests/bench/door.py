"""The door under load, beside a bare view that verifies the MAC and inserts one row: both under gunicorn, in turn."""

import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection

from tests.bench import bare, load
from tests.bench.measure import percentile
from tests.chaos.ground import furnish
from tests.integration.trading.bad_bodies import CASES
from tests.served import served
from trading import clock
from trading.domain import proof, signal_form, strict_json
from trading.domain.errors import Invalid
from trading.models import Signal, Trader

CONNECTIONS = 8
BURST = 1_000
TG_USER_ID = 6_900_000_000
UNLIMITED = {"SOURCE_ENTRIES_PER_MINUTE": "1000000", "LOG_LEVEL": "ERROR"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Answers a second of the door and of the bare view, the door's milliseconds, and what was stored of what it took."""

    per_second: float
    bare_per_second: float
    ratio: float
    p50: float
    p99: float
    accepted: int
    stored: int
    burst_seconds: float
    burst_codes: dict[int, int]
    burst_stored: int
    parse_p99: float


def measure(*, rounds: int, seconds: float) -> Door:
    """Rounds of both in turn, so that a machine that is slow for a while is slow for both."""
    furnish(clock.now())
    Trader.objects.get_or_create(tg_user_id=TG_USER_ID, defaults={"name": "bench", "address": f"0x{TG_USER_ID:040x}"})
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running, connection.cursor() as cursor:
        cursor.execute(bare.TABLE)
        log = Path(folder) / "web.log"
        door = running.enter_context(served(log=log, **UNLIMITED))
        least = running.enter_context(served(log=log, **UNLIMITED, DJANGO_SETTINGS_MODULE="tests.bench.bare_settings"))
        pairs = [(_round(door, f"door-{turn}", seconds), _round(least, f"bare-{turn}", seconds)) for turn in range(rounds)]
        burst = load.all_of(door, _requests("burst"), count=BURST, connections=4 * CONNECTIONS)
    return _door(pairs, burst)


def _door(pairs: list[tuple[load.Answers, load.Answers]], burst: load.Answers) -> Door:
    waits = sorted(wait for ours, _ in pairs for wait in ours.waits)
    return Door(
        per_second=statistics.median(ours.per_second for ours, _ in pairs),
        bare_per_second=statistics.median(theirs.per_second for _, theirs in pairs),
        ratio=statistics.median(ours.per_second / theirs.per_second for ours, theirs in pairs),
        p50=percentile(waits, 50),
        p99=percentile(waits, 99),
        accepted=sum(ours.codes[202] for ours, _ in pairs),
        stored=Signal.objects.filter(signal_id__startswith="door-").count(),
        burst_seconds=burst.seconds,
        burst_codes=dict(burst.codes),
        burst_stored=Signal.objects.filter(signal_id__startswith="burst-").count(),
        parse_p99=_parse_p99(),
    )


def _round(port: int, run: str, seconds: float) -> load.Answers:
    return load.for_seconds(port, _requests(run), seconds=seconds, connections=CONNECTIONS)


def _requests(run: str) -> Callable[[int], bytes]:
    secret = str(settings.WEBHOOK_HMAC_SECRET)
    return lambda number: load.request_of(load.entry(number, run=run, tg_user_id=TG_USER_ID), secret=secret)


def _parse_p99() -> float:
    """Milliseconds of this process that reading one body of the table of hostile ones takes."""
    took = []
    for _ in range(20):
        for case in CASES.values():
            begun = time.process_time()
            proof.named(case.raw)
            _read(case.raw)
            took.append((time.process_time() - begun) * 1000)
    return percentile(sorted(took), 99)


def _read(raw: bytes) -> None:
    with suppress(Invalid):
        signal_form.read(strict_json.parse(raw))
