"""Acts: each calls the service that the console calls, by the person's name and with his reason."""

from typing import Any

import pytest
from django.test import Client

from execution.domain.intent import IntentStatus
from execution.models.sender import SenderStatus
from risk.models import Flatten, Halt, Lock, Policy
from tests.factories.execution import TxIntentFactory
from tests.factories.logins import operator
from tests.factories.tokens import Headers, bearer
from tests.integration.vanta_site.api.conftest import World
from trading.domain.people import Role
from trading.domain.token import Scope
from trading.domain.units import Leverage, Percent, Usdc
from trading.models import AuditRow, ModeState, Signal

Json = dict[str, Any]
WHY = {"reason": "a drill"}


@pytest.fixture
def boss(world: World) -> Headers:
    return bearer(world.people[Role.SUPER_ADMIN])


@pytest.fixture
def trader(world: World) -> Headers:
    return bearer(world.people[Role.TRADER])


def post(client: Client, path: str, said: Json, headers: Headers, *, status: int) -> Json:
    answer = client.post(f"/api/{path}", said, content_type="application/json", headers=headers)
    assert answer.status_code == status, answer.content
    told: Json = answer.json()
    return told


def entry(world: World, **said: object) -> Json:
    about = {"tg_user_id": world.own.number, "symbol": "btc/usd", "side": "LONG", "collateral_usdc": "50", "leverage_x": 3}
    return {"signal_id": "s-1", **about, **said}


# --- signals


def test_a_signal_is_kept_under_the_token_s_own_name(client: Client, world: World, trader: Headers) -> None:
    told = post(client, "signals", entry(world), trader, status=202)

    signal = Signal.objects.get(pk=told["id"])
    public_id = trader["Authorization"].split("_")[1]
    assert (signal.source.name, signal.source_name, signal.signal_id) == ("api", f"api:{public_id}", "s-1")
    assert told == {
        "status": "accepted",
        "id": signal.pk,
        "intent_key": f"sig:api%3A{public_id}:s-1",
        "trace_id": signal.trace_id,
        "state": "RECEIVED",
    }
    assert (signal.market.symbol, signal.collateral_usdc, signal.leverage_x) == ("BTC-USD", Usdc.of(50), Leverage.of(3))


def test_the_same_body_again_is_a_duplicate_and_another_one_a_conflict(client: Client, world: World, trader: Headers) -> None:
    first = post(client, "signals", entry(world), trader, status=202)
    again = post(client, "signals", entry(world), trader, status=200)
    other = post(client, "signals", entry(world, collateral_usdc="51"), trader, status=409)

    assert (again["status"], again["id"]) == ("duplicate", first["id"])
    assert other["code"] == "SIGNAL_CONFLICT"
    assert Signal.objects.filter(signal_id="s-1").count() == 1
    assert AuditRow.objects.latest("pk").action == "signal.conflict"


def test_two_tokens_of_one_person_have_names_of_their_own(client: Client, world: World, trader: Headers) -> None:
    post(client, "signals", entry(world), trader, status=202)
    post(client, "signals", entry(world), bearer(world.people[Role.TRADER]), status=202)


def test_who_is_logged_in_is_a_hand_and_no_program(world: World) -> None:
    client, user = Client(), world.people[Role.RISK]
    client.force_login(user)

    told = post(client, "signals", entry(world), {}, status=202)

    signal = Signal.objects.get(pk=told["id"])
    assert (signal.source.name, signal.source_name) == ("console", f"console:{user.pk}")


@pytest.mark.parametrize(
    ("said", "code", "field"),
    [
        ({"source": "desk"}, "FIELD_UNKNOWN", "source"),
        ({"position": 1}, "FIELD_UNKNOWN", ""),
        ({"side": "UP"}, "FIELD_INVALID", "side"),
        ({"symbol": "XYZ-USD"}, "SYMBOL_UNKNOWN", "symbol"),
        ({"collateral_usdc": "0"}, "FIELD_INVALID", "collateral_usdc"),
        ({"reduce_pct": "5"}, "FIELD_INVALID", "reduce_pct"),
    ],
)
def test_a_body_is_read_as_strictly_as_at_the_door(
    client: Client, world: World, trader: Headers, said: Json, code: str, field: str
) -> None:
    told = post(client, "signals", entry(world, **said), trader, status=422)

    assert (told["code"], told["field"]) == (code, field)
    assert not Signal.objects.filter(signal_id="s-1").exists()


# --- closing


def close(client: Client, position: int, headers: Headers, *, key: str | None = "k-1", status: int, **said: object) -> Json:
    named = {} if key is None else {"Idempotency-Key": key}
    return post(client, f"positions/{position}/close", said, {**headers, **named}, status=status)


