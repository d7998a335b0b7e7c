"""Several endpoints: who is read from, and that none of them alone can mislead or stop us."""

from collections.abc import Callable
from typing import Any

import pytest

from execution.adapters import background, node_json
from execution.adapters.endpoints import Endpoints
from execution.adapters.rpc import RpcChain
from execution.domain import endpoint as domain
from execution.domain.broadcast import Meaning
from tests.fakes.node import HEAD, Fault, Node
from tests.integration.execution.reading import ADDRESS, PATIENCE, Reader, elapsed, equals, slow, until
from trading.domain.errors import Unavailable
from trading.domain.units import Wei

RAW = "0x02c0"
RAW_HASH = "0xcace66b6a82a5dc496a5b21a4032eb58baf223ea6f142a01593a5d105d5ee150"

pytestmark = pytest.mark.usefixtures("balances")


# Reads.


def test_a_slow_primary_is_overtaken_by_the_second(node: Node, second: Node) -> None:
    chain = RpcChain([node.url, second.url])
    assert chain.balance(ADDRESS) == Wei(1)
    node.suffer(Fault.LATE)

    assert elapsed(lambda: equals(chain.balance(ADDRESS), Wei(2))) < PATIENCE / 2


def test_without_the_hedge_a_slow_primary_costs_the_whole_patience(
    node: Node, second: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domain, "UNKNOWN_HEDGE", 2 * PATIENCE)
    chain = RpcChain([node.url, second.url])
    chain.balance(ADDRESS)
    node.suffer(Fault.LATE)

    assert elapsed(lambda: equals(chain.balance(ADDRESS), Wei(2))) >= PATIENCE


def test_a_primary_that_is_slow_once_stays_the_primary(node: Node, second: Node) -> None:
    chain = RpcChain([node.url, second.url])
    node.script("eth_getBalance", slow(0.5, {"result": "0x1"}))
    overtaken = chain.balance(ADDRESS)
    node.answer("eth_getBalance", "0x1")

    assert (overtaken, chain.balance(ADDRESS)) == (Wei(2), Wei(1))


def test_a_primary_that_fails_loses_its_place_and_a_new_one_keeps_it(node: Node, second: Node) -> None:
    chain = RpcChain([node.url, second.url])
    node.suffer(Fault.ERROR_500, on="eth_getBalance")
    assert chain.balance(ADDRESS) == Wei(2)
    node.mend()
    node.answer("eth_getBalance", "0x1")

    assert [chain.balance(ADDRESS) for _ in range(3)] == [Wei(2)] * 3


def test_a_read_goes_on_to_the_third(node: Node, second: Node, third: Node) -> None:
    node.suffer(Fault.DROP)
    second.refuse("eth_getBalance", "header not found")

    assert RpcChain([node.url, second.url, third.url]).balance(ADDRESS) == Wei(3)


def test_a_read_fails_when_everybody_does(node: Node, second: Node) -> None:
    node.suffer(Fault.DROP)
    second.refuse("eth_getBalance", "header not found")

    with pytest.raises(Unavailable) as caught:
        RpcChain([node.url, second.url]).balance(ADDRESS)

    assert "header not found" in str(caught.value.facts["error"])


def test_an_address_where_nobody_listens_is_passed_over(node: Node) -> None:
    assert RpcChain(["http://127.0.0.1:1", node.url]).balance(ADDRESS) == Wei(1)


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://127.0.0.1", "http://", "http://127.0.0.1:1/ nowhere"])
def test_an_address_that_is_none_is_passed_over(node: Node, url: str) -> None:
    assert RpcChain([url, node.url]).balance(ADDRESS) == Wei(1)


# Heads.


@pytest.mark.parametrize(("behind", "said"), [(3, 1), (4, 2)])
def test_who_is_more_than_three_blocks_behind_is_not_read_from(node: Node, second: Node, behind: int, said: int) -> None:
    node.head = HEAD - behind

    assert RpcChain([node.url, second.url]).balance(ADDRESS) == Wei(said)


def test_without_the_guard_a_laggard_is_read_from(node: Node, second: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain, "MAX_LAG_BLOCKS", 10)
    node.head = HEAD - 4

    assert RpcChain([node.url, second.url]).balance(ADDRESS) == Wei(1)


def test_a_laggard_alone_isnt_behind_anybody(node: Node) -> None:
    node.head = 1

    assert RpcChain([node.url]).balance(ADDRESS) == Wei(1)


def test_a_laggard_that_caught_up_is_read_from_again(reader: Callable[..., Reader], node: Node, second: Node) -> None:
    node.head = HEAD - 4
    read = reader(node, second)
    assert read.balance() == 2
    node.head = HEAD
    second.suffer(Fault.DROP)

    assert read.balance() == 1


def test_who_went_back_is_not_read_from_while_another_is_ahead(reader: Callable[..., Reader], node: Node, second: Node) -> None:
    read = reader(node, second)
    assert read.balance() == 1
    node.head = HEAD - 1

    assert read.balance() == 2


