"""What takes more than one word: that a block holds no event of ours, and what each endpoint says by itself."""

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from execution.adapters import bloom
from execution.adapters.rpc import RpcChain
from execution.domain import chain as said
from tests.fakes.node import HEAD, Fault, Node
from trading.domain.errors import Unavailable

pytestmark = pytest.mark.usefixtures("unhurried")

BLOCK, OTHER_BLOCK = "0x" + "b1" * 32, "0x" + "b2" * 32
EMITTER, STRANGER = "0x" + "22" * 20, "0x" + "77" * 20
TX, ADDRESS = "0x" + "33" * 32, "0x" + "11" * 20
NOBODY, EVERYBODY = "0x" + "00" * 256, "0x" + "ff" * 256


@pytest.fixture(autouse=True)
def _short_patience(settings: Settings) -> None:
    settings.RPC_TIMEOUT_SECONDS = 0.5


def _log(**changes: Any) -> dict[str, Any]:
    place = {"blockNumber": "0x5", "blockHash": BLOCK, "transactionHash": TX, "logIndex": "0x0"}
    return {"address": EMITTER, "topics": ["0x" + "44" * 32], "data": "0x"} | place | changes


def _block(node: Node, *, bloom: str, logs: list[dict[str, Any]], receipts: list[dict[str, Any]] | None = None) -> None:
    """Have a node tell of one block."""
    node.answer("eth_getBlockByHash", {"hash": BLOCK, "logsBloom": bloom})
    node.answer("eth_getLogs", logs)
    if receipts is not None:
        node.answer("eth_getBlockReceipts", [{"logs": receipts}])


def _count(chain: RpcChain) -> int:
    ((*logs,),) = chain.logs([BLOCK], emitters=[EMITTER])
    return len(logs)


# Events.


def test_events_that_are_told_are_believed_at_once(node: Node, second: Node) -> None:
    _block(node, bloom=EVERYBODY, logs=[_log()])

    assert _count(RpcChain([node.url, second.url])) == 1
    assert (node.count("eth_getBlockByHash"), second.count("eth_getLogs")) == (0, 0)


def test_nothing_is_believed_at_once_where_the_header_rules_everything_out(node: Node, second: Node) -> None:
    _block(node, bloom=NOBODY, logs=[])

    assert _count(RpcChain([node.url, second.url])) == 0
    assert (node.count("eth_getLogs"), second.count("eth_getLogs")) == (1, 0)


def test_nothing_is_believed_if_a_second_endpoint_agrees(node: Node, second: Node) -> None:
    _block(node, bloom=EVERYBODY, logs=[])
    _block(second, bloom=EVERYBODY, logs=[])

    assert _count(RpcChain([node.url, second.url])) == 0
    assert (node.count("eth_getLogs"), second.count("eth_getLogs")) == (1, 1)


def test_what_a_second_endpoint_sees_is_not_lost(node: Node, second: Node) -> None:
    _block(node, bloom=EVERYBODY, logs=[])
    _block(second, bloom=EVERYBODY, logs=[_log()])

    assert _count(RpcChain([node.url, second.url])) == 1


def test_without_a_second_witness_an_event_would_be_lost(node: Node, second: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bloom, "may_hold", lambda *_: False)
    _block(node, bloom=EVERYBODY, logs=[])
    _block(second, bloom=EVERYBODY, logs=[_log()])

    assert _count(RpcChain([node.url, second.url])) == 0


def test_the_witness_is_asked_without_losing_the_primary(node: Node, second: Node) -> None:
    _block(node, bloom=EVERYBODY, logs=[])
    _block(second, bloom=EVERYBODY, logs=[])
    chain = RpcChain([node.url, second.url])
    chain.logs([BLOCK], emitters=[EMITTER])

    assert [state.endpoint for state in chain.states() if state.is_primary] == [0]


@pytest.mark.parametrize("fault", [Fault.DROP, Fault.HTML])
@pytest.mark.parametrize(("receipts", "count"), [([], 0), ([_log(address=STRANGER)], 0)])
def test_without_a_second_endpoint_two_methods_must_agree(
    node: Node, second: Node, fault: Fault, receipts: list[dict[str, Any]], count: int
) -> None:
    _block(node, bloom=EVERYBODY, logs=[], receipts=receipts)
    second.suffer(fault)

    assert _count(RpcChain([node.url, second.url])) == count
    assert (node.count("eth_getLogs"), node.count("eth_getBlockReceipts")) == (2, 1)


def test_one_endpoint_that_contradicts_itself_is_not_believed(node: Node) -> None:
    _block(node, bloom=EVERYBODY, logs=[], receipts=[_log()])

    with pytest.raises(Unavailable):
        _count(RpcChain([node.url]))


def test_one_endpoint_whose_second_answer_agrees_with_its_receipts_is_believed(node: Node) -> None:
    _block(node, bloom=EVERYBODY, logs=[], receipts=[_log()])
    answers = iter([[], [_log()]])
    node.script("eth_getLogs", lambda _: {"result": next(answers)})

    assert _count(RpcChain([node.url])) == 1


def test_without_the_header_nothing_is_not_believed(node: Node) -> None:
    _block(node, bloom=NOBODY, logs=[])
    node.answer("eth_getBlockByHash", None)

    with pytest.raises(Unavailable):
        _count(RpcChain([node.url]))