def test_a_close_names_its_position_and_is_asked_for_once(client: Client, world: World, trader: Headers) -> None:
    position = world.own.flow.position
    told = close(client, position.pk, trader, status=202, reduce_pct="25.5")
    again = close(client, position.pk, trader, status=200, reduce_pct=25.5)
    other = close(client, position.pk, trader, status=409)

    signal = Signal.objects.get(pk=told["id"])
    assert (signal.position, signal.side, signal.reduce_pct, signal.signal_id) == (position, "CLOSE", Percent.of("25.5"), "k-1")
    assert (again["status"], again["id"], other["code"]) == ("duplicate", signal.pk, "SIGNAL_CONFLICT")


def test_a_whole_close_says_nothing_of_a_share(client: Client, world: World, trader: Headers) -> None:
    told = close(client, world.own.flow.position.pk, trader, status=202)

    assert Signal.objects.get(pk=told["id"]).reduce_pct is None


@pytest.mark.parametrize("key", [None, "", "a b", "é".encode().decode("latin-1"), "x" * 129])
def test_a_close_that_isn_t_named_closes_nothing(client: Client, world: World, trader: Headers, key: str | None) -> None:
    told = close(client, world.own.flow.position.pk, trader, key=key, status=400)

    assert told["code"] == "IDEMPOTENCY_KEY_MISSING"
    assert not Signal.objects.filter(side="CLOSE").exists()


@pytest.mark.parametrize("share", ["0", "100.1", "-1", "1e1", None, True, [1], "x"])
def test_a_share_that_is_none_closes_nothing(client: Client, world: World, trader: Headers, share: object) -> None:
    told = close(client, world.own.flow.position.pk, trader, status=422, reduce_pct=share)

    assert (told["code"], told["field"]) == ("FIELD_INVALID", "reduce_pct")
    assert not Signal.objects.filter(side="CLOSE").exists()


# --- caution, and the end of it


def test_a_trading_state_is_set_and_ended_by_name(client: Client, world: World, boss: Headers) -> None:
    about = {"scope": "SYMBOL", "key": "BTCUSD", **WHY}
    paused = post(client, "halts", {**about, "state": "REDUCING", "until": "2999-01-01T00:00:00+01:00"}, boss, status=200)
    resumed = post(client, "halts", {**about, "state": "ACTIVE"}, boss, status=200)

    row = Halt.objects.get(scope="SYMBOL")
    assert (paused["key"], paused["state"], paused["set_by"]) == ("BTC-USD", "REDUCING", "a super-admin")
    assert paused["until"] == "2998-12-31T23:00:00Z"
    assert (row.placed_by, row.ended_by, row.end_reason) == ("a super-admin", "a super-admin", "a drill")
    assert resumed["state"] == "ACTIVE"


@pytest.mark.parametrize(
    ("said", "code", "field"),
    [
        ({"scope": "GLOBAL", "key": "BTC-USD"}, "FIELD_INVALID", "key"),
        ({"scope": "SYMBOL"}, "FIELD_INVALID", "key"),
        ({"scope": "SYMBOL", "key": "XYZ-USD"}, "SCOPE_UNKNOWN", "key"),
        ({"scope": "USER", "key": "nobody"}, "FIELD_INVALID", "key"),
        ({"scope": "USER", "key": "999999"}, "SCOPE_UNKNOWN", "key"),
        ({"scope": "GLOBAL", "until": "2000-01-01T00:00:00Z"}, "UNTIL_REFUSED", "until"),
        ({"scope": "GLOBAL", "until": "tomorrow"}, "FIELD_INVALID", "until"),
        ({"scope": "GLOBAL", "reason": "  "}, "FIELD_INVALID", "reason"),
        ({"scope": "GLOBAL", "reason": None}, "FIELD_INVALID", "reason"),
        ({"scope": "GLOBAL", "placed_by": "rita"}, "FIELD_UNKNOWN", ""),
    ],
)
def test_a_state_that_means_nothing_is_refused(
    client: Client, world: World, boss: Headers, said: Json, code: str, field: str
) -> None:
    told = post(client, "halts", {"state": "HALTED", **WHY, **said}, boss, status=422)

    assert (told["code"], told["field"]) == (code, field)
    assert Halt.objects.count() == 2


def test_a_flatten_is_begun_once(client: Client, world: World, boss: Headers) -> None:
    said = {"scope": "SYMBOL", "key": "BTC-USD", "book": "LIVE", "confirmation": "FLATTEN", **WHY}
    first, again = (post(client, "flattens", said, boss, status=202) for _ in range(2))

    assert first["id"] == again["id"] == Flatten.objects.latest("pk").pk
    assert (first["started_by"], first["status"]) == ("a super-admin", "RUNNING")


