"""Compiled contracts and calls of them: ABI in, plain Python values out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from eth_abi.abi import decode, encode
from eth_utils.abi import collapse_if_tuple, event_abi_to_log_topic, function_abi_to_4byte_selector
from eth_utils.address import to_checksum_address

from devnet.rpc import Rpc, RpcError

ARTIFACTS = Path(__file__).parent / "contracts" / "artifacts"


class CallReverted(Exception):
    """A contract refused. `name` is its error's, or `unknown`; `no contract` if there is none to ask."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, slots=True)
class Artifact:
    """What the compiler made of one contract."""

    name: str
    abi: tuple[Mapping[str, Any], ...]
    bytecode: bytes
    deployed_bytecode: bytes
    immutables: tuple[tuple[int, int], ...]
    source_sha256: str

    def entry(self, kind: str, name: str) -> Mapping[str, Any]:
        """The ABI's entry for a function or an event."""
        return next(entry for entry in self.abi if entry["type"] == kind and entry["name"] == name)

    def creation(self, *arguments: Any) -> str:
        """The bytes that deploy it."""
        inputs: Sequence[Mapping[str, Any]] = next((e["inputs"] for e in self.abi if e["type"] == "constructor"), ())
        return "0x" + (self.bytecode + encode(_types(inputs), arguments)).hex()

    def is_code(self, code: bytes) -> bool:
        """Whether code found on a chain is this contract, whatever its immutable values."""
        return len(code) == len(self.deployed_bytecode) and self._masked(code) == self._masked(self.deployed_bytecode)

    def _masked(self, code: bytes) -> bytes:
        masked = bytearray(code)
        for start, length in self.immutables:
            masked[start : start + length] = bytes(length)
        return bytes(masked)


@cache
def artifact(name: str) -> Artifact:
    """A contract as it was compiled and checked in."""
    stored = json.loads((ARTIFACTS / f"{name}.json").read_text())
    return Artifact(
        name,
        tuple(stored["abi"]),
        bytes.fromhex(stored["bytecode"][2:]),
        bytes.fromhex(stored["deployed_bytecode"][2:]),
        tuple((place["start"], place["length"]) for place in stored["immutables"]),
        stored["source_sha256"],
    )


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract at its address."""

    address: str
    artifact: Artifact

    def transaction(self, function: str, *arguments: Any) -> dict[str, str]:
        """The target and the calldata of a call."""
        return {"to": self.address, "data": self.calldata(function, *arguments)}

    def calldata(self, function: str, *arguments: Any) -> str:
        """The encoded call."""
        entry = self.artifact.entry("function", function)
        return "0x" + (function_abi_to_4byte_selector(entry) + encode(_types(entry["inputs"]), arguments)).hex()  # type: ignore[arg-type]  # JSON

    def read(self, rpc: Rpc, function: str, *arguments: Any) -> Any:
        """What a view answers now: one value, or a list of them; structs are dictionaries.

        Raises:
            CallReverted: if the contract refuses.
        """
        try:
            answer = rpc.call("eth_call", self.transaction(function, *arguments), "latest")
        except RpcError as error:
            raise CallReverted(error_name(error.data)) from error
        if answer == "0x":
            raise CallReverted("no contract")
        return self.decode(function, bytes.fromhex(answer[2:]))

    def decode(self, function: str, answer: bytes) -> Any:
        """The values in a function's answer."""
        values = _values(self.artifact.entry("function", function)["outputs"], answer)
        return values[0] if len(values) == 1 else values

    def topic(self, event: str) -> str:
        """An event's first topic."""
        return "0x" + event_abi_to_log_topic(self.artifact.entry("event", event)).hex()  # type: ignore[arg-type]  # JSON

    def events(self, logs: Sequence[Mapping[str, Any]], event: str) -> list[dict[str, Any]]:
        """This contract's events of one name among a receipt's logs, in order."""
        topic = self.topic(event)
        mine = (log for log in logs if log["address"].lower() == self.address.lower())
        return [self._event(event, log) for log in mine if log["topics"][0] == topic]

    def _event(self, event: str, log: Mapping[str, Any]) -> dict[str, Any]:
        inputs = self.artifact.entry("event", event)["inputs"]
        indexed = [each for each in inputs if each["indexed"]]
        plain = [each for each in inputs if not each["indexed"]]
        topics = b"".join(bytes.fromhex(topic[2:]) for topic in log["topics"][1:])
        found = _named(indexed, topics) | _named(plain, bytes.fromhex(log["data"][2:]))
        return {each["name"]: found[each["name"]] for each in inputs}


def error_name(reason: object) -> str:
    """The name of the custom error in a revert's bytes; `unknown` when it isn't one of ours."""
    return _error_names().get(str(reason)[:10], "unknown")


@cache
def _error_names() -> dict[str, str]:
    abis = [artifact(path.stem).abi for path in sorted(ARTIFACTS.glob("*.json"))]
    errors = [entry for abi in abis for entry in abi if entry["type"] == "error"]
    # An error's selector is made as a function's.
    return {"0x" + function_abi_to_4byte_selector({**entry, "type": "function"}).hex(): entry["name"] for entry in errors}  # type: ignore[arg-type]  # JSON


def _types(parameters: Sequence[Mapping[str, Any]]) -> list[str]:
    return [collapse_if_tuple(dict(each)) for each in parameters]


def _values(parameters: Sequence[Mapping[str, Any]], raw: bytes) -> list[Any]:
    decoded = decode(_types(parameters), raw)
    return [_plain(each, value) for each, value in zip(parameters, decoded, strict=True)]


def _named(parameters: Sequence[Mapping[str, Any]], raw: bytes) -> dict[str, Any]:
    return {each["name"]: value for each, value in zip(parameters, _values(parameters, raw), strict=True)}


def _plain(parameter: Mapping[str, Any], value: Any) -> Any:
    kind = parameter["type"]
    if kind.endswith("[]"):
        return [_plain({**parameter, "type": kind[:-2]}, each) for each in value]
    if kind == "tuple":
        parts = parameter["components"]
        return {part["name"]: _plain(part, each) for part, each in zip(parts, value, strict=True)}
    return to_checksum_address(value) if kind == "address" else value
