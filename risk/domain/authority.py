"""What an act of a person needs: a role that may, and a reason."""

from trading.domain import people
from trading.domain.errors import Invalid
from trading.domain.people import Act, Person


class ReasonMissing(Invalid):
    """Nobody said why."""

    code = "REASON_MISSING"


def check(person: Person, act: Act, *, reason: str, account: int | None = None) -> None:
    """Pass if a person may do it and says why.

    Raises:
        ReasonMissing: if no reason is given.
        NotAllowed: if no role of his may do it.
    """
    if not reason.strip():
        raise ReasonMissing("say why: the reason is kept in the audit log", field="reason")
    people.check(person, act, account=account)
