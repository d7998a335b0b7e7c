"""A key in this process's memory: for development and the canary."""

import re
from typing import Self

from coincurve import PrivateKey
from django.conf import settings

from execution.adapters import secp256k1
from execution.adapters.guarded_signer import GuardedSigner, NoKey
from execution.domain.signing import SigningPolicy

# A key with a digit lost would be padded and sign for a stranger.
_KEY = re.compile(r"(0x)?[0-9a-fA-F]{64}")


class LocalSigner(GuardedSigner):
    """Signs with a key of `SIGNER_PRIVATE_KEY`; the same call always gives the same bytes (RFC 6979)."""

    def __init__(self, private_key: str | None = None, *, place: int = 0, policy: SigningPolicy | None = None) -> None:
        super().__init__(policy=policy)
        self._key = _key(private_key or _configured(place))
        self._address = secp256k1.address_of(self._key.public_key)
        self.reference = f"local:{place}"

    @classmethod
    def of_settings(cls) -> tuple[Self, ...]:
        """One for each key in settings, in their order; the first is asked for even if there is none."""
        return tuple(cls(place=place) for place in range(max(1, len(settings.SIGNER_PRIVATE_KEYS))))

    @property
    def address(self) -> str:
        """The key's account, checksummed."""
        return self._address

    def _sign(self, digest: bytes) -> tuple[int, int]:
        return secp256k1.from_der(self._key.sign(digest, hasher=None))


def address_of(private_key: str) -> str:
    """The account of a private key.

    Raises:
        NoKey: if it isn't one.
    """
    return secp256k1.address_of(_key(private_key).public_key)


def _configured(place: int) -> str:
    keys = settings.SIGNER_PRIVATE_KEYS
    return str(keys[place]) if place < len(keys) else ""


def _key(text: str) -> PrivateKey:
    refusal = NoKey("SIGNER_PRIVATE_KEY isn't a private key: 0x and 64 hexadecimal digits")
    if not _KEY.fullmatch(text):
        raise refusal
    try:
        return PrivateKey(bytes.fromhex(text.removeprefix("0x")))
    except ValueError:
        # The cause is dropped: its message could repeat the key.
        raise refusal from None
