"""Lists and rows: pages that don't move, filters, exact numbers, and nobody else's rows."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test import Client

from execution.models import TxSend
from tests.factories import NOW
from tests.factories.logins import operator
from tests.factories.people import SUPER_ADMIN
from tests.factories.risk import HaltFactory
from tests.factories.tokens import Headers, bearer
from tests.factories.trading import FeedFactory, QuoteFactory, SignalFactory
from tests.integration.vanta_site.api.conftest import World
from trading import clock
from trading.domain.people import Role
from trading.domain.units import Price
from trading.models import AuditRow, Event, Signal
from trading.services import journal, members


@pytest.fixture
def reader(world: World) -> Headers:
    return bearer(world.people[Role.VIEWER])


@pytest.fixture
def trader(world: World) -> Headers:
    return bearer(world.people[Role.TRADER])


# --- pages


def walked(client: Client, path: str, headers: Headers, *, limit: int) -> list[list[int]]:
    """The ids of each page, to the end."""
    pages, cursor = [], ""
    while cursor is not None:
        said = client.get(path, {"limit": limit, **({"cursor": cursor} if cursor else {})}, headers=headers).json()
        pages.append([row["id"] for row in said["results"]])
        cursor = said["next"]
    return pages


def test_pages_hold_each_row_once_the_newest_first(client: Client, world: World, reader: Headers) -> None:
    rows = [SignalFactory(trader=world.own.trader).pk for _ in range(5)]
    before = [world.other.flow.signal.pk, world.own.flow.signal.pk]

    assert walked(client, "/api/signals", reader, limit=3) == [rows[:1:-1], [rows[1], rows[0], before[0]], [before[1]]]
    assert walked(client, "/api/signals", reader, limit=7) == [[*reversed(rows), *before]]


def test_what_comes_while_somebody_reads_moves_nothing(client: Client, world: World, reader: Headers) -> None:
    rows = [SignalFactory(trader=world.own.trader).pk for _ in range(4)]
    first = client.get("/api/signals", {"limit": 2}, headers=reader).json()
    SignalFactory(trader=world.own.trader)

    second = client.get("/api/signals", {"limit": 2, "cursor": first["next"]}, headers=reader).json()

    assert [row["id"] for page in (first, second) for row in page["results"]] == rows[::-1]


@pytest.mark.parametrize(
    "query",
    [
        *(
            "limit=0",
            "limit=201",
            "limit=x",
            "limit=1&limit=2",
            "cursor=x",
            "cursor=",
            "cursor=-1",
            "status=NEW",
            "stauts=DENIED",
        ),
        *("limit=٣", "cursor=%00", "symbol=%00", "tg_user_id=1.5", "book=PAPER%0a", "limit=1%20"),
    ],
)
def test_a_query_that_means_nothing_is_refused_and_not_repeated(client: Client, reader: Headers, query: str) -> None:
    answer = client.get(f"/api/signals?{query}", headers=reader)

    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")
    assert answer.json()["code"] in {"FIELD_INVALID", "FIELD_UNKNOWN"}
    assert "stauts" not in answer.content.decode()


def test_a_row_and_the_mode_take_no_parameters(client: Client, world: World, reader: Headers) -> None:
    answers = [client.get(f"/api/{path}?limit=1", headers=reader) for path in (f"signals/{world.own.flow.signal.pk}", "mode")]

    assert [answer.json()["code"] for answer in answers] == ["FIELD_UNKNOWN"] * 2


# --- filters


@pytest.mark.parametrize(
    ("path", "query", "count"),
    [
        ("signals", {"status": "APPROVED"}, 2),
        ("signals", {"status": "DENIED"}, 0),
        ("signals", {"intent_key": "{signal.intent_key}"}, 1),
        ("signals", {"trace_id": "{signal.trace_id}"}, 1),
        ("signals", {"symbol": "BTC-USD", "side": "LONG", "book": "LIVE"}, 2),
        ("signals", {"symbol": "ETH-USD"}, 0),
        ("signals", {"source_name": "desk"}, 2),
        ("signals", {"tg_user_id": "{trader.tg_user_id}"}, 1),
        ("decisions", {"signal": "{signal.pk}", "verdict": "APPROVED"}, 1),
        ("decisions", {"code": "NONE"}, 0),
        ("intents", {"status": "FINAL", "kind": "OPEN"}, 2),
        ("intents", {"intent_key": "{intent.intent_key}"}, 1),
        ("intents", {"sender": "{intent.sender.address}"}, 1),
        ("intents", {"tg_user_id": "{trader.tg_user_id}"}, 1),
        ("positions", {"status": "OPEN", "direction": "LONG"}, 2),
        ("positions", {"tg_user_id": "{trader.tg_user_id}"}, 1),
        ("fills", {"position": "{position.pk}", "kind": "OPEN"}, 1),
        ("fills", {"tg_user_id": "{trader.tg_user_id}"}, 1),
        ("policies", {"scope": "USER"}, 2),
        ("policies", {"tg_user_id": "{trader.tg_user_id}"}, 1),
        ("halts", {"scope": "USER", "is_open": "true"}, 2),
        ("halts", {"is_open": "false"}, 0),
        ("halts", {"key": "{trader.tg_user_id}"}, 1),
        ("flattens", {"status": "RUNNING", "key": "{trader.tg_user_id}"}, 1),
        ("locks", {"kind": "MANUAL", "is_open": "true"}, 2),
        ("locks", {"tg_user_id": "{trader.tg_user_id}"}, 1),
        ("senders", {"address": "{intent.sender.address}"}, 1),
        ("senders", {"status": "PAUSED"}, 0),
        ("sources", {"name": "default", "is_enabled": "true"}, 1),
        ("traders", {"tg_user_id": "{trader.tg_user_id}"}, 1),
        ("markets", {"symbol": "BTC-USD", "is_listed": "true"}, 1),
    ],
)
def test_a_filter_narrows(client: Client, world: World, reader: Headers, path: str, query: dict[str, str], count: int) -> None:
    flow = world.own.flow
    about = {"signal": flow.signal, "trader": world.own.trader, "intent": flow.intent, "position": flow.position}
    asked = {name: value.format(**about) for name, value in query.items()}

    said = client.get(f"/api/{path}", asked, headers=reader).json()

    assert len(said["results"]) == count


def test_the_audit_log_is_narrowed_by_who_what_and_whom(client: Client, world: World) -> None:
    headers = bearer(world.people[Role.RISK])
    row = AuditRow.objects.latest("pk")

    said = client.get("/api/audit", {"actor": row.actor, "action": row.action, "subject": row.subject}, headers=headers).json()

    assert [each["id"] for each in said["results"]] == [row.pk]
    assert (said["results"][0]["hash"], said["results"][0]["after"]) == (row.hash, row.after)


# --- documents


def test_amounts_are_strings_and_instants_in_utc(client: Client, world: World, reader: Headers) -> None:
    flow = world.own.flow

    said = client.get(f"/api/fills/{flow.fill.pk}", headers=reader).json()

    assert said == {
        "id": flow.fill.pk,
        "position": flow.position.pk,
        "tg_user_id": world.own.number,
        "symbol": "BTC-USD",
        "book": "LIVE",
        "kind": "OPEN",
        "price": "60000",
        "collateral_usdc": "50",
        "leverage_x": "3",
        "held_usdc": None,
        "entry_price": None,
        "fee_usdc": "0",
        "rollover_usdc": "0",
        "funding_usdc": "0",
        "price_pnl_usdc": "0",
        "payout_usdc": "0",
        "realised_pnl_usdc": "0",
        "chain_id": 31_337,
        "tx_hash": flow.fill.tx_hash,
        "log_index": 0,
        "block_number": flow.fill.block_number,
        "is_canonical": True,
        "filled_at": "2026-01-02T03:04:05Z",
    }


def test_no_float_is_anywhere(client: Client, world: World) -> None:
    headers = bearer(world.people[Role.SUPER_ADMIN])
    names = "signals decisions intents positions fills policies halts flattens locks senders sources traders markets audit mode"
    floats: list[str] = []

    for name in names.split():
        json.loads(client.get(f"/api/{name}", headers=headers).content, parse_float=lambda text, name=name: floats.append(name))

    assert floats == []


def test_an_intent_shows_its_offers_and_receipts_and_never_the_signed_bytes(
    client: Client, world: World, reader: Headers
) -> None:
    flow = world.own.flow
    raw = TxSend.objects.get(pk=flow.send.pk).raw

    answer = client.get(f"/api/intents/{flow.intent.pk}", headers=reader)

    (send,) = answer.json()["sends"]
    (receipt,) = send["receipts"]
    assert (send["tx_hash"], send["state"], send["fee_cap_wei"]) == (flow.send.tx_hash, "SENT", str(flow.send.fee_cap_wei))
    assert (receipt["block_number"], receipt["is_success"]) == (flow.receipt.block_number, True)
    assert raw not in answer.content.decode()


def test_a_decision_shows_each_check_with_its_value_and_limit(client: Client, world: World, reader: Headers) -> None:
    said = client.get(f"/api/decisions/{world.own.flow.decision.pk}", headers=reader).json()

    checks = [(check["code"], check["passed"], check["value"], check["limit"]) for check in said["checks"]]
    assert checks == [("EMERGENCY_STOP", True, "running", "running"), ("LEVERAGE_ABOVE_MAX", True, "3x", "50x")]
    assert (said["intent_key"], said["verdict"], len(said["legs"])) == (world.own.flow.signal.intent_key, "APPROVED", 1)


def test_a_market_shows_the_price_on_which_the_sources_agree(client: Client, world: World, reader: Headers) -> None:
    now, market = clock.now(), world.own.flow.signal.market
    for source in ("chainlink", "pyth"):
        FeedFactory(name=source, weight=Decimal(1), symbols=["BTC-USD"], answered_at=now)
        QuoteFactory(market=market, source=source, price=Price.of("60000.5"), published_at=now, received_at=now)

    said = client.get(f"/api/markets/{market.pk}", headers=reader).json()

    assert (said["price"]["agreed"]["price"], said["price"]["trouble"]) == ("60000.5", None)
    assert sorted(said["price"]["agreed"]["sources"]) == ["chainlink", "pyth"]


def test_nothing_of_a_key_or_a_secret_is_in_any_document(client: Client, world: World) -> None:
    headers = bearer(world.people[Role.SUPER_ADMIN])
    names = {
        name
        for path in ("senders", "sources", "traders", "intents", "signals")
        for row in client.get(f"/api/{path}", headers=headers).json()["results"]
        for name in row
    }

    assert names & {"signer", "secret", "secrets", "raw", "calldata", "body", "fingerprint"} == set()


# --- whose rows


def test_a_trader_s_lists_hold_his_own_rows_and_what_everybody_meets(client: Client, world: World, trader: Headers) -> None:
    everybody = HaltFactory()
    own = world.own
    expected = {
        "signals": [own.flow.signal.pk],
        "decisions": [own.flow.decision.pk],
        "intents": [own.flow.intent.pk],
        "positions": [own.flow.position.pk],
        "fills": [own.flow.fill.pk],
        "locks": [own.lock.pk],
        "policies": [own.policy.pk],
        "flattens": [own.flatten.pk],
        "halts": [everybody.pk, own.halt.pk],
        "traders": [own.trader.pk],
        "senders": [],
        "sources": [],
        "markets": [own.flow.signal.market_id],
    }

    seen = {name: [row["id"] for row in client.get(f"/api/{name}", headers=trader).json()["results"]] for name in expected}

    assert seen == expected


def test_a_filter_finds_nobody_else_s_rows(client: Client, world: World, trader: Headers) -> None:
    asked = {"tg_user_id": world.other.number}

    found = [client.get(f"/api/{name}", asked, headers=trader).json()["results"] for name in ("signals", "positions", "locks")]

    assert found == [[], [], []]


def test_a_row_that_isn_t_his_is_answered_like_one_that_isn_t_there(client: Client, world: World, trader: Headers) -> None:
    theirs = client.get(f"/api/positions/{world.other.flow.position.pk}", headers=trader)
    nobodys = client.get("/api/positions/999999", headers=trader)

    assert (theirs.status_code, theirs.content) == (404, nobodys.content)


def test_a_token_for_one_account_sees_that_account_only(client: Client, world: World) -> None:
    headers = bearer(world.people[Role.SUPER_ADMIN], accounts=(world.other.number,))

    said = client.get("/api/positions", headers=headers).json()

    assert [row["id"] for row in said["results"]] == [world.other.flow.position.pk]


# --- the journal


def written(count: int, *, trace_id: str = "") -> list[int]:
    """Events in a transaction of their own each."""
    signal = Signal.objects.latest("pk")
    before = set(Event.objects.values_list("pk", flat=True))
    for number in range(count):
        with transaction.atomic():
            journal.record("test.happened", signal, at=NOW + timedelta(seconds=number), trace_id=trace_id, number=number)
    return sorted(set(Event.objects.values_list("pk", flat=True)) - before)


@pytest.mark.usefixtures("committed")
class TestTail:
    """Commits are real here: a reader sees what other transactions have settled."""

    def follow(self, client: Client, headers: Headers, after: str = "", **asked: object) -> dict[str, object]:
        place = {"after": after} if after else {}
        said: dict[str, object] = client.get("/api/events", {**place, **asked}, headers=headers).json()
        return said

    def test_a_reader_goes_on_where_it_was(self, client: Client) -> None:
        SignalFactory()
        headers = bearer(operator("vera", Role.VIEWER))
        begun = self.follow(client, headers, "latest")
        first = written(3)
        page = self.follow(client, headers, begun["next"], limit=2)
        rest = self.follow(client, headers, page["next"])
        later = written(1)

        assert begun["results"] == []
        assert [row["id"] for each in (page, rest) for row in each["results"]] == first
        assert [row["id"] for row in self.follow(client, headers, rest["next"])["results"]] == later

    def test_a_reader_that_is_at_the_end_keeps_its_place(self, client: Client) -> None:
        SignalFactory()
        headers = bearer(operator("vera", Role.VIEWER))
        written(1)
        end = self.follow(client, headers)

        assert self.follow(client, headers, end["next"]) == {"results": [], "next": end["next"]}

    def test_a_row_that_commits_late_is_not_skipped(self, client: Client) -> None:
        SignalFactory()
        headers = bearer(operator("vera", Role.VIEWER))
        place = self.follow(client, headers, "latest")["next"]
        late = connection.copy()
        try:
            with late.cursor() as cursor:
                cursor.execute("BEGIN")
                cursor.execute(
                    "INSERT INTO journal (kind, subject, trace_id, facts, at) VALUES ('test.late', 'x:1', '', '{}', now())"
                )
                written(1)
                while_open = self.follow(client, headers, place)
                cursor.execute("COMMIT")
        finally:
            late.close()

        assert while_open["results"] == []
        assert [row["kind"] for row in self.follow(client, headers, while_open["next"])["results"]] == [
            "test.late",
            "test.happened",
        ]

    def test_a_trader_reads_what_his_own_signals_caused(self, client: Client) -> None:
        own, other = SignalFactory(), SignalFactory()
        member = members.admit(tg_user_id=own.trader.tg_user_id, roles=[Role.TRADER], by=SUPER_ADMIN, reason="new", at=NOW)
        mine, _, _ = written(1, trace_id=own.trace_id), written(1, trace_id=other.trace_id), written(1)

        assert [row["id"] for row in self.follow(client, bearer(member))["results"]] == mine

    @pytest.mark.parametrize("after", ["x", "1", "1-", "-1", "1-x", "latest ", "1-2-3", "9" * 40])
    def test_a_place_that_is_none_is_refused(self, client: Client, after: str) -> None:
        said = self.follow(client, bearer(operator("vera", Role.VIEWER)), after)

        assert (said["code"], said["field"]) == ("FIELD_INVALID", "after")
