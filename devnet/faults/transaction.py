"""Signed bytes, read: who offers what under which nonce."""

from dataclasses import dataclass
from functools import lru_cache

import rlp
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_keys.exceptions import BadSignature
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError
from hexbytes import HexBytes

# EIP-1559, and EIP-7702, which offers in the same way.
_OFFERING = (2, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """A signed offer: its hash, its place (sender and nonce) and its two caps, in wei a gas."""

    hash: str
    raw: str
    chain_id: int
    sender: str
    nonce: int
    fee_cap: int
    tip_cap: int

    @property
    def place(self) -> tuple[str, int]:
        """What only one transaction can ever fill."""
        return self.sender, self.nonce


def hash_of(raw: str) -> str:
    """The hash under which bytes are known."""
    return "0x" + keccak(hexstr=raw).hex()


def decode(raw: object) -> Transaction | None:
    """The offer in signed bytes; None for other kinds of transactions, and for what is none."""
    return _decoded_once(raw) if isinstance(raw, str) else None


# Bytes come again and again, from each worker and for each block; reading them costs half a millisecond.
@lru_cache(maxsize=4_096)
def _decoded_once(raw: str) -> Transaction | None:
    try:
        return _decoded(raw)
    except (ValueError, TypeError, KeyError, IndexError, rlp.RLPException, ValidationError, BadSignature):
        return None


def _decoded(raw: str) -> Transaction | None:
    encoded = HexBytes(raw)
    if encoded[0] not in _OFFERING:
        return None
    fields = TypedTransaction.from_bytes(encoded).as_dict()
    return Transaction(
        hash=hash_of(raw),
        raw=raw,
        chain_id=fields["chainId"],
        sender=Account.recover_transaction(encoded),
        nonce=fields["nonce"],
        fee_cap=fields["maxFeePerGas"],
        tip_cap=fields["maxPriorityFeePerGas"],
    )
