"""Leaders: added, named and let go; and left out wherever the desk counts what is its own."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from bots.services import happenings
from risk.domain.flatten import Extent
from risk.domain.halt import HaltScope
from risk.models import Lock
from risk.services import exposures, flattening, losses
from tests.factories import NOW
from tests.factories.people import RISK, SUPER_ADMIN
from tests.factories.trading import FillFactory, LeaderFactory, PositionFactory, SourceFactory, TraderFactory
from tests.fakes import doorbell
from trading.domain.mode import Book
from trading.domain.people import NotAllowed
from trading.domain.position import Direction, FillKind
from trading.domain.signal import Side, SignalRequest
from trading.domain.units import Leverage, Price, Usdc
from trading.models import AuditRow, Event, Position, Trader
from trading.models.trader import NoAccount
from trading.services import leaders, positions, signals
from trading.services.positions import Execution
from vanta_site.control import scopes
from vanta_site.violations import second_opens

pytestmark = pytest.mark.django_db

WHALE = "0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB"
WHY = {"by": SUPER_ADMIN, "reason": "known", "at": NOW}


def said(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("leader", *arguments, stdout=out)
    return out.getvalue().splitlines()


def held_by_a_leader() -> Position:
    return PositionFactory(trader=LeaderFactory())


# --- adding and letting go


def test_a_leader_is_an_address_without_an_account() -> None:
    leader = leaders.add(address=WHALE.lower(), name="whale", **WHY)

    assert (leader.address, leader.name, leader.is_leader, leader.tg_user_id, leader.is_enabled) == (
        WHALE,
        "whale",
        True,
        None,
        True,
    )
    assert str(leader) == f"whale ({WHALE})"
    with pytest.raises(NoAccount):
        _ = leader.account
    assert list(AuditRow.objects.values_list("action", "subject", "before", "after")) == [
        ("leader.add", f"leader:{WHALE}", {}, {"name": "whale", "is_watched": True})
    ]


def test_adding_again_names_and_watches_again() -> None:
    leader = leaders.add(address=WHALE, name="whale", **WHY)
    leaders.stop(leader_id=leader.pk, **WHY)

    leaders.add(address=WHALE, name="orca", **WHY)

    assert list(Trader.objects.values_list("name", "is_enabled")) == [("orca", True)]
    assert list(AuditRow.objects.order_by("pk").values_list("action", flat=True)) == [
        "leader.add",
        "leader.stop",
        "leader.change",
    ]


@pytest.mark.parametrize(
    "address", ["", "0x12", WHALE[2:], WHALE[:-1] + "g", "0x" + "00" * 20, WHALE.replace("0xAB", "0xaB"), WHALE + "00"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(leaders.BadAddress):
        leaders.add(address=address, name="whale", **WHY)

    assert not Trader.objects.exists()


def test_an_account_does_not_become_a_leader() -> None:
    trader = TraderFactory(address=WHALE)

    with pytest.raises(leaders.AddressTaken):
        leaders.add(address=WHALE, name="whale", **WHY)

    trader.refresh_from_db()
    assert not trader.is_leader


def test_only_who_may_say_who_sends_signals_adds_a_leader() -> None:
    with pytest.raises(NotAllowed):
        leaders.add(address=WHALE, name="whale", **WHY | {"by": RISK})

    assert not Trader.objects.exists()


def test_an_account_is_no_leader_to_rename_or_to_let_go() -> None:
    trader = TraderFactory()

    for act in (leaders.stop, lambda **said: leaders.rename(name="x", **said)):
        with pytest.raises(leaders.UnknownLeader):
            act(leader_id=trader.pk, **WHY)


def test_the_command_adds_names_and_lists() -> None:
    assert said("add", WHALE, "--name", "whale", "--reason", "known") == [f"{WHALE} whale: watched"]
    assert said("rename", WHALE, "--name", "orca", "--reason", "a better name") == [f"{WHALE} orca: watched"]
    assert said("stop", WHALE, "--reason", "gone") == [f"{WHALE} orca: not watched anymore"]
    assert said("list") == [f"{WHALE} orca: not watched anymore"]


@pytest.mark.parametrize(
    "arguments", [["add", WHALE, "--name", "whale"], ["add", WHALE, "--reason", "x"], ["stop", WHALE, "--reason", "x"]]
)
def test_the_command_says_what_is_missing(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        said(*arguments)


# --- left out


def test_a_leaders_positions_are_no_exposure_of_the_desk() -> None:
    held_by_a_leader()

    with transaction.atomic():
        found = exposures.of(TraderFactory(), is_wide=True)

    assert found == {Book.LIVE: [], Book.PAPER: []}


def test_a_leaders_positions_are_not_flattened() -> None:
    held_by_a_leader()
    SourceFactory(name="console", is_internal=True)

    assert flattening.extent(scope=HaltScope.GLOBAL, key="", book=Book.LIVE) == Extent(
        positions=0, accounts=0, collateral=Usdc.zero()
    )
    job = flattening.start(scope=HaltScope.GLOBAL, key="", book=Book.LIVE, person=RISK, reason="a drill", at=NOW)
    assert flattening.work(job_id=job.pk, at=NOW).closed == 0
    assert not AuditRow.objects.filter(action="signal.conflict").exists()


def test_a_leaders_losses_are_not_watched() -> None:
    position = held_by_a_leader()

    assert losses.due(before=NOW) == set()
    assert losses.watch(trader_id=position.trader_id, at=NOW) == []
    assert not Lock.objects.exists()


def test_nobody_can_close_a_leaders_position() -> None:
    position = held_by_a_leader()
    request = SignalRequest(
        source="console", signal_id="x", tg_user_id=0, symbol="BTC-USD", side=Side.CLOSE, position_id=position.pk
    )

    with pytest.raises(signals.UnknownPosition):
        signals.accept(request=request, raw=b"{}", source=SourceFactory(name="console", is_internal=True), at=NOW)


def test_two_opens_of_a_leader_are_no_violation() -> None:
    position = held_by_a_leader()
    FillFactory.create_batch(2, position=position)

    assert not second_opens().exists()


def test_the_control_page_counts_accounts_only() -> None:
    held_by_a_leader()

    assert str(scopes.held(HaltScope.GLOBAL, "")) == "no position"


def test_trades_are_those_of_accounts() -> None:
    FillFactory(position=held_by_a_leader())
    ours = FillFactory()

    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM trades")
        assert cursor.fetchall() == [(ours.pk,)]


@pytest.mark.django_db(transaction=True)
def test_a_leaders_fill_is_told_under_its_own_name_and_wakes_no_watch() -> None:
    position = held_by_a_leader()
    execution = Execution(
        kind=FillKind.OPEN,
        direction=Direction.LONG,
        price=Price.of(60_000),
        collateral=Usdc.of(50),
        leverage=Leverage.of(3),
        fee=Usdc.zero(),
        payout=Usdc.zero(),
        chain_id=31_337,
        tx_hash="0x1",
        log_index=0,
        block_number=1,
        block_hash="0xb",
        filled_at=NOW,
    )

    with transaction.atomic():
        positions.record(execution, position=position, trace_id="")

    assert list(Event.objects.values_list("kind", flat=True)) == ["leader.filled"]
    assert doorbell.heard() == []
    assert happenings.of(Event.objects.all())[0].account is None
