"""The Standard Webhooks headers as a sender writes them; `trading.domain.proof` reads them and knows the signature.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from collections.abc import Iterable

from trading.domain import proof
from trading.domain.source import Auth

# The specification asks for 24 to 64.
SECRET_BYTES = 32


def headers(secrets: Iterable[str], *, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers, with a signature for each secret: while one is rotated the receiver may know either."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(secret, signed) for secret in secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = proof.key_of(secret, kind=Auth.STANDARD)
    return f"v1,{proof.mac(key, signed, kind=Auth.STANDARD).decode()}"
