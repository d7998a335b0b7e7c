"""Sources of their own at the door: which secrets prove what, while they are changed and after."""

import json
import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories.people import SUPER_ADMIN
from tests.factories.trading import MarketFactory, TraderFactory
from tests.integration.trading.bad_bodies import ENTRY
from tests.integration.trading.doors import DOORS, Sender, hex_signed, secret_of, standard_signed
from trading import clock
from trading.domain import proof
from trading.domain.source import Auth
from trading.models import AuditRow, Event, Signal, Source, SourceSecret
from trading.services import hearing, rates, sources, vault

pytestmark = pytest.mark.django_db

CLOSE = {name: value for name, value in ENTRY.items() if name not in ("collateral_usdc", "leverage_x")} | {"side": "CLOSE"}
SIGNERS = {Auth.SIGNATURE: hex_signed, Auth.STANDARD: standard_signed}
ALL_SENDERS = pytest.mark.parametrize("kind", SIGNERS)


@pytest.fixture(autouse=True)
def _desk(db: None) -> None:
    MarketFactory()
    TraderFactory(tg_user_id=123)


@pytest.fixture(autouse=True)
def _own_meter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "meter", rates.Meter())


def by() -> dict[str, Any]:
    return {"by": SUPER_ADMIN, "reason": "a drill", "at": clock.now()}


def sender(kind: Auth = Auth.SIGNATURE, name: str = "desk") -> Sender:
    return Sender(source=name, prove=SIGNERS[kind](secret_of(name, kind)))


def statuses(*senders: Sender) -> list[int]:
    return [each.post(ENTRY | {"signal_id": f"s-{number}"}).status_code for number, each in enumerate(senders)]


@ALL_SENDERS
def test_while_a_secret_is_changed_both_are_good_and_then_one(kind: Auth) -> None:
    old = sender(kind)
    issued = sources.rotate(name="desk", **by())
    new = Sender(source="desk", prove=SIGNERS[kind](issued.text))

    assert statuses(old, new) == [202, 200 + 2]
    sources.revoke(key_id=SourceSecret.objects.order_by("pk")[0].key_id, **by())
    assert statuses(old, new) == [401, 200]
    assert Signal.objects.count() == 2


@ALL_SENDERS
def test_a_secret_ends_when_it_expires(kind: Auth) -> None:
    first = sender(kind)
    SourceSecret.objects.update(expires_at=clock.now() + timedelta(minutes=1))
    assert statuses(first) == [202]
    SourceSecret.objects.update(expires_at=clock.now())
    assert statuses(first) == [401]


@ALL_SENDERS
def test_a_source_that_is_switched_off_or_has_no_secret_is_refused(kind: Auth) -> None:
    only = sender(kind)
    sources.disable(name="desk", **by())
    assert statuses(only) == [401]
    sources.enable(name="desk", **by())
    assert statuses(only) == [202]
    sources.revoke(key_id=SourceSecret.objects.get().key_id, **by())
    assert statuses(only) == [401]


def test_a_secret_proves_its_own_source_and_no_other() -> None:
    mine, theirs = sender(name="desk"), sender(name="other")

    assert mine.post(ENTRY | {"source": "other"}).status_code == 401
    assert theirs.post(ENTRY).status_code == 401
    # Both secrets are tried on a body with both names: what it is from is what it says when it is parsed.
    assert theirs.post(ENTRY | {"meta": {"source": "other"}}).status_code == 401
    assert AuditRow.objects.get(action="signal.refused").actor == "source:other"
    assert mine.post(ENTRY | {"meta": {"source": "other"}}).status_code == 202


def test_the_default_secret_does_not_speak_for_a_source_of_its_own() -> None:
    sender(name="desk")
    default = DOORS["the default source"]()

    assert default.post(ENTRY).status_code == 401
    escaped = json.dumps(ENTRY).replace('"desk"', '"d\\u0065sk"').encode()
    assert default.post(escaped).status_code == 401
    assert default.post(ENTRY | {"source": "nobody's"}).status_code == 202


def test_a_secret_proves_in_the_way_it_was_made_for() -> None:
    text = secret_of("desk", Auth.STANDARD)
    as_text = Sender(source="desk", prove=hex_signed(text))
    as_key = Sender(source="desk", prove=lambda raw: {"X-Signature": proof.mac(_key(text), raw, kind=Auth.SIGNATURE).decode()})
    assert statuses(as_text, as_key) == [401, 401]


def _key(text: str) -> bytes:
    return proof.key_of(text, kind=Auth.STANDARD)