def test_a_node_that_has_not_seen_the_block_hides_nothing(node: Node, second: Node) -> None:
    # Some clients answer [] to a hash that they don't know.
    _block(node, bloom=NOBODY, logs=[])
    node.answer("eth_getBlockByHash", None)
    _block(second, bloom=EVERYBODY, logs=[_log()])

    assert _count(RpcChain([node.url, second.url])) == 1


@pytest.mark.parametrize(
    "told", [_log(blockHash=OTHER_BLOCK), _log(address=STRANGER), _log(topics="0x"), _log(logIndex=None), _log(data="0x1")]
)
def test_events_of_something_else_are_not_believed(node: Node, second: Node, told: dict[str, Any]) -> None:
    _block(node, bloom=EVERYBODY, logs=[told])
    _block(second, bloom=EVERYBODY, logs=[_log()])

    assert _count(RpcChain([node.url, second.url])) == 1


def test_only_the_doubtful_blocks_are_asked_about_again(node: Node, second: Node) -> None:
    events = {BLOCK: [_log()], OTHER_BLOCK: []}
    for each in (node, second):
        each.script("eth_getLogs", lambda params: {"result": events[params[0]["blockHash"]]})
        each.script("eth_getBlockByHash", lambda params: {"result": {"hash": params[0], "logsBloom": EVERYBODY}})

    found = RpcChain([node.url, second.url]).logs([BLOCK, OTHER_BLOCK], emitters=[EMITTER])

    assert [len(logs) for logs in found] == [1, 0]
    assert [params[0]["blockHash"] for method, params in second.heard if method == "eth_getLogs"] == [OTHER_BLOCK]


# Testimonies.


def _receipt(**changes: Any) -> dict[str, Any]:
    place = {"transactionHash": TX, "blockNumber": "0x5", "blockHash": BLOCK}
    return place | {"status": "0x1", "gasUsed": "0x5208", "effectiveGasPrice": "0x7"} | changes


def _header(number: int, block_hash: str) -> dict[str, Any]:
    return {"number": hex(number), "hash": block_hash, "parentHash": "0x" + "aa" * 32, "timestamp": "0x1"}


def _testifies(node: Node, *, head: int = HEAD, mined: int = 1, receipt: Any = None, fifth: str = BLOCK) -> None:
    """Have a node say all of it."""
    node.head = head
    tags = {"latest": head, "safe": head - 1, "finalized": head - 2}
    headers = {tag: _header(number, "0x" + "cc" * 32) for tag, number in tags.items()} | {"0x5": _header(5, fifth)}
    node.script("eth_getBlockByNumber", lambda params: {"result": headers[params[0]]})
    node.answer("eth_getTransactionCount", hex(mined))
    node.answer("eth_getTransactionReceipt", receipt)


def _heard(*nodes: Node) -> list[said.Testimony]:
    return RpcChain([each.url for each in nodes]).testimonies([TX], address=ADDRESS)


def test_each_endpoint_testifies_by_itself(node: Node, second: Node) -> None:
    _testifies(node, mined=1, receipt=_receipt())
    _testifies(second, head=HEAD - 2, mined=0, receipt=None)

    first, other = _heard(node, second)

    assert (first.endpoint, first.head, first.safe, first.finalized, first.mined) == (0, HEAD, HEAD - 1, HEAD - 2, 1)
    assert [receipt and receipt.block_hash for receipt in first.receipts] == [BLOCK]
    assert other == said.Testimony(endpoint=1, head=HEAD - 2, safe=HEAD - 3, finalized=HEAD - 4, mined=0, receipts=(None,))


def test_a_receipt_of_a_block_that_the_same_node_doesnt_have_is_none(node: Node, second: Node) -> None:
    _testifies(node, receipt=_receipt(), fifth=OTHER_BLOCK)
    _testifies(second, receipt=_receipt())

    first, other = _heard(node, second)

    assert (first.receipts, other.receipts[0] is not None) == ((None,), True)


@pytest.mark.parametrize("fault", Fault)
def test_who_doesnt_answer_is_left_out(node: Node, second: Node, fault: Fault, settings: Settings) -> None:
    settings.RPC_MAX_ANSWER_BYTES = 10**6
    _testifies(node, receipt=_receipt())
    node.suffer(fault)
    _testifies(second, receipt=_receipt())

    assert [each.endpoint for each in _heard(node, second)] == [1]


@pytest.mark.parametrize(("behind", "heard"), [(3, [0, 1]), (4, [1])])
def test_who_is_more_than_three_blocks_behind_is_left_out(node: Node, second: Node, behind: int, heard: list[int]) -> None:
    _testifies(node, head=HEAD - behind)
    _testifies(second)

    assert [each.endpoint for each in _heard(node, second)] == heard


def test_who_serves_another_chain_is_left_out(node: Node, second: Node) -> None:
    _testifies(node)
    node.answer("eth_chainId", "0x2105")
    _testifies(second)

    assert [each.endpoint for each in _heard(node, second)] == [1]


@pytest.mark.parametrize("nonsense", [7, "zz", {}, [], _receipt(transactionHash=BLOCK), _receipt(blockNumber="0xzz")])
def test_who_makes_no_sense_is_left_out(node: Node, second: Node, nonsense: object) -> None:
    _testifies(node, receipt=nonsense)
    _testifies(second)

    assert [each.endpoint for each in _heard(node, second)] == [1]


def test_nobody_answering_is_nobody_heard(node: Node, second: Node) -> None:
    node.suffer(Fault.DROP)
    second.suffer(Fault.HTML)

    assert _heard(node, second) == []
