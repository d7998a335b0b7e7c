"""A key that never leaves AWS KMS (ECC_SECG_P256K1)."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, Protocol, Self, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from execution.adapters import secp256k1
from execution.adapters.guarded_signer import GuardedSigner, NoKey
from execution.adapters.secp256k1 import Malformed, from_der
from execution.domain.signing import SigningPolicy
from trading.domain.errors import Unavailable
from trading.kinds import ask

# No retry hides in here: the row stays due, and whoever works it decides when to ask again.
_BOUNDED = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 1, "mode": "standard"})
# AWS's own word for "the digest as it is": without it KMS would hash it once more.
_DIGEST = {"MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}
_TOO_MANY, _SERVER_ERROR = 429, 500
# What passes by itself (of KMS's common errors, and of Sign's); the rest asks for a person.
_PASSING = frozenset(
    (
        "ThrottlingException",
        "LimitExceededException",
        "RequestLimitExceeded",
        "KMSInternalException",
        "DependencyTimeoutException",
        "KeyUnavailableException",
    )
)

Answered = TypeVar("Answered")


class KeyRefused(Unavailable):
    """KMS has no such key for us: disabled, unknown, of another kind, or not permitted. A person has to look."""

    code = "SIGNER_KEY_REFUSED"


class _Kms(Protocol):
    def sign(self, **arguments: object) -> dict[str, Any]: ...
    def get_public_key(self, **arguments: object) -> dict[str, Any]: ...


class KmsSigner(GuardedSigner):
    """Signs with a key of `KMS_KEY_ID` in `AWS_REGION`. Credentials are boto3's own business."""

    def __init__(self, key_id: str | None = None, *, place: int = 0, policy: SigningPolicy | None = None) -> None:
        super().__init__(policy=policy)
        self._key_id = key_id or _configured(place)
        self.reference = f"kms:{self._key_id}"

    @classmethod
    def of_settings(cls) -> tuple[Self, ...]:
        """One for each key in settings, in their order; the first is asked for even if there is none."""
        return tuple(cls(place=place) for place in range(max(1, len(settings.KMS_KEY_IDS))))

    @cached_property
    def address(self) -> str:
        """The key's account, checksummed: asked for once, then every signature is held to it.

        Raises:
            Unavailable: if KMS doesn't answer.
        """
        try:
            return secp256k1.address_of(secp256k1.from_spki(self._public_key()))
        except Malformed:
            raise KeyRefused("the key is of another kind than ECC_SECG_P256K1", signer=self.reference) from None

    @ask
    def _public_key(self) -> bytes:
        return self._heard(lambda: bytes(self._kms.get_public_key(KeyId=self._key_id)["PublicKey"]))

    def _sign(self, digest: bytes) -> tuple[int, int]:
        return self._heard(lambda: from_der(self._kms.sign(KeyId=self._key_id, Message=digest, **_DIGEST)["Signature"]))

    @cached_property
    def _kms(self) -> _Kms:
        session = boto3.session.Session(region_name=settings.AWS_REGION)
        # A client that is made without credentials stays without them, even if they come later.
        if session.get_credentials() is None:
            raise Unavailable("boto3 finds no AWS credentials")
        client: _Kms = session.client("kms", config=_BOUNDED)
        return client

    def _heard(self, asked: Callable[[], Answered]) -> Answered:
        """What KMS says. The causes of errors are dropped: they quote what was said.

        Raises:
            Unavailable: if it doesn't answer, or makes no sense.
        """
        try:
            return asked()
        except ClientError as error:
            raise self._refusal(error) from None
        except BotoCoreError as error:
            raise Unavailable("KMS doesn't answer", signer=self.reference, error=type(error).__name__) from None
        except (Malformed, KeyError, TypeError, ValueError) as error:
            raise Unavailable("KMS answers nonsense", signer=self.reference, error=type(error).__name__) from None

    def _refusal(self, error: ClientError) -> Unavailable:
        word = str(error.response.get("Error", {}).get("Code", ""))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if word in _PASSING or status == _TOO_MANY or status >= _SERVER_ERROR:
            return Unavailable("KMS takes no more for now", signer=self.reference, error=word)
        return KeyRefused("KMS refuses the key", signer=self.reference, error=word)


def _configured(place: int) -> str:
    keys = settings.KMS_KEY_IDS
    if place >= len(keys):
        raise NoKey("KMS_KEY_ID names no key")
    return str(keys[place])
