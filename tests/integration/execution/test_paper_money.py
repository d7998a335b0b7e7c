"""Wallets on paper: a running balance that is always the sum of its flows and fills, and acts that leave their rows."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from execution.services import paper_money
from execution.services.paper_money import PaperRefused, PaperShort
from execution.services.warrants import Warrant
from risk.services import funds
from tests.factories import NOW
from tests.factories.risk import LegFactory
from tests.factories.trading import FillFactory, PositionFactory, TraderFactory
from tests.scenario import way
from tests.scenario.world import World
from trading import locks
from trading.domain.mode import Book, Mode
from trading.domain.position import Direction, FillKind
from trading.domain.units import Usdc
from trading.domain.wallet import FlowKind
from trading.kinds import write
from trading.models import AuditRow, PaperFlow, PaperWallet, Position, Trader
from trading.services import mode, positions
from trading.services.positions import Execution

BY = Warrant(actor="ada", reason="a drill", at=NOW)


@pytest.fixture
def trader(db: None) -> Trader:
    account: Trader = TraderFactory(tg_user_id=123)
    return account


def test_an_account_begins_with_the_configured_stake(trader: Trader, settings: Settings) -> None:
    settings.PAPER_BALANCE_USDC = 1_000

    stands = paper_money.look(trader_id=trader.pk, at=NOW)

    assert (stands.wallet.balance_usdc, stands.wallet.put_in_usdc, stands.free, stands.proven) == (Usdc.of(1_000),) * 4
    flow = PaperFlow.objects.get()
    assert (flow.kind, flow.amount_usdc, flow.placed_by, flow.reason) == (
        FlowKind.STAKE,
        Usdc.of(1_000),
        "environment",
        "PAPER_BALANCE_USDC",
    )


def test_the_stake_is_put_in_once_whatever_is_configured_later(trader: Trader, settings: Settings) -> None:
    paper_money.look(trader_id=trader.pk, at=NOW)
    settings.PAPER_BALANCE_USDC = 5

    assert paper_money.look(trader_id=trader.pk, at=NOW).wallet.balance_usdc == Usdc.of(10_000)
    assert PaperFlow.objects.count() == 1


def test_an_account_that_traded_before_it_had_a_wallet_has_what_its_fills_left(trader: Trader) -> None:
    position = PositionFactory(trader=trader, book=Book.PAPER)
    FillFactory(position=position, collateral_usdc=Usdc.of(90), fee_usdc=Usdc.of(10))
    FillFactory(position=PositionFactory(trader=trader), collateral_usdc=Usdc.of(500))

    stands = paper_money.look(trader_id=trader.pk, at=NOW)

    assert (stands.wallet.balance_usdc, stands.wallet.put_in_usdc, stands.proven) == (
        Usdc.of(9_900),
        Usdc.of(10_000),
        Usdc.of(9_900),
    )


def test_deposits_and_withdrawals_move_the_balance_and_are_audited(trader: Trader) -> None:
    paper_money.deposit(trader_id=trader.pk, amount=Usdc.of(500), by=BY)
    paper_money.withdraw(trader_id=trader.pk, amount=Usdc.of("0.5"), by=BY)

    wallet = PaperWallet.objects.get()
    rows = list(PaperFlow.objects.order_by("pk").values_list("kind", "amount_usdc", "balance_after_usdc", "placed_by"))
    assert (wallet.balance_usdc, wallet.put_in_usdc) == (Usdc.of("10499.5"),) * 2
    assert rows[1:] == [
        ("DEPOSIT", Usdc.of(500), Usdc.of(10_500), "ada"),
        ("WITHDRAWAL", Usdc.of("0.5"), Usdc.of("10499.5"), "ada"),
    ]
    assert list(AuditRow.objects.order_by("pk").values_list("action", "subject", "before", "after", "reason")) == [
        ("paper.deposit", "account:123", {"balance_usdc": "10000"}, {"balance_usdc": "10500"}, "a drill"),
        ("paper.withdrawal", "account:123", {"balance_usdc": "10500"}, {"balance_usdc": "10499.5"}, "a drill"),
    ]


def test_what_is_promised_to_orders_cannot_be_taken(trader: Trader) -> None:
    LegFactory(trader=trader, book=Book.PAPER, collateral_usdc=Usdc.of(25))
    LegFactory(trader=trader, book=Book.LIVE, collateral_usdc=Usdc.of(9_000))

    with pytest.raises(PaperShort, match="9975 USDC are free"):
        paper_money.withdraw(trader_id=trader.pk, amount=Usdc.of("9975.000001"), by=BY)
    assert not AuditRow.objects.exists()
    paper_money.withdraw(trader_id=trader.pk, amount=Usdc.of(9_975), by=BY)

    assert paper_money.look(trader_id=trader.pk, at=NOW).free == Usdc.zero()


@pytest.mark.parametrize("amount", ["0", "-1"])
@pytest.mark.parametrize("do", [paper_money.deposit, paper_money.withdraw])
def test_no_amount_is_refused(trader: Trader, do: object, amount: str) -> None:
    with pytest.raises(PaperRefused):
        do(trader_id=trader.pk, amount=Usdc.of(amount), by=BY)  # type: ignore[operator]
    assert not PaperFlow.objects.exists()


def test_a_decision_asks_as_little_for_a_million_fills_as_for_one(trader: Trader) -> None:
    @write
    def read() -> int:
        locks.accounts([trader.pk])
        with CaptureQueriesContext(connection) as asked:
            funds.paper(trader=trader, held=Usdc.zero(), at=NOW)
        assert not any("fills" in each["sql"] for each in asked)
        return len(asked)

    paper_money.look(trader_id=trader.pk, at=NOW)
    few = read()
    position = PositionFactory(trader=trader, book=Book.PAPER)
    FillFactory.create_batch(
        20, position=position, kind=FillKind.INCREASE, held_usdc=Usdc.of(1), entry_price=position.entry_price
    )

    assert (few, read()) == (2, 2)


def test_the_balance_is_the_sum_after_every_trade_on_paper(world: World) -> None:
    trader = world.admit(123)
    mode.switch_to(mode=Mode.DRY, switch=world.switch, actor="test", reason="", at=world.now)
    for number in range(4):
        way.send(world, collateral_usdc=f"{50 + number}", leverage_x=f"{3 + number}")
        world.set_price("BTC-USD", f"{60_000 + 100 * number}")
        world.work()
        way.send(world, side="CLOSE", reduce_pct="40")
        stands = paper_money.look(trader_id=trader.pk, at=world.now)
        assert stands.wallet.balance_usdc == stands.proven != Usdc.of(10_000)
        assert stands.wallet.put_in_usdc == Usdc.of(10_000)


def test_the_balance_is_the_sum_whoever_moves_it_at_once(committed: None) -> None:
    account = TraderFactory(tg_user_id=123)
    position = PositionFactory(trader=account, book=Book.PAPER)

    def deposit(number: int) -> None:
        paper_money.deposit(trader_id=account.pk, amount=Usdc.of(number + 1), by=BY)

    def withdraw(number: int) -> None:
        paper_money.withdraw(trader_id=account.pk, amount=Usdc.of("0.25"), by=BY)

    @write
    def fill(number: int) -> None:
        locks.accounts([account.pk])
        positions.record(_opening(position, number), position=position, trace_id="")

    def run(act: Callable[[int], None], number: int) -> None:
        try:
            act(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=6) as threads:
        acts = [(act, number) for number in range(8) for act in (deposit, withdraw, fill)]
        for each in [threads.submit(run, act, number) for act, number in acts]:
            each.result()

    stands = paper_money.look(trader_id=account.pk, at=NOW)
    # 36 put in, 2 taken out, and eight times 50 and a fee of 1.
    assert stands.wallet.balance_usdc == stands.proven == Usdc.of(10_000 + 36 - 2 - 8 * 51)
    assert (PaperWallet.objects.count(), PaperFlow.objects.filter(kind=FlowKind.STAKE).count()) == (1, 1)


def _opening(position: Position, number: int) -> Execution:
    return Execution(
        kind=FillKind.OPEN,
        direction=Direction.LONG,
        price=position.entry_price,
        collateral=Usdc.of(50),
        leverage=position.leverage_x,
        fee=Usdc.of(1),
        payout=Usdc.zero(),
        chain_id=0,
        tx_hash=f"fill {number}",
        log_index=0,
        block_number=number,
        block_hash=f"fill {number}",
        filled_at=NOW,
    )


def _told(*arguments: str) -> str:
    said = StringIO()
    call_command("paper", *arguments, stdout=said)
    return said.getvalue()


def test_the_command_shows_and_moves(trader: Trader) -> None:
    shown = _told("deposit", "--account", "123", "--usdc", "12.5", "--reason", "a drill")

    assert re.fullmatch(
        r"10012.5 USDC on paper, 10012.5 free, 10012.5 put in; its flows and fills sum up to 10012.5\n"
        r"  \S+ \S+ DEPOSIT 12.5 USDC by command line: \S+: a drill\n"
        r"  \S+ \S+ STAKE 10000 USDC by environment: PAPER_BALANCE_USDC\n",
        shown,
    )
    assert _told("withdraw", "--account", "123", "--usdc", "12.5", "--reason", "a drill").startswith("10000 USDC on paper")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("show", "--account", "7"), "there is no such account"),
        (("deposit", "--account", "123", "--usdc", "1"), "say why"),
        (("withdraw", "--account", "123", "--usdc", "10001", "--reason", "x"), "10000 USDC are free"),
    ],
)
def test_the_command_says_what_it_refuses(trader: Trader, arguments: tuple[str, ...], why: str) -> None:
    with pytest.raises(CommandError, match=why):
        _told(*arguments)
