"""A signer without a policy, for calls that no venue of ours knows. It signs with eth-account, not with our own code."""

from eth_account import Account
from eth_utils import to_checksum_address

from execution.ports import SignedCall, UnsignedCall
from trading.kinds import ask


class OpenSigner:
    """Signs whatever it is handed. `signed` is all of it, in order."""

    reference = "test:0"

    def __init__(self, private_key: str = "0x" + "22" * 32) -> None:
        self._account = Account.from_key(private_key)
        self.address = str(self._account.address)
        self.signed: list[UnsignedCall] = []

    def check(self, call: UnsignedCall) -> None:
        """Pass: there is no policy."""

    @ask
    def sign(self, call: UnsignedCall) -> SignedCall:
        """The signed bytes of a call."""
        signed = self._account.sign_transaction(
            {
                "type": 2,
                "chainId": call.chain_id,
                "nonce": call.nonce,
                "to": to_checksum_address(call.target),
                "data": call.data,
                "value": call.value.raw,
                "gas": call.gas_limit,
                "maxFeePerGas": call.offer.fee_cap.raw,
                "maxPriorityFeePerGas": call.offer.tip_cap.raw,
            }
        )
        self.signed.append(call)
        return SignedCall(raw="0x" + bytes(signed.raw_transaction).hex(), tx_hash="0x" + bytes(signed.hash).hex())
