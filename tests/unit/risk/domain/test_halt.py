"""The strictest trading state holds, and none keeps a person or a protection from closing."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.domain.halt import UNSET, Halts, HaltScope, StateHeld, TradingState, relaxes
from risk.domain.lock import ActiveLock, LockKind
from tests.factories import NOW

ACTIVE, REDUCING, HALTED = TradingState
MACHINES = ("default", "tradingview", "copy", "copy:0xabc")
HANDS = ("console", "telegram", "telegram:123", "protection", "protection:7:STOP")


def held(state: TradingState, scope: HaltScope = HaltScope.GLOBAL, key: str = "", until: int | None = None) -> StateHeld:
    end = None if until is None else NOW + timedelta(minutes=until)
    return StateHeld(state=state, scope=scope, key=key, reason="a drill", set_by="rita", since=NOW, until=end)


def lock(symbol: str | None, *, minutes: int = 0) -> ActiveLock:
    return ActiveLock(
        lock_id=1,
        kind=LockKind.COOLDOWN,
        symbol=symbol,
        value="1 min",
        limit="5 min",
        reason="a close",
        placed_by="cooldown",
        since=NOW + timedelta(minutes=minutes),
        until=None,
    )


def meeting(*states: StateHeld, source: str = "desk", symbol: str = "BTC-USD") -> StateHeld:
    return Halts(states=states, active=()).state(symbol=symbol, source=source)


def test_where_nobody_set_a_state_it_is_active_since_ever() -> None:
    assert meeting() == UNSET
    assert (UNSET.state, UNSET.since, UNSET.until) == (ACTIVE, None, None)


def test_the_strictest_of_all_scopes_holds() -> None:
    wide, narrow = held(REDUCING), held(HALTED, HaltScope.SYMBOL, "BTC-USD")

    assert meeting(wide, narrow) == narrow
    assert meeting(wide, narrow, symbol="ETH-USD") == wide


def test_of_equal_states_the_widest_scope_is_named() -> None:
    keys = {HaltScope.USER: "7", HaltScope.SOURCE: "desk", HaltScope.SYMBOL: "BTC-USD"}
    states = [held(REDUCING, scope, key) for scope, key in keys.items()]

    assert meeting(*states).scope is HaltScope.SYMBOL
    assert meeting(*states, held(REDUCING)).scope is HaltScope.GLOBAL


@pytest.mark.parametrize(
    ("key", "source", "is_covered"),
    [
        ("desk", "desk", True),
        ("desk", "desks", False),
        ("copy", "copy:0xabc", True),
        ("copy:0xabc", "copy:0xabc", True),
        ("copy:0xabc", "copy:0xdef", False),
        ("copy:0xabc", "copy", False),
    ],
)
def test_a_source_is_meant_by_its_name_or_by_its_family(key: str, source: str, is_covered: bool) -> None:
    assert held(HALTED, HaltScope.SOURCE, key).covers(symbol="BTC-USD", source=source) is is_covered


@pytest.mark.parametrize("source", [*MACHINES, *HANDS])
@pytest.mark.parametrize("state", TradingState)
def test_only_the_active_state_takes_entries(state: TradingState, source: str) -> None:
    assert held(state).refuses(is_entry=True, source=source) is (state is not ACTIVE)


@pytest.mark.parametrize("state", [ACTIVE, REDUCING])
@pytest.mark.parametrize("source", [*MACHINES, *HANDS])
def test_a_pause_refuses_no_exit(state: TradingState, source: str) -> None:
    assert not held(state).refuses(is_entry=False, source=source)


@pytest.mark.parametrize("source", MACHINES)
def test_a_halt_refuses_the_exits_of_programs(source: str) -> None:
    assert held(HALTED).refuses(is_entry=False, source=source)


@pytest.mark.parametrize("source", HANDS)
@pytest.mark.parametrize("state", TradingState)
@pytest.mark.parametrize(("scope", "key"), [("GLOBAL", ""), ("SYMBOL", "BTC-USD"), ("SOURCE", "console"), ("USER", "7")])
def test_no_state_of_any_scope_keeps_a_person_or_a_protection_from_closing(
    source: str, state: TradingState, scope: str, key: str
) -> None:
    assert not held(state, HaltScope(scope), key).refuses(is_entry=False, source=source)


STATES = st.builds(held, st.sampled_from(TradingState), st.sampled_from([HaltScope.GLOBAL, HaltScope.USER]), st.just("7"))


@given(states=st.lists(STATES, max_size=5), another=STATES, is_entry=st.booleans(), source=st.sampled_from(MACHINES + HANDS))
def test_one_more_state_never_lets_more_pass(states: list[StateHeld], another: StateHeld, is_entry: bool, source: str) -> None:
    before = meeting(*states, source=source).refuses(is_entry=is_entry, source=source)
    after = meeting(*states, another, source=source).refuses(is_entry=is_entry, source=source)

    assert after or not before


@pytest.mark.parametrize(
    ("before", "state", "until", "is_relaxed"),
    [
        (UNSET, REDUCING, None, False),
        (UNSET, HALTED, 5, False),
        (UNSET, ACTIVE, None, False),
        (held(REDUCING), HALTED, None, False),
        (held(REDUCING), ACTIVE, None, True),
        (held(HALTED), REDUCING, None, True),
        (held(REDUCING), HALTED, 5, True),  # after five minutes nothing would hold anymore
        (held(REDUCING, until=5), REDUCING, 4, True),
        (held(REDUCING, until=5), REDUCING, 5, False),
        (held(REDUCING, until=5), REDUCING, 6, False),
        (held(REDUCING, until=5), REDUCING, None, False),
    ],
)
def test_what_lets_more_happen_is_known(before: StateHeld, state: TradingState, until: int | None, is_relaxed: bool) -> None:
    end = None if until is None else NOW + timedelta(minutes=until)

    assert relaxes(before, state=state, until=end) is is_relaxed


def test_a_market_meets_its_own_locks_and_the_accounts() -> None:
    bitcoin, ether, account = lock("BTC-USD"), lock("ETH-USD"), lock(None, minutes=1)
    halts = Halts(states=(), active=(bitcoin, ether, account))

    assert halts.locks(symbol="BTC-USD") == (account, bitcoin)
    assert halts.locks(symbol="SOL-USD") == (account,)
