"""New levels as typed data: the venue's own vector for the domain, and another library's word for the rest."""

from datetime import UTC, datetime, timedelta

import pytest
from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data

from execution.adapters.local_signer import LocalSigner
from execution.adapters.veranta import typed_intents
from execution.domain.levels import LevelsIntent
from execution.domain.signing import SigningDenied
from trading.domain.position import Levels
from trading.domain.units import Price

# The domain of the venue's published vectors (venue.md section 5).
CHAIN_ID, ROUTER = 31_337, "0x5FbDB2315678afecb367f032d93F642f64180aa3"
KEY = "0x" + "11" * 32
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
INTENT = LevelsIntent(
    trader="0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
    pair_index=1,
    venue_index=2,
    levels=Levels(take_profit=Price.of("66000.5"), stop_loss=Price.of(57_000)),
    asked_at=AT,
    deadline=AT + timedelta(seconds=30),
    nonce=2**255 + 7,
)
FIELDS = [
    ("trader", "address"),
    *((name, "uint256") for name in ("_pairIndex", "_index", "_newTp", "_newSl", "_deadline", "_nonce")),
]


def by_eth_account(intent: LevelsIntent) -> SignableMessage:
    values = (
        intent.trader,
        intent.pair_index,
        intent.venue_index,
        660_005_000_000_000,
        570_000_000_000_000,
        1_767_323_075_000,
        intent.nonce,
    )
    return encode_typed_data(
        domain_data={"name": "AvantisTrading", "version": "1", "chainId": CHAIN_ID, "verifyingContract": ROUTER},
        message_types={"UpdateTpSlReq": [{"name": name, "type": kind} for name, kind in FIELDS]},
        message_data={name: value for (name, _), value in zip(FIELDS, values, strict=True)},
    )


def test_the_domain_is_the_venue_s_own() -> None:
    found = typed_intents.domain_separator(chain_id=CHAIN_ID, router=ROUTER)

    assert found.hex() == "fb572dd00c3ff4fce2cb295d37ec01aa4f6f957bb3f49c37e775801257939a46"


def test_another_library_hashes_the_same() -> None:
    said = by_eth_account(INTENT)

    assert typed_intents.domain_separator(chain_id=CHAIN_ID, router=ROUTER) == said.header
    assert Account._recover_hash(
        typed_intents.digest(INTENT, chain_id=CHAIN_ID, router=ROUTER),
        signature=Account.from_key(KEY).sign_message(said).signature,
    ) == str(Account.from_key(KEY).address)


def test_the_intent_s_fields_stand_in_a_row() -> None:
    raw = typed_intents.encoded(INTENT)

    assert len(raw) == 7 * 32
    assert [int.from_bytes(raw[at : at + 32]) for at in (96, 128)] == [660_005_000_000_000, 570_000_000_000_000]


def test_our_signature_is_that_of_our_address(settings: object) -> None:
    settings.CHAIN_ID, settings.VERANTA_ROUTER_ADDRESS = CHAIN_ID, ROUTER  # type: ignore[attr-defined]
    signer = LocalSigner(KEY)

    signature = signer.sign_levels(INTENT)

    assert len(bytes.fromhex(signature[2:])) == 65
    assert signature[-2:] in ("1b", "1c")
    assert Account.recover_message(by_eth_account(INTENT), signature=signature) == signer.address


def test_what_the_policy_refuses_is_not_signed() -> None:
    asked: list[bytes] = []

    class Counting(LocalSigner):
        def _sign(self, digest: bytes) -> tuple[int, int]:
            asked.append(digest)
            return super()._sign(digest)

    late = LevelsIntent(
        trader=INTENT.trader,
        pair_index=1,
        venue_index=2,
        levels=INTENT.levels,
        asked_at=AT,
        deadline=AT + timedelta(hours=1),
        nonce=1,
    )

    with pytest.raises(SigningDenied) as denied:
        Counting(KEY).sign_levels(late)

    assert (denied.value.facts, asked) == ({"act": "levels", "rule": "lifetime"}, [])
