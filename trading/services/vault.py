"""Secrets at rest: each sealed for its own row, so that a dump tells nothing and a swapped row doesn't open.

Envelope encryption: a key of its own seals each secret, and the newest of FIELD_ENCRYPTION_KEYS seals that
key, both with AES-256-GCM over the row's label. A new key in front of the setting, then `manage.py
rotate_keys`, and the old one can go.
"""

import base64
import binascii
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.apps import apps
from django.conf import settings
from django.db import models

from trading.domain.errors import Unavailable
from trading.kinds import step, write
from trading.models.sealed import SealedField

# The version, the name of the key that seals the secret's own key, that key sealed, and the secret sealed.
_SEAL = re.compile(r"v1\.([0-9a-f]{16})\.([\w=-]+)\.([\w=-]+)", re.ASCII)
_KEY_BYTES = 32
# NIST SP 800-38D, section 8.2: the length of nonce that GCM is made for.
_NONCE_BYTES = 12
_BATCH = 100


class Unreadable(Unavailable):
    """A secret doesn't open: its key is gone, or its row was changed by somebody else."""

    code = "SECRET_UNREADABLE"


def seal(row: models.Model, column: str, secret: str) -> None:
    """Put a secret into a row, which the caller saves; the columns that say whose it is are set before.

    Raises:
        Unreadable: if no key is set.
    """
    field = _field(row, column)
    setattr(row, column, _sealed(secret.encode(), label=field.label(row), keys=_keys()))


def unseal(row: models.Model, column: str) -> str:
    """The secret of a row.

    Raises:
        Unreadable: if its key is gone, or the text was made for another row or purpose.
    """
    return _opened(getattr(row, column), label=_field(row, column).label(row), keys=_keys()).decode()


def unseal_often(row: models.Model, column: str) -> str:
    """As `unseal`, opened once by this process: for what each request asks for.

    Only what a text opens to is remembered. Whoever asks has read the row anew, so what was revoked is gone.
    """
    keys = tuple(settings.FIELD_ENCRYPTION_KEYS)
    return _remembered(getattr(row, column), _field(row, column).label(row), keys).decode()


@lru_cache(maxsize=1024)
def _remembered(text: str, label: str, keys: tuple[str, ...]) -> bytes:
    return _opened(text, label=label, keys=_named(keys))


@step
def rotate() -> int:
    """Seal every secret's key with the newest key; how many were sealed with an older one."""
    return sum(_rotate(model, field) for model, field in _fields())


def _rotate(model: type[models.Model], field: SealedField) -> int:
    moved, last = 0, 0
    while batch := list(model._default_manager.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:_BATCH]):
        moved, last = moved + _resealed(model, field, batch), batch[-1]
    return moved


@write
def _resealed(model: type[models.Model], field: SealedField, ids: Sequence[int]) -> int:
    keys = _keys()
    rows = model._default_manager.select_for_update().filter(pk__in=ids).exclude(**{field.name: ""})
    old = [row for row in rows if getattr(row, field.name).split(".")[1] != next(iter(keys))]
    for row in old:
        label = field.label(row)
        setattr(row, field.name, _sealed(_opened(getattr(row, field.name), label=label, keys=keys), label=label, keys=keys))
        row.save(update_fields=[field.name])
    return len(old)


def _sealed(secret: bytes, *, label: str, keys: dict[str, bytes]) -> str:
    name, newest = next(iter(keys.items()))
    own = AESGCM.generate_key(bit_length=8 * _KEY_BYTES)
    parts = (_encrypted(newest, own, label), _encrypted(own, secret, label))
    return ".".join(["v1", name, *(base64.urlsafe_b64encode(part).decode() for part in parts)])


def _opened(text: str, *, label: str, keys: dict[str, bytes]) -> bytes:
    seal = _SEAL.fullmatch(text)
    if seal is None:
        raise Unreadable("there is no sealed secret here", label=label)
    name, *parts = seal.groups()
    if name not in keys:
        raise Unreadable("a secret was sealed with a key that isn't in FIELD_ENCRYPTION_KEYS", key=name, label=label)
    try:
        wrapped, body = (base64.urlsafe_b64decode(part) for part in parts)
        return _decrypted(_decrypted(keys[name], wrapped, label), body, label)
    except (InvalidTag, binascii.Error, ValueError):
        raise Unreadable("a secret wasn't sealed for the row in which it stands", label=label) from None


def _encrypted(key: bytes, plain: bytes, label: str) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, label.encode())


def _decrypted(key: bytes, text: bytes, label: str) -> bytes:
    return AESGCM(key).decrypt(text[:_NONCE_BYTES], text[_NONCE_BYTES:], label.encode())


def _keys() -> dict[str, bytes]:
    """The keys by name, the newest first. A name is a hash's beginning: it tells nothing of the key."""
    return _named(settings.FIELD_ENCRYPTION_KEYS)


def _named(texts: Sequence[str]) -> dict[str, bytes]:
    keys = [base64.urlsafe_b64decode(text) for text in texts]
    if not keys:
        raise Unreadable("FIELD_ENCRYPTION_KEYS is not set; make one of 32 random bytes in base64")
    return {hashlib.sha256(key).hexdigest()[:16]: key for key in keys}


def is_key(text: str) -> bool:
    """Whether a text is 32 bytes in base64, as FIELD_ENCRYPTION_KEYS wants them."""
    try:
        return len(base64.urlsafe_b64decode(text)) == _KEY_BYTES
    except (binascii.Error, ValueError):
        return False


def _fields() -> Iterator[tuple[type[models.Model], SealedField]]:
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if isinstance(field, SealedField):
                yield model, field


def _field(row: models.Model, column: str) -> SealedField:
    field = row._meta.get_field(column)
    if not isinstance(field, SealedField):
        raise TypeError(f"{column} is no sealed column")
    return field
