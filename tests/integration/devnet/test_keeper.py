"""The keeper: prices on every block, orders in their time, and no fear of an absent node."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from devnet import chain, deploy, paths, ports
from devnet.keeper import Keeper, Rhythm
from devnet.prices import FillDelay, PriceWalk
from devnet.rpc import Rpc
from tests.integration.devnet.desk import ALICE, ETH, Desk, tens, usdc


def test_a_tick_keeps_the_prices_fresh(desk: Desk) -> None:
    desk.mine(seconds=1000)
    desk.tick()
    for symbol in desk.deployment.feeds:
        _, _, _, updated_at, _ = desk.deployment.feed(symbol).read(desk.rpc, "latestRoundData")
        assert updated_at == desk.now()


def test_without_a_walk_prices_stay_as_they_are(desk: Desk) -> None:
    desk.tick()
    assert desk.read("PairStorage", "price", ETH) == tens("3000")


def test_a_set_price_is_posted_and_held(desk: Desk) -> None:
    desk.keeper.set_price("ETH-USD", "3123.45678901")
    desk.tick()
    desk.tick()
    assert desk.read("PairStorage", "price", ETH) == tens("3123.45678901")


def test_a_walk_goes_on_from_the_prices_on_chain(desk: Desk) -> None:
    desk.price("ETH-USD", "4000")
    walk = PriceWalk(seed=1)
    desk.keeper = Keeper(rpc=desk.rpc, deployment=desk.deployment, walk=walk)
    step = desk.head()
    desk.tick()
    prices = {"ETH-USD": 4000 * 10**8, "BTC-USD": 60000 * 10**8, "SOL-USD": 150 * 10**8}
    assert desk.read("PairStorage", "price", ETH) == walk.after(prices, step=step)["ETH-USD"] * 100


def test_an_order_is_filled_at_the_price_of_its_own_tick(desk: Desk) -> None:
    desk.submit()
    desk.keeper.set_price("ETH-USD", "3010")
    (receipt,) = desk.tick()
    assert receipt["status"] == "0x1"
    assert desk.trade()["openPrice"] == tens("3010.301")


def test_an_order_waits_for_its_delay(desk: Desk) -> None:
    delay = FillDelay(seed=1, median_seconds=2.0, p99_seconds=15.0)
    desk.keeper = Keeper(rpc=desk.rpc, deployment=desk.deployment, delay=delay)
    desk.submit()
    due_at = 100.0 + delay.of(desk.last_order_id())
    assert desk.tick(now=100.0) == []
    assert desk.tick(now=due_at - 0.001) == []
    assert len(desk.tick(now=due_at + 0.001)) == 1
    assert desk.pending() == []


def test_a_reverted_fill_is_tried_again_each_block_until_it_expires(desk: Desk) -> None:
    desk.submit(openPrice=tens("2900"))
    statuses = [[receipt["status"] for receipt in desk.tick()] for _ in range(16)]
    assert statuses == [["0x0"]] * 15 + [["0x1"]]
    assert desk.pending() == []
    assert desk.balance(ALICE) == usdc("10000")


def test_two_ticks_in_one_block_send_an_order_once(desk: Desk) -> None:
    desk.submit()
    first, second = desk.keeper.tick(), desk.keeper.tick()
    assert (len(first.fills), len(second.fills)) == (1, 0)


def test_a_new_keeper_finds_what_an_old_one_left(desk: Desk) -> None:
    desk.submit()
    desk.keeper = Keeper(rpc=desk.rpc, deployment=desk.deployment)
    desk.tick()
    assert desk.trade()["leverage"] == tens("10")


def test_more_orders_than_a_page_are_all_filled(desk: Desk) -> None:
    desk.owner("TradingStorage", "setMaxPendingMarketOrders", 100)
    desk.keeper = Keeper(rpc=desk.rpc, deployment=desk.deployment, page=10)
    call = desk.contract("TradingRouter").transaction("openTrade", desk.wish(positionSizeUSDC=usdc("10")), 0, tens("1"))
    for _ in range(25):
        desk.rpc.call("eth_sendTransaction", {**call, "from": ALICE, "gas": hex(3_000_000)})
    desk.mine()
    assert [receipt["status"] for receipt in desk.tick()] == ["0x1"] * 25
    desk.keeper.set_price("ETH-USD", "2000")
    desk.tick()
    assert [receipt["status"] for receipt in desk.tick()] == ["0x1"] * 25
    assert desk.read("TradingStorage", "openTradesCount", ALICE, ETH) == 0


def test_an_absent_node_costs_one_line(caplog: pytest.LogCaptureFixture) -> None:
    (port,) = ports.pick_free(1, first=18_000, last=18_499)
    with Rpc(f"http://127.0.0.1:{port}") as rpc, caplog.at_level(logging.WARNING, logger="devnet.keeper"):
        rhythm = Rhythm(keeper=Keeper(rpc=rpc, deployment=deploy.expected()), stopped=threading.Event())
        for now in range(3):
            rhythm.beat(now=float(now))
    assert [record.getMessage().split()[0] for record in caplog.records] == ["keeper.node_away"]


def test_the_keeper_goes_on_when_the_node_is_back(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (port,) = ports.pick_free(1, first=18_000, last=18_499)
    anvil = chain.Anvil(port=port, home=tmp_path)
    with Rpc(anvil.url) as rpc, caplog.at_level(logging.WARNING, logger="devnet.keeper"):
        rhythm = Rhythm(keeper=Keeper(rpc=rpc, deployment=deploy.expected()), stopped=threading.Event())
        rhythm.beat(now=0.0)
        with anvil:
            deploy.deploy(anvil.url)
            rhythm.beat(now=1.0)
            rpc.call("evm_mine")
            assert deploy.expected().feed("ETH-USD").read(rpc, "latestRoundData")[0] == 2
    assert [record.getMessage().split()[0] for record in caplog.records] == ["keeper.node_away", "keeper.node_back"]


@pytest.fixture
def live_chain(tmp_path: Path) -> Iterator[chain.Anvil]:
    (port,) = ports.pick_free(1, first=18_000, last=18_499)
    with chain.Anvil(port=port, home=tmp_path, block_time=1) as anvil:
        yield anvil


@pytest.fixture
def process(live_chain: chain.Anvil) -> Iterator["subprocess.Popen[bytes]"]:
    command = (sys.executable, "-m", "devnet.keeper", "--rpc-url", live_chain.url, "--seed", "1", "--median-delay", "0")
    environment = {**os.environ, "PYTHONPATH": str(paths.ROOT)}
    keeper = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield keeper
    keeper.kill()
    keeper.wait()


def test_the_process_posts_prices_and_stops_at_once(live_chain: chain.Anvil, process: "subprocess.Popen[bytes]") -> None:
    # It was started on a chain without contracts: it waits for them.
    feed = deploy.deploy(live_chain.url).feed("ETH-USD")
    deadline = time.monotonic() + 20
    with Rpc(live_chain.url) as rpc:
        while feed.read(rpc, "latestRoundData")[0] < 3:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=2) == 0
