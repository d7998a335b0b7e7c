"""`manage.py trading_state`, `lock` and `flatten`: each act from the command line, and refusals in one line."""

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from risk.models import Flatten, Halt, Lock
from tests.factories.risk import LockFactory
from tests.factories.trading import MarketFactory, PositionFactory, SourceFactory, TraderFactory
from trading.models import AuditRow, ModeState, Position

pytestmark = pytest.mark.django_db
WHY = ("--reason", "a drill")


@pytest.fixture(autouse=True)
def _desk(db: None) -> None:
    ModeState.objects.get_or_create(pk=1, defaults={"configured": "DRY", "updated_at": "2026-01-01T00:00Z"})
    SourceFactory(name="console", is_internal=True)


def told(command: str, *arguments: Any) -> str:
    said = StringIO()
    call_command(command, *map(str, arguments), stdout=said)
    return said.getvalue()


def refused(command: str, *arguments: Any) -> str:
    with pytest.raises(CommandError) as refusal:
        told(command, *arguments)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def test_a_state_is_set_shown_and_ended() -> None:
    MarketFactory()
    assert told("trading_state", "show") == "GLOBAL ACTIVE\n"

    told("trading_state", "set", "REDUCING", *WHY)
    said = told("trading_state", "set", "HALTED", "--scope", "SYMBOL", "--key", "btcusd", "--minutes", 5, *WHY)

    assert re.fullmatch(r"SYMBOL BTC-USD HALTED by command line: .*: a drill, until \d{4}-.* UTC\n", said)
    assert [line.split(" by ")[0] for line in told("trading_state", "show").splitlines()] == [
        "GLOBAL REDUCING",
        "SYMBOL BTC-USD HALTED",
    ]
    told("trading_state", "set", "ACTIVE", *WHY)
    assert Halt.objects.get(ended_at=None).scope == "SYMBOL"
    assert AuditRow.objects.filter(action="state.change", actor__startswith="command line: ").count() == 3


def test_a_lock_is_placed_listed_and_lifted() -> None:
    account, other = TraderFactory(), LockFactory()
    MarketFactory()

    said = told("lock", "place", "--account", account.tg_user_id, "--symbol", "BTC-USD", *WHY)
    lock = Lock.objects.get(trader=account)

    assert said == (
        f"{lock.pk} {account.tg_user_id} LIVE MANUAL in BTC-USD: a drill; until it is lifted, or lifted by risk or super-admin\n"
    )
    assert told("lock", "list", "--account", account.tg_user_id) == said
    assert len(told("lock", "list").splitlines()) == 2
    assert told("lock", "lift", lock.pk, *WHY) == f"{lock.pk} lifted\n"
    assert told("lock", "list").startswith(f"{other.pk} ")


def test_a_flatten_is_previewed_started_and_shown() -> None:
    PositionFactory()
    assert told("flatten", "preview") == "1 position of 1 account, $50 of collateral\n"
    assert not Flatten.objects.exists()

    said = told("flatten", "start", *WHY)

    job = Flatten.objects.get()
    assert said == f"1 position of 1 account, $50 of collateral\njob {job.pk} RUNNING\n"
    assert re.fullmatch(
        rf"{job.pk} LIVE GLOBAL RUNNING by command line: .*: a drill; 0 closed, 1 waiting, 0 failed, 0 still opening\n",
        told("flatten", "show"),
    )
    assert Position.objects.open().count() == 1


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("trading_state", "set", "HALTED"), "REASON_MISSING"),
        (("trading_state", "set", "HALTED", "--scope", "USER", "--key", "1", *WHY), "SCOPE_UNKNOWN"),
        (("trading_state", "set", "HALTED", "--minutes", "0", *WHY), "UNTIL_REFUSED"),
        (("lock", "place", "--account", "1", *WHY), "LOCK_UNKNOWN"),
        (("lock", "lift", "1", *WHY), "LOCK_UNKNOWN"),
        (("flatten", "start"), "REASON_MISSING"),
        (("flatten", "preview", "--scope", "SYMBOL", "--key", "NO-USD"), "SCOPE_UNKNOWN"),
    ],
)
def test_a_refusal_is_one_line_with_its_code(command: tuple[str, ...], code: str) -> None:
    assert refused(*command).endswith(f"({code})")
    assert not AuditRow.objects.exists()


@pytest.mark.parametrize(
    ("command", "advice"),
    [
        (("trading_state", "set", *WHY), "say which state: ACTIVE, REDUCING or HALTED"),
        (("lock", "place", *WHY), "say whose entries: --account and a Telegram id"),
        (("lock", "lift", *WHY), "say which lock: manage.py lock list shows their numbers"),
    ],
)
def test_what_is_missing_is_asked_for(command: tuple[str, ...], advice: str) -> None:
    assert refused(*command) == advice
