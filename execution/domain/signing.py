"""What a signer may sign: nothing, but for the acts in `RULES`, each within its limits.

The signer holds its own limits, apart from the policies that decisions are made by: whoever takes over
the desk still can't make it sign more than these.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from execution.domain.fees import Offer
from trading.domain.errors import Conflict, Denied
from trading.domain.units import Leverage, Usdc, Wei, notional

# A cancellation is an empty call to ourselves: it costs what the cheapest transaction costs.
CANCELLATION_GAS = 21_000
# The chain's cap for one transaction (EIP-7825: 2^24).
MAX_TRANSACTION_GAS = 16_777_216
ONE = Leverage.of(1)


class SigningDenied(Denied):
    """The signer's policy doesn't know such a call; nothing was signed."""

    code = "SIGNING_DENIED"


class SignerBroken(Conflict):
    """The key isn't the one that its address stands for: this signer signs nothing any more."""

    code = "SIGNER_BROKEN"


class Act(StrEnum):
    """What a call does, as far as a signer reads calls."""

    OPEN = "open"  # the venue's call that opens a position for a trader
    CLOSE = "close"  # the venue's call that closes one
    CANCELLATION = "cancellation"  # an empty call to ourselves: it takes a nonce and does nothing
    TOP_UP = "top-up"  # gas money for another address
    UNKNOWN = "unknown"  # anything else


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A call as the rules see it: what it does, from whom, to whom, at what cost.

    `trader`, `collateral` and `leverage` are read from the calldata; what an act has none of stays empty.
    """

    act: Act
    sender: str
    target: str
    chain_id: int
    value: Wei
    gas_limit: int
    offer: Offer
    trader: str = ""
    collateral: Usdc = field(default_factory=Usdc.zero)
    leverage: Leverage = field(default_factory=Leverage.zero)

    @property
    def notional(self) -> Usdc:
        """Collateral times leverage."""
        return notional(self.collateral, self.leverage)

    @property
    def cost(self) -> Wei:
        """The most that it can take from the sender, the rollup's fee for its data aside."""
        return self.offer.fee_cap.times_up(self.gas_limit) + self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningPolicy:
    """A signer's limits. `beneficiaries` may be given gas money; nobody else may be given anything."""

    chain_id: int
    router: str
    max_leverage: Leverage
    max_notional: Usdc
    fee_ceiling: Wei
    max_cost: Wei
    max_top_up: Wei
    max_execution_fee: Wei = field(default_factory=Wei.zero)
    beneficiaries: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One rule's answer: what was measured, what it was held against, and whether it passed."""

    passed: bool
    value: str
    limit: str


Rule = Callable[[Proposal, SigningPolicy], Check]


def chain(proposal: Proposal, policy: SigningPolicy) -> Check:
    """The configured chain, so that no signature is good on another one."""
    return _check(proposal.chain_id == policy.chain_id, proposal.chain_id, policy.chain_id)


def gas_limit(proposal: Proposal, _: SigningPolicy) -> Check:
    """What the chain takes in one transaction."""
    return _check(0 < proposal.gas_limit <= MAX_TRANSACTION_GAS, proposal.gas_limit, MAX_TRANSACTION_GAS)


def fee_cap(proposal: Proposal, policy: SigningPolicy) -> Check:
    """The most that we ever pay for a gas."""
    cap = proposal.offer.fee_cap
    return _check(cap <= policy.fee_ceiling, f"{cap} wei", f"{policy.fee_ceiling} wei")


def tip_cap(proposal: Proposal, _: SigningPolicy) -> Check:
    """A tip above the cap is no transaction."""
    tip, cap = proposal.offer.tip_cap, proposal.offer.fee_cap
    return _check(Wei.zero() <= tip <= cap, f"{tip} wei", f"{cap} wei")


def cost(proposal: Proposal, policy: SigningPolicy) -> Check:
    """Gas and value together, as the price of the worst case."""
    return _check(proposal.cost <= policy.max_cost, f"{proposal.cost} wei", f"{policy.max_cost} wei")


