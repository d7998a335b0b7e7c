"""The local venue's way to new levels: a signed intent comes in over HTTP, and its operator brings it on the chain."""

import re
import time
from collections.abc import Mapping
from typing import Any

from coincurve import PublicKey
from eth_abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils import keccak, to_checksum_address

from devnet import deploy
from devnet.rpc import Rpc

PATH = re.compile(r"/core/price-triggers/global-(?:tp|sl)-(0x[0-9a-fA-F]{40})-(\d+)-(\d+)")
_FIELDS = "address trader,uint256 _pairIndex,uint256 _index,uint256 _newTp,uint256 _newSl,uint256 _deadline,uint256 _nonce"
_TYPE = keccak(text=f"UpdateTpSlReq({_FIELDS})")
_TYPES = [field.split()[0] for field in _FIELDS.split(",")]
_DOMAIN = keccak(text="EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
_RECOVERY = 27


class BadIntent(Exception):
    """The intent can't be obeyed, by the name of the venue's own error."""


def obey(match: re.Match[str], said: Mapping[str, Any], *, rpc: Rpc, deployment: deploy.Deployment, spent: set[int]) -> str:
    """Check an intent as the contract would and send what it asks; the transaction's hash.

    Raises:
        BadIntent: if it is malformed, late, used, about another position, or not its trader's or a delegate's.
    """
    raw, signature = _bytes(said, "userIntent"), _bytes(said, "signedMessage")
    try:
        trader, pair_index, index, take_profit, stop_loss, deadline, nonce = decode(_TYPES, raw)
    except DecodingError:
        raise BadIntent("BadIntent") from None
    named = (match[1].lower(), int(match[2]), int(match[3]))
    if named != (trader.lower(), pair_index, index):
        raise BadIntent("PositionMismatch")
    if deadline < time.time() * 1_000:
        raise BadIntent("InvalidDeadline")
    if nonce in spent:
        raise BadIntent("InvalidNonce")
    _check_signer(_signer(raw, signature, rpc=rpc, deployment=deployment), trader=trader, rpc=rpc, deployment=deployment)
    spent.add(nonce)
    call = deployment.contract("TradingRouter").transaction("updateTpSl", trader, pair_index, index, take_profit, stop_loss)
    return str(rpc.call("eth_sendTransaction", {**call, "from": deploy.OPERATOR}))


def _bytes(said: Mapping[str, Any], name: str) -> bytes:
    try:
        return bytes.fromhex(str(said[name]).removeprefix("0x"))
    except (KeyError, ValueError):
        raise BadIntent("BadIntent") from None


def _signer(raw: bytes, signature: bytes, *, rpc: Rpc, deployment: deploy.Deployment) -> str:
    domain = (_DOMAIN, keccak(text="AvantisTrading"), keccak(text="1"), int(rpc.call("eth_chainId"), 16), deployment.router)
    separator = keccak(encode(["bytes32", "bytes32", "bytes32", "uint256", "address"], domain))
    digest = keccak(b"\x19\x01" + separator + keccak(_TYPE + raw))
    try:
        point = PublicKey.from_signature_and_message(signature[:64] + bytes((signature[64] - _RECOVERY,)), digest, hasher=None)
    except (ValueError, IndexError):
        raise BadIntent("InvalidSignature") from None
    return str(to_checksum_address(keccak(point.format(compressed=False)[1:])[-20:]))


def _check_signer(signer: str, *, trader: str, rpc: Rpc, deployment: deploy.Deployment) -> None:
    if signer.lower() == trader.lower():
        return
    router = deployment.contract("TradingRouter")
    is_enabled, expiry = router.read(rpc, "multipleDelegations", trader, signer)
    if not is_enabled or expiry <= time.time():
        raise BadIntent("InvalidSignature")
