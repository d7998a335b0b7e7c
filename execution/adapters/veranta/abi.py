"""The venue's ABI: one file of events and errors, read once. A changed topic is a changed file."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_abi import decode
from eth_utils import function_signature_to_4byte_selector, keccak

from execution.domain.chain import Log

_ABI = json.loads((Path(__file__).parent / "abi.json").read_text())
# The contracts whose events change orders and positions, by their key in the file.
EMITTERS = ("router", "storage", "callbacks")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventForm:
    """How one event is laid out."""

    name: str
    topic: str
    indexed: tuple[tuple[str, str], ...]
    plain: tuple[tuple[str, str], ...]

    def read(self, log: Log) -> dict[str, Any]:
        """The event's values by name; a struct is a tuple in its order."""
        words = b"".join(bytes.fromhex(topic.removeprefix("0x")) for topic in log.topics[1:])
        values = dict(zip(_names(self.indexed), decode(_types(self.indexed), words), strict=True))
        data = bytes.fromhex(log.data.removeprefix("0x"))
        return values | dict(zip(_names(self.plain), decode(_types(self.plain), data), strict=True))


def _names(fields: tuple[tuple[str, str], ...]) -> list[str]:
    return [name for name, _ in fields]


def _types(fields: tuple[tuple[str, str], ...]) -> list[str]:
    return [kind for _, kind in fields]


def _type(field: dict[str, Any]) -> str:
    if not field["type"].startswith("tuple"):
        return str(field["type"])
    inner = ",".join(_type(component) for component in field["components"])
    return f"({inner}){field['type'].removeprefix('tuple')}"


def _signature(entry: dict[str, Any]) -> str:
    return f"{entry['name']}({','.join(_type(field) for field in entry['inputs'])})"


def _event_entries() -> Iterable[dict[str, Any]]:
    return (entry for contract in EMITTERS for entry in _ABI[contract] if entry["type"] == "event")


def _event(entry: dict[str, Any]) -> EventForm:
    fields = [(field["name"], _type(field), field["indexed"]) for field in entry["inputs"]]
    return EventForm(
        name=entry["name"],
        topic="0x" + keccak(text=_signature(entry)).hex(),
        indexed=tuple((name, kind) for name, kind, is_indexed in fields if is_indexed),
        plain=tuple((name, kind) for name, kind, is_indexed in fields if not is_indexed),
    )


EVENTS: dict[str, EventForm] = {form.topic: form for form in map(_event, _event_entries())}
# selector (0x-hex) → the custom error's name.
ERRORS: dict[str, str] = {
    "0x" + function_signature_to_4byte_selector(_signature(entry)).hex(): entry["name"] for entry in _ABI["errors"]
}
