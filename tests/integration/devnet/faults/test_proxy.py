"""What a whole exchange suffers, on the wire; without faults the chain shines through."""

import http.client
import threading
import time
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from devnet import chain
from devnet.faults import Fault, proxy
from tests.integration.devnet.faults.bench import SENDER, Bench, bench, free_port, hash_of, raw, request

SEND = "eth_sendRawTransaction"
ADDRESS = SENDER.address
CALL = {"from": ADDRESS, "to": ADDRESS, "data": "0x"}
READS: list[tuple[str, list[Any]]] = [
    ("eth_chainId", []),
    ("net_version", []),
    ("web3_clientVersion", []),
    ("eth_blockNumber", []),
    ("eth_gasPrice", []),
    ("eth_maxPriorityFeePerGas", []),
    ("eth_feeHistory", ["0x2", "latest", [50]]),
    ("eth_getBlockByNumber", ["latest", False]),
    ("eth_getBlockByNumber", ["safe", False]),
    ("eth_getBlockByNumber", ["finalized", True]),
    ("eth_getBlockByNumber", ["0x1", True]),
    ("eth_getBlockByNumber", ["0x999", False]),
    ("eth_getTransactionReceipt", [hash_of(raw(0))]),
    ("eth_getTransactionReceipt", ["0x" + "12" * 32]),
    ("eth_getTransactionByHash", [hash_of(raw(0))]),
    ("eth_getTransactionByHash", [hash_of(raw(1))]),
    ("eth_getTransactionByHash", ["0x" + "12" * 32]),
    ("eth_getTransactionCount", [ADDRESS, "latest"]),
    ("eth_getTransactionCount", [ADDRESS, "pending"]),
    ("eth_getTransactionCount", [ADDRESS]),
    ("eth_getBalance", [ADDRESS, "latest"]),
    ("eth_getCode", [ADDRESS, "latest"]),
    ("eth_call", [CALL, "latest"]),
    ("eth_estimateGas", [CALL]),
    ("eth_getLogs", [{"fromBlock": "0x0", "toBlock": "latest"}]),
    ("eth_getLogs", [{"blockHash": "0x" + "12" * 32}]),
    ("txpool_status", []),
    ("no_such_method", []),
    ("eth_getBalance", ["nonsense"]),
    (SEND, ["0x02aabb"]),
    (SEND, []),
]


def body_of(calls: list[tuple[str, list[Any]]]) -> list[dict[str, Any]]:
    return [request(method, *params, number=number) for number, (method, params) in enumerate(calls)]


def lost(node: Bench, method: str, *params: Any) -> bool:
    """Whether an exchange ends without an answer."""
    try:
        node.post(request(method, *params))
    except httpx.RemoteProtocolError:
        return True
    return False


@pytest.mark.parametrize("strict", [True, False])
def test_without_faults_every_answer_is_the_chains(anvil: chain.Anvil, strict: bool) -> None:
    with bench(anvil, strict=strict) as node:
        assert node.send(0) == hash_of(raw(0))
        node.mine(2)
        assert node.send(1) == hash_of(raw(1))
        for number, (method, params) in enumerate(READS):
            asked = request(method, *params, number=number)
            assert node.post(asked).json() == node.http.post(anvil.url, json=asked).json(), method
        batch = body_of(READS)
        assert node.post(batch).json() == node.http.post(anvil.url, json=batch).json()


