"""The venue's signed intents: typed data of EIP-712, encoded by us (venue.md section 5)."""

from datetime import UTC, datetime, timedelta

from eth_abi import encode
from eth_utils import keccak

from execution.domain.levels import LevelsIntent

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DOMAIN = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
# The name is older than the venue's own, and stays.
_NAME, _VERSION = "AvantisTrading", "1"
_FIELDS = "address trader,uint256 _pairIndex,uint256 _index,uint256 _newTp,uint256 _newSl,uint256 _deadline,uint256 _nonce"
_UPDATE_LEVELS = f"UpdateTpSlReq({_FIELDS})"
_TYPES = [field.split()[0] for field in _FIELDS.split(",")]


def domain_separator(*, chain_id: int, router: str) -> bytes:
    """What makes a signature good on one chain, for one contract."""
    words = (keccak(text=_DOMAIN), keccak(text=_NAME), keccak(text=_VERSION), chain_id, router)
    return keccak(encode(["bytes32", "bytes32", "bytes32", "uint256", "address"], words))


def encoded(intent: LevelsIntent) -> bytes:
    """The intent as the venue's contract reads it: its fields inline. No level is 0, the deadline in milliseconds."""
    return encode(_TYPES, _values(intent))


def digest(intent: LevelsIntent, *, chain_id: int, router: str) -> bytes:
    """What is signed."""
    body = keccak(keccak(text=_UPDATE_LEVELS) + encoded(intent))
    return keccak(b"\x19\x01" + domain_separator(chain_id=chain_id, router=router) + body)


def _values(intent: LevelsIntent) -> tuple[str | int, ...]:
    target, stop = intent.levels.take_profit, intent.levels.stop_loss
    return (
        intent.trader,
        intent.pair_index,
        intent.venue_index,
        target.raw if target else 0,
        stop.raw if stop else 0,
        (intent.deadline - _EPOCH) // timedelta(milliseconds=1),
        intent.nonce,
    )
