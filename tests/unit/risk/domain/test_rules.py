"""Every rule on both sides of its limit."""

from dataclasses import replace
from datetime import timedelta

import pytest

from risk.domain import rules
from risk.domain.decision import Check, Denial, Rule, Situation, Verdict, evaluate
from tests.factories import NOW
from tests.unit.risk.domain.situations import CLOSE, MARKET, OPEN, POLICY, STOPPED, close, entry, held, situation
from trading.domain.units import Leverage, Usdc

CAP = Usdc.of(100_000)
CAPPED_USER = replace(POLICY, max_user_position=CAP)
CAPPED_SYMBOL = replace(POLICY, max_symbol_position=CAP)
FIFTY = replace(POLICY, max_leverage=Leverage.of(50))
BROKEN = replace(POLICY, circuit_breaker=True)
CLOSED_MARKET = replace(MARKET, is_open=False)
EXITS_ONLY = replace(MARKET, is_close_only=True)
FREE = replace(MARKET, min_notional=Usdc.zero(), min_leverage=Leverage.of("0.1"), max_leverage=Leverage.of(1_000))


def meant(age: timedelta) -> Situation:
    return situation(replace(OPEN, signaled_at=NOW - age))


PASSES: list[tuple[Rule, Situation]] = [
    (rules.emergency_stop, entry()),
    (rules.emergency_stop, close()),
    (rules.desk_takes_entries, entry()),
    (rules.maintenance, entry()),
    (rules.freshness, meant(timedelta(seconds=60))),
    (rules.freshness, meant(timedelta(0))),
    (rules.market_is_open, entry()),
    (rules.market_is_open, close()),
    (rules.market_takes_entries, entry()),
    (rules.max_leverage, entry(leverage=50, policy=FIFTY)),
    (rules.leverage_above_one, entry(leverage=1)),
    (rules.venue_leverage, entry(leverage=1)),
    (rules.venue_leverage, entry(leverage=250)),
    (rules.venue_minimum, entry(collateral=100, leverage=1)),
    (rules.circuit_breaker, entry()),
    (rules.user_limit, entry(collateral=1_000, leverage=100, policy=CAPPED_USER)),
    (rules.symbol_limit, entry(collateral=1_000, leverage=100, policy=CAPPED_SYMBOL)),
    (rules.something_to_close, close()),
    (rules.close_size, close(usdc=50)),
    (rules.close_size, close(usdc=51)),
    (rules.close_size, close(pct=100)),
    (rules.close_size, close(pct=102)),
    (rules.entry_price, entry()),
]

