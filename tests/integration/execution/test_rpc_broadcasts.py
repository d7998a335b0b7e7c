"""Several endpoints: that all of them hear our bytes, what runs beside, and what is told of it."""

import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client import REGISTRY

from execution.adapters.rpc import RpcChain
from execution.domain.broadcast import Answer, Meaning
from execution.domain.endpoint import EndpointState
from tests.fakes.node import CHAIN_ID, HEAD, Fault, Node
from tests.integration.execution.reading import ADDRESS, PATIENCE, Reader, elapsed, equals, slow, until

RAW, OTHER_RAW = "0x02c0", "0x02c1"
RAW_HASH = "0xcace66b6a82a5dc496a5b21a4032eb58baf223ea6f142a01593a5d105d5ee150"

pytestmark = pytest.mark.usefixtures("balances")


# Broadcasts.


def test_a_broadcast_returns_when_one_endpoint_accepted_and_the_others_hear_it_too(node: Node, second: Node) -> None:
    node.answer("eth_sendRawTransaction", RAW_HASH)
    second.script("eth_sendRawTransaction", slow(0.6, {"result": RAW_HASH}))
    chain = RpcChain([node.url, second.url])

    took = elapsed(lambda: equals(chain.broadcast([RAW]), [Answer(meaning=Meaning.ACCEPTED)]))

    assert took < 0.5
    assert until(lambda: second.count("eth_sendRawTransaction") == 1)


def test_a_broadcast_waits_for_all_while_nobody_has_accepted_everything(node: Node, second: Node) -> None:
    words = {"error": {"code": -32000, "message": "txpool is full"}}
    node.script("eth_sendRawTransaction", lambda params: {"result": RAW_HASH} if params == [RAW] else words)
    second.script("eth_sendRawTransaction", slow(0.3, {"error": {"code": -32000, "message": "already known"}}))

    answers = RpcChain([node.url, second.url]).broadcast([RAW, OTHER_RAW])

    assert [answer.meaning for answer in answers] == [Meaning.ACCEPTED, Meaning.ACCEPTED]


def test_a_silent_endpoint_costs_a_refusal_its_certainty(node: Node, second: Node) -> None:
    node.refuse("eth_sendRawTransaction", "intrinsic gas too low")
    second.suffer(Fault.LATE, on="eth_sendRawTransaction")

    assert RpcChain([node.url, second.url]).broadcast([RAW])[0].meaning is Meaning.UNKNOWN


def test_an_endpoint_that_cant_be_reached_cant_have_taken_anything(node: Node) -> None:
    node.refuse("eth_sendRawTransaction", "intrinsic gas too low")

    assert RpcChain(["http://127.0.0.1:1", node.url]).broadcast([RAW])[0].meaning is Meaning.FATAL


def test_who_rests_isnt_offered_anything_while_another_is_well(reader: Callable[..., Reader], node: Node, second: Node) -> None:
    node.refuse("eth_sendRawTransaction", "intrinsic gas too low")
    second.suffer(Fault.DROP, on="eth_sendRawTransaction")
    read = reader(node, second)
    awake = read.offer(RAW)
    read.rest(1)

    assert (awake, read.offer(RAW)) == ([Meaning.UNKNOWN], [Meaning.FATAL])


def test_when_everybody_rests_everybody_is_offered_the_bytes(reader: Callable[..., Reader], node: Node, second: Node) -> None:
    second.answer("eth_sendRawTransaction", RAW_HASH)
    node.suffer(Fault.DROP)
    read = reader(node, second)
    read.rest(0)
    read.rest(1)

    assert read.offer(RAW) == [Meaning.ACCEPTED]


def test_a_laggard_hears_our_bytes(node: Node, second: Node) -> None:
    node.head = HEAD - 50
    node.answer("eth_sendRawTransaction", RAW_HASH)
    second.refuse("eth_sendRawTransaction", "txpool is full")

    assert RpcChain([node.url, second.url]).broadcast([RAW])[0].meaning is Meaning.ACCEPTED


def test_nobody_answering_is_unknown_and_within_the_patience(node: Node, second: Node) -> None:
    chain = RpcChain([node.url, second.url])
    for each in (node, second):
        each.suffer(Fault.LATE, on="eth_sendRawTransaction")

    took = elapsed(lambda: equals([answer.meaning for answer in chain.broadcast([RAW])], [Meaning.UNKNOWN]))

    assert took < 1.5 * PATIENCE


# What runs beside.


