"""Every rule on both sides of its limit, and what holds for all of them."""

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from risk.domain.decision import Check, Denial, Rule, Verdict, evaluate
from risk.domain.lock import LockKind
from risk.domain.policy import EffectivePolicy, Limits
from risk.domain.rules import RULES
from risk.domain.rules import exits as exit_rules
from risk.domain.rules import halts as halt_rules
from risk.domain.rules import market as market_rules
from risk.domain.rules import money as money_rules
from risk.domain.rules import sources as source_rules
from risk.domain.situation import Canary, Pace, Situation, SourceFacts
from tests.factories import NOW
from tests.unit.risk.domain.rules import desk as desk_table
from tests.unit.risk.domain.rules import exits, exposure, halts, limits, market, money, pace, prices, sources
from tests.unit.risk.domain.situations import CLOSE, FUNDS, MARKET, POLICY, STOPPED, close, entry, exposed, limited, situation
from trading.domain.price import PriceTrouble
from trading.domain.signal import Side
from trading.domain.units import Leverage, Percent, Usdc, Wei

TABLES = (desk_table, halts, sources, market, limits, money, exits, prices, exposure, pace)
PASSES = [each for table in TABLES for each in table.PASSES]
REFUSALS = [each for table in TABLES for each in table.REFUSALS]
# A rule that is only ever asked for a verdict when it has something to refuse.
ONLY_REFUSES = {money_rules.size}


def named(value: object) -> str:
    return getattr(value, "__name__", "") if callable(value) else ""


@pytest.mark.parametrize(("rule", "given"), PASSES, ids=named)
def test_at_its_limit_a_rule_passes(rule: Rule, given: Situation) -> None:
    check = rule(given)
    assert check is not None
    assert (check.passed, check.message) == (True, "")


@pytest.mark.parametrize(("rule", "given", "refusal"), REFUSALS, ids=named)
def test_beyond_its_limit_a_rule_refuses_and_says_why(rule: Rule, given: Situation, refusal: Check) -> None:
    assert rule(given) == refusal


def test_what_passes_is_kept_with_its_value_and_its_limit() -> None:
    said = {check.code: (check.value, check.limit) for check in evaluate(entry(), rules=RULES).checks}
    allowed, unlocked = ("allowed", "allowed"), ("no lock", "no lock")
    assert said == {
        Denial.EMERGENCY_STOP: ("running", "running"),
        Denial.TRADING_REDUCING: ("ACTIVE", "ACTIVE"),
        Denial.SIGNALS_DISABLED: allowed,
        Denial.MAINTENANCE: allowed,
        Denial.SOURCE_DISABLED: ("enabled", "enabled"),
        Denial.MARKET_NOT_OPEN: ("open", "open"),
        Denial.MARKET_CLOSE_ONLY: allowed,
        Denial.LEVERAGE_OUT_OF_RANGE: ("3x", "1x to 250x"),
        Denial.NOTIONAL_BELOW_MINIMUM: ("$150", "$100"),
        Denial.LEVERAGE_ABOVE_MAX: ("3x", "500x"),
        Denial.LEVERAGE_BELOW_ONE: ("3x", "1x"),
        Denial.CIRCUIT_BREAKER: allowed,
        Denial.INSUFFICIENT_COLLATERAL: ("$50", "$1000000"),
        Denial.PRICE_STALE: ("$60000", "an agreed price"),
        **{code: unlocked for code in Denial if code.startswith("LOCK_")},
        Denial.GAS_TOO_LOW: ("1000000000000000 wei", "1000000000000000 wei"),
        Denial.ALLOWANCE_TOO_LOW: ("$50", "$1000000"),
        Denial.DELEGATE_INVALID: ("2026-01-03T03:04:05+00:00", "2026-01-02T03:05:05+00:00"),
    }


# What is said of the sender and of the desk as a whole holds for exits too.
FOR_ALL = (
    halt_rules.trading_state,
    source_rules.is_enabled,
    source_rules.account_is_allowed,
    source_rules.symbol_is_allowed,
    market_rules.is_open,
)
EXIT_RULES = (exit_rules.something_to_close, exit_rules.close_size)
ENTRY_RULES = [rule for rule in RULES if rule not in (*FOR_ALL, *EXIT_RULES)]


def _tightest() -> EffectivePolicy:
    """Every limit at nothing."""
    tight: dict[str, Any] = {"circuit_breaker": True, "liquidation_buffer": Percent.of(100), "max_leverage": Leverage.of(1)}
    for each in fields(Limits):
        kind = str(each.type)
        tight.setdefault(each.name, Usdc.zero() if "Usdc" in kind else Percent.zero() if "Percent" in kind else 0)
    said = Limits(**tight)
    return EffectivePolicy(overall=said, desk=said, symbol=said, account=said, source=said)


WORST: dict[str, Any] = {
    "mode": STOPPED,
    "takes_entries": False,
    "in_maintenance": True,
    "market": replace(MARKET, is_close_only=True, min_notional=Usdc.of(10**9)),
    "policy": _tightest(),
    "price": None,
    "price_trouble": PriceTrouble.SEQUENCER_DOWN,
    "state": halts.REDUCING,
    "locks": tuple(halts.lock(kind) for kind in LockKind),
    "applied_up_to": NOW + timedelta(days=1),
    "funds": replace(FUNDS, free=Usdc.zero(), equity=Usdc.zero(), allowance=Usdc.zero(), delegated_until=None, gas=Wei.zero()),
    "exposed": (exposed(10**9),),
    "pace": Pace(opens_in_minute=99, trades_in_day=99, collateral_in_hour=Usdc.of(10**9), volume_in_day=Usdc.of(10**9)),
    "canary": Canary(max_notional=Usdc.zero(), symbols=frozenset(), accounts=frozenset({7})),
}


