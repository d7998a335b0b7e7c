"""The control page: each act says what will happen, asks why, and is one audited call of one service."""

import json
from datetime import timedelta

import pytest
import redis
from django.contrib.auth.models import User
from django.test import Client

from risk.domain.halt import TradingState
from risk.domain.lock import LockKind
from risk.models import Flatten, Halt
from risk.services import flattening, halts
from tests.factories.logins import operator
from tests.factories.trading import MarketFactory, PositionFactory, SignalFactory, TraderFactory
from tests.integration.vanta_site.control.desk import EVERYTHING, PAGE, PAUSE, acted, browser, locked
from trading import clock
from trading.adapters.redis_switch import KEY
from trading.domain.people import MAY, Act, Role
from trading.domain.position import PositionStatus
from trading.domain.units import Usdc
from trading.models import AuditRow, ModeState, Position
from trading.services import members, people


def audited() -> list[tuple[str, str, dict[str, object], dict[str, object], str]]:
    return list(AuditRow.objects.order_by("pk").values_list("actor", "action", "before", "after", "reason"))


# --- the emergency stop


def test_one_click_stops_everything(console: Client, switch: redis.Redis) -> None:
    assert acted(console, "stop") == ["Everything is stopped."]

    state = ModeState.objects.get(pk=1)
    assert (state.emergency_stop, state.stopped_by) == (True, "admin")
    assert json.loads(switch.get(KEY))["emergency_stop"] is True
    actor, action, _, after, reason = audited()[0]
    assert (actor, action, after["emergency_stop"], reason) == ("ada", "mode.change", True, "stopped from the console")


def test_lifting_says_what_will_happen_and_needs_a_reason(console: Client, switch: redis.Redis) -> None:
    acted(console, "stop")

    assert "0 intents not yet signed: signed as soon as LIVE holds." in console.get(f"{PAGE}lift/").content.decode()
    assert acted(console, "lift", reason=" ") == []
    assert ModeState.objects.get(pk=1).emergency_stop is True

    assert acted(console, "lift", reason="drill over") == ["The emergency stop is lifted."]
    assert ModeState.objects.get(pk=1).emergency_stop is False
    assert audited()[-1][4] == "drill over"


# --- the mode


def test_live_is_typed_out(console: Client, switch: redis.Redis) -> None:
    answer = console.post(f"{PAGE}live/", {"reason": "go", "confirmation": "live"})
    assert answer.context["why"].errors == {"confirmation": ["Type LIVE."]}
    assert ModeState.objects.get(pk=1).configured == "DRY"

    acted(console, "live", reason="go", confirmation="LIVE")

    state = ModeState.objects.get(pk=1)
    assert (state.configured, state.is_chosen) == ("LIVE", True)
    actor, action, before, after, reason = audited()[0]
    assert (actor, action, before["configured"], after["configured"], reason) == ("ada", "mode.change", "DRY", "LIVE", "go")


def test_a_wish_is_kept_while_redis_is_away_and_the_page_says_so(console: Client, no_redis: None) -> None:
    said = acted(console, "live", reason="go", confirmation="LIVE")

    assert said == ["The wish is kept, but the mode switch can't be reached: DRY holds until it can be."]
    assert ModeState.objects.get(pk=1).configured == "LIVE"


def test_with_two_needed_live_waits_visibly_for_somebody_else(console: Client, switch: redis.Redis, settings: object) -> None:
    settings.LIVE_REQUIRES_TWO = True
    second = browser(operator("bob", Role.SUPER_ADMIN))
    acted(console, "live", reason="go", confirmation="LIVE")

    assert "Confirm LIVE, ada" in second.get(PAGE).content.decode()
    assert "LIVE is ada&#x27;s wish; somebody else agrees to it." in second.get(f"{PAGE}confirm/").content.decode()
    assert acted(console, "confirm", reason="me too", confirmation="LIVE") == ["somebody else must confirm LIVE (NOT_ALLOWED)"]
    assert acted(second, "confirm", reason="agreed", confirmation="LIVE") == ["LIVE is confirmed; see below what holds."]

    state = ModeState.objects.get(pk=1)
    assert (state.wished_by, state.confirmed_by) == ("ada", "bob")
    assert "Confirm LIVE" not in second.get(PAGE).content.decode()
    assert acted(second, "confirm", reason="again", confirmation="LIVE")[0].startswith("no wish for LIVE waits")