REFUSALS: list[tuple[Rule, Situation, Check]] = [
    (
        rule,
        given,
        Check(code=code, passed=False, value=value, limit=limit, message=message),
    )
    for rule, given, code, value, limit, message in (
        (
            rules.emergency_stop,
            entry(mode=STOPPED),
            Denial.EMERGENCY_STOP,
            "stopped",
            "running",
            "emergency stop by environment; the switch says DRY",
        ),
        (
            rules.desk_takes_entries,
            entry(takes_entries=False),
            Denial.SIGNALS_DISABLED,
            "exits only",
            "allowed",
            "the desk takes no entries now",
        ),
        (rules.maintenance, entry(in_maintenance=True), Denial.MAINTENANCE, "exits only", "allowed", "maintenance: exits only"),
        (
            rules.freshness,
            meant(timedelta(seconds=61)),
            Denial.SIGNAL_STALE,
            "61 s",
            "60 s",
            "Signal is 61 s old, limit 60 s",
        ),
        (rules.market_is_open, entry(market=CLOSED_MARKET), Denial.MARKET_NOT_OPEN, "closed", "open", "BTC-USD is closed"),
        (
            rules.market_takes_entries,
            entry(market=EXITS_ONLY),
            Denial.MARKET_CLOSE_ONLY,
            "exits only",
            "allowed",
            "BTC-USD takes exits only",
        ),
        (
            rules.max_leverage,
            entry(leverage=51, policy=FIFTY),
            Denial.LEVERAGE_ABOVE_MAX,
            "51x",
            "50x",
            "Leverage 51x exceeds max 50x",
        ),
        (
            rules.max_leverage,
            entry(leverage="50.0000000001", policy=FIFTY),
            Denial.LEVERAGE_ABOVE_MAX,
            "50.0000000001x",
            "50x",
            "Leverage 50.0000000001x exceeds max 50x",
        ),
        (rules.leverage_above_one, entry(leverage="0.5"), Denial.LEVERAGE_BELOW_ONE, "0.5x", "1x", "Leverage must be >= 1x"),
        (
            rules.venue_leverage,
            entry(leverage="250.5"),
            Denial.LEVERAGE_OUT_OF_RANGE,
            "250.5x",
            "1x to 250x",
            "Leverage 250.5x is outside 1x to 250x on BTC-USD",
        ),
        (
            rules.venue_leverage,
            entry(leverage="0.9"),
            Denial.LEVERAGE_OUT_OF_RANGE,
            "0.9x",
            "1x to 250x",
            "Leverage 0.9x is outside 1x to 250x on BTC-USD",
        ),
        (
            rules.venue_minimum,
            entry(collateral="99.999999", leverage=1),
            Denial.NOTIONAL_BELOW_MINIMUM,
            "$99.999999",
            "$100",
            "Position $99.999999 is below the venue's minimum $100",
        ),
        (
            rules.circuit_breaker,
            entry(policy=BROKEN),
            Denial.CIRCUIT_BREAKER,
            "exits only",
            "allowed",
            "circuit breaker: exits only",
        ),
        (
            rules.user_limit,
            entry(collateral=1_001, leverage=100, policy=CAPPED_USER),
            Denial.POSITION_ABOVE_USER_LIMIT,
            "$100100",
            "$100000",
            "Position $100100 exceeds user limit $100000",
        ),
        (
            rules.user_limit,
            entry(collateral="100000.000001", leverage=1, policy=CAPPED_USER),
            Denial.POSITION_ABOVE_USER_LIMIT,
            "$100000.000001",
            "$100000",
            "Position $100000.000001 exceeds user limit $100000",
        ),
        (
            rules.symbol_limit,
            entry(collateral=1_001, leverage=100, policy=CAPPED_SYMBOL),
            Denial.POSITION_ABOVE_SYMBOL_LIMIT,
            "$100100",
            "$100000",
            "Position $100100 exceeds symbol limit $100000",
        ),
        (
            rules.something_to_close,
            close(closable=()),
            Denial.NOTHING_TO_CLOSE,
            "$0",
            "an open position",
            "No open position in BTC-USD",
        ),
        (
            rules.something_to_close,
            close(closable=(held(0),)),
            Denial.NOTHING_TO_CLOSE,
            "$0",
            "an open position",
            "No open position in BTC-USD",
        ),
        (
            rules.something_to_close,
            close(pct="0.0000001"),
            Denial.NOTHING_TO_CLOSE,
            "$0",
            "an open position",
            "0.0000001% of $50 in BTC-USD is nothing",
        ),
        (
            rules.close_size,
            close(usdc="51.05"),
            Denial.CLOSE_ABOVE_POSITION,
            "$51.05",
            "$51",
            "Close size $51.05 exceeds position $50",
        ),
        (
            rules.close_size,
            close(usdc="51.000001"),
            Denial.CLOSE_ABOVE_POSITION,
            "$51.000001",
            "$51",
            "Close size $51.000001 exceeds position $50",
        ),
        (
            rules.close_size,
            close(pct="102.1"),
            Denial.CLOSE_ABOVE_POSITION,
            "102.1%",
            "102%",
            "Close size 102.1% exceeds the position",
        ),
        (rules.entry_price, entry(price=None), Denial.PRICE_STALE, "none", "a fresh price", "No fresh price for BTC-USD"),
    )
]


