"""An EIP-1559 transaction (type 2 of EIP-2718): written from a call, and read back from its bytes."""

import rlp
from eth_utils import keccak, to_checksum_address
from rlp.exceptions import RLPException

from execution.adapters.secp256k1 import HALF_ORDER, Signature, signer_of
from execution.domain.fees import Offer
from execution.ports import SignedCall, UnsignedCall
from trading.domain.errors import Invalid
from trading.domain.units import Wei

_TYPE = b"\x02"
_ADDRESS_LENGTH = 20
_UNSIGNED_FIELDS = 9
_PARITIES = (0, 1)
# We name no storage that the call will touch.
_NO_ACCESS_LIST: list[bytes] = []

Fields = list[bytes | list[bytes]]


class Misread(Invalid):
    """Bytes that aren't a signed transaction of ours, to the letter."""

    code = "TRANSACTION_MISREAD"


def digest(call: UnsignedCall) -> bytes:
    """What a signature of a call covers."""
    return _digest(_fields(call))


def signed(call: UnsignedCall, signature: Signature) -> SignedCall:
    """A call with its signature, as bytes for the wire and their hash."""
    numbers = (signature.parity, signature.r, signature.s)
    raw = _TYPE + rlp.encode([*_fields(call), *(_whole(number) for number in numbers)])
    return SignedCall(raw="0x" + raw.hex(), tx_hash="0x" + keccak(raw).hex())


def read(raw: str) -> tuple[UnsignedCall, str | None]:
    """The call in some signed bytes, and who signed it (None: no key could have).

    Raises:
        Misread: if a strict node wouldn't take them for a transaction of this type.
    """
    try:
        return _read(bytes.fromhex(raw.removeprefix("0x")))
    except (RLPException, ValueError, TypeError, AttributeError):
        raise Misread("not a signed transaction of type 2") from None


def as_read(call: UnsignedCall) -> UnsignedCall:
    """A call as `read` would give it back: its address checksummed, its data in lower case."""
    return UnsignedCall(
        chain_id=call.chain_id,
        nonce=call.nonce,
        target=str(to_checksum_address(call.target)),
        data="0x" + _bytes(call.data).hex(),
        value=call.value,
        gas_limit=call.gas_limit,
        offer=call.offer,
    )


def _fields(call: UnsignedCall) -> Fields:
    return [
        _whole(call.chain_id),
        _whole(call.nonce),
        _whole(call.offer.tip_cap.raw),
        _whole(call.offer.fee_cap.raw),
        _whole(call.gas_limit),
        _bytes(call.target),
        _whole(call.value.raw),
        _bytes(call.data),
        _NO_ACCESS_LIST,
    ]


def _read(raw: bytes) -> tuple[UnsignedCall, str | None]:
    fields = rlp.decode(raw.removeprefix(_TYPE), strict=True)
    chain_id, nonce, tip_cap, fee_cap, gas_limit, target, value, data, access_list, *numbers = fields
    parity, r, s = (_number(each) for each in numbers)
    if raw[:1] != _TYPE or access_list != _NO_ACCESS_LIST or len(target) != _ADDRESS_LENGTH:
        raise Misread("not a call")
    if parity not in _PARITIES or s > HALF_ORDER:
        raise Misread("a signature that the chain doesn't take")
    call = UnsignedCall(
        chain_id=_number(chain_id),
        nonce=_number(nonce),
        target=str(to_checksum_address(target)),
        data="0x" + data.hex(),
        value=Wei(_number(value)),
        gas_limit=_number(gas_limit),
        offer=Offer(fee_cap=Wei(_number(fee_cap)), tip_cap=Wei(_number(tip_cap))),
    )
    return call, signer_of(Signature(r=r, s=s, parity=parity), digest=_digest(fields[:_UNSIGNED_FIELDS]))


def _digest(fields: Fields) -> bytes:
    return keccak(_TYPE + rlp.encode(fields))


def _whole(number: int) -> bytes:
    # A node refuses a number with zeros in front: nothing is written as no bytes at all.
    return number.to_bytes((number.bit_length() + 7) // 8)


def _number(raw: bytes | list[bytes]) -> int:
    # An empty list would be read as zero.
    if isinstance(raw, list) or raw[:1] == b"\x00":
        raise Misread("no number, or one with zeros in front")
    return int.from_bytes(raw)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