@pytest.mark.parametrize(("seconds", "status"), [(-301, 401), (-299, 202), (299, 202), (302, 401)])
def test_a_standard_message_is_good_for_five_minutes(seconds: int, status: int) -> None:
    prove = standard_signed(secret_of("desk", Auth.STANDARD), clock=lambda: time.time() + seconds)
    assert statuses(Sender(source="desk", prove=prove)) == [status]


def test_a_standard_message_resent_under_its_id_is_the_same_signal() -> None:
    text = secret_of("desk", Auth.STANDARD)
    first = Sender(source="desk", prove=standard_signed(text, message_id="msg_1"))
    another = Sender(source="desk", prove=standard_signed(text, message_id="msg_2"))
    assert [each.post(ENTRY).status_code for each in (first, first, another)] == [202, 200, 200]


def test_a_secret_whose_seal_does_not_open_refuses_its_source_and_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    mine, theirs = sender(name="desk"), sender(name="other")
    first, second = SourceSecret.objects.order_by("pk")
    SourceSecret.objects.filter(pk=first.pk).update(sealed=second.sealed)

    assert statuses(mine) == [401]
    assert theirs.post(ENTRY | {"source": "other"}).status_code == 202
    assert "source.secret_unreadable" in caplog.text


@ALL_SENDERS
def test_a_source_sees_its_own_signals_and_no_others(kind: Auth) -> None:
    mine, theirs, default = sender(kind), sender(kind, "other"), DOORS["the default source"]()
    mine.post(ENTRY)
    default.post(ENTRY | {"source": "nobody's"})

    assert mine.get("/signals/sig:desk:s-1").status_code == 200
    assert default.get("/signals/sig:nobody%27s:s-1").status_code == 200
    assert [each.get("/signals/sig:desk:s-1").status_code for each in (theirs, default)] == [401, 404]
    assert mine.get("/signals/sig:nobody%27s:s-1").status_code == 401
    assert mine.get("/signals/sig:desk:unknown").status_code == 404


def test_a_proof_is_of_the_path_that_is_asked() -> None:
    mine = sender(Auth.STANDARD)
    mine.post(ENTRY)
    other = Sender(source="desk", prove=lambda _: mine.prove(b"/signals/sig:desk:s-2"))
    assert other.get("/signals/sig:desk:s-1").status_code == 401


@pytest.mark.parametrize(("seconds", "is_noted"), [(0, False), (58, False), (60, True), (None, True)])
def test_a_secrets_use_is_noted_once_a_minute(seconds: int | None, is_noted: bool) -> None:
    only, before = sender(), _ago(seconds)
    SourceSecret.objects.update(last_used_at=before)
    Source.objects.update(last_heard_at=clock.now())
    only.post(ENTRY)
    assert (SourceSecret.objects.get().last_used_at != before) is is_noted


@pytest.mark.parametrize(("seconds", "is_noted"), [(0, False), (8, False), (10, True), (None, True)])
def test_a_sources_word_is_noted_every_ten_seconds(seconds: int | None, is_noted: bool) -> None:
    only, before = sender(), _ago(seconds)
    SourceSecret.objects.update(last_used_at=clock.now())
    Source.objects.update(last_heard_at=before)
    only.post(ENTRY)
    assert (Source.objects.get(name="desk").last_heard_at != before) is is_noted


def _ago(seconds: int | None) -> datetime | None:
    return None if seconds is None else clock.now() - timedelta(seconds=seconds)


def test_an_unproven_body_is_no_word_of_the_source() -> None:
    sender()
    Sender(source="desk", prove=hex_signed("another")).post(ENTRY)
    assert (Source.objects.get(name="desk").last_heard_at, SourceSecret.objects.get().last_used_at) == (None, None)


def test_a_silent_source_is_told_once_and_heard_when_it_is_back() -> None:
    only = sender()
    Source.objects.filter(name="desk").update(heartbeat_seconds=60)
    only.post(ENTRY)
    start = Source.objects.get(name="desk").last_heard_at
    assert hearing.find_silent(at=start + timedelta(seconds=70)) == 0
    assert [hearing.find_silent(at=start + timedelta(seconds=seconds)) for seconds in (71, 72)] == [1, 0]
    only.post(ENTRY)
    only.post(ENTRY)

    assert hearing.find_silent(at=start + timedelta(seconds=69)) == 0
    told = Event.objects.filter(kind__startswith="source.").order_by("pk").values_list("kind", "facts__source")
    assert list(told) == [("source.silent", "desk"), ("source.heard", "desk")]


