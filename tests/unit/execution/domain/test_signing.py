"""What a signer may sign: every rule is seen to refuse, and to be the one that does."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from execution.domain.fees import Offer
from execution.domain.signing import RULES, Act, Proposal, SigningDenied, SigningPolicy, permit
from trading.domain.units import Leverage, Usdc, Wei

GWEI = 10**9
SENDER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
ROUTER = "0x44914408af82bC9983bbb330e3578E1105e11d4e"
TRADER = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
OTHER_SENDER = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"
STRANGER = "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65"

POLICY = SigningPolicy(
    chain_id=8453,
    router=ROUTER,
    max_leverage=Leverage.of(75),
    max_notional=Usdc.of(1_000),
    fee_ceiling=Wei(500 * GWEI),
    max_cost=Wei(10**18),
    max_top_up=Wei(5 * 10**16),
    beneficiaries=frozenset((OTHER_SENDER,)),
)


def _proposal(act: Act, target: str, **more: Any) -> Proposal:
    base: dict[str, Any] = {
        "sender": SENDER,
        "chain_id": 8453,
        "value": Wei.zero(),
        "gas_limit": 21_000,
        "offer": Offer(fee_cap=Wei(2 * GWEI), tip_cap=Wei(GWEI)),
    }
    return Proposal(act=act, target=target, **base | more)


GOOD = {
    Act.OPEN: _proposal(Act.OPEN, ROUTER, gas_limit=900_000, trader=TRADER, collateral=Usdc.of(100), leverage=Leverage.of(10)),
    Act.CLOSE: _proposal(Act.CLOSE, ROUTER, gas_limit=900_000, trader=TRADER, collateral=Usdc.of(100)),
    Act.CANCELLATION: _proposal(Act.CANCELLATION, SENDER),
    Act.TOP_UP: _proposal(Act.TOP_UP, OTHER_SENDER, value=Wei(10**16)),
}


@dataclass(frozen=True, kw_only=True)
class Breach:
    """What breaks one rule and no other, and what is said of it."""

    act: Act
    rule: str
    value: str
    limit: str
    changes: dict[str, Any] = field(default_factory=dict)
    policy: dict[str, Any] = field(default_factory=dict)


def _always(act: Act) -> list[Breach]:
    cost = GOOD[act].cost
    dear = Offer(fee_cap=Wei(500 * GWEI + 1), tip_cap=Wei(GWEI))
    upside_down = Offer(fee_cap=Wei(GWEI), tip_cap=Wei(GWEI + 1))
    return [
        Breach(act=act, rule="chain", changes={"chain_id": 1}, value="1", limit="8453"),
        Breach(act=act, rule="gas_limit", changes={"gas_limit": 0}, value="0", limit="16777216"),
        Breach(act=act, rule="fee_cap", changes={"offer": dear}, value="500000000001 wei", limit="500000000000 wei"),
        Breach(act=act, rule="tip_cap", changes={"offer": upside_down}, value="1000000001 wei", limit="1000000000 wei"),
        Breach(act=act, rule="cost", policy={"max_cost": cost - Wei(1)}, value=f"{cost} wei", limit=f"{cost.raw - 1} wei"),
    ]


def _to_the_venue(act: Act) -> list[Breach]:
    return [
        Breach(act=act, rule="to_the_venue", changes={"target": STRANGER}, value=STRANGER, limit=ROUTER),
        Breach(act=act, rule="execution_fee", changes={"value": Wei(1)}, value="1 wei", limit="0 wei"),
        Breach(act=act, rule="trader", changes={"trader": "0x" + "00" * 20}, value="0x" + "00" * 20, limit="a trader"),
    ]


BREACHES = [
    *(breach for act in GOOD for breach in _always(act)),
    *_to_the_venue(Act.OPEN),
    *_to_the_venue(Act.CLOSE),
    Breach(
        act=Act.OPEN,
        rule="leverage",
        changes={"leverage": Leverage.of("75.0000000001"), "collateral": Usdc.of(1)},
        value="75.0000000001x",
        limit="1x to 75x",
    ),
    Breach(act=Act.OPEN, rule="position_size", changes={"collateral": Usdc.of("100.000001")}, value="$1000.00001", limit="$1000"),
    Breach(act=Act.CANCELLATION, rule="to_ourselves", changes={"target": STRANGER}, value=STRANGER, limit=SENDER),
    Breach(act=Act.CANCELLATION, rule="no_value", changes={"value": Wei(1)}, value="1 wei", limit="0 wei"),
    Breach(act=Act.CANCELLATION, rule="cancellation_gas", changes={"gas_limit": 21_001}, value="21001", limit="21000"),
    Breach(act=Act.TOP_UP, rule="to_a_beneficiary", changes={"target": STRANGER}, value=STRANGER, limit="a beneficiary"),
    Breach(
        act=Act.TOP_UP,
        rule="top_up",
        changes={"value": Wei(5 * 10**16 + 1)},
        value="50000000000000001 wei",
        limit="50000000000000000 wei",
    ),
]
_NAMES = [f"{breach.act}: {breach.rule}" for breach in BREACHES]


@pytest.mark.parametrize("proposal", GOOD.values(), ids=GOOD)
def test_what_the_desk_does_may_be_signed(proposal: Proposal) -> None:
    permit(proposal, policy=POLICY)


def test_every_rule_of_every_act_has_its_breach() -> None:
    assert {(breach.act, breach.rule) for breach in BREACHES} == {(act, rule.__name__) for act in RULES for rule in RULES[act]}


@pytest.mark.parametrize("breach", BREACHES, ids=_NAMES)
def test_a_breach_is_denied_with_the_rule_the_value_and_the_limit(breach: Breach) -> None:
    with pytest.raises(SigningDenied) as denial:
        permit(replace(GOOD[breach.act], **breach.changes), policy=replace(POLICY, **breach.policy))

    assert denial.value.facts == {"act": breach.act, "rule": breach.rule, "value": breach.value, "limit": breach.limit}


@pytest.mark.parametrize("breach", BREACHES, ids=_NAMES)
def test_without_its_rule_the_breach_would_be_signed(breach: Breach) -> None:
    others = tuple(rule for rule in RULES[breach.act] if rule.__name__ != breach.rule)

    permit(
        replace(GOOD[breach.act], **breach.changes),
        policy=replace(POLICY, **breach.policy),
        rules={**RULES, breach.act: others},
    )


def test_an_act_that_nobody_wrote_rules_for_is_denied() -> None:
    unknown = replace(GOOD[Act.CANCELLATION], act=Act.UNKNOWN)

    with pytest.raises(SigningDenied) as denial:
        permit(unknown, policy=POLICY)

    assert denial.value.facts == {"act": Act.UNKNOWN, "rule": "act"}
    permit(unknown, policy=POLICY, rules={**RULES, Act.UNKNOWN: ()})


def test_every_act_but_the_unknown_has_its_rules() -> None:
    assert set(RULES) == set(Act) - {Act.UNKNOWN}


@pytest.mark.parametrize(
    ("act", "changes"),
    [
        (Act.OPEN, {"leverage": Leverage.of(75), "collateral": Usdc.of("13.333333")}),
        (Act.OPEN, {"leverage": Leverage.of(1), "collateral": Usdc.of(1_000)}),
        (Act.OPEN, {"offer": Offer(fee_cap=Wei(500 * GWEI), tip_cap=Wei(500 * GWEI))}),
        (Act.CLOSE, {"gas_limit": 16_777_216}),
        (Act.CLOSE, {"target": ROUTER.lower()}),
        (Act.CANCELLATION, {"target": SENDER.lower(), "offer": Offer(fee_cap=Wei(500 * GWEI), tip_cap=Wei.zero())}),
        (Act.TOP_UP, {"value": Wei(5 * 10**16)}),
        (Act.TOP_UP, {"value": Wei(1), "target": OTHER_SENDER.lower()}),
    ],
)
def test_at_a_limit_it_passes(act: Act, changes: dict[str, Any]) -> None:
    permit(replace(GOOD[act], **changes), policy=POLICY)


@pytest.mark.parametrize(
    ("act", "changes", "rule"),
    [
        # Without leverage there is no notional: any amount of collateral would pass below the limit.
        (Act.OPEN, {"leverage": Leverage.zero(), "collateral": Usdc.of(10**9)}, "leverage"),
        (Act.OPEN, {"leverage": Leverage.of("0.9999999999"), "collateral": Usdc.of(1)}, "leverage"),
        (Act.OPEN, {"trader": ""}, "trader"),
        (Act.OPEN, {"gas_limit": 16_777_217}, "gas_limit"),
        (Act.OPEN, {"gas_limit": 16_777_216, "offer": Offer(fee_cap=Wei(500 * GWEI), tip_cap=Wei(0))}, "cost"),
        (Act.CLOSE, {"value": Wei(-1)}, "execution_fee"),
        (Act.CLOSE, {"offer": Offer(fee_cap=Wei(1), tip_cap=Wei(-1))}, "tip_cap"),
        (Act.TOP_UP, {"value": Wei(0)}, "top_up"),
        (Act.TOP_UP, {"value": Wei(-1)}, "top_up"),
    ],
)
def test_beyond_an_end_it_is_denied(act: Act, changes: dict[str, Any], rule: str) -> None:
    with pytest.raises(SigningDenied) as denial:
        permit(replace(GOOD[act], **changes), policy=POLICY)

    assert denial.value.facts["rule"] == rule


def test_while_nobody_is_named_nobody_is_given_anything() -> None:
    with pytest.raises(SigningDenied):
        permit(GOOD[Act.TOP_UP], policy=replace(POLICY, beneficiaries=frozenset()))


def test_an_execution_fee_passes_up_to_its_limit() -> None:
    policy = replace(POLICY, max_execution_fee=Wei(350_000_000_000_000))

    permit(replace(GOOD[Act.OPEN], value=Wei(350_000_000_000_000)), policy=policy)
    with pytest.raises(SigningDenied):
        permit(replace(GOOD[Act.OPEN], value=Wei(350_000_000_000_001)), policy=policy)