# --- the desk's switches


@pytest.mark.parametrize(("name", "start"), [("signals_enabled", True), ("maintenance", False), ("automation_paused", False)])
def test_the_desk_switches_are_audited(console: Client, switch: redis.Redis, name: str, start: bool) -> None:
    acted(console, "switch", name=name, is_on=str(not start).lower(), reason="work")

    assert getattr(ModeState.objects.get(pk=1), name) is not start
    assert audited() == [("ada", "mode.change", {name: start}, {name: not start}, "work")]


# --- trading states


def test_a_market_is_paused_in_two_steps_and_resumed(console: Client, switch: redis.Redis) -> None:
    PositionFactory(trader=TraderFactory(tg_user_id=123))

    page = console.get(f"{PAGE}state/", PAUSE).content.decode()
    assert "Entries of BTC-USD are refused: 0 waiting entries, and all that come." in page
    assert "Open there now: 1 position of 1 account, about $50 of collateral." in page
    assert not Halt.objects.exists()
    assert acted(console, "state", **PAUSE, reason="odd prices") == ["Pause BTC-USD: done."]
    held = Halt.objects.get()
    assert (held.scope, held.key, held.state, held.placed_by, held.reason) == (
        *("SYMBOL", "BTC-USD", "REDUCING", "ada", "odd prices"),
    )

    shown = console.get(PAGE).content.decode()
    assert "<td>odd prices</td>" in shown
    assert f"{PAGE}state/?scope=SYMBOL&amp;key=BTC-USD&amp;state=ACTIVE" in shown
    assert acted(console, "state", **PAUSE | {"state": "ACTIVE"}, reason="calm") == ["Resume BTC-USD: done."]
    assert halts.held(at=clock.now()) == []
    assert [row[1] for row in audited()] == ["state.change", "state.change"]


def test_a_pause_can_end_by_itself(console: Client, switch: redis.Redis) -> None:
    acted(console, "state", scope="GLOBAL", state="HALTED", hours="1.5", reason="maintenance of the node")

    held = Halt.objects.get()
    assert (held.key, held.until - held.since) == ("", timedelta(hours=1.5))


@pytest.mark.parametrize(
    "about",
    [
        {"scope": "SYMBOL", "key": "DOGE-USD", "state": "REDUCING"},
        {"scope": "USER", "key": "999", "state": "REDUCING"},
        {"scope": "USER", "key": "x", "state": "REDUCING"},
        {"scope": "SOURCE", "key": " ", "state": "REDUCING"},
        {"scope": "PLANET", "key": "", "state": "REDUCING"},
        {"scope": "GLOBAL", "state": "PANIC"},
        {},
    ],
)
def test_what_an_act_is_about_is_asked_until_it_is_something(console: Client, switch: redis.Redis, about: dict[str, str]) -> None:
    MarketFactory()

    answer = console.post(f"{PAGE}state/", about | {"reason": "why"})

    assert (answer.status_code, answer.context["form"].is_valid()) == (200, False)
    assert not Halt.objects.exists()


# --- flatten


def test_everything_is_closed_in_two_steps_typed_out(console: Client, switch: redis.Redis) -> None:
    PositionFactory(trader=TraderFactory(tg_user_id=123))

    page = console.get(f"{PAGE}flatten/", EVERYTHING).content.decode()
    assert "Closes 1 position of 1 account, about $50 of collateral, LIVE, each once." in page
    answer = console.post(f"{PAGE}flatten/", EVERYTHING | {"reason": "storm", "confirmation": "flatten"})
    assert answer.context["why"].errors == {"confirmation": ["Type FLATTEN."]}
    assert not Flatten.objects.exists()

    said = acted(console, "flatten", **EVERYTHING, reason="storm", confirmation="FLATTEN")

    job = Flatten.objects.get()
    assert said == [f"Flatten {job.pk} runs; see below how far it is."]
    assert (job.scope, job.book, job.started_by, job.reason) == ("GLOBAL", "LIVE", "ada", "storm")
    assert [each.state for each in halts.held(at=clock.now())] == [TradingState.REDUCING]
    assert [row[1] for row in audited()] == ["state.change", "flatten.start"]


