"""Warrants: who acts on the desk, why, and when. A person's act without one isn't done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trading.domain.errors import Invalid
from trading.kinds import piece
from trading.services import audit


class ReasonMissing(Invalid):
    """Nobody said why."""

    code = "REASON_MISSING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Warrant:
    """A person's word for one act.

    Raises:
        ReasonMissing: if it gives no reason.
    """

    actor: str
    reason: str
    at: datetime

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise ReasonMissing("say why: the reason is kept in the audit log", field="reason")


@piece
def use(
    warrant: Warrant,
    *,
    action: str,
    subject: str,
    before: Mapping[str, object],
    after: Mapping[str, object],
    trace_id: str = "",
) -> None:
    """Write down what is done on a person's word, in the act's own transaction."""
    audit.record(
        actor=warrant.actor,
        action=action,
        subject=subject,
        before=_plain(before),
        after=_plain(after),
        reason=warrant.reason,
        at=warrant.at,
        trace_id=trace_id,
    )


def _plain(said: Mapping[str, object]) -> dict[str, Any]:
    return {name: value if value is None or isinstance(value, bool | int) else str(value) for name, value in said.items()}