def test_work_that_nobody_waits_for_leaves_no_thread_and_no_task(node: Node, second: Node) -> None:
    chain = RpcChain([node.url, second.url])
    chain.balance(ADDRESS)
    threads = threading.active_count()
    node.script("eth_getBalance", slow(0.3, {"result": "0x1"}))

    for _ in range(5):
        chain.balance(ADDRESS)

    assert until(lambda: not chain._endpoints._running)
    # The fake's own threads, one for each connection, end as well.
    assert until(lambda: threading.active_count() <= threads)


def test_many_threads_ask_at_once_and_each_gets_its_own_answer(node: Node, second: Node) -> None:
    for each in (node, second):
        each.script("eth_getBalance", lambda params: {"result": params[0]})
    chain = RpcChain([node.url, second.url])

    with ThreadPoolExecutor(8) as pool:
        amounts = list(pool.map(lambda number: chain.balance(hex(number)).raw, range(1, 200)))

    assert amounts == list(range(1, 200))


def test_a_process_ends_at_once_though_an_endpoint_has_not_answered(node: Node, second: Node) -> None:
    node.answer("eth_sendRawTransaction", RAW_HASH)
    second.suffer(Fault.LATE, on="eth_sendRawTransaction")
    script = (
        "import django, sys, time; django.setup()\n"
        "from django.conf import settings; settings.RPC_TIMEOUT_SECONDS = 30\n"
        "from execution.adapters.rpc import RpcChain\n"
        f"print(RpcChain({[node.url, second.url]}).broadcast(['{RAW}'])[0].meaning, time.time(), flush=True)\n"
    )

    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=25, env=os.environ)
    ended = time.time()

    meaning, answered = run.stdout.split()
    assert (run.returncode, meaning, run.stderr) == (0, "accepted", "")
    assert ended - float(answered) < 3


def test_bytes_reach_the_second_endpoint_though_nobody_holds_the_chain_any_more(node: Node, second: Node) -> None:
    node.answer("eth_sendRawTransaction", RAW_HASH)
    second.script("eth_chainId", slow(0.3, {"result": hex(CHAIN_ID)}))

    RpcChain([node.url, second.url]).broadcast([RAW])
    gc.collect()

    assert until(lambda: second.count("eth_sendRawTransaction") == 1)


# What is told.


def _value(name: str, **labels: str) -> float:
    value = REGISTRY.get_sample_value(name, labels)
    assert value is not None
    return value


def test_every_request_is_counted_by_its_endpoint_method_and_outcome(node: Node, second: Node) -> None:
    chain = RpcChain([node.url, second.url])
    before = {outcome: _requests("0", outcome) for outcome in ("answered", "silent", "throttled")}
    chain.balance(ADDRESS)
    node.suffer(Fault.DROP, on="eth_getBalance")
    chain.balance(ADDRESS)
    node.suffer(Fault.TOO_MANY, on="eth_getBalance")
    chain._endpoints._primary = chain._endpoints.every[0]
    chain.balance(ADDRESS)

    assert {outcome: _requests("0", outcome) - before[outcome] for outcome in before} == {
        "answered": 1,
        "silent": 1,
        "throttled": 1,
    }
    assert _value("vanta_rpc_seconds_count", endpoint="0") > 0


def _requests(endpoint: str, outcome: str) -> float:
    return _value("vanta_rpc_requests_total", endpoint=endpoint, method="eth_getBalance", outcome=outcome)


def test_health_is_told_by_endpoint(reader: Callable[..., Reader], node: Node, second: Node) -> None:
    second.head = HEAD - 4
    read = reader(node, second)
    read.balance()

    assert (_value("vanta_rpc_healthy", endpoint="0"), _value("vanta_rpc_healthy", endpoint="1")) == (1, 0)
    assert read.endpoints.states() == [
        EndpointState(endpoint=0, is_healthy=True, is_primary=True, faults=0, head=HEAD),
        EndpointState(endpoint=1, is_healthy=False, is_primary=False, faults=0, head=HEAD - 4),
    ]


def test_new_words_of_a_node_are_counted_and_nothing_else_is(node: Node) -> None:
    chain = RpcChain([node.url])
    before = _value("vanta_node_answers_unknown_total")
    for words in ("already known", "nonce too low", "some new words"):
        node.refuse("eth_sendRawTransaction", words)
        chain.broadcast([RAW])
    node.suffer(Fault.DROP)
    chain.broadcast([RAW])

    assert _value("vanta_node_answers_unknown_total") == before + 1
