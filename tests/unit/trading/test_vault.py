"""A secret opens in the row it was sealed for, and nowhere else."""

import base64
from typing import Any

import pytest
from django.db import models
from django.test.utils import isolate_apps

from trading.models.sealed import SealedField
from trading.services import vault
from trading.services.vault import Unreadable

OLD, NEW = (base64.urlsafe_b64encode(letter * 32).decode() for letter in (b"o", b"n"))


@pytest.fixture(autouse=True)
def _key(settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = (OLD,)


@pytest.fixture
def box() -> Any:
    """A model with two sealed columns of different purposes."""
    with isolate_apps("trading"):

        class Box(models.Model):
            owner = models.CharField(max_length=8)
            secret = SealedField(purpose="door", of=["owner"])
            other = SealedField(purpose="window", of=["owner"])

            class Meta:
                app_label = "trading"

            def __str__(self) -> str:
                return self.owner

        yield Box


def test_what_was_sealed_opens_in_its_row(box: Any) -> None:
    row = box(owner="ada")

    vault.seal(row, "secret", "täglich 7 Uhr")

    assert vault.unseal(row, "secret") == "täglich 7 Uhr"
    assert row.secret.startswith("v1.")
    assert "7 Uhr" not in row.secret


def test_the_same_secret_looks_different_each_time(box: Any) -> None:
    first, second = box(owner="ada"), box(owner="ada")

    for row in (first, second):
        vault.seal(row, "secret", "the same")

    assert first.secret.split(".")[1] == second.secret.split(".")[1]
    assert not set(first.secret.split(".")[2:]) & set(second.secret.split(".")[2:])


@pytest.mark.parametrize(("owner", "column"), [("bob", "secret"), ("ada", "other")])
def test_what_was_moved_to_another_row_or_purpose_does_not_open(box: Any, owner: str, column: str) -> None:
    mine, theirs = box(owner="ada"), box(owner=owner)
    vault.seal(mine, "secret", "mine")
    setattr(theirs, column, mine.secret)

    with pytest.raises(Unreadable, match="wasn't sealed for the row"):
        vault.unseal(theirs, column)


def test_without_the_label_what_was_moved_would_open(box: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the test above can fail."""
    monkeypatch.setattr(SealedField, "label", lambda *_: "")
    mine, theirs = box(owner="ada"), box(owner="bob")
    vault.seal(mine, "secret", "mine")
    theirs.secret = mine.secret

    assert vault.unseal(theirs, "secret") == "mine"


@pytest.mark.parametrize("part", [2, 3])
def test_what_was_changed_by_a_bit_does_not_open(box: Any, part: int) -> None:
    row = box(owner="ada")
    vault.seal(row, "secret", "mine")
    parts = row.secret.split(".")
    bits = bytearray(base64.urlsafe_b64decode(parts[part]))
    bits[-1] ^= 1
    parts[part] = base64.urlsafe_b64encode(bytes(bits)).decode()
    row.secret = ".".join(parts)

    with pytest.raises(Unreadable):
        vault.unseal(row, "secret")


@pytest.mark.parametrize("text", ["", "v1", "v2.a.b.c", "v1.a.b", "v1.%%.%%.%%", "nonsense"])
def test_what_is_no_seal_does_not_open(box: Any, text: str) -> None:
    with pytest.raises(Unreadable):
        vault.unseal(box(owner="ada", secret=text), "secret")


def test_an_older_key_still_opens_and_a_removed_one_does_not(box: Any, settings: Any) -> None:
    row = box(owner="ada")
    vault.seal(row, "secret", "mine")

    settings.FIELD_ENCRYPTION_KEYS = (NEW, OLD)
    assert vault.unseal(row, "secret") == "mine"

    settings.FIELD_ENCRYPTION_KEYS = (NEW,)
    with pytest.raises(Unreadable, match="isn't in FIELD_ENCRYPTION_KEYS"):
        vault.unseal(row, "secret")


def test_the_first_key_seals(box: Any, settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = (NEW, OLD)
    row = box(owner="ada")
    vault.seal(row, "secret", "mine")

    settings.FIELD_ENCRYPTION_KEYS = (NEW,)

    assert vault.unseal(row, "secret") == "mine"


def test_without_a_key_nothing_is_sealed(box: Any, settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = ()
    row = box(owner="ada")

    with pytest.raises(Unreadable, match="is not set"):
        vault.seal(row, "secret", "mine")

    assert row.secret == ""


def test_only_a_sealed_column_can_be_sealed(box: Any) -> None:
    with pytest.raises(TypeError, match="owner is no sealed column"):
        vault.seal(box(owner="ada"), "owner", "mine")