def test_a_jobs_page_counts_now_and_looks_again_until_it_is_over(console: Client, switch: redis.Redis) -> None:
    PositionFactory(trader=TraderFactory(tg_user_id=123))
    acted(console, "flatten", **EVERYTHING, reason="storm", confirmation="FLATTEN")
    job = Flatten.objects.get()

    running = console.get(f"{PAGE}flatten/{job.pk}/").content.decode()
    Position.objects.update(status=PositionStatus.CLOSED, closed_at=clock.now(), collateral_usdc=Usdc.zero())
    flattening.work(job_id=job.pk, at=clock.now())
    over = console.get(f"{PAGE}flatten/{job.pk}/").content.decode()

    assert "<dt>waiting</dt><dd>1</dd>" in running
    assert ('http-equiv="refresh"' in running, 'http-equiv="refresh"' in over) == (True, False)
    assert "<h2>DONE</h2>" in over
    assert f'href="{PAGE}flatten/{job.pk}/"' in console.get(PAGE).content.decode()


def test_a_source_is_flattened_by_what_its_signals_opened(console: Client, switch: redis.Redis) -> None:
    PositionFactory(signal=SignalFactory(source_name="copy:0xabc"))
    PositionFactory()

    page = console.get(f"{PAGE}flatten/", {"scope": "SOURCE", "key": "copy", "book": "LIVE"}).content.decode()

    assert "Closes 1 position of 1 account, about $50 of collateral, LIVE, each once." in page


# --- locks


def test_a_lock_explains_itself_and_is_lifted_with_a_reason(console: Client, switch: redis.Redis) -> None:
    lock = locked()

    shown = console.get(PAGE).content.decode()
    assert "<td>closed a moment ago</td>" in shown
    assert "<td>1 min</td><td>5 min</td>" in shown
    assert "<td>it is lifted</td><td>risk, super-admin</td>" in shown
    assert "Measured 1 min against 5 min." in console.get(f"{PAGE}unlock/", {"lock": lock.pk}).content.decode()

    assert acted(console, "unlock", lock=str(lock.pk), reason="seen") == [f"Lock {lock.pk} is lifted."]
    lock.refresh_from_db()
    assert (lock.ended_by, lock.end_reason) == ("ada", "seen")
    assert acted(console, "unlock", lock=str(lock.pk), reason="again") == ["it holds no longer (LOCK_ENDED)"]


# --- who may


