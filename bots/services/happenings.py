"""Events as people outside understand them: with the account, the signal's key, and why something was denied."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db import models

from bots.domain.announcement import Fact, Happening
from risk.domain.halt import HaltScope
from risk.models import Decision, Lock
from trading.models import Event, Position, Signal

DENIED = "decision.denied"
# Rows that may have no trace, and whose they are.
_OWNED: Mapping[str, type[models.Model]] = {"position": Position, "lock": Lock}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Origin:
    """Whose something is."""

    account: int | None = None
    book: str | None = None
    intent_key: str | None = None


_NOBODY = _Origin()


def of(events: Iterable[Event]) -> list[Happening]:
    """Events with what our tables know of them, in their order. At most four queries, however many events."""
    listed = list(events)
    traces, owners = _by_trace(listed), _by_subject(listed)
    denials = _denials(listed)
    return [_happening(event, traces.get(event.trace_id) or owners.get(event.subject, _NOBODY), denials) for event in listed]


def _happening(event: Event, origin: _Origin, denials: Mapping[str, Mapping[str, Fact]]) -> Happening:
    said = Happening(
        kind=event.kind,
        number=event.pk,
        subject=event.subject,
        trace_id=event.trace_id,
        at=event.at,
        facts=event.facts | denials.get(event.subject, {}) if event.kind == DENIED else event.facts,
        account=origin.account,
        book=origin.book or event.facts.get("book"),
        intent_key=origin.intent_key,
    )
    return said if said.account is not None else replace(said, account=_named(event.facts))


def _named(facts: Mapping[str, Any]) -> int | None:
    """The account that an event itself names."""
    if facts.get("scope") == HaltScope.USER:
        return int(facts["key"])
    named = facts.get("tg_user_id")
    return int(named) if named is not None else None


def _by_trace(events: Iterable[Event]) -> dict[str, _Origin]:
    traces = {event.trace_id for event in events if event.trace_id}
    found = Signal.objects.filter(trace_id__in=traces).values_list("trace_id", "trader__tg_user_id", "book", "intent_key")
    return {trace: _Origin(account=account, book=book, intent_key=key) for trace, account, book, key in found}


def _by_subject(events: Iterable[Event]) -> dict[str, _Origin]:
    ids: dict[str, set[int]] = {}
    for event in events:
        name, _, pk = event.subject.partition(":")
        if not event.trace_id and name in _OWNED:
            ids.setdefault(name, set()).add(int(pk))
    return {
        f"{name}:{pk}": _Origin(account=account, book=book)
        for name, wanted in ids.items()
        for pk, account, book in _OWNED[name]
        ._default_manager.filter(pk__in=wanted)
        .values_list("pk", "trader__tg_user_id", "book")
    }


def _denials(events: Iterable[Event]) -> dict[str, dict[str, Fact]]:
    """By the signal's subject: the first check that failed, and all of them."""
    signals = [int(event.subject.partition(":")[2]) for event in events if event.kind == DENIED]
    if not signals:
        return {}
    found = Decision.objects.filter(signal_id__in=signals).values_list("signal_id", "code", "checks")
    return {
        f"signal:{pk}": {"code": code, "reasons": [check["code"] for check in checks if not check["passed"]]}
        for pk, code, checks in found
    }
