"""What each act says before it is done, in numbers."""

from datetime import timedelta

import pytest
import redis

from risk.domain.halt import HaltScope, StateHeld, TradingState
from risk.domain.lock import LockKind
from risk.models import Lock
from risk.services import flattening
from tests.factories import NOW
from tests.factories.execution import TxIntentFactory
from tests.factories.flow import filled
from tests.factories.trading import CloseSignalFactory, EtherMarketFactory, PositionFactory, SignalFactory, TraderFactory
from trading.domain.mode import Book
from trading.domain.units import Usdc
from trading.models import Market, ModeState, Trader
from trading.services.mode import DeskSwitch
from vanta_site import standing
from vanta_site.control import forecast
from vanta_site.control.scopes import held

DESK, SYMBOL, SOURCE, USER = HaltScope
NOTHING_IN_FLIGHT = "0 transactions in flight: watched to the end; stored bytes may go out again."


@pytest.fixture
def book(desk: ModeState) -> tuple[Trader, Trader]:
    """Three open positions of two accounts, $45 in all, one of them on paper; two entries and a close that wait."""
    ada, bob = TraderFactory(tg_user_id=123), TraderFactory(tg_user_id=124)
    PositionFactory(trader=ada, collateral_usdc=Usdc.of("20.4"))
    PositionFactory(trader=ada, collateral_usdc=Usdc.of(15), book=Book.PAPER, market=EtherMarketFactory())
    PositionFactory(trader=bob, collateral_usdc=Usdc.of(10))
    SignalFactory(trader=ada, source_name="drill")
    SignalFactory(trader=bob, source_name="copy:0xabc", market=EtherMarketFactory())
    CloseSignalFactory(trader=ada)
    return ada, bob


@pytest.mark.parametrize(
    ("scope", "key", "of_book", "said"),
    [
        (DESK, "", "", "3 positions of 2 accounts, about $45 of collateral"),
        (DESK, "", Book.LIVE, "2 positions of 2 accounts, about $30 of collateral"),
        (SYMBOL, "BTC-USD", "", "2 positions of 2 accounts, about $30 of collateral"),
        (SYMBOL, "ETH-USD", Book.LIVE, "no position"),
        (USER, "124", "", "1 position of 1 account, about $10 of collateral"),
        (SOURCE, "drill", "", "no position"),
    ],
)
@pytest.mark.usefixtures("book")
def test_what_a_scope_holds_is_counted(scope: HaltScope, key: str, of_book: str, said: str) -> None:
    assert str(held(scope, key, book=of_book)) == said


def test_a_sources_positions_are_those_that_its_signals_opened(desk: ModeState) -> None:
    for name in ("copy:0xabc", "copycat"):
        PositionFactory(signal=SignalFactory(source_name=name))

    assert [held(SOURCE, key).positions for key in ("copy", "copy:0xabc", "copycat", "drill")] == [1, 1, 1, 0]


@pytest.mark.usefixtures("book")
def test_the_stop_says_what_stays_and_what_waits() -> None:
    flow = filled()
    TxIntentFactory()

    assert forecast.of_stop() == (
        "Nothing new is signed, by any process, from its next look on.",
        NOTHING_IN_FLIGHT,
        "1 intent not yet signed: waiting.",
        "2 waiting entries: kept and refused with EMERGENCY_STOP, like all that come.",
        f"Stays open: 4 positions of 3 accounts, about ${45 + flow.position.collateral_usdc.decimal:.0f} of collateral.",
    )


@pytest.mark.usefixtures("book", "switch")
def test_lifting_says_what_goes_on_and_which_stop_stays(settings: object) -> None:
    settings.EMERGENCY_STOP = True

    assert forecast.of_lift(standing.read()) == (
        "0 intents not yet signed: signed as soon as LIVE holds.",
        "The mode that people want is DRY.",
        "This stop stays up, it isn't the desk's to lift: emergency stop by environment.",
    )


@pytest.mark.usefixtures("book", "switch")
def test_dry_says_what_can_not_be_closed_meanwhile() -> None:
    assert forecast.of_dry(standing.read())[3] == (
        "Stays open with money, and can't be closed by the desk until then: 2 positions of 2 accounts, about $30 of collateral."
    )


@pytest.mark.usefixtures("book", "switch")
def test_live_says_for_whom_and_what_still_says_no(settings: object) -> None:
    settings.EXEC_MODE = "DRY"

    said = forecast.of_live(standing.read())

    assert said[0] == "New entries of 2 accounts are signed and sent, with money."
    assert said[2] == "Stays on paper: 1 position of 1 account, about $15 of collateral."
    assert "LIVE doesn't hold all the same while this says no: EXEC_MODE is DRY." in said