# Each act with what it needs, for every role: who may, does it.
TRIED = {
    "stop": ({}, set(Role)),
    "lift": ({}, {Role.SUPER_ADMIN}),
    "dry": ({}, {Role.RISK, Role.SUPER_ADMIN}),
    "live": ({"confirmation": "LIVE"}, {Role.SUPER_ADMIN}),
    "confirm": ({"confirmation": "LIVE"}, {Role.SUPER_ADMIN}),
    "switch": ({"name": "maintenance", "is_on": "true"}, {Role.RISK, Role.SUPER_ADMIN}),
    "state": ({"scope": "GLOBAL", "state": "REDUCING"}, {Role.RISK, Role.SUPER_ADMIN}),
    "flatten": (EVERYTHING | {"confirmation": "FLATTEN"}, {Role.RISK, Role.SUPER_ADMIN}),
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("act", TRIED)
def test_each_role_does_what_the_table_says_and_nothing_else(desk: ModeState, switch: redis.Redis, act: str, role: Role) -> None:
    said, may = TRIED[act]
    client = browser(operator("bob", role))

    answer = client.post(f"{PAGE}{act}/", {"reason": "why", **said})

    assert answer.status_code == (302 if role in may else 403)
    if role not in may:
        assert not AuditRow.objects.exclude(action="act.refused").exists()


def test_another_table_lets_another_role_do_it(watcher: User, switch: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MAY, Role.VIEWER, MAY[Role.VIEWER] | {Act.GO_DRY})

    assert browser(watcher).post(f"{PAGE}dry/", {"reason": "why"}).status_code == 302


@pytest.mark.parametrize("act", ["lift", "live"])
def test_a_grave_attempt_is_kept_with_its_name(watcher: User, switch: redis.Redis, act: str) -> None:
    answer = browser(watcher).post(f"{PAGE}{act}/", {"reason": "why", "confirmation": "LIVE"})

    assert answer.json()["message"].endswith("needs the role super-admin; bob has viewer")
    row = AuditRow.objects.get()
    assert (row.actor, row.action, row.subject[:8]) == ("bob", "act.refused", "control:")


def test_resuming_needs_more_than_pausing_and_a_daily_loss_more_than_a_cooldown(desk: ModeState, switch: redis.Redis) -> None:
    trader = TraderFactory(tg_user_id=7)
    tom = operator("tom", Role.TRADER)
    members.admit(tg_user_id=7, roles=[Role.TRADER], login="tom", by=people.of_command_line("root"), reason="new", at=clock.now())
    own = {"scope": "USER", "key": str(trader.tg_user_id), "reason": "why"}
    other = {"scope": "USER", "key": str(TraderFactory().tg_user_id), "reason": "why"}
    client = browser(tom)

    pausing = [client.post(f"{PAGE}state/", said | {"state": "REDUCING"}).status_code for said in (own, other)]
    resuming = client.post(f"{PAGE}state/", own | {"state": "ACTIVE"}).status_code
    daily_loss = browser(operator("rita", Role.RISK)).post(
        f"{PAGE}unlock/", {"lock": locked(LockKind.DAILY_LOSS).pk, "reason": "why"}
    )

    assert (pausing, resuming, daily_loss.status_code) == ([302, 403], 403, 403)
    assert list(Halt.objects.values_list("key", "placed_by")) == [("7", "tom")]


def test_the_page_offers_what_the_person_may(watcher: User, console: Client, switch: redis.Redis) -> None:
    seen, all_of_it = (client.get(PAGE).content.decode() for client in (browser(watcher), console))

    offers = ("Switch to DRY", "Switch to LIVE", "Begin maintenance", "See what happens")
    assert [offer in seen for offer in offers] == [False] * 4
    assert [offer in all_of_it for offer in offers] == [True] * 4
    assert "Stop everything" in seen


def test_a_login_without_a_role_sees_and_stops_nothing(desk: ModeState, switch: redis.Redis) -> None:
    client = browser(operator("eve"))

    assert [client.get(PAGE).status_code, client.post(f"{PAGE}stop/").status_code] == [403, 403]
    assert ModeState.objects.get(pk=1).emergency_stop is False


def test_looking_at_an_act_changes_nothing_and_keeps_no_row(console: Client, watcher: User, switch: redis.Redis) -> None:
    for act, (about, _) in TRIED.items():
        if act != "stop":
            assert console.get(f"{PAGE}{act}/", about).status_code == 200
            assert browser(watcher).get(f"{PAGE}{act}/", about).status_code == 403

    assert not AuditRow.objects.exists()


def test_a_form_without_its_token_is_refused(superuser: User, switch: redis.Redis) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(superuser)

    assert [client.post(f"{PAGE}{act}/", {"reason": "why"}).status_code for act in ("stop", "dry")] == [403, 403]
    assert ModeState.objects.get(pk=1).emergency_stop is False


def test_a_stranger_is_sent_to_the_login(desk: ModeState) -> None:
    answer = Client().post(f"{PAGE}stop/")

    assert (answer.status_code, answer["Location"]) == (302, f"/admin/login/?next={PAGE}stop/")
    assert ModeState.objects.get(pk=1).emergency_stop is False


def test_an_act_that_isnt_there_has_no_page(console: Client, switch: redis.Redis) -> None:
    assert [console.get(f"{PAGE}{act}/").status_code for act in ("nothing", "stop")] == [404, 405]


def test_what_people_wrote_is_escaped(console: Client, switch: redis.Redis) -> None:
    acted(console, "state", scope="SOURCE", key="<b>x</b>", state="HALTED", reason="<script>alert(1)</script>")

    page = console.get(PAGE).content.decode()
    assert "<script>alert" not in page
    assert "<b>x" not in page


# --- the banner


@pytest.mark.parametrize(
    ("mode", "stop", "face"),
    [("DRY", False, "PAPER"), ("LIVE", False, "LIVE"), ("LIVE", True, "STOPPED"), ("DRY", True, "STOPPED")],
)
def test_the_banner_warns_wherever_money_may_move(console: Client, switch: redis.Redis, mode: str, stop: bool, face: str) -> None:
    switch.set(KEY, json.dumps({"mode": mode, "emergency_stop": stop}))

    for page in ("/admin/", PAGE):
        assert f"<strong>{face}</strong>" in console.get(page).content.decode()
