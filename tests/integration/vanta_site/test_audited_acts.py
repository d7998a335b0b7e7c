"""Every service that somebody calls in his own name leaves a row of the audit log: each is found in the code and done here."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import override_settings

from bots.adapters.postman import HttpPostman
from bots.domain.target import Rules
from bots.models import Channel
from bots.services import channels
from execution.models.sender import SenderStatus
from execution.services import sender_acts
from execution.services.sender_acts import Limits
from execution.services.warrants import Warrant
from risk.domain.following import FollowMode, Sizing, Terms
from risk.domain.halt import HaltScope, TradingState
from risk.domain.policy import Scope
from risk.models import Policy
from risk.services import blocks, flattening, followings, halts, losses, policies
from tests.architecture.tree import ROOT, modules
from tests.factories import NOW
from tests.factories.copying import FollowingFactory
from tests.factories.execution import SenderFactory
from tests.factories.risk import LockFactory
from tests.factories.trading import LeaderFactory, TraderFactory
from tests.fakes.switch import Switch
from trading import clock
from trading.domain.mode import Book, Mode
from trading.domain.people import Act, NotAllowed, Person, Role
from trading.domain.units import Usdc, Wei
from trading.models import AuditRow, ModeState
from trading.services import audit_checks, leaders, members, mode, people, switching
from trading.services.mode import DeskSwitch
from vanta_site import operators

ADA = Person(name="ada", roles=frozenset({Role.SUPER_ADMIN}))
BY = Warrant(actor="ada", reason="why", at=NOW)
WHY: dict[str, Any] = {"reason": "why", "at": NOW}
NAMES = {"actor", "by", "person"}


def policy() -> Policy:
    return policies.save(Policy(scope=Scope.USER, tg_user_id=7), person=ADA, **WHY)


def confirm() -> None:
    switch = Switch()
    mode.switch_to(mode=Mode.LIVE, switch=switch, actor="eve", **WHY)
    with override_settings(LIVE_REQUIRES_TWO=True):
        mode.confirm_live(by=ADA, switch=switch, **WHY)


def stop() -> None:
    mode.stop_everything(switch=Switch(), actor="ada", origin="admin", **WHY)


def lift() -> None:
    stop()
    mode.lift_stop(switch=Switch(), actor="ada", **WHY)


def refused() -> None:
    with pytest.raises(NotAllowed):
        people.demand(Person(name="ada", roles=frozenset()), Act.GO_LIVE, subject="mode", at=NOW)


def dismissed() -> None:
    members.admit(tg_user_id=7, roles=[Role.VIEWER], by=ADA, **WHY)
    members.dismiss(tg_user_id=7, by=ADA, **WHY)


def every_switch() -> None:
    state = ModeState.objects.get(pk=1)
    for name in DeskSwitch:
        mode.set_desk(name=name, is_on=not getattr(state, name), actor="ada", **WHY)


def lock() -> None:
    blocks.place(tg_user_id=TraderFactory().tg_user_id, book=Book.LIVE, symbol=None, person=ADA, **WHY)


TERMS = Terms(sizing=Sizing.FIXED, fixed=Usdc.of(7))


def follow() -> None:
    follower, leading = TraderFactory(), LeaderFactory()
    followings.follow(tg_user_id=follower.account, leader_id=leading.pk, terms=TERMS, person=ADA, **WHY)


def leader() -> int:
    return leaders.add(address="0x" + "ab" * 20, name="whale", by=ADA, **WHY).pk


def zone() -> None:
    losses.set_zone(tg_user_id=TraderFactory().tg_user_id, zone="Asia/Tokyo", person=ADA, **WHY)


def channel() -> Channel:
    postman = HttpPostman(rules=Rules(hosts=frozenset({"hooks.example.org"})))
    opened = channels.create(name="desk", url="https://hooks.example.org/vanta", by=BY, postman=postman)
    return opened.channel


def resumed() -> None:
    opened = channel()
    channels.pause(channel_id=opened.pk, by=BY)
    channels.resume(channel_id=opened.pk, by=BY)


# The service, what calls it, and the action that its row carries.
DONE: dict[str, tuple[Callable[[], object], str]] = {
    # caps
    "risk.services.policies.save": (policy, "policy.create"),
    "risk.services.policies.amend": (
        lambda: policies.amend(scope=Scope.USER, tg_user_id=7, changes={}, person=ADA, **WHY),
        "policy.create",
    ),
    "risk.services.policies.remove": (lambda: policies.remove(policy(), person=ADA, **WHY), "policy.remove"),
    "execution.services.sender_acts.limit": (
        lambda: sender_acts.limit(sender_id=SenderFactory().pk, limits=Limits(gas_floor_wei=Wei(7)), by=BY),
        "sender.limit",
    ),
    # the mode, the desk, states and locks
    "trading.services.mode.switch_to": (
        lambda: mode.switch_to(mode=Mode.LIVE, switch=Switch(), actor="ada", **WHY),
        "mode.change",
    ),
    "trading.services.mode.confirm_live": (confirm, "mode.change"),
    "trading.services.mode.stop_everything": (stop, "mode.change"),
    "trading.services.mode.lift_stop": (lift, "mode.change"),
    "trading.services.mode.set_desk": (every_switch, "mode.change"),
    "risk.services.halts.set_state": (
        lambda: halts.set_state(scope=HaltScope.GLOBAL, key="", state=TradingState.HALTED, person=ADA, **WHY),
        "state.change",
    ),
    "risk.services.blocks.place": (lock, "lock.place"),
    "risk.services.blocks.lift": (
        lambda: blocks.lift(lock_id=LockFactory(until=None).pk, person=ADA, reason="why", at=clock.now()),
        "lock.lift",
    ),
    "risk.services.flattening.start": (
        lambda: flattening.start(scope=HaltScope.GLOBAL, key="", book=Book.LIVE, person=ADA, **WHY),
        "flatten.start",
    ),
    "risk.services.losses.set_zone": (zone, "account.zone"),
    # leaders and those who follow them
    "risk.services.followings.follow": (follow, "following.create"),
    "risk.services.followings.change": (
        lambda: followings.change(following_id=FollowingFactory().pk, terms=TERMS, person=ADA, **WHY),
        "following.change",
    ),
    "risk.services.followings.turn": (
        lambda: followings.turn(following_id=FollowingFactory().pk, mode=FollowMode.OFF, person=ADA, **WHY),
        "following.turn",
    ),
    "trading.services.leaders.add": (leader, "leader.add"),
    "trading.services.leaders.rename": (lambda: leaders.rename(leader_id=leader(), name="ray", by=ADA, **WHY), "leader.change"),
    "trading.services.leaders.stop": (lambda: leaders.stop(leader_id=leader(), by=ADA, **WHY), "leader.stop"),
    # roles and secrets
    "trading.services.members.admit": (
        lambda: members.admit(tg_user_id=7, roles=[Role.RISK], by=ADA, **WHY),
        "member.change",
    ),
    "trading.services.members.dismiss": (dismissed, "member.change"),
    "trading.services.people.demand": (refused, "act.refused"),
    # channels
    "bots.services.channels.create": (channel, "channel.create"),
    "bots.services.channels.pause": (lambda: channels.pause(channel_id=channel().pk, by=BY), "channel.turn"),
    "bots.services.channels.resume": (resumed, "channel.turn"),
    "bots.services.channels.replay": (lambda: channels.replay(channel_id=channel().pk, since=NOW, by=BY), "channel.replay"),
    # senders
    "execution.services.sender_acts.turn": (
        lambda: sender_acts.turn(sender_id=SenderFactory().pk, target=SenderStatus.PAUSED, by=BY),
        "sender.turn",
    ),
    "execution.services.sender_acts.appoint": (
        lambda: sender_acts.appoint(sender_id=SenderFactory().pk, by=BY),
        "sender.appoint",
    ),
}
# What has a test of its own that looks for its row: where, and the action.
ELSEWHERE = {
    "execution.services.gas.top_up": ("execution/test_gas.py", "sender.top_up"),
    "execution.services.intent_acts.bump": ("execution/test_act_commands.py", "intent."),
    "execution.services.intent_acts.cancel": ("execution/test_intent_acts.py", "intent.cancel"),
    "execution.services.intent_acts.give_up": ("execution/test_giving_up.py", "intent.give-up"),
    "execution.services.intent_acts.limit": ("execution/test_act_commands.py", "intent."),
    "execution.services.onboarding.admit": ("execution/test_onboarding.py", "trader.admit"),
    "execution.services.paper_money.deposit": ("execution/test_paper_money.py", "paper."),
    "execution.services.paper_money.withdraw": ("execution/test_paper_money.py", "paper."),
    "execution.services.reconciliation_acts.look_now": ("execution/test_reconciliation_acts.py", "account.look"),
    "execution.services.reconciliation_acts.accept": ("execution/test_reconciliation_acts.py", "account.accept"),
    "execution.services.releasing.release": ("execution/test_releasing.py", "sender.release"),
    "execution.services.restoring.declare": ("execution/test_restoring.py", "database.restored"),
    "execution.services.sender_acts.rebroadcast": ("execution/test_sender_acts.py", "sender.rebroadcast"),
    "risk.services.protections.protect": ("risk/test_protections.py", "protection.set"),
    "risk.services.protections.unprotect": ("risk/test_protections.py", "protection.removed"),
    "risk.services.protections.to_breakeven": ("risk/test_protections.py", "protection.breakeven"),
    "trading.services.sources.create": ("trading/test_source_pages.py", "source.create"),
    "trading.services.sources.rotate": ("trading/test_sources.py", "source.secret_made"),
    "trading.services.sources.revoke": ("trading/test_sources.py", "source.secret_revoked"),
    "trading.services.sources.edit": ("trading/test_sources.py", "source.edit"),
    "trading.services.rehearsals.send": ("trading/test_rehearsals.py", "source.rehearse"),
    "trading.services.approvals.grant": ("trading/test_approvals.py", "signal.granted"),
    "trading.services.approvals.decline": ("trading/test_approvals.py", "signal.declined"),
    "trading.services.tokens.issue": ("trading/test_tokens.py", "token.issue"),
    "trading.services.tokens.revoke": ("trading/test_tokens.py", "token.revoke"),
    "bots.services.channels.rotate": ("bots/test_channels.py", "channel.rotate"),
    "bots.services.channels.ping": ("bots/test_channels.py", "channel.ping"),
}


def acts(source: str, *, module: str) -> Iterator[str]:
    """The public writes and steps of a module that are called in somebody's name."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            kinds = {each.id for each in node.decorator_list if isinstance(each, ast.Name)}
            named = NAMES & {argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)}
            if named and kinds & {"write", "step"}:
                yield f"{module}.{node.name}"


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def test_every_act_in_somebodys_name_is_done_here_or_elsewhere() -> None:
    found = {
        act for path in modules("trading", "risk", "execution", "bots") for act in acts(path.read_text(), module=module_of(path))
    }

    assert found == set(DONE) | set(ELSEWHERE)