@pytest.mark.parametrize(
    ("name", "is_on", "said"),
    [
        ("signals_enabled", False, "Entries are refused with SIGNALS_DISABLED: 2 waiting entries, and all that come."),
        (
            "signals_enabled",
            True,
            "Entries are taken again: 2 waiting entries, and all that come. What was refused stays refused.",
        ),
        ("maintenance", True, "Entries are refused with MAINTENANCE: 2 waiting entries, and all that come."),
    ],
)
@pytest.mark.usefixtures("book")
def test_a_switch_says_what_is_refused_and_that_exits_go_on(name: str, is_on: bool, said: str) -> None:
    assert forecast.of_switch(DeskSwitch(name), is_on=is_on) == (
        said,
        "Exits go on; open now: 3 positions of 2 accounts, about $45 of collateral.",
    )


@pytest.mark.usefixtures("book")
def test_a_pause_says_whose_entries_and_who_closes() -> None:
    assert forecast.of_state(SYMBOL, "BTC-USD", state=TradingState.REDUCING, others=[]) == (
        "Entries of BTC-USD are refused: 1 waiting entry, and all that come.",
        "Closes pass, by anybody.",
        "Open there now: 2 positions of 2 accounts, about $30 of collateral.",
    )
    assert forecast.of_state(SOURCE, "copy", state=TradingState.HALTED, others=[])[:2] == (
        "Entries of source copy are refused: 1 waiting entry, and all that come.",
        "Closes pass, by people and by protections only.",
    )


@pytest.mark.usefixtures("book")
def test_a_resume_says_which_states_hold_besides() -> None:
    other = StateHeld(
        state=TradingState.HALTED, scope=USER, key="124", reason="odd", set_by="ada", since=NOW, until=NOW + timedelta(hours=1)
    )

    said = forecast.of_state(DESK, "", state=TradingState.ACTIVE, others=[other])

    assert said[:2] == (
        "Entries of the desk pass again: 2 waiting entries, and all that come.",
        "These states hold besides: account 124 HALTED.",
    )


def test_an_unlock_says_why_it_was_locked_and_what_still_locks(book: tuple[Trader, Trader]) -> None:
    lock = Lock.objects.create(
        trader=book[0],
        book=Book.LIVE,
        market=Market.objects.get(symbol="BTC-USD"),
        kind=LockKind.COOLDOWN,
        value="1 min",
        limit="5 min",
        reason="a position was closed a moment ago",
        placed_by="rule",
        since=NOW,
        caused_at=NOW,
    )

    assert forecast.of_unlock(lock, besides=1) == (
        "Entries of account 123 in BTC-USD pass this lock again, in LIVE.",
        "It was placed because: a position was closed a moment ago. Measured 1 min against 5 min.",
        "1 other lock of this account and book still holds.",
    )


def test_nothing_waits_while_the_switch_is_read(desk: ModeState, switch: redis.Redis) -> None:
    switch.set("exec_mode", '{"mode":"DRY","emergency_stop":false}')

    assert forecast.of_waits(standing.read()) == ()


@pytest.mark.usefixtures("book")
def test_a_flatten_says_what_it_closes_and_that_live_closes_wait(switch: redis.Redis) -> None:
    switch.set("exec_mode", '{"mode":"LIVE","emergency_stop":false}')
    live = forecast.of_flatten(SYMBOL, "BTC-USD", book=Book.LIVE, standing=standing.read())
    switch.delete("exec_mode")
    waiting = forecast.of_flatten(DESK, "", book=Book.LIVE, standing=standing.read())
    paper = forecast.of_flatten(USER, "123", book=Book.PAPER, standing=standing.read())

    assert live == (
        "Closes 2 positions of 2 accounts, about $30 of collateral, LIVE, each once.",
        "Entries of BTC-USD are refused until somebody resumes it: 1 waiting entry, and all that come.",
        "0 transactions in flight: watched to the end; what they open there is closed too.",
    )
    assert waiting[3].startswith("The closes wait until LIVE holds; held down by: ")
    assert (paper[0], len(paper)) == ("Closes 1 position of 1 account, about $15 of collateral, PAPER, each once.", 3)


@pytest.mark.usefixtures("book")
@pytest.mark.parametrize(("scope", "key"), [(DESK, ""), (SYMBOL, "BTC-USD"), (USER, "123"), (SOURCE, "drill")])
def test_what_is_said_is_what_the_job_will_find(scope: HaltScope, key: str) -> None:
    for of_book in Book:
        said, extent = held(scope, key, book=of_book), flattening.extent(scope=scope, key=key, book=of_book)

        assert (said.positions, said.accounts, said.collateral) == (extent.positions, extent.accounts, extent.collateral)
