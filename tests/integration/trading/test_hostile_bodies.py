"""Every refused body at every door: the exact answer, nothing reflected, nothing stored, one audit row if it was authentic."""

import pytest
from django.http import HttpResponse

from tests.factories.trading import MarketFactory, TraderFactory
from tests.fakes import doorbell
from tests.integration.trading.bad_bodies import CANARY, CASES, ENTRY
from tests.integration.trading.doors import DOORS, Sender, hex_signed, standard_signed
from trading.models import AuditRow, Event, Signal

pytestmark = pytest.mark.django_db

ALLOWED = {200, 202, 400, 401, 404, 405, 409, 413, 415, 422, 429, 503}
UNSIGNED = {"code": "SIGNATURE_INVALID", "message": "the signature doesn't match"}


@pytest.fixture(params=DOORS)
def sender(request: pytest.FixtureRequest, db: None) -> Sender:
    MarketFactory()
    TraderFactory(tg_user_id=123)
    return DOORS[request.param]()


def refusals() -> list[tuple[str, str]]:
    rows = AuditRow.objects.filter(action="signal.refused").order_by("pk")
    return [(row.actor, row.after["code"]) for row in rows]


def assert_nothing_came_of(answer: HttpResponse) -> None:
    assert answer.status_code in ALLOWED
    assert CANARY not in answer.content.decode()
    assert not any(CANARY in value for value in answer.headers.values())
    assert not Signal.objects.exists()
    assert not Event.objects.filter(kind__startswith="signal.").exists()
    assert doorbell.heard() == []


def test_there_are_at_least_110_bodies() -> None:
    assert len(CASES) >= 110


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_body_is_refused_and_leaves_nothing_but_its_row(sender: Sender, name: str) -> None:
    case = CASES[name]

    answer = sender.post(case.raw)

    assert_nothing_came_of(answer)
    if sender.is_recognized_in(case.raw):
        assert (answer.status_code, answer.json()["code"], answer.json().get("field")) == (case.status, case.code, case.field)
        assert refusals() == [(f"source:{sender.source}", case.code)]
    else:
        assert (answer.status_code, answer.json()) == (401, UNSIGNED)
        assert refusals() == []


def test_the_same_body_unhurt_is_taken(sender: Sender) -> None:
    """So that the tests above can fail."""
    assert sender.post(ENTRY).status_code == 202
    assert Signal.objects.get().source.name == sender.source
    assert refusals() == []


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options", "trace"])
def test_only_post_is_a_signal(sender: Sender, client: object, method: str) -> None:
    answer = getattr(client, method)(sender.path, headers=sender.prove(b""))
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


TYPES = [
    *("", "text/plain", "text/json", "application/json; charset=utf-16", "application/jsonp", "multipart/form-data; boundary=x"),
    *("application/x-www-form-urlencoded", "application/json, text/plain", "application/json; charset=utf-8; charset=utf-16"),
    *("application/json; charset=utf-8, application/json", f"application/{CANARY}", "application/json\x0b"),
]


@pytest.mark.parametrize("content_type", TYPES)
def test_any_other_content_is_refused(sender: Sender, content_type: str) -> None:
    answer = sender.post(ENTRY, Content_Type=content_type)
    assert (answer.status_code, answer.json()["code"]) == (415, "CONTENT_TYPE_UNSUPPORTED")
    assert_nothing_came_of(answer)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "", "identity, gzip", CANARY])
def test_an_encoded_body_is_refused(sender: Sender, encoding: str) -> None:
    answer = sender.post(ENTRY, Content_Encoding=encoding)
    assert (answer.status_code, answer.json()["code"]) == (415, "CONTENT_ENCODING_UNSUPPORTED")
    assert_nothing_came_of(answer)


@pytest.mark.parametrize("size", [16 * 1024 + 1, 4_000_000])
def test_a_body_of_more_than_16_kib_is_refused(sender: Sender, size: int) -> None:
    raw = b'{"source": "desk", "meta": "' + b"a" * size
    answer = sender.post(raw)
    assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")
    assert_nothing_came_of(answer)
    assert refusals() == []


def _changed(sender: Sender, raw: bytes, change: str) -> dict[str, str]:
    """The proof with one thing wrong in its last header."""
    proof = sender.prove(raw)
    name = list(proof)[-1]
    good = proof[name]
    flipped = good[:-2] + ("0" if good[-2] != "0" else "1") + good[-1]
    return proof | {name: {
        "nothing": "", "spaces": "  ", "one digit off": flipped, "cut short": good[:-1], "one more": good + "0",
        "spaced": f"{good[:20]} {good[20:]}", "a newline": f"{good}\n", "twice": f"{good},{good}",
        "hundreds": " ".join([good] * 300),
        "named": f"sha256={good}", "bad base64": "%%%", "not ascii": "é" * 64, "full width": "０" * 64, "huge": "a" * 60_000,
        "nul": "\0", "the canary": CANARY, "sql": "' OR '1'='1", "a list": "[]",
    }[change]}  # fmt: skip


CHANGES = [
    *("nothing", "spaces", "one digit off", "cut short", "one more", "spaced", "a newline", "twice", "hundreds", "named"),
    *("bad base64", "not ascii", "full width", "huge", "nul", "the canary", "sql", "a list"),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_signature_with_a_fault_is_none(sender: Sender, change: str) -> None:
    raw = b'{"source": "desk"}'
    said = {name.replace("-", "_"): value for name, value in _changed(sender, raw, change).items()}
    answer = sender.post(raw, **said)
    assert (answer.status_code, answer.json()) == (401, UNSIGNED)
    assert_nothing_came_of(answer)
    assert refusals() == []


OTHERS = {
    "another secret": hex_signed("another"),
    "no secret": hex_signed(""),
    "another standard secret": standard_signed("whsec_" + "A" * 32),
    "an empty standard secret": standard_signed("whsec_"),
    "no proof at all": lambda _: {},
}


@pytest.mark.parametrize("name", OTHERS)
def test_whoever_has_another_secret_is_nobody(sender: Sender, client: object, name: str) -> None:
    stranger = Sender(source="nobody", prove=OTHERS[name], path=sender.path)
    answer = stranger.post(ENTRY)
    assert (answer.status_code, answer.json()) == (401, UNSIGNED)
    assert_nothing_came_of(answer)


def test_a_signature_in_the_query_is_none(sender: Sender) -> None:
    stranger = Sender(source="nobody", prove=lambda _: {})
    query = "&".join(f"{name}={value}" for name, value in sender.prove(b"{}").items())
    answer = stranger.post(ENTRY, path=f"{sender.path}?{query}")
    assert (answer.status_code, answer.json()) == (401, UNSIGNED)
    assert_nothing_came_of(answer)


def test_the_same_id_with_another_body_is_a_conflict_and_is_kept(sender: Sender) -> None:
    sender.post(ENTRY)
    answer = sender.post(ENTRY | {"side": "SHORT"})
    assert (answer.status_code, answer.json()["code"]) == (409, "SIGNAL_CONFLICT")
    assert Signal.objects.get().side == "LONG"
    assert AuditRow.objects.filter(action="signal.conflict").count() == 1


def test_a_replay_is_the_same_signal(sender: Sender) -> None:
    answers = [sender.post(ENTRY) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 200, 200]
    assert len({answer.json()["intent_key"] for answer in answers}) == 1
    assert Signal.objects.count() == 1