@pytest.mark.parametrize("name", DONE)
def test_an_act_leaves_a_row_with_who_what_and_why(desk: ModeState, name: str) -> None:
    do, action = DONE[name]

    do()

    row = AuditRow.objects.order_by("-pk").first()
    assert row is not None
    assert (row.actor, row.action) == ("ada", action)
    assert row.reason in ("why", "GO_LIVE needs the role super-admin; ada has none")
    assert row.before != row.after
    assert audit_checks.verify().is_whole


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_is_done_elsewhere_is_looked_for_there(name: str) -> None:
    place, action = ELSEWHERE[name]

    assert f'"{action}' in (ROOT / "tests" / "integration" / place).read_text()


@pytest.mark.usefixtures("desk")
def test_every_switch_of_the_desk_leaves_a_row_of_its_own() -> None:
    every_switch()

    assert [set(row.after) for row in AuditRow.objects.order_by("pk")] == [{str(name)} for name in DeskSwitch]


@pytest.mark.usefixtures("desk")
def test_a_switch_set_from_outside_is_audited_as_such() -> None:
    switch = Switch()
    switch.set_from_outside(mode=Mode.LIVE)

    switching.watch(switch=switch, at=NOW)

    assert AuditRow.objects.get().actor == "out-of-band"


@pytest.mark.django_db
def test_logins_and_their_secrets_leave_rows_without_the_secret() -> None:
    first = operators.add(username="eve", roles=[Role.RISK], at=NOW)
    second = operators.reset(username="eve", at=NOW)

    rows = list(AuditRow.objects.order_by("pk").values())
    assert [row["action"] for row in rows] == ["operator.add", "operator.reset"]
    assert first not in str(rows)
    assert second not in str(rows)
    assert User.objects.get().check_password(second)


def test_an_act_that_nobody_placed_is_seen() -> None:
    source = (
        "@write\ndef grant(*, by: Person) -> None: ...\n"
        "@piece\ndef part(*, by: Person) -> None: ...\n"
        "@write\ndef sweep(*, at: datetime) -> None: ...\n"
        "@step\ndef ask(*, actor: str) -> None: ...\n"
    )

    assert list(acts(source, module="m")) == ["m.grant", "m.ask"]
