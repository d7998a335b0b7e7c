"""Rules as people and programs write them: options of a command line, and JSON."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from devnet.faults.plan import BadRule, Fault, Rule


def _yes_or_no(value: object) -> bool:
    words = {"true": True, "false": False}
    return words[str(value).lower()]


_READERS: Mapping[str, Callable[[Any], object]] = {
    "chance": float,
    "times": int,
    "on": str,
    "after_seconds": float,
    "for_seconds": float,
    "down_seconds": float,
    "up_seconds": float,
    "seconds": float,
    "blocks": int,
    "forwards": _yes_or_no,
    "code": int,
    "text": str,
}


def fault(name: object) -> Fault:
    """A fault by its name.

    Raises:
        BadRule: if there is none.
    """
    try:
        return Fault(str(name))
    except ValueError:
        raise BadRule(f"there is no fault {name}; there are {', '.join(Fault)}") from None


def rule(name: str, settings: Mapping[str, Any]) -> Rule:
    """A rule from words.

    Raises:
        BadRule: if there is no such fault or setting, or if a value makes no sense.
    """
    return Rule(fault=fault(name), **{each: _setting(each, value) for each, value in settings.items()})


def from_option(text: str) -> Rule:
    """A rule as `answer-lost=0.2` or `stale=0.5,blocks=3,on=eth_getBlockByNumber`."""
    first, *others = text.split(",")
    name, _, chance = first.partition("=")
    settings = dict(_pair(other) for other in others)
    return rule(name, {"chance": chance, **settings} if chance else settings)


def from_json(body: bytes) -> list[Rule]:
    """The rules of a JSON object `{"fault": "stale", "blocks": 3}`, or of a list of them."""
    try:
        said = json.loads(body)
        return [_from_object(each) for each in (said if isinstance(said, list) else [said])]
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadRule(f"not JSON: {error}") from None


def to_json(given: Rule) -> dict[str, Any]:
    """A rule as JSON says it, without what is as always."""
    usual = asdict(Rule(fault=given.fault))
    said = {name: value for name, value in asdict(given).items() if value != usual[name]}
    return {"fault": given.fault.value, **said}


def _from_object(said: object) -> Rule:
    if not isinstance(said, dict) or "fault" not in said:
        raise BadRule('a rule is an object with a "fault"')
    return rule(said["fault"], {name: value for name, value in said.items() if name != "fault"})


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise BadRule(f"{text} is not name=value")
    return name, value


def _setting(name: str, value: Any) -> Any:
    if name not in _READERS:
        raise BadRule(f"there is no setting {name}; there are {', '.join(_READERS)}")
    try:
        return _READERS[name](value)
    except (ValueError, TypeError, KeyError):
        raise BadRule(f"{name} can't be {value}") from None
