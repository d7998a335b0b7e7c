"""Sources and their secrets: made, changed and taken away by those who may; shown once, written nowhere."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core import serializers

from tests.factories import NOW
from tests.factories.people import RISK, SUPER_ADMIN, VIEWER
from tests.factories.trading import SourceFactory
from trading.domain import proof
from trading.domain.people import NotAllowed, Person
from trading.domain.source import Auth, SourceMode, Terms
from trading.domain.units import Leverage
from trading.models import AuditRow, Source, SourceSecret
from trading.services import proofs, sources, vault
from trading.services.sources import Issued

pytestmark = pytest.mark.django_db

BY: dict[str, Any] = {"by": SUPER_ADMIN, "reason": "a new partner", "at": NOW}


def made(auth: Auth = Auth.SIGNATURE, name: str = "partner") -> Issued:
    return sources.create(name=name, auth=auth, terms=Terms(), **BY)


@pytest.mark.parametrize("auth", Auth)
def test_a_new_source_has_one_secret_that_stands_nowhere(auth: Auth, caplog: pytest.LogCaptureFixture) -> None:
    issued = made(auth)

    assert issued.secret.source.auth == auth
    assert (issued.secret.slot, issued.secret.created_by, issued.secret.last_used_at) == (1, "ada", None)
    written = serializers.serialize("json", [*Source.objects.all(), *SourceSecret.objects.all(), *AuditRow.objects.all()])
    assert issued.text not in written + caplog.text + repr(issued)
    assert issued.text.removeprefix("whsec_") not in written + caplog.text


def test_what_signs_is_read_again_and_a_token_is_only_known() -> None:
    hexed, standard, token = made(Auth.SIGNATURE, "a"), made(Auth.STANDARD, "b"), made(Auth.TOKEN, "c")

    assert vault.unseal(hexed.secret, "sealed") == hexed.text
    assert vault.unseal(standard.secret, "sealed") == standard.text
    assert standard.text.startswith("whsec_")
    assert token.secret.sealed == ""
    proven = proofs.prove_token(token.text, at=NOW)
    assert proven is not None
    assert proven.source.name == "c"
    assert proofs.prove_token(token.text + "x", at=NOW) is None
    assert proofs.prove_token(hexed.text, at=NOW) is None


def test_each_act_leaves_one_row_with_its_reason() -> None:
    first = made()
    second = sources.rotate(name="partner", **BY | {"reason": "yearly"})
    sources.revoke(key_id=first.secret.key_id, **BY | {"reason": "the old one"})
    sources.disable(name="partner", **BY | {"reason": "noisy"})
    sources.enable(name="partner", **BY | {"reason": "mended"})

    rows = AuditRow.objects.order_by("pk").values_list("action", "before", "after", "reason", "actor", "subject")
    keys = [{"key_id": issued.secret.key_id} for issued in (first, second)]
    assert [row[:1] + row[1:4] for row in rows][1:] == [
        ("source.secret_made", {}, keys[0], "a new partner"),
        ("source.secret_made", {}, keys[1], "yearly"),
        ("source.secret_revoked", keys[0], {}, "the old one"),
        ("source.disable", {"is_enabled": True}, {"is_enabled": False}, "noisy"),
        ("source.enable", {"is_enabled": False}, {"is_enabled": True}, "mended"),
    ]
    assert {row[4:] for row in rows} == {("ada", "source:partner")}
    assert rows[0][2]["auth"] == "SIGNATURE"


def test_there_are_two_secrets_at_most_while_one_is_changed_for_the_other() -> None:
    first = made()
    sources.rotate(name="partner", **BY)

    with pytest.raises(sources.TwoSecrets):
        sources.rotate(name="partner", **BY)
    sources.revoke(key_id=first.secret.key_id, **BY)
    third = sources.rotate(name="partner", **BY)

    assert third.secret.slot == 1
    assert SourceSecret.objects.active(at=NOW).count() == 2


def test_a_revoked_secret_is_forgotten_and_is_not_revoked_again() -> None:
    issued = made()
    sources.revoke(key_id=issued.secret.key_id, **BY)

    kept = SourceSecret.objects.get()
    assert (kept.sealed, kept.slot, kept.revoked_at) == ("", None, NOW)
    with pytest.raises(sources.UnknownSecret):
        sources.revoke(key_id=issued.secret.key_id, **BY)


def test_an_expired_secret_makes_room() -> None:
    made()
    sources.rotate(name="partner", expires_at=NOW + timedelta(days=1), **BY)

    third = sources.rotate(name="partner", **BY | {"at": NOW + timedelta(days=1)})

    assert third.secret.slot == 2
    assert AuditRow.objects.filter(action="source.secret_revoked").get().reason == "it had expired"


def test_terms_are_said_anew_as_a_whole() -> None:
    made()
    terms = Terms(
        description="a shop",
        mode=SourceMode.APPROVE,
        allowed_symbols=("BTC-USD",),
        allowed_accounts=(7,),
        max_leverage_x=Leverage.of(3),
        max_lag_seconds=20,
        entries_per_minute=5,
        heartbeat_seconds=60,
    )

    sources.edit(name="partner", terms=terms, **BY)

    row = Source.objects.get(name="partner")
    assert (row.mode, row.allowed_symbols, row.allowed_accounts) == ("APPROVE", ["BTC-USD"], [7])
    assert (row.max_leverage_x, row.max_lag_seconds, row.entries_per_minute, row.heartbeat_seconds) == (Leverage.of(3), 20, 5, 60)
    audited = AuditRow.objects.get(action="source.edit")
    assert audited.before["mode"] == "AUTO"
    assert (audited.after["max_leverage_x"], audited.after["allowed_accounts"]) == ("3", [7])
    sources.edit(name="partner", terms=Terms(), **BY)
    assert Source.objects.get(name="partner").max_leverage_x is None


def test_a_source_that_nobody_listens_for_is_not_silent() -> None:
    made()
    Source.objects.filter(name="partner").update(heartbeat_seconds=60, silent_at=NOW)

    sources.edit(name="partner", terms=Terms(), **BY)

    assert Source.objects.get(name="partner").silent_at is None


@pytest.mark.parametrize("name", ["", "copy:0xab", "console", 'a"b', " x"])
def test_the_desks_own_names_and_odd_ones_are_nobody_elses(name: str) -> None:
    with pytest.raises(sources.BadSourceName):
        made(name=name)
    assert AuditRow.objects.count() == 0


def test_a_name_is_taken_once() -> None:
    made()
    for name in ("partner", "default"):
        with pytest.raises(sources.SourceTaken):
            made(name=name)
    assert SourceSecret.objects.count() == 1


@pytest.mark.parametrize("name", ["default", "protection"])
def test_the_desks_own_sources_get_no_secret_here(name: str) -> None:
    with pytest.raises(sources.NotPeoples):
        sources.rotate(name=name, **BY)
    assert SourceSecret.objects.count() == 0


def test_what_protects_positions_is_not_switched_off_here() -> None:
    with pytest.raises(sources.NotPeoples):
        sources.disable(name="protection", **BY)
    sources.disable(name="default", **BY)
    assert not Source.objects.get(name="default").is_enabled


def test_a_source_that_is_not_there_is_unknown() -> None:
    for act in (sources.rotate, sources.enable, sources.disable):
        with pytest.raises(sources.UnknownSource):
            act(name="nobody", **BY)


@pytest.mark.parametrize("person", [VIEWER, RISK])
def test_whoever_may_not_manage_sources_changes_nothing(person: Person) -> None:
    issued = made()
    rows = AuditRow.objects.count()
    said = BY | {"by": person}

    for refused in (
        lambda: sources.create(name="other", auth=Auth.TOKEN, terms=Terms(), **said),
        lambda: sources.rotate(name="partner", **said),
        lambda: sources.revoke(key_id=issued.secret.key_id, **said),
        lambda: sources.edit(name="partner", terms=Terms(), **said),
        lambda: sources.enable(name="partner", **said),
        lambda: sources.disable(name="partner", **said),
    ):
        with pytest.raises(NotAllowed):
            refused()
    assert AuditRow.objects.count() == rows
    assert (Source.objects.filter(is_internal=False).count(), SourceSecret.objects.active(at=NOW).count()) == (2, 1)


def test_a_source_without_a_secret_is_nobody(settings: Any) -> None:
    source = SourceFactory(name="partner")
    raw = json.dumps({"source": "partner"}).encode()
    for text in ("", settings.WEBHOOK_HMAC_SECRET):
        claim = proof.read({"x-signature": proof.signature_of(raw, secret=text)})
        proven = proofs.prove(claim, message=raw, names=["partner"], at=NOW)
        assert proven is None or proven.source != source
