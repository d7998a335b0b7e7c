"""The fake chain reads bytes as a strict node does; that eth-account signed them is the other side of the proof."""

import pytest
import rlp
from coincurve import PublicKey
from eth_account import Account
from eth_utils import to_checksum_address

from tests.fakes import transaction as transactions
from tests.fakes.counter import bump
from tests.fakes.ledger import CHAIN_ID, COUNTER, GWEI
from tests.fakes.transaction import Malformed, Transaction
from tests.unit.fakes.bench import Bench, key

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def test_bytes_say_what_was_signed(bench: Bench) -> None:
    signed = bench.call(3, counts=9)

    assert transactions.read(signed.raw) == Transaction(
        raw=signed.raw,
        tx_hash=signed.tx_hash,
        sender=bench.sender.lower(),
        chain_id=CHAIN_ID,
        nonce=3,
        tip_cap=GWEI,
        fee_cap=10 * GWEI,
        gas_limit=60_000,
        target=COUNTER.lower(),
        value=0,
        data=bump(key(9)),
    )


def test_the_sender_is_whom_eth_account_recovers(bench: Bench) -> None:
    for nonce in range(20):
        raw = bench.call(nonce).raw

        assert to_checksum_address(transactions.read(raw).sender) == Account.recover_transaction(raw)


def test_a_mirrored_signature_is_refused(bench: Bench) -> None:
    fields = rlp.decode(bytes.fromhex(bench.call().raw[4:]))
    parity, s = int.from_bytes(fields[9]), int.from_bytes(fields[11])
    mirrored = [*fields[:9], bytes([1]) if parity == 0 else b"", fields[10], (ORDER - s).to_bytes(32)]

    with pytest.raises(Malformed, match="invalid sender"):
        transactions.read("0x02" + rlp.encode(mirrored).hex())


@pytest.mark.parametrize("raw", ["0x", "0x02", "0x02c0", "0x01c0", "0xzz", "0x" + "ff" * 60, "0x02cc" + "80" * 12])
def test_anything_else_is_malformed(raw: str) -> None:
    with pytest.raises(Malformed):
        transactions.read(raw)


def test_a_byte_changed_is_another_sender_or_malformed(bench: Bench) -> None:
    raw = bench.call().raw
    for at in range(4, len(raw) - 1, 16):
        changed = raw[:at] + format(int(raw[at], 16) ^ 1, "x") + raw[at + 1 :]
        try:
            assert transactions.read(changed).sender != bench.sender.lower()
        except Malformed:
            continue


def test_a_curves_point_is_recovered_only_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = bench.call(77).raw
    transactions.read.cache_clear()
    asked: list[bytes] = []
    recover = PublicKey.from_signature_and_message

    def counting(signature: bytes, *args: object, **kwargs: object) -> PublicKey:
        asked.append(signature)
        return recover(signature, *args, **kwargs)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(PublicKey, "from_signature_and_message", counting)
    assert [transactions.read(raw) for _ in range(5)] == [transactions.read(raw)] * 5

    assert len(asked) == 1