def named(value: object) -> str | None:
    return value.__name__ if callable(value) else ""


@pytest.mark.parametrize(("rule", "given"), PASSES, ids=named)
def test_at_its_limit_a_rule_passes(rule: Rule, given: Situation) -> None:
    check = rule(given)
    assert check is not None
    assert (check.passed, check.message) == (True, "")


@pytest.mark.parametrize(("rule", "given", "refusal"), REFUSALS, ids=named)
def test_beyond_its_limit_a_rule_refuses_and_says_why(rule: Rule, given: Situation, refusal: Check) -> None:
    assert rule(given) == refusal


ENTRY_RULES = [rule for rule in rules.RULES if rule not in (rules.emergency_stop, rules.market_is_open)]
EXIT_RULES = (rules.something_to_close, rules.close_size)


@pytest.mark.parametrize("rule", [rule for rule in ENTRY_RULES if rule not in EXIT_RULES], ids=named)
def test_an_exit_is_asked_nothing_that_is_meant_for_entries(rule: Rule) -> None:
    worst = situation(
        replace(CLOSE, signaled_at=NOW - timedelta(days=1)),
        takes_entries=False,
        in_maintenance=True,
        market=replace(EXITS_ONLY, min_notional=CAP),
        policy=replace(BROKEN, max_leverage=Leverage.of(1), max_user_position=Usdc.zero(), max_symbol_position=Usdc.zero()),
        price=None,
    )
    assert rule(worst) is None


@pytest.mark.parametrize("rule", EXIT_RULES, ids=named)
def test_an_entry_is_asked_nothing_that_is_meant_for_exits(rule: Rule) -> None:
    assert rule(entry(closable=())) is None


def test_a_rule_without_a_limit_says_nothing() -> None:
    assert rules.user_limit(entry()) is None
    assert rules.symbol_limit(entry()) is None
    assert rules.freshness(entry()) is None
    assert rules.close_size(close()) is None


def test_every_rule_has_a_boundary_in_these_tables() -> None:
    assert {rule for rule, *_ in PASSES} == set(rules.RULES) == {rule for rule, *_ in REFUSALS}


def test_every_denial_is_some_rules() -> None:
    assert {refusal.code for *_, refusal in REFUSALS} == set(Denial)


def test_an_approval_keeps_every_check() -> None:
    decision = evaluate(entry(policy=replace(CAPPED_USER, max_symbol_position=CAP)), rules=rules.RULES)
    assert decision.verdict is Verdict.APPROVED
    assert decision.denial is None
    assert [check.code for check in decision.checks] == [
        Denial.EMERGENCY_STOP,
        Denial.SIGNALS_DISABLED,
        Denial.MAINTENANCE,
        Denial.MARKET_NOT_OPEN,
        Denial.MARKET_CLOSE_ONLY,
        Denial.LEVERAGE_ABOVE_MAX,
        Denial.LEVERAGE_BELOW_ONE,
        Denial.LEVERAGE_OUT_OF_RANGE,
        Denial.NOTIONAL_BELOW_MINIMUM,
        Denial.CIRCUIT_BREAKER,
        Denial.POSITION_ABOVE_USER_LIMIT,
        Denial.POSITION_ABOVE_SYMBOL_LIMIT,
        Denial.PRICE_STALE,
    ]


def test_one_denial_shows_all_its_reasons_and_allows_nothing() -> None:
    decision = evaluate(
        entry(leverage=51, policy=replace(FIFTY, circuit_breaker=True), price=None, market=FREE), rules=rules.RULES
    )
    assert decision.verdict is Verdict.DENIED
    assert decision.legs == ()
    assert [check.code for check in decision.checks if not check.passed] == [
        Denial.LEVERAGE_ABOVE_MAX,
        Denial.CIRCUIT_BREAKER,
        Denial.PRICE_STALE,
    ]
    assert decision.denial is not None
    assert decision.denial.message == "Leverage 51x exceeds max 50x"