@pytest.mark.parametrize("body", [b"[]", b"{bad", b"", b"5", b'[{"id":1}]', b'{"id":1,"method":5}'])
def test_what_is_no_request_is_the_chains_to_answer(node: Bench, anvil: chain.Anvil, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    ours, theirs = (node.http.post(url, content=body, headers=headers) for url in (node.node.url, anvil.url))
    assert (ours.status_code, ours.content) == (theirs.status_code, theirs.content)


def test_a_connection_stays_open(node: Bench) -> None:
    connection = http.client.HTTPConnection(urlsplit(node.node.url).netloc)
    for _ in range(3):
        connection.request("POST", "/", body=b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}')
        assert connection.getresponse().read() == b'{"jsonrpc":"2.0","id":1,"result":"0x7a69"}'
        kept = connection.sock
        assert kept is not None
    connection.close()


def test_a_lost_answer_was_worked(node: Bench) -> None:
    node.node.suffer(Fault.ANSWER_LOST)
    assert lost(node, SEND, raw(0))
    assert node.pooled(raw(0))


def test_a_lost_request_never_arrives(node: Bench) -> None:
    node.node.suffer(Fault.REQUEST_LOST)
    assert lost(node, SEND, raw(0))
    assert not node.pooled(raw(0))


def test_a_fault_of_one_method_leaves_the_others_alone(node: Bench) -> None:
    node.node.suffer(Fault.REQUEST_LOST, on=SEND)
    assert node.ask("eth_chainId") == "0x7a69"
    assert lost(node, SEND, raw(0))


def test_a_fault_strikes_as_often_as_it_may_and_mending_ends_it(node: Bench) -> None:
    node.node.suffer(Fault.REQUEST_LOST, times=2)
    assert [lost(node, "eth_chainId") for _ in range(3)] == [True, True, False]
    node.node.suffer(Fault.REQUEST_LOST)
    assert lost(node, "eth_chainId")
    node.node.mend()
    assert not lost(node, "eth_chainId")
    assert node.node.struck(Fault.REQUEST_LOST) == 3


def test_a_late_answer_was_worked_at_once(node: Bench) -> None:
    node.node.suffer(Fault.ANSWER_LATE, seconds=60)
    with pytest.raises(httpx.ReadTimeout):
        node.http.post(node.node.url, json=request(SEND, raw(0)), timeout=0.3)
    assert node.pooled(raw(0))


def test_a_late_request_arrives_after_its_client_gave_up(node: Bench) -> None:
    node.node.suffer(Fault.REQUEST_LATE, seconds=0.5)
    with pytest.raises(httpx.ReadTimeout):
        node.http.post(node.node.url, json=request(SEND, raw(0)), timeout=0.1)
    assert not node.pooled(raw(0))
    deadline = time.monotonic() + 10
    while not node.pooled(raw(0)):
        assert time.monotonic() < deadline


def test_a_late_answer_comes_when_its_time_is_over(node: Bench) -> None:
    node.node.suffer(Fault.ANSWER_LATE, seconds=0.2)
    started = time.monotonic()
    assert node.ask("eth_chainId") == "0x7a69"
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize("fault", [Fault.ANSWER_LATE, Fault.REQUEST_LATE])
def test_who_waits_is_let_go_when_the_proxy_ends(anvil: chain.Anvil, fault: Fault) -> None:
    ended: list[str] = []

    def wait(url: str) -> None:
        try:
            httpx.post(url, json=request(SEND, raw(0)), trust_env=False, timeout=30)
        except httpx.HTTPError as error:
            ended.append(type(error).__name__)

    with bench(anvil) as node:
        node.node.suffer(fault, seconds=3_600)
        waiting = threading.Thread(target=wait, args=(node.node.url,))
        waiting.start()
        while not node.node.struck(fault):
            time.sleep(0.01)
        direct = node.chain
        node.node.stop()
        waiting.join(timeout=10)
        assert len(ended) == 1
        found = direct.call("eth_getTransactionByHash", hash_of(raw(0)))
        assert (found is None) is (fault is Fault.REQUEST_LATE)


@pytest.mark.parametrize(
    ("fault", "answer"), [(Fault.DUPLICATE, hash_of(raw(0))), (Fault.DUPLICATE_SECOND, "already known")], ids=["first", "second"]
)
def test_a_doubled_request_arrives_twice_and_is_answered_once(node: Bench, fault: Fault, answer: str) -> None:
    node.node.suffer(fault)
    assert node.send(0) == answer
    (sight,) = node.node.record.sends()
    assert (sight.seen, sight.forwarded) == (1, 2)


@pytest.mark.parametrize("forwards", [False, True])
@pytest.mark.parametrize(
    ("fault", "status"),
    [(Fault.HTTP_429, 429), (Fault.HTTP_500, 500), (Fault.HTTP_502, 502), (Fault.HTTP_503, 503), (Fault.HTML, 200)],
)
def test_a_page_comes_in_place_of_the_answer(node: Bench, fault: Fault, status: int, forwards: bool) -> None:
    node.node.suffer(fault, forwards=forwards)
    reply = node.post(request(SEND, raw(0)))
    assert reply.status_code == status
    assert reply.text.startswith("<html>") is (fault is Fault.HTML)
    assert node.pooled(raw(0)) is forwards


def test_half_a_document_is_the_first_half_of_the_answer(node: Bench) -> None:
    whole = node.post(request("eth_chainId"))
    node.node.suffer(Fault.HALF_JSON)
    half = node.post(request("eth_chainId"))
    expected = b'{"jsonrpc": "2.0", "id": 1, "result": "0x7a69"}'
    assert (half.status_code, half.content) == (200, expected[: len(expected) // 2])
    assert whole.json()["result"] == "0x7a69"
    node.post(request(SEND, raw(0)))
    assert node.pooled(raw(0))


def test_a_refused_batch_is_one_error(node: Bench) -> None:
    node.node.suffer(Fault.BATCH_REFUSED)
    reply = node.post([request(SEND, raw(0)), request(SEND, raw(1), number=2)])
    assert reply.json() == {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "batch too large"}}
    assert not node.pooled(raw(0))


def test_a_flapping_node_is_down_and_up_in_turns(node: Bench) -> None:
    node.node.suffer(Fault.REQUEST_LOST, down_seconds=0.2, up_seconds=0.2)
    began = time.monotonic()
    seen = Counter[bool]()
    while time.monotonic() - began < 1.0 or len(seen) < 2:
        seen[lost(node, "eth_chainId")] += 1
    assert seen[True] > 0
    assert seen[False] > 0


def test_the_same_seed_and_requests_give_the_same_faults(anvil: chain.Anvil) -> None:
    def pattern(seed: int) -> list[bool]:
        with bench(anvil, seed=seed) as node:
            node.node.suffer(Fault.ANSWER_LOST, chance=0.3)
            return [lost(node, "eth_chainId") for _ in range(100)]

    first = pattern(7)
    assert first == pattern(7)
    assert first != pattern(8)


def test_many_clients_at_once_suffer_no_fault_too_often(node: Bench) -> None:
    node.node.suffer(Fault.HTTP_429, times=50)
    statuses = Counter[int]()

    def ask() -> None:
        with httpx.Client(trust_env=False, timeout=30) as client:
            seen = [client.post(node.node.url, json=request("eth_chainId")).status_code for _ in range(50)]
        statuses.update(seen)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == {429: 50, 200: 150}


def test_a_chain_that_is_away_is_a_bad_gateway() -> None:
    with (
        proxy(upstream=f"http://127.0.0.1:{free_port()}", port=free_port()) as node,
        httpx.Client(trust_env=False) as client,
    ):
        for body in (request("eth_chainId"), request(SEND, raw(0))):
            assert client.post(node.url, json=body).status_code == 502


def test_a_chain_that_came_back_is_asked_again(node: Bench) -> None:
    assert node.ask("eth_chainId") == "0x7a69"
    node.anvil.stop()
    assert node.post(request("eth_chainId")).status_code == 502
    node.anvil.start()
    assert node.ask("eth_chainId") == "0x7a69"
