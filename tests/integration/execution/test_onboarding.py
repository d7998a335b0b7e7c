"""Traders, senders and markets, and the commands by which they come in."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from devnet import venue_api, venue_server
from devnet.ports import pick_free
from execution.adapters.outside_wallet import NoAddress, OutsideWallet
from execution.models import Cursor, Delegation, Sender
from execution.models.sender import SenderStatus
from execution.services import catalogue, onboarding, senders
from execution.services.onboarding import NoSender
from tests.fakes.node import Node
from tests.scenario.world import World
from trading.domain.errors import Unavailable
from trading.domain.units import Leverage, Percent, Usdc
from trading.models import AuditRow, Market, Trader

CHECKSUMMED = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"


def _told(command: str, *arguments: str) -> str:
    said = StringIO()
    call_command(command, *arguments, stdout=said)
    return said.getvalue()


@pytest.fixture
def venue_data(world: World, settings: Settings) -> Iterator[None]:
    """The venue's data service."""
    (port,) = pick_free(1, first=20_000, last=20_499)
    server = venue_server.server(venue_api.Venue(rpc=world.rpc, deployment=world.deployment), port=port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    settings.VERANTA_DATA_API_URL = f"http://127.0.0.1:{port}/data"
    yield
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_trader_is_admitted_once(world: World) -> None:
    first, second = world.admit(5, usdc="100"), world.admit(5, usdc="100")

    assert first == second == Trader.objects.get()
    delegation = Delegation.objects.get()
    assert (delegation.trader, delegation.sender, delegation.is_home) == (first, Sender.objects.get(), True)
    assert AuditRow.objects.filter(action="trader.admit").count() == 1


def test_a_delegation_ends_when_the_chain_says(world: World) -> None:
    granted_at = world.now
    trader = world.admit(5, usdc="100")

    standing = onboarding.look(trader.address, delegate=world.desk.signer.address, desk=world.desk)

    assert (standing.balance, standing.allowance) == (Usdc.of(100), Usdc.of(100))
    assert standing.delegated_until == (granted_at + timedelta(days=90)).replace(microsecond=0)
    assert Delegation.objects.get().expires_at == standing.delegated_until


def test_a_trader_with_a_wallet_of_his_own_waits_for_his_own_grant(world: World) -> None:
    trader, standing = onboarding.admit(
        tg_user_id=6,
        name="outside",
        wallet=OutsideWallet(CHECKSUMMED.lower()),
        allowance=Usdc.of(10),
        desk=world.desk,
        actor="test",
        at=world.now,
    )

    # As the venue's events name him.
    assert trader.address == CHECKSUMMED
    assert standing.delegated_until is None
    assert not Delegation.objects.exists()


@pytest.mark.parametrize("address", ["", "0x12", "somebody", "0x90f79Bf6EB2c4f870365E785982E1f101E93b906"])
def test_what_isnt_an_address_is_refused(address: str) -> None:
    with pytest.raises(NoAddress):
        OutsideWallet(address)


def test_without_a_sender_nobody_is_admitted(world: World) -> None:
    world.desk = replace(world.desk, signer=type(world.desk.signer)("0x" + "22" * 32))

    with pytest.raises(NoSender):
        world.admit(5)

    assert not Trader.objects.exists()


def test_a_sender_is_enlisted_once(world: World) -> None:
    again = senders.enlist(desk=world.desk, at=world.now)

    assert again == Sender.objects.get()
    assert AuditRow.objects.filter(action="sender.enlist").count() == 1


def test_a_sender_that_somebody_else_uses_is_quarantined_at_its_first_use(world: World, proxy: Node) -> None:
    world.desk = replace(world.desk, signer=type(world.desk.signer)("0x" + "22" * 32))
    counts = {"latest": "0x3", "pending": "0x4"}
    proxy.script("eth_getTransactionCount", lambda params: {"result": counts[params[1]]})

    sender = senders.enlist(desk=world.desk, at=world.now)

    assert (sender.status, sender.next_nonce) == (SenderStatus.QUARANTINED, 3)


def test_the_commands_can_be_given_twice(world: World) -> None:
    for _ in range(2):
        said = _told("sender", "sync")
        assert said.startswith(f"sender {world.desk.signer.address} ACTIVE, next nonce 0; venue at ")
        said = _told("trader", "add", "--tg-user-id", "7", "--usdc", "250.5")
        assert "250.5 USDC" in said or "501 USDC" in said
        assert "allowance 250.5, delegated until 20" in said

    assert (Sender.objects.count(), Cursor.objects.count(), Trader.objects.count(), Delegation.objects.count()) == (1, 1, 1, 1)


@pytest.mark.parametrize("arguments", [("--usdc", "many"), ("--address", "0x12")])
def test_a_command_says_what_is_wrong_in_one_line(world: World, arguments: tuple[str, str]) -> None:
    with pytest.raises(CommandError) as refusal:
        _told("trader", "add", "--tg-user-id", "7", *arguments)

    assert "\n" not in str(refusal.value)
    assert not Trader.objects.exists()


def test_the_catalogue_comes_from_the_venue(world: World, venue_data: None) -> None:
    Market.objects.create(
        symbol="OLD-USD", pair_index=99, **dict.fromkeys(("min_notional_usdc", "min_leverage_x", "max_leverage_x"), 1),
        open_fee_pct=1, close_fee_pct=1, spread_pct=1, synced_at=world.now,
    )  # fmt: skip

    said = [_told("market", "sync") for _ in range(2)]

    assert said == ["3 markets\n", "3 markets\n"]
    bitcoin = Market.objects.get(symbol="BTC-USD")
    assert (bitcoin.pair_index, bitcoin.is_listed, bitcoin.is_open, bitcoin.is_close_only) == (1, True, True, False)
    assert (bitcoin.min_notional_usdc, bitcoin.min_leverage_x, bitcoin.max_leverage_x) == (
        Usdc.of(10),
        Leverage.of(1),
        Leverage.of(75),
    )
    assert (bitcoin.open_fee_pct, bitcoin.spread_pct) == (Percent.of("0.045"), Percent.of("0.01"))
    assert (bitcoin.rollover_hourly_pct, bitcoin.funding_hourly_pct) == (Percent.of("0.00171"), Percent.zero())
    assert not Market.objects.get(symbol="OLD-USD").is_listed
    assert Market.objects.count() == 4


def test_a_silent_catalogue_changes_nothing(world: World, settings: Settings) -> None:
    settings.VERANTA_DATA_API_URL = "http://127.0.0.1:1/data"

    with pytest.raises(Unavailable):
        catalogue.sync(desk=world.desk, at=world.now)

    assert Market.objects.filter(is_listed=True).count() == 3