@pytest.mark.parametrize("rule", ENTRY_RULES, ids=named)
def test_an_exit_is_asked_nothing_that_is_meant_for_entries(rule: Rule) -> None:
    assert rule(situation(replace(CLOSE, signaled_at=NOW - timedelta(days=1)), **WORST)) is None


def test_an_exit_passes_when_everything_that_can_refuse_an_entry_does() -> None:
    assert evaluate(close(**WORST), rules=RULES).verdict is Verdict.APPROVED


@pytest.mark.parametrize("rule", EXIT_RULES, ids=named)
def test_an_entry_is_asked_nothing_that_is_meant_for_exits(rule: Rule) -> None:
    assert rule(entry(closable=())) is None


def test_a_rule_without_a_limit_says_nothing() -> None:
    silent = {rule for rule in ENTRY_RULES if rule(entry()) is None}
    said = evaluate(entry(), rules=RULES).checks
    assert len(silent) + len(said) == len(RULES) - len(EXIT_RULES) - 2


def test_paper_needs_no_permission() -> None:
    on_paper = entry(funds=replace(FUNDS, allowance=None, delegated_until=None, gas=None))
    for rule in (money_rules.gas, money_rules.allowance, money_rules.delegation):
        assert rule(on_paper) is None


def test_a_source_that_names_nobody_may_trade_everything_for_everybody() -> None:
    assert source_rules.account_is_allowed(entry(source=SourceFacts(name="tv"))) is None
    assert source_rules.symbol_is_allowed(entry(source=SourceFacts(name="tv"))) is None


def test_a_canary_that_names_no_accounts_flies_for_all() -> None:
    flying = Canary(max_notional=Usdc.of(10), symbols=frozenset({"BTC-USD"}), accounts=frozenset())
    codes = {check.code for check in evaluate(entry(canary=flying), rules=RULES).checks}
    assert Denial.CANARY_USER_NOT_ALLOWED not in codes
    assert Denial.CANARY_SYMBOL_NOT_ALLOWED in codes


def test_every_rule_has_a_boundary_in_these_tables() -> None:
    assert {rule for rule, *_ in PASSES} | ONLY_REFUSES == set(RULES)
    assert {rule for rule, *_ in REFUSALS} == set(RULES)


def test_every_denial_is_some_rules() -> None:
    # Said before the rules are asked: test_stance and test_verdicts hold them.
    beforehand = {Denial.NOTHING_HELD, Denial.TARGET_REACHED, Denial.ACCOUNT_UNSEEN, Denial.NOTHING_TO_CANCEL}
    assert {refusal.code for *_, refusal in REFUSALS} == set(Denial) - beforehand


def test_every_rule_stands_once() -> None:
    assert len(RULES) == len(set(RULES))


def test_one_denial_shows_all_its_reasons_and_allows_nothing() -> None:
    free = replace(MARKET, min_notional=Usdc.zero(), max_leverage=Leverage.of(1_000))
    policy = limited(max_leverage=Leverage.of(50), circuit_breaker=True)
    decision = evaluate(entry(leverage=51, policy=policy, price=None, market=free), rules=RULES)
    assert decision.verdict is Verdict.DENIED
    assert decision.legs == ()
    assert [check.code for check in decision.checks if not check.passed] == [
        Denial.LEVERAGE_ABOVE_MAX,
        Denial.CIRCUIT_BREAKER,
        Denial.PRICE_STALE,
    ]
    assert decision.denial is not None
    assert decision.denial.message == "Leverage 51x exceeds max 50x"


def test_evaluate_open_excessive_leverage() -> None:
    fifty = limited(max_leverage=Leverage.of(50))
    refused = evaluate(entry(leverage=51, policy=fifty), rules=RULES)
    assert (refused.verdict, refused.denial and refused.denial.code) == (Verdict.DENIED, Denial.LEVERAGE_ABOVE_MAX)
    assert refused.denial is not None
    assert refused.denial.message == "Leverage 51x exceeds max 50x"
    allowed = evaluate(entry(leverage=50, policy=fifty), rules=RULES)
    assert allowed.verdict is Verdict.APPROVED
    # Never silently changed.
    assert [leg.leverage for leg in allowed.legs] == [Leverage.of(50)]


def test_evaluate_close_pass() -> None:
    decision = evaluate(close(usdc=20), rules=RULES)
    assert decision.verdict is Verdict.APPROVED
    assert [str(leg.collateral) for leg in decision.legs] == ["20"]
    assert all(check.passed for check in decision.checks)


def test_without_a_leverage_no_rule_speaks_of_one() -> None:
    assert close().wanted.side is Side.CLOSE
    assert {check.code for check in evaluate(close(), rules=RULES).checks}.isdisjoint(
        {Denial.LEVERAGE_ABOVE_MAX, Denial.LEVERAGE_BELOW_ONE, Denial.LEVERAGE_OUT_OF_RANGE}
    )
    assert POLICY.overall.max_leverage == Leverage.of(500)