def test_a_source_that_was_never_heard_is_silent_from_its_first_heartbeat_on() -> None:
    sender()
    Source.objects.filter(name="desk").update(heartbeat_seconds=60)
    assert hearing.find_silent(at=clock.now() + timedelta(seconds=69)) == 0
    assert hearing.find_silent(at=clock.now() + timedelta(seconds=72)) == 1


def test_a_source_that_is_switched_off_or_has_no_heartbeat_may_be_silent() -> None:
    sender()
    assert hearing.find_silent(at=clock.now() + timedelta(days=9)) == 0
    Source.objects.filter(name="desk").update(heartbeat_seconds=60, is_enabled=False)
    assert hearing.find_silent(at=clock.now() + timedelta(days=9)) == 0


def limited(number: int) -> Sender:
    only = sender()
    Source.objects.filter(name="desk").update(entries_per_minute=number)
    return only


def test_more_entries_than_a_minute_allows_are_put_off() -> None:
    only = limited(3)
    answers = [only.post(ENTRY | {"signal_id": str(number)}) for number in range(5)]

    assert [answer.status_code for answer in answers] == [202] * 3 + [429] * 2
    assert answers[-1].json() == {"code": "RATE_LIMITED", "message": "too many entries a minute"}
    assert 59 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert Signal.objects.count() == 3
    # A flood is written down once.
    assert [row.after for row in AuditRow.objects.filter(action="signal.refused")] == [{"code": "RATE_LIMITED"}]


def test_after_the_time_that_was_told_one_more_comes_in(monkeypatch: pytest.MonkeyPatch) -> None:
    only = limited(1)
    only.post(ENTRY)
    for seconds, told in ((50, 10), (60, None)):
        Signal.objects.update(received_at=clock.now() - timedelta(seconds=seconds))
        monkeypatch.setattr(rates, "meter", rates.Meter())
        answer = only.post(ENTRY | {"signal_id": "2"})
        assert answer.headers.get("Retry-After") == (None if told is None else str(told))
    assert answer.status_code == 202


def test_an_exit_is_never_put_off_nor_counted() -> None:
    only = limited(1)
    closes = [only.post(CLOSE | {"signal_id": f"c-{number}"}).status_code for number in range(4)]
    assert closes == [202] * 4
    assert statuses(only, only) == [202, 429]
    assert only.post(CLOSE | {"signal_id": "c-9"}).status_code == 202


def test_a_limit_is_a_sources_own() -> None:
    limited(1)
    other = sender(name="other")
    answers = [other.post(ENTRY | {"source": "other", "signal_id": str(number)}).status_code for number in range(3)]
    assert answers == [202] * 3


def test_the_doors_limit_is_of_everybody_without_one(settings: Any) -> None:
    settings.SOURCE_ENTRIES_PER_MINUTE = 1
    only = sender()
    assert statuses(only, only) == [202, 429]


def test_what_another_process_took_is_counted_when_it_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    only, here, there = limited(2), rates.Meter(), rates.Meter()
    for number, meter in enumerate((here, there)):
        monkeypatch.setattr(rates, "meter", meter)
        assert only.post(ENTRY | {"signal_id": str(number)}).status_code == 202
    monkeypatch.setattr(rates, "FRESH", timedelta())
    monkeypatch.setattr(rates, "meter", here)
    assert only.post(ENTRY | {"signal_id": "again here"}).status_code == 429


def test_without_the_meter_nothing_is_put_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the tests above can fail."""
    monkeypatch.setattr(rates.Meter, "pass_entry", lambda *_, **__: None)
    only = limited(1)
    assert statuses(only, only, only) == [202] * 3


@pytest.mark.parametrize("door", DOORS)
def test_a_signal_costs_few_queries(door: str) -> None:
    each = DOORS[door]()
    each.post(ENTRY)
    with CaptureQueriesContext(connection) as asked:
        assert each.post(ENTRY | {"signal_id": "s-2"}).status_code == 202
    assert len(asked) == QUERIES_OF_A_SIGNAL, [query["sql"][:90] for query in asked]


# Whose it is, and what becomes of it.
QUERIES_OF_A_SIGNAL = 2


def test_the_time_of_an_answer_does_not_depend_on_who_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    sender()
    sources.rotate(name="desk", **by())
    tried: list[int] = []
    is_made_by = proof._is_made_by
    monkeypatch.setattr(proof, "_is_made_by", lambda *given: (tried.append(1), is_made_by(*given))[1])
    counts = []
    for name in ("desk", "nobody"):
        tried.clear()
        Sender(source=name, prove=hex_signed("another")).post(ENTRY | {"source": name})
        counts.append(len(tried))
    assert counts == [5, 5]
    assert vault.unseal(SourceSecret.objects.order_by("pk")[0], "sealed")
