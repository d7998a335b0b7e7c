"""Other processes steer and question the node over HTTP."""

import json
from typing import Any

import httpx
import pytest

from devnet.faults import Fault
from tests.integration.devnet.faults.bench import SENDER, Bench, hash_of, raw, request


def control(node: Bench, verb: str, path: str, said: Any = None) -> Any:
    return node.http.request(verb, node.node.url + path, json=said).raise_for_status().json()


def test_a_fault_is_given_counted_and_mended(node: Bench) -> None:
    given = control(node, "POST", "/faults", {"fault": "http-429", "times": 2, "on": "eth_chainId"})
    assert given == {"rules": [{"fault": "http-429", "times": 2, "on": "eth_chainId", "struck": 0}], "struck": {}}
    assert [node.post(request("eth_chainId")).status_code for _ in range(3)] == [429, 429, 200]
    assert control(node, "GET", "/faults") == {
        "rules": [{"fault": "http-429", "times": 2, "on": "eth_chainId", "struck": 2}],
        "struck": {"http-429": 2},
    }
    assert control(node, "DELETE", "/faults") == {"rules": [], "struck": {"http-429": 2}}


def test_one_fault_is_mended_alone(node: Bench) -> None:
    control(node, "POST", "/faults", [{"fault": "html"}, {"fault": "stale", "blocks": 2}])
    assert control(node, "DELETE", "/faults?fault=html")["rules"] == [{"fault": "stale", "blocks": 2, "struck": 0}]


def test_faults_leave_the_control_alone(node: Bench) -> None:
    for fault in (Fault.REQUEST_LOST, Fault.HTTP_503, Fault.HALF_JSON):
        node.node.suffer(fault)
    assert len(control(node, "GET", "/faults")["rules"]) == 3


@pytest.mark.parametrize(
    ("said", "message"),
    [({"fault": "melting"}, "there is no fault melting"), ([{"fault": "html"}, {"fault": 5}], "there is no fault 5")],
)
def test_a_rule_that_makes_no_sense_is_refused_with_all_beside_it(node: Bench, said: Any, message: str) -> None:
    reply = node.http.post(f"{node.node.url}/faults", json=said)
    assert reply.status_code == 400
    assert reply.json()["error"].startswith(message)
    assert control(node, "GET", "/faults")["rules"] == []


def test_an_unknown_fault_is_not_mended(node: Bench) -> None:
    node.node.suffer(Fault.HTML)
    assert node.http.delete(f"{node.node.url}/faults?fault=melting").status_code == 400
    assert len(control(node, "GET", "/faults")["rules"]) == 1


def test_the_record_is_one_object_a_line(node: Bench) -> None:
    node.node.suffer(Fault.REQUEST_LOST, times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        node.send(0, cap=10)
    node.send(0, cap=10)
    node.send(0, cap=10.5)
    reply = node.http.get(f"{node.node.url}/record")
    lines = [json.loads(line) for line in reply.text.splitlines()]
    assert [(line["hash"], line["seen"], line["forwarded"]) for line in lines] == [
        (hash_of(raw(0, cap=10)), 2, 1),
        (hash_of(raw(0, cap=10.5)), 1, 1),
    ]
    assert lines[0] | {"seen_at": 0, "seen_monotonic": 0} == {
        "hash": hash_of(raw(0, cap=10)),
        "chain_id": 31337,
        "sender": SENDER.address,
        "nonce": 0,
        "fee_cap": 10 * 10**9,
        "tip_cap": 10**9,
        "seen_at": 0,
        "seen_monotonic": 0,
        "seen": 2,
        "forwarded": 1,
    }
    assert (reply.headers["Content-Type"], reply.headers["X-Forgotten"]) == ("application/x-ndjson", "0")
    assert lines[0]["seen_monotonic"] <= lines[1]["seen_monotonic"]


def test_the_pool_is_shown_and_a_transaction_dropped(node: Bench) -> None:
    node.send(0)
    entry = {"hash": hash_of(raw(0)), "sender": SENDER.address, "nonce": 0, "state": "pooled"}
    assert control(node, "GET", "/pool") == {"entries": [entry]}
    assert control(node, "DELETE", f"/pool/{hash_of(raw(0))}") == {"entries": []}
    assert not node.pooled(raw(0))


def test_a_lax_node_has_an_empty_pool(lax_node: Bench) -> None:
    lax_node.send(0)
    assert control(lax_node, "GET", "/pool") == {"entries": []}


@pytest.mark.parametrize(("verb", "path"), [("GET", "/"), ("DELETE", "/record"), ("POST", "/pool"), ("GET", "/faults/html")])
def test_what_is_not_there_is_not_found(node: Bench, verb: str, path: str) -> None:
    assert node.http.request(verb, node.node.url + path).status_code == 404
