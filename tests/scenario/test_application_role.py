"""The desk works as the application's own database role: no grant that it needs is missing."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from execution.domain.intent import IntentStatus
from execution.domain.order import OrderStatus
from execution.models import Order, TxIntent, TxReceipt
from risk.domain.policy import Scope
from risk.models import Policy
from risk.services import policies
from tests.application import USER, application
from tests.scenario import way
from tests.scenario.world import World
from trading.domain.mode import Book
from trading.domain.people import Role
from trading.domain.position import PositionStatus
from trading.models import Fill, Position
from trading.services import audit_checks, members, mode, people
from vanta_site import heartbeats, operators, roles

__all__ = ["application"]


@pytest.fixture(autouse=True)
def desk(transactional_db: None, application: dict[str, Any]) -> Iterator[None]:
    """Everything in this file is done by the application."""
    with roles.connected_as(application):
        yield


def test_a_position_is_opened_and_closed(desk: None, world: World, client: Client) -> None:
    world.admit(123)

    world.send(client)
    world.run(rounds=6)
    world.send(client, side="CLOSE", slippage_pct="5")
    world.run(rounds=6)

    assert who() == USER
    assert Position.objects.get().status == PositionStatus.CLOSED
    assert set(Order.objects.values_list("status", flat=True)) == {OrderStatus.FILLED}
    assert set(TxIntent.objects.values_list("status", flat=True)) == {IntentStatus.FINAL}


def test_paper_is_filled(desk: None, world: World, client: Client) -> None:
    world.admit(123)
    mode.switch_to(mode=mode.Mode.DRY, switch=world.switch, actor="test", reason="drill", at=world.now)

    world.send(client)
    world.run(rounds=2)

    assert Position.objects.get().book == Book.PAPER


def test_a_reorganization_takes_a_fill_away_and_brings_it_back(desk: None, world: World) -> None:
    world.admit(123)
    before = world.rpc.call("evm_snapshot")
    way.fill(world)

    world.rpc.call("evm_revert", before)
    world.rpc.call("anvil_dropAllTransactions")
    world.run(rounds=6)

    assert Position.objects.filter(status=PositionStatus.OPEN).count() == 1
    assert Fill.objects.filter(is_canonical=False).exists()
    assert TxReceipt.objects.filter(is_canonical=True).count() == 1


def test_people_stop_the_desk_edit_limits_and_come_and_go(desk: None, world: World, client: Client) -> None:
    operators.add(username="ada", roles=[Role.SUPER_ADMIN], at=world.now)
    operators.reset(username="ada", at=world.now)
    client.force_login(User.objects.get())
    mode.stop_everything(switch=world.switch, actor="ada", origin="admin", reason="drill", at=world.now)
    mode.lift_stop(switch=world.switch, actor="ada", reason="drill", at=world.now)
    ada = people.of_command_line("ada")
    policy = policies.save(Policy(scope=Scope.USER, tg_user_id=7), person=ada, reason="new", at=world.now)
    policies.save(policy, person=ada, reason="changed", at=world.now)
    members.admit(tg_user_id=7, roles=[Role.VIEWER], by=ada, reason="new", at=world.now)
    audit_checks.go_on(at=world.now)
    policies.remove(policy, person=ada, reason="gone", at=world.now)
    heartbeats.Heartbeat.objects.update_or_create(process="worker", defaults={"at": world.now})
    heartbeats.Heartbeat.objects.update_or_create(process="worker", defaults={"at": world.now})

    client.logout()

    assert audit_checks.verify().findings == ()


def who() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_user")
        return str(cursor.fetchone()[0])
