"""Two secrets at a time, never deleted, never back from revocation: PostgreSQL says so itself."""

import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from tests.factories import NOW
from tests.factories.trading import SourceFactory, SourceSecretFactory
from trading.domain.source import Auth
from trading.models import SourceSecret
from trading.services import vault

pytestmark = pytest.mark.django_db


def test_a_source_has_two_secrets_at_a_time() -> None:
    source = SourceFactory(name="partner")
    SourceSecretFactory(source=source, slot=1)
    SourceSecretFactory(source=source, slot=2)
    for slot in (1, 2):
        with pytest.raises(IntegrityError, match="a_source_has_one_secret_in_a_slot"), transaction.atomic():
            SourceSecretFactory(source=source, slot=slot)
    with pytest.raises(IntegrityError, match="source_secret_has_a_slot_of_two_until_revoked"), transaction.atomic():
        SourceSecretFactory(source=source, slot=3)
    SourceSecretFactory(source=SourceFactory(name="another"), slot=1)


def test_without_the_slot_there_could_be_a_third() -> None:
    """So that the test above can fail: what is revoked has no slot, and there may be many of them."""
    source = SourceFactory(name="partner")
    for _ in range(3):
        SourceSecretFactory(source=source, slot=None, revoked_at=NOW, sealed="")
    assert source.secrets.count() == 3


@pytest.mark.parametrize(
    ("kind", "sealed", "digest"),
    [
        (Auth.TOKEN, "v1.x", ""),
        (Auth.TOKEN, "", ""),
        (Auth.TOKEN, "v1.x", "d"),
        (Auth.SIGNATURE, "", ""),
        (Auth.STANDARD, "v1.x", "d"),
    ],
)
def test_what_signs_is_sealed_and_a_token_is_a_digest(kind: Auth, sealed: str, digest: str) -> None:
    secret = SourceSecretFactory.build(source=SourceFactory(), kind=kind, sealed=sealed, digest=digest)
    with pytest.raises(IntegrityError, match="source_secret_is_sealed_or_a_digest"), transaction.atomic():
        secret.save()


def test_a_token_is_one_sources() -> None:
    SourceSecretFactory(source=SourceFactory(name="a"), kind=Auth.TOKEN, sealed="", digest="d")
    with pytest.raises(IntegrityError, match="one_secret_for_each_token"), transaction.atomic():
        SourceSecretFactory(source=SourceFactory(name="b"), kind=Auth.TOKEN, sealed="", digest="d")


def test_a_secret_is_never_deleted_and_stays_revoked() -> None:
    secret = SourceSecretFactory(source=SourceFactory())
    with pytest.raises(ProgrammingError, match="Cannot delete"), transaction.atomic():
        secret.delete()
    secret.revoked_at, secret.slot, secret.sealed = NOW, None, ""
    secret.save()
    secret.revoked_at, secret.slot, secret.sealed = None, 1, "v1.x"
    with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
        secret.save()


def test_a_secret_opens_in_its_own_row_only() -> None:
    source = SourceFactory(name="partner")
    mine, theirs = SourceSecretFactory(source=source, slot=1), SourceSecretFactory(source=source, slot=2)
    vault.seal(mine, "sealed", "mine")
    theirs.sealed = mine.sealed

    assert vault.unseal(mine, "sealed") == "mine"
    with pytest.raises(vault.Unreadable, match="wasn't sealed for the row"):
        vault.unseal(theirs, "sealed")


def test_what_expired_or_was_revoked_proves_nothing() -> None:
    source = SourceFactory(name="partner")
    SourceSecretFactory(source=source, slot=None, revoked_at=NOW, sealed="")
    SourceSecretFactory(source=source, slot=1, expires_at=NOW)
    good = SourceSecretFactory(source=source, slot=2)
    assert list(SourceSecret.objects.active(at=NOW)) == [good]
