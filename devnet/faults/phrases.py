"""What real nodes say of bytes that they don't take: geth's words and code, for anvil's and our own refusals.

Source: go-ethereum, core/error.go, core/txpool/errors.go, core/txpool/validation.go.
"""

from devnet.faults.transaction import Transaction
from devnet.faults.upstream import Json

REFUSED = -32000

ALREADY_KNOWN = "already known"
REPLACEMENT_UNDERPRICED = "replacement transaction underpriced"
POOL_FULL = "txpool is full"
DELEGATED_LIMIT = "in-flight transaction limit reached for delegated accounts"
DELEGATED_GAP = "gapped-nonce tx from delegated accounts"

# Anvil's words; each begins a text of its.
_HELD = "max fee per gas less than block base fee"
_KNOWN = "transaction already imported"
_TOO_LOW = "nonce too low"
_TRANSLATED = {
    "insufficient funds": "insufficient funds for gas * price + value",
    "intrinsic gas too high": "exceeds block gas limit",
    "invalid chain id": "invalid sender: invalid chain id for signer",
}


def error(text: str) -> Json:
    """A refusal."""
    return {"error": {"code": REFUSED, "message": text}}


def nonce_too_low(transaction: Transaction, *, next_nonce: int) -> Json:
    """The refusal of a nonce that is used."""
    return error(f"{_TOO_LOW}: next nonce {next_nonce}, tx nonce {transaction.nonce}")


def is_held(answer: Json) -> bool:
    """Whether anvil refuses what a real node would keep until the base fee falls."""
    return _said(answer).startswith(_HELD)


def is_known(answer: Json) -> bool:
    """Whether anvil has the bytes already."""
    return _said(answer).startswith(_KNOWN)


def is_too_low(answer: Json) -> bool:
    """Whether the nonce was used in the meantime."""
    return _said(answer).startswith(_TOO_LOW)


def of_geth(answer: Json) -> Json:
    """Anvil's refusal in geth's words and with its code; its own words where geth has none."""
    said = _said(answer)
    words = next((ours for theirs, ours in _TRANSLATED.items() if said.startswith(theirs)), answer["error"]["message"])
    return error(words) if answer["error"].get("code") in (-32000, -32003) else answer


def _said(answer: Json) -> str:
    return str(answer.get("error", {}).get("message", "")).lower()