def test_what_is_typed_out_isn_t_guessed(client: Client, world: World, boss: Headers) -> None:
    about = {"scope": "SYMBOL", "key": "BTC-USD", "book": "LIVE", **WHY}
    wrong = post(client, "flattens", {**about, "confirmation": "flatten"}, boss, status=422)
    live = post(client, "mode/switch", {"mode": "LIVE", **WHY}, boss, status=422)

    assert [told["field"] for told in (wrong, live)] == ["confirmation"] * 2
    assert (Flatten.objects.count(), ModeState.objects.get().configured) == (2, "DRY")


def test_a_lock_is_placed_and_lifted(client: Client, world: World, boss: Headers) -> None:
    placed = post(client, "locks", {"tg_user_id": world.own.number, "book": "LIVE", "symbol": "btc-usd", **WHY}, boss, status=200)
    lifted = post(client, f"locks/{placed['id']}/lift", WHY, boss, status=200)
    again = post(client, f"locks/{placed['id']}/lift", WHY, boss, status=409)

    row = Lock.objects.get(pk=placed["id"])
    assert (placed["symbol"], placed["kind"], row.placed_by) == ("BTC-USD", "MANUAL", "a super-admin")
    assert (lifted["ended_by"], again["code"]) == ("a super-admin", "LOCK_ENDED")


# --- limits


def test_limits_are_lowered_one_by_one_and_the_others_stay(client: Client, world: World, trader: Headers) -> None:
    about = {"scope": "USER", "tg_user_id": world.own.number}
    told = post(client, "policies", {**about, "max_leverage_x": "4", "max_position_usd": 100.5, **WHY}, trader, status=200)

    row = Policy.objects.get(pk=world.own.policy.pk)
    assert (row.max_leverage_x, row.max_position_usd_1e6, row.version) == (Leverage.of(4), 100_500_000, 2)
    assert (told["max_leverage_x"], told["max_position_usd"], told["max_open_positions"]) == ("4", "100.5", None)
    said = AuditRow.objects.latest("pk")
    assert (said.actor, said.action, said.reason) == (f"tg:{world.own.number}", "policy.change", "a drill")


@pytest.mark.parametrize("said", [{"max_leverage_x": "6"}, {"max_leverage_x": None}])
def test_only_a_super_admin_raises_a_limit(client: Client, world: World, trader: Headers, boss: Headers, said: Json) -> None:
    about = {"scope": "USER", "tg_user_id": world.own.number, **WHY, **said}
    refused = post(client, "policies", about, trader, status=403)
    unchanged, kept = Policy.objects.get(pk=world.own.policy.pk), AuditRow.objects.latest("pk")
    raised = post(client, "policies", about, boss, status=200)

    assert (refused["code"], unchanged.max_leverage_x, unchanged.version) == ("NOT_ALLOWED", Leverage.of(5), 1)
    assert (kept.action, kept.after["act"]) == ("act.refused", "RAISE_LIMITS")
    assert raised["max_leverage_x"] == said["max_leverage_x"]


def test_a_policy_that_isn_t_there_is_made(client: Client, world: World, boss: Headers) -> None:
    told = post(client, "policies", {"scope": "SYMBOL", "symbol": "btcusd", "max_leverage_x": 3, **WHY}, boss, status=200)

    assert (told["symbol"], told["version"], AuditRow.objects.latest("pk").action) == ("BTC-USD", 1, "policy.create")


def test_a_refused_policy_leaves_no_row(client: Client, world: World, trader: Headers) -> None:
    post(client, "policies", {"scope": "USER", "tg_user_id": world.other.number, "max_leverage_x": 1, **WHY}, trader, status=403)
    post(client, "policies", {"scope": "GLOBAL", "max_leverage_x": 1, **WHY}, trader, status=403)

    assert Policy.objects.count() == 2


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"scope": "USER"}, "tg_user_id"),
        ({"scope": "GLOBAL", "symbol": "BTC-USD"}, "symbol"),
        ({"scope": "SYMBOL", "symbol": "BTC-USD", "max_side_exposure_usdc": "1"}, "max_side_exposure_usdc"),
        ({"scope": "GLOBAL", "max_leverage_x": "0.5"}, "max_leverage_x"),
        ({"scope": "GLOBAL", "max_open_positions": 2**31}, "max_open_positions"),
        ({"scope": "GLOBAL", "max_exposure_usdc": "1.0000001"}, "max_exposure_usdc"),
        ({"scope": "GLOBAL", "circuit_breaker": 1}, "circuit_breaker"),
        ({"scope": "GLOBAL", "version": 7}, ""),
        ({"scope": "GLOBAL", "max_position_usd_1e6": 7}, ""),
    ],
)
def test_limits_that_mean_nothing_change_nothing(client: Client, world: World, boss: Headers, said: Json, field: str) -> None:
    told = post(client, "policies", {**WHY, **said}, boss, status=422)

    assert (told["field"], Policy.objects.count()) == (field, 2)