def to_the_venue(proposal: Proposal, policy: SigningPolicy) -> Check:
    """The venue's router, the one contract that is ever called."""
    return _check(_is_same(proposal.target, policy.router), proposal.target, policy.router)


def execution_fee(proposal: Proposal, policy: SigningPolicy) -> Check:
    """The coins that the venue's keeper is given with an order."""
    value, limit = proposal.value, policy.max_execution_fee
    return _check(Wei.zero() <= value <= limit, f"{value} wei", f"{limit} wei")


def trader(proposal: Proposal, _: SigningPolicy) -> Check:
    """Somebody for whom the order is."""
    return _check(int(proposal.trader or "0", 16) != 0, proposal.trader or "nobody", "a trader")


def leverage(proposal: Proposal, policy: SigningPolicy) -> Check:
    """Between one, so that the collateral is never more than the notional, and the hard ceiling."""
    value, limit = proposal.leverage, policy.max_leverage
    return _check(ONE <= value <= limit, f"{value}x", f"1x to {limit}x")


def position_size(proposal: Proposal, policy: SigningPolicy) -> Check:
    """Collateral times leverage up to the limit; at the limit passes."""
    return _check(proposal.notional <= policy.max_notional, f"${proposal.notional}", f"${policy.max_notional}")


def to_ourselves(proposal: Proposal, _: SigningPolicy) -> Check:
    """A cancellation reaches nobody else."""
    return _check(_is_same(proposal.target, proposal.sender), proposal.target, proposal.sender)


def no_value(proposal: Proposal, _: SigningPolicy) -> Check:
    """A cancellation moves nothing."""
    return _check(proposal.value == Wei.zero(), f"{proposal.value} wei", "0 wei")


def cancellation_gas(proposal: Proposal, _: SigningPolicy) -> Check:
    """A cancellation runs no code."""
    return _check(proposal.gas_limit <= CANCELLATION_GAS, proposal.gas_limit, CANCELLATION_GAS)


def to_a_beneficiary(proposal: Proposal, policy: SigningPolicy) -> Check:
    """Gas money goes to those who are named, and while nobody is, to nobody."""
    is_named = any(_is_same(proposal.target, beneficiary) for beneficiary in policy.beneficiaries)
    return _check(is_named, proposal.target, "a beneficiary")


def top_up(proposal: Proposal, policy: SigningPolicy) -> Check:
    """Gas money is something, and not more than the limit."""
    value, limit = proposal.value, policy.max_top_up
    return _check(Wei.zero() < value <= limit, f"{value} wei", f"{limit} wei")


_ALWAYS: tuple[Rule, ...] = (chain, gas_limit, fee_cap, tip_cap, cost)

# Adding a rule is adding its name to a line; an act without a line is denied.
RULES: Mapping[Act, tuple[Rule, ...]] = {
    Act.OPEN: (*_ALWAYS, to_the_venue, execution_fee, trader, leverage, position_size),
    Act.CLOSE: (*_ALWAYS, to_the_venue, execution_fee, trader),
    Act.CANCELLATION: (*_ALWAYS, to_ourselves, no_value, cancellation_gas),
    Act.TOP_UP: (*_ALWAYS, to_a_beneficiary, top_up),
}


def permit(proposal: Proposal, *, policy: SigningPolicy, rules: Mapping[Act, tuple[Rule, ...]] = RULES) -> None:
    """Pass if a signer may sign this.

    Raises:
        SigningDenied: with the first rule that it breaks, the value and the limit.
    """
    if proposal.act not in rules:
        raise SigningDenied("the signer knows no such call", act=proposal.act, rule="act")
    for rule in rules[proposal.act]:
        check = rule(proposal, policy)
        if not check.passed:
            facts = {"rule": rule.__name__, "value": check.value, "limit": check.limit}
            raise SigningDenied("the signer's policy refuses the call", act=proposal.act, **facts)


def _check(passed: bool, value: object, limit: object) -> Check:  # noqa: FBT001 - the verdict itself
    return Check(passed=passed, value=str(value), limit=str(limit))


def _is_same(address: str, other: str) -> bool:
    # Upper and lower case are a checksum, no difference.
    return address.lower() == other.lower()
