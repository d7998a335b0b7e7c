"""The proxy, steered and questioned by other processes, over HTTP on the same port.

GET, POST and DELETE /faults · GET /record · GET /pool · DELETE /pool/HASH
"""

import json
from http import HTTPStatus
from time import monotonic
from urllib.parse import parse_qs, urlsplit

from devnet.faults import wording
from devnet.faults.exchange import Gate, Reply
from devnet.faults.plan import BadRule, Fault

_PATHS = ("/faults", "/record", "/pool")


def is_control(target: str) -> bool:
    """Whether a path is ours, and not the chain's."""
    return urlsplit(target).path.startswith(_PATHS)


def answer(gate: Gate, verb: str, target: str, body: bytes) -> Reply:
    """The reply to a request on one of our paths."""
    url = urlsplit(target)
    try:
        return _routed(gate, verb, url.path, url.query, body)
    except BadRule as error:
        return _said({"error": str(error)}, status=HTTPStatus.BAD_REQUEST)


def _routed(gate: Gate, verb: str, path: str, query: str, body: bytes) -> Reply:
    match verb, path.split("/")[1:]:
        case "GET", ["faults"]:
            return _faults(gate)
        case "POST", ["faults"]:
            return _given(gate, body)
        case "DELETE", ["faults"]:
            return _cleared(gate, query)
        case "GET", ["record"]:
            return _record(gate)
        case "GET", ["pool"]:
            return _pool(gate)
        case "DELETE", ["pool", tx_hash]:
            return _dropped(gate, tx_hash)
    return _said({"error": f"no {verb} {path}"}, status=HTTPStatus.NOT_FOUND)


def _faults(gate: Gate) -> Reply:
    rules = [wording.to_json(rule) | {"struck": struck} for rule, struck in gate.plan.rules()]
    return _said({"rules": rules, "struck": gate.plan.struck()})


def _given(gate: Gate, body: bytes) -> Reply:
    # All are read before one is obeyed: half a plan is none.
    for rule in wording.from_json(body):
        gate.plan.give(rule, now=monotonic())
    return _faults(gate)


def _cleared(gate: Gate, query: str) -> Reply:
    named = parse_qs(query).get("fault", [])
    faults = [wording.fault(name) for name in named] if named else list(Fault)
    for fault in faults:
        gate.plan.clear(fault)
    return _faults(gate)


def _record(gate: Gate) -> Reply:
    body = "".join(f"{line}\n" for line in gate.record.lines()).encode()
    headers = (("X-Forgotten", str(gate.record.forgotten)),)
    return Reply(body=body, content_type="application/x-ndjson", headers=headers)


def _pool(gate: Gate) -> Reply:
    entries = gate.mempool.entries() if gate.mempool else []
    shown = [{"hash": each.hash, "sender": each.sender, "nonce": each.nonce, "state": state} for each, state in entries]
    return _said({"entries": shown})


def _dropped(gate: Gate, tx_hash: str) -> Reply:
    if gate.mempool is not None:
        gate.mempool.drop(tx_hash)
    return _pool(gate)


def _said(said: object, *, status: HTTPStatus = HTTPStatus.OK) -> Reply:
    return Reply(status=status, body=json.dumps(said).encode())