# --- the mode


def test_the_mode_is_wished_for_by_name(client: Client, world: World, boss: Headers) -> None:
    told = post(client, "mode/switch", {"mode": "LIVE", "confirmation": "LIVE", **WHY}, boss, status=200)

    assert (told["configured"], told["wished_by"], told["waits_for_second_person"]) == ("LIVE", "a super-admin", False)
    assert post(client, "mode/switch", {"mode": "DRY", **WHY}, boss, status=200)["configured"] == "DRY"


def test_nobody_confirms_his_own_wish_through_a_token(client: Client, world: World, boss: Headers, settings: Any) -> None:
    settings.LIVE_REQUIRES_TWO = True
    post(client, "mode/switch", {"mode": "LIVE", "confirmation": "LIVE", **WHY}, boss, status=200)
    confirm = {"confirmation": "LIVE", **WHY}

    own = post(client, "mode/confirm", confirm, bearer(world.people[Role.SUPER_ADMIN]), status=403)
    second = post(client, "mode/confirm", confirm, bearer(operator("eve", Role.SUPER_ADMIN)), status=200)

    assert (own["code"], second["confirmed_by"]) == ("NOT_ALLOWED", "eve")


def test_everybody_stops_and_a_super_admin_lifts(client: Client, world: World, boss: Headers) -> None:
    stopped = post(client, "emergency-stop", {}, bearer(world.people[Role.VIEWER]), status=200)
    lifted = post(client, "emergency-stop/lift", WHY, boss, status=200)

    assert (stopped["emergency_stop"], lifted["emergency_stop"]) == (True, False)
    actors = [(row.actor, row.reason) for row in AuditRow.objects.filter(action="mode.change").order_by("pk")]
    assert actors == [("a viewer", "stopped by a program"), ("a super-admin", "a drill")]


def test_a_stop_needs_no_redis(client: Client, world: World, no_redis: None) -> None:
    told = post(client, "emergency-stop", {}, bearer(world.people[Role.VIEWER]), status=200)

    assert told["emergency_stop"] is True


def test_a_switch_is_turned(client: Client, world: World, boss: Headers) -> None:
    told = post(client, "switches", {"name": "maintenance", "is_on": True, **WHY}, boss, status=200)

    assert (told["maintenance"], ModeState.objects.get().maintenance) == (True, True)


# --- senders and intents


def test_a_sender_is_paused_drained_and_resumed(client: Client, world: World, boss: Headers) -> None:
    place, stands = f"senders/{world.own.sender.pk}", []
    for act in ("pause", "drain", "resume"):
        stands.append(post(client, f"{place}/{act}", WHY, boss, status=200)["status"])

    again = post(client, f"{place}/resume", WHY, boss, status=409)
    nothing = post(client, f"{place}/rebroadcast", WHY, boss, status=409)
    assert stands == [SenderStatus.PAUSED, SenderStatus.DRAINING, SenderStatus.ACTIVE]
    assert (again["code"], nothing["code"]) == ("SENDER_STATUS", "NOTHING_SENT")


def test_an_intent_is_canceled_with_the_word_and_a_reason(client: Client, world: World, boss: Headers) -> None:
    intent = TxIntentFactory()
    unsaid = post(client, f"intents/{intent.pk}/cancel", WHY, boss, status=422)
    told = post(client, f"intents/{intent.pk}/cancel", {"confirmation": "CANCEL", **WHY}, boss, status=200)
    ended = post(client, f"intents/{world.own.flow.intent.pk}/bump", WHY, boss, status=409)

    assert (unsaid["code"], unsaid["field"]) == ("FIELD_MISSING", "confirmation")
    assert (told["status"], told["failure_code"]) == (IntentStatus.CANCELED, "WITHDRAWN: a drill")
    assert ended["code"] == "INTENT_ENDED"


# --- what is refused leaves a trace


def test_a_grave_attempt_is_kept_in_the_audit_log(client: Client, world: World) -> None:
    refused = post(client, "emergency-stop/lift", WHY, bearer(world.people[Role.RISK]), status=403)
    by_scope = post(client, "emergency-stop/lift", WHY, bearer(world.people[Role.SUPER_ADMIN], Scope.READ), status=403)

    rows = AuditRow.objects.filter(action="act.refused").order_by("pk")
    assert (refused["code"], by_scope["code"]) == ("NOT_ALLOWED", "NOT_ALLOWED")
    assert [(row.actor, row.subject, row.after["act"]) for row in rows] == [
        ("a risk", "api:POST /api/emergency-stop/lift", "LIFT_STOP"),
        ("a super-admin", "api:POST /api/emergency-stop/lift", "LIFT_STOP"),
    ]
