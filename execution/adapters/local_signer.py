"""A key in this process's memory: for development and the canary."""

import re

from django.conf import settings
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_typing import HexStr

from execution.ports import SignedCall, UnsignedCall
from trading.domain.errors import Invalid
from trading.kinds import ask

# A key with a digit lost would be padded and sign for a stranger.
_KEY = re.compile(r"(0x)?[0-9a-fA-F]{64}")


class NoKey(Invalid):
    """The environment holds no usable private key."""

    code = "SIGNER_KEY_MISSING"


class LocalSigner:
    """Signs with `SIGNER_PRIVATE_KEY`; the same call always gives the same bytes (RFC 6979)."""

    def __init__(self, private_key: str | None = None) -> None:
        self._account = _account(private_key or settings.SIGNER_PRIVATE_KEY)
        self.address = str(self._account.address)

    @ask
    def sign(self, call: UnsignedCall) -> SignedCall:
        """The signed bytes of a call."""
        signed = self._account.sign_transaction(
            {
                "type": 2,
                "chainId": call.chain_id,
                "nonce": call.nonce,
                "to": HexStr(call.target),
                "data": HexStr(call.data),
                "value": call.value.raw,
                "gas": call.gas_limit,
                "maxFeePerGas": call.offer.fee_cap.raw,
                "maxPriorityFeePerGas": call.offer.tip_cap.raw,
            }
        )
        return SignedCall(raw="0x" + bytes(signed.raw_transaction).hex(), tx_hash="0x" + bytes(signed.hash).hex())


def _account(key: str) -> LocalAccount:
    refusal = NoKey("SIGNER_PRIVATE_KEY isn't a private key: 0x and 64 hexadecimal digits")
    if not _KEY.fullmatch(key):
        raise refusal
    try:
        account: LocalAccount = Account.from_key(key)
    except ValueError:
        # The cause is dropped: its message could repeat the key.
        raise refusal from None
    return account