@pytest.mark.parametrize("depth", [1, 50])
def test_a_chain_that_went_back_as_a_whole_is_read_on(
    reader: Callable[..., Reader], node: Node, second: Node, depth: int
) -> None:
    read = reader(node, second)
    read.balance()
    node.head = second.head = HEAD - depth
    # What they showed before the reorg is too old to count.
    read.clock.seconds += 11

    assert [read.try_to_read() for _ in range(3)] == [True] * 3


def test_a_single_endpoint_may_go_back(reader: Callable[..., Reader], node: Node) -> None:
    read = reader(node)
    read.balance()
    node.head = HEAD - 50

    assert read.balance() == 1


def test_who_died_ahead_of_a_reorg_stops_nobody_for_long(reader: Callable[..., Reader], node: Node, second: Node) -> None:
    read = reader(node, second)
    read.balance()
    second.suffer(Fault.DROP)
    node.head = HEAD - 5
    held = read.try_to_read()

    read.clock.seconds += 10.1

    assert (held, read.try_to_read()) == (False, True)


def test_others_are_asked_for_their_heads_once_in_two_blocks(reader: Callable[..., Reader], node: Node, second: Node) -> None:
    read = reader(node, second)
    for _ in range(5):
        read.balance()
    early = second.count("eth_blockNumber")
    read.clock.seconds += 4.1
    read.balance()

    assert early == 1
    assert until(lambda: second.count("eth_blockNumber") == 2)
    assert second.count("eth_getBalance") == 0


# Circuits.


def test_five_faults_open_a_circuit_and_a_good_probe_closes_it(reader: Callable[..., Reader], node: Node) -> None:
    read = reader(node)
    node.suffer(Fault.ERROR_500)
    failed = [read.try_to_read() for _ in range(5)]
    heard = len(node.heard)
    node.mend()
    node.answer("eth_getBalance", "0x1")

    resting = read.try_to_read()
    read.clock.seconds += 1.6
    probed = read.try_to_read()

    assert (failed, resting, probed) == ([False] * 5, False, True)
    assert len(node.heard) == heard + 3
    assert not read.endpoints.every[0].circuit.is_open


def test_four_faults_open_nothing(reader: Callable[..., Reader], node: Node) -> None:
    read = reader(node)
    node.suffer(Fault.ERROR_500)
    for _ in range(4):
        read.try_to_read()
    node.mend()
    node.answer("eth_getBalance", "0x1")

    assert read.balance() == 1


@pytest.mark.parametrize("message", ["execution reverted", "header not found", "unknown block", "method not found"])
def test_a_refused_question_says_nothing_about_the_endpoint(reader: Callable[..., Reader], node: Node, message: str) -> None:
    read = reader(node)
    node.refuse("eth_getBalance", message)
    for _ in range(10):
        background.finish(_refused(read.endpoints))
    node.answer("eth_getBalance", "0x1")

    assert read.balance() == 1


def test_too_many_requests_open_a_circuit(reader: Callable[..., Reader], node: Node) -> None:
    read = reader(node)
    node.suffer(Fault.TOO_MANY)
    for _ in range(5):
        read.try_to_read()

    assert read.endpoints.every[0].circuit.is_open


# Another chain.


def test_an_endpoint_of_another_chain_is_asked_for_its_chain_and_nothing_else(
    reader: Callable[..., Reader], node: Node, second: Node
) -> None:
    node.answer("eth_chainId", "0x2105")
    second.answer("eth_sendRawTransaction", RAW_HASH)
    read = reader(node, second)

    for _ in range(3):
        assert (read.balance(), read.offer(RAW)) == (2, [Meaning.ACCEPTED])
        read.clock.seconds += 20

    assert {method for method, _ in node.heard} == {"eth_chainId"}


def test_an_endpoint_that_fails_is_asked_for_its_chain_before_anything_else(reader: Callable[..., Reader], node: Node) -> None:
    read = reader(node)
    read.balance()
    node.suffer(Fault.DROP)
    read.try_to_read()
    node.mend()
    node.answer("eth_getBalance", "0x1")
    # Another node answers there now.
    node.answer("eth_chainId", "0x2105")
    heard = len(node.heard)

    assert not read.try_to_read()
    assert read.offer(RAW) == [Meaning.UNKNOWN]
    assert [method for method, _ in node.heard[heard:]] == ["eth_chainId"]


def test_the_chain_is_asked_for_again_after_a_minute(reader: Callable[..., Reader], node: Node) -> None:
    read = reader(node)
    read.balance()
    read.balance()
    early = node.count("eth_chainId")
    read.clock.seconds += 60

    read.balance()

    assert (early, node.count("eth_chainId")) == (1, 2)


async def _refused(endpoints: Endpoints) -> None:
    with pytest.raises(Unavailable):
        await endpoints.read([("eth_getBalance", [ADDRESS, "latest"])], _results)


def _results(responses: list[dict[str, Any]]) -> object:
    return node_json.results(responses)
