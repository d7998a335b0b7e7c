"""How a token is written, and what its scopes cover."""

import hashlib

import pytest

from trading.domain import people
from trading.domain.people import Act, NotAllowed, Person, Role, may, sight
from trading.domain.token import ACTS, Halves, Scope, covered, halves

WRITTEN = f"vanta_{'0a' * 6}_{'1b' * 32}"

# Written out a second time.
TABLE = {
    "READ": "SEE REVIEW",
    "TRADE": "TRADE",
    "LIMIT": "STOP LOWER_LIMITS PAUSE LOCK GO_DRY HALT FLATTEN",
    "OPERATE": "MAINTAIN RESUME UNLOCK OPERATE",
    "ADMIN": "EMPOWER MANAGE_SOURCES MANAGE_CHANNELS RAISE_LIMITS LIFT_STOP GO_LIVE ADMIT",
}


def through(*scopes: Scope, role: Role = Role.SUPER_ADMIN, accounts: frozenset[int] | None = None) -> Person:
    return Person(name="ada", roles=frozenset({role}), tg_user_id=123, acts=covered(scopes), accounts=accounts)


def test_a_token_is_read_as_it_is_written() -> None:
    read = halves(WRITTEN)

    assert read == Halves(public_id="0a" * 6, secret="1b" * 32)
    assert str(read) == WRITTEN
    assert read.digest == hashlib.sha256(b"1b" * 32).hexdigest()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "vanta",
        WRITTEN[:-1],
        WRITTEN + "0",
        WRITTEN.upper(),
        WRITTEN + "\n",
        " " + WRITTEN,
        WRITTEN.replace("1b", "1g"),
        "é" * 83,
    ],
)
def test_anything_else_is_no_token(text: str) -> None:
    assert halves(text) is None


def test_the_scopes_cover_each_act_once() -> None:
    assert {scope: set(acts) for scope, acts in ACTS.items()} == {Scope(name): set(acts.split()) for name, acts in TABLE.items()}
    assert sorted(act for acts in ACTS.values() for act in acts) == sorted(Act)


@pytest.mark.parametrize("act", Act)
@pytest.mark.parametrize("role", Role)
def test_a_token_may_what_its_person_may_and_its_scopes_cover(role: Role, act: Act) -> None:
    whole = Person(name="ada", roles=frozenset({role}), tg_user_id=123)

    for scope in Scope:
        for account in (None, 123, 124):
            expected = may(whole, act, account=account) and act in ACTS[scope]
            assert may(through(scope, role=role), act, account=account) is expected


def test_a_token_for_some_accounts_is_for_no_other_and_not_for_the_desk() -> None:
    token = through(*Scope, accounts=frozenset({123}))

    assert [may(token, Act.TRADE, account=account) for account in (123, 124, None)] == [True, False, False]
    assert [may(token, act) for act in (Act.SEE, Act.STOP, Act.HALT, Act.GO_LIVE)] == [True, True, False, False]


def test_a_token_that_isn_t_for_an_act_is_told_so() -> None:
    with pytest.raises(NotAllowed, match="this token isn't for TRADE there"):
        people.check(through(Scope.READ), Act.TRADE, account=123)


@pytest.mark.parametrize(
    ("roles", "own", "accounts", "expected"),
    [
        ({Role.TRADER}, 123, None, {123}),
        ({Role.TRADER}, None, None, set()),
        ({Role.TRADER}, 123, {124}, set()),
        ({Role.TRADER}, 123, {123, 124}, {123}),
        ({Role.TRADER, Role.VIEWER}, 123, None, None),
        ({Role.VIEWER}, None, None, None),
        ({Role.RISK}, None, None, None),
        ({Role.SUPER_ADMIN}, 123, None, None),
        ({Role.SUPER_ADMIN}, 123, {124}, {124}),
        (set(), 123, None, {123}),
    ],
)
def test_a_trader_s_programs_see_his_account_only(
    roles: set[Role], own: int | None, accounts: set[int] | None, expected: set[int] | None
) -> None:
    narrowed = None if accounts is None else frozenset(accounts)

    assert sight(Person(name="x", roles=frozenset(roles), tg_user_id=own, accounts=narrowed)) == expected
