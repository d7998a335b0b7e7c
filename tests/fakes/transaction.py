"""A signed EIP-1559 transaction, as a node reads it from the wire."""

from dataclasses import dataclass
from functools import lru_cache

import rlp
from coincurve import PublicKey
from eth_utils import keccak

_TYPE = b"\x02"
_SIGNED_FIELDS = 9
_FIELDS = 12
_BASE_GAS = 21_000
# Above it, a signature's s is the mirror of another signature's: no node takes it (EIP-2).
_HIGHEST_S = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
_ZERO_BYTE_GAS, _BYTE_GAS = 4, 16


class Malformed(ValueError):
    """Bytes that aren't a signed EIP-1559 transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """What the bytes say; addresses are lower case, amounts wei."""

    raw: str
    tx_hash: str
    sender: str
    chain_id: int
    nonce: int
    tip_cap: int
    fee_cap: int
    gas_limit: int
    target: str
    value: int
    data: str

    @property
    def cost(self) -> int:
        """The most that it may take from its sender."""
        return self.gas_limit * self.fee_cap + self.value

    def tip_at(self, base_fee: int) -> int:
        """What a block builder earns by a gas of it; below zero: it can't be mined."""
        return min(self.tip_cap, self.fee_cap - base_fee)


@lru_cache(maxsize=100_000)
def hash_of(raw: str) -> str:
    """The hash of any bytes."""
    return "0x" + keccak(hexstr=raw).hex()


def intrinsic_gas(data: str) -> int:
    """What a transaction costs before anything runs."""
    raw = bytes.fromhex(data.removeprefix("0x"))
    return _BASE_GAS + _ZERO_BYTE_GAS * raw.count(0) + _BYTE_GAS * (len(raw) - raw.count(0))


# Recovering the sender is the dearest step of the whole chain, and the same bytes come again and again.
@lru_cache(maxsize=100_000)
def read(raw: str) -> Transaction:
    """The transaction in signed bytes (0x-hex).

    Raises:
        Malformed: if there is none.
    """
    try:
        return _read(raw)
    except Malformed:
        raise
    except (rlp.DecodingError, ValueError, IndexError, TypeError) as error:
        raise Malformed(f"rlp: {error}") from None


def _read(raw: str) -> Transaction:
    wire = bytes.fromhex(raw.removeprefix("0x"))
    if wire[:1] != _TYPE:
        raise Malformed("transaction type not supported")
    fields = rlp.decode(wire[1:])
    if len(fields) != _FIELDS:
        raise Malformed("too few elements for a dynamic fee transaction")
    chain_id, nonce, tip_cap, fee_cap, gas_limit, target, value, data = fields[:8]
    return Transaction(
        raw=raw,
        tx_hash=hash_of(raw),
        sender=_sender(fields),
        chain_id=int.from_bytes(chain_id),
        nonce=int.from_bytes(nonce),
        tip_cap=int.from_bytes(tip_cap),
        fee_cap=int.from_bytes(fee_cap),
        gas_limit=int.from_bytes(gas_limit),
        target="0x" + target.hex(),
        value=int.from_bytes(value),
        data="0x" + data.hex(),
    )


def _sender(fields: list[bytes]) -> str:
    signed = keccak(_TYPE + rlp.encode(fields[:_SIGNED_FIELDS]))
    parity, r, s = fields[_SIGNED_FIELDS:]
    if int.from_bytes(s) > _HIGHEST_S:
        raise Malformed("invalid sender: invalid transaction v, r, s values")
    signature = r.rjust(32, b"\0") + s.rjust(32, b"\0") + bytes([int.from_bytes(parity)])
    point = PublicKey.from_signature_and_message(signature, signed, hasher=None).format(compressed=False)
    return "0x" + keccak(point[1:])[12:].hex()
