"""What every signer does around its key, whatever keeps it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from coincurve import PrivateKey
from django.conf import settings
from eth_account import Account
from structlog.testing import capture_logs

from execution.adapters import guarded_signer, secp256k1, transactions
from execution.adapters.guarded_signer import GuardedSigner, configured_policy
from execution.adapters.veranta import calldata
from execution.domain.fees import Offer
from execution.domain.signing import Act, SignerBroken, SigningDenied, SigningPolicy
from execution.ports import CloseRequest, OpenRequest, UnsignedCall
from tests.fakes.kms import sign
from trading.domain.position import Direction
from trading.domain.units import Leverage, Percent, Price, Usdc, Wei
from trading.kinds import WrongKind

KEY = 0xAC0974BEC39A17E36BA4A6B4D238FF944BACB478CBED5EFCAE784D7BF4F2FF80
ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
TRADER = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
STRANGER = "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65"
GWEI = 10**9

OPENING = OpenRequest(
    trader=TRADER,
    pair_index=1,
    direction=Direction.LONG,
    collateral=Usdc.of(100),
    leverage=Leverage.of(10),
    price=Price.of(60_000),
    slippage=Percent.of("0.5"),
    take_profit=None,
    stop_loss=None,
)
CLOSING = CloseRequest(trader=TRADER, pair_index=1, venue_index=0, collateral=Usdc.of(100), price=Price.of(60_000))


class TextbookSigner(GuardedSigner):
    """A key in memory that signs as a careless keeper would. `asked` is every digest that it was given."""

    reference = "textbook:0"

    def __init__(self, *, secret: int = KEY, policy: SigningPolicy | None = None) -> None:
        super().__init__(policy=policy)
        self.asked: list[bytes] = []
        self.secret = secret

    @property
    def address(self) -> str:
        return ADDRESS

    def _sign(self, digest: bytes) -> tuple[int, int]:
        self.asked.append(digest)
        return sign(self.secret, digest)


def _call(**changes: Any) -> UnsignedCall:
    base: dict[str, Any] = {
        "chain_id": settings.CHAIN_ID,
        "nonce": 7,
        "target": settings.VERANTA_ROUTER_ADDRESS,
        "data": calldata.order_call(OPENING),
        "value": Wei.zero(),
        "gas_limit": 900_000,
        "offer": Offer(fee_cap=Wei(2 * GWEI), tip_cap=Wei(GWEI)),
    }
    return UnsignedCall(**base | changes)


def _cancellation(**changes: Any) -> UnsignedCall:
    return _call(target=ADDRESS, data="0x", gas_limit=21_000, **changes)


CALLS = {
    "open": _call(),
    "close": _call(data=calldata.order_call(CLOSING)),
    "cancellation": _cancellation(),
    "lower case": _call(target=settings.VERANTA_ROUTER_ADDRESS.lower()),
    "nonce zero": _cancellation(nonce=0),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_what_the_desk_sends_is_signed_as_it_was_asked(call: UnsignedCall) -> None:
    signed = TextbookSigner().sign(call)

    assert transactions.read(signed.raw) == (transactions.as_read(call), ADDRESS)
    assert Account.recover_transaction(signed.raw) == ADDRESS


@pytest.mark.parametrize(
    ("call", "act"),
    [
        (_call(), Act.OPEN),
        (_call(data=calldata.order_call(CLOSING)), Act.CLOSE),
        (_cancellation(), Act.CANCELLATION),
        (_call(target=ADDRESS.lower(), data="0x"), Act.CANCELLATION),
        (_call(target=STRANGER, data="0x"), Act.TOP_UP),
        (_call(data=calldata.call(calldata.SET_DELEGATE, STRANGER, 1)), Act.UNKNOWN),
        (_call(data="0x00"), Act.UNKNOWN),
        (_call(data=""), Act.UNKNOWN),
        (_call(data="not hexadecimal"), Act.UNKNOWN),
    ],
)
def test_a_call_is_read_for_what_it_does(call: UnsignedCall, act: Act) -> None:
    assert guarded_signer.proposal(call, sender=ADDRESS).act is act


def test_an_order_is_read_with_its_money() -> None:
    read = guarded_signer.proposal(_call(), sender=ADDRESS)

    assert (read.trader, read.collateral, read.leverage, read.notional) == (TRADER, Usdc.of(100), Leverage.of(10), Usdc.of(1_000))


DENIED: dict[str, tuple[UnsignedCall, str]] = {
    "another chain": (_call(chain_id=1), "chain"),
    "another contract": (_call(target=STRANGER), "to_the_venue"),
    "USDC's approve": (
        _call(target=settings.VERANTA_USDC_ADDRESS, data=calldata.call(calldata.APPROVE, STRANGER, 2**256 - 1)),
        "act",
    ),
    "a new delegate": (_call(data=calldata.call(calldata.SET_DELEGATE, STRANGER, 2**40)), "act"),
    "a new delegate, wrapped": (
        _call(data=calldata.on_behalf_of(TRADER, calldata.call(calldata.SET_DELEGATE, STRANGER, 2**40))),
        "act",
    ),
    "an open that isn't wrapped": (_call(data=calldata.open_trade(OPENING)), "act"),
    "bytes behind the call": (_call(data=calldata.order_call(OPENING) + "00" * 32), "act"),
    "too much leverage": (_call(data=calldata.order_call(replace(OPENING, leverage=Leverage.of(501)))), "leverage"),
    "too large a position": (_call(data=calldata.order_call(replace(OPENING, collateral=Usdc.of(10_001)))), "position_size"),
    "for nobody": (_call(data=calldata.order_call(replace(OPENING, trader="0x" + "00" * 20))), "trader"),
    "with coins": (_call(value=Wei(1)), "execution_fee"),
    "a fee above the ceiling": (_call(offer=Offer(fee_cap=Wei(501 * GWEI), tip_cap=Wei(0))), "fee_cap"),
    "a tip above the fee": (_call(offer=Offer(fee_cap=Wei(1), tip_cap=Wei(2))), "tip_cap"),
    "more gas than a block": (_call(gas_limit=16_777_217), "gas_limit"),
    "too dear": (_call(gas_limit=16_777_216, offer=Offer(fee_cap=Wei(500 * GWEI), tip_cap=Wei(0))), "cost"),
    "coins for a stranger": (_call(target=STRANGER, data="0x", value=Wei(1)), "to_a_beneficiary"),
    "coins to ourselves": (_cancellation(value=Wei(1)), "no_value"),
    "a cancellation with gas for more": (replace(_cancellation(), gas_limit=21_001), "cancellation_gas"),
    "a contract's creation": (_call(target="0x", data="0x6000"), "act"),
    "a contract's creation, empty": (_call(target="0x", data="0x"), "to_a_beneficiary"),
}


@pytest.mark.parametrize(("call", "rule"), DENIED.values(), ids=DENIED)
def test_anything_else_is_denied_before_the_key_is_asked(call: UnsignedCall, rule: str) -> None:
    signer = TextbookSigner()

    with pytest.raises(SigningDenied) as denial:
        signer.sign(call)

    assert denial.value.facts["rule"] == rule
    assert signer.asked == []


@pytest.mark.parametrize(("call", "rule"), DENIED.values(), ids=DENIED)
def test_a_check_says_the_same_without_signing(call: UnsignedCall, rule: str) -> None:
    with pytest.raises(SigningDenied) as denial:
        TextbookSigner().check(call)

    assert denial.value.facts["rule"] == rule


def test_without_the_policy_the_key_would_sign_the_delegation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded_signer, "permit", lambda *_, **__: None)
    call, _ = DENIED["a new delegate"]

    signed = TextbookSigner().sign(call)

    assert transactions.read(signed.raw) == (call, ADDRESS)


def test_the_policy_can_be_given() -> None:
    policy = replace(configured_policy(), beneficiaries=frozenset((STRANGER,)), max_top_up=Wei(5))
    top_up = _call(target=STRANGER, data="0x", value=Wei(5))

    signed = TextbookSigner(policy=policy).sign(top_up)

    assert transactions.read(signed.raw) == (top_up, ADDRESS)


def test_by_default_the_limits_are_those_of_the_settings() -> None:
    assert configured_policy() == SigningPolicy(
        chain_id=31337,
        router=settings.VERANTA_ROUTER_ADDRESS,
        max_leverage=Leverage.of(500),
        max_notional=Usdc.of(100_000),
        fee_ceiling=Wei(500 * GWEI),
        max_cost=Wei(10**18),
        max_top_up=Wei(5 * 10**16),
        max_execution_fee=Wei(0),
        beneficiaries=frozenset(),
    )


def test_a_strangers_signature_stops_the_signer_for_good() -> None:
    signer = TextbookSigner(secret=KEY + 1)

    with capture_logs() as said:
        for _ in range(3):
            with pytest.raises(SignerBroken) as broken:
                signer.sign(_call())
        signer.secret = KEY
        with pytest.raises(SignerBroken):
            signer.sign(_call())

    # The key was asked once, and a person was called once.
    assert len(signer.asked) == 1
    assert said == [{"event": "signer.broken", "log_level": "error", "signer": "textbook:0", "address": ADDRESS, "nonce": 7}]
    assert broken.value.facts == {"signer": "textbook:0"}


def test_without_the_proof_the_transaction_would_be_the_strangers() -> None:
    call = _call()
    digest = transactions.digest(call)
    stranger = secp256k1.address_of(PrivateKey((KEY + 1).to_bytes(32)).public_key)
    signature = secp256k1.of(*sign(KEY + 1, digest), digest=digest, address=stranger)
    assert signature is not None

    assert Account.recover_transaction(transactions.signed(call, signature).raw) == stranger != ADDRESS


def _other(field: str, value: Any) -> Callable[[UnsignedCall, Any], Any]:
    written = transactions.signed
    return lambda call, signature: written(replace(call, **{field: value}), signature)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("chain_id", 1),
        ("nonce", 8),
        ("target", STRANGER),
        ("data", "0x00"),
        ("value", Wei(1)),
        ("gas_limit", 1),
        ("offer", Offer(fee_cap=Wei(2 * GWEI), tip_cap=Wei(0))),
        ("offer", Offer(fee_cap=Wei(3 * GWEI), tip_cap=Wei(GWEI))),
    ],
)
def test_bytes_that_say_something_else_never_leave(monkeypatch: pytest.MonkeyPatch, field: str, value: Any) -> None:
    monkeypatch.setattr(transactions, "signed", _other(field, value))

    with pytest.raises(SignerBroken):
        TextbookSigner().sign(_call())


@pytest.mark.django_db(transaction=True)
def test_nothing_is_signed_with_a_transaction_open() -> None:
    from django.db import transaction

    signer = TextbookSigner()
    with transaction.atomic(), pytest.raises(WrongKind):
        signer.sign(_call())

    assert signer.asked == []
