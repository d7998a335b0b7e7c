"""An act needs a role that may, and a reason."""

import pytest

from risk.domain.authority import ReasonMissing, check
from trading.domain.people import Act, NotAllowed, Person, Role

RITA = Person(name="rita", roles=frozenset({Role.TRADER}), tg_user_id=123)


def test_who_may_and_says_why_passes() -> None:
    check(RITA, Act.TRADE, reason="a drill", account=123)


@pytest.mark.parametrize("reason", ["", " \t\n"])
def test_without_a_reason_nobody_may(reason: str) -> None:
    with pytest.raises(ReasonMissing) as refusal:
        check(RITA, Act.TRADE, reason=reason, account=123)

    assert (refusal.value.code, refusal.value.facts) == ("REASON_MISSING", {"field": "reason"})


@pytest.mark.parametrize("account", [None, 7])
def test_a_reason_gives_nobody_a_right(account: int | None) -> None:
    with pytest.raises(NotAllowed, match=r"^TRADE needs the role risk or super-admin; rita has trader$") as refusal:
        check(RITA, Act.TRADE, reason="a drill", account=account)

    assert (refusal.value.code, refusal.value.facts) == ("NOT_ALLOWED", {"act": "TRADE", "person": "rita"})
