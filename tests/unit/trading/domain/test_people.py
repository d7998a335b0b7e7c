"""Who may do what: the whole table, written out a second time."""

from itertools import combinations

import pytest

from trading.domain import people
from trading.domain.people import GRAVE, MAY, MAY_WITH_OWN, Act, NotAllowed, Person, Role, may

OWN, FOREIGN = 123, 124

# Columns: viewer, trader, risk, super-admin. `o`: on the own account only. `x`: anywhere. `.`: nowhere.
TABLE = """
    SEE             x x x x
    STOP            x x x x
    TRADE           . o x x
    LOWER_LIMITS    . o x x
    PAUSE           . o x x
    LOCK            . o x x
    FLATTEN         . o x x
    REVIEW          . . x x
    GO_DRY          . . x x
    MAINTAIN        . . x x
    HALT            . . x x
    RESUME          . . x x
    UNLOCK          . . x x
    OPERATE         . . x x
    EMPOWER         . . . x
    MANAGE_SOURCES  . . . x
    MANAGE_CHANNELS . . . x
    RAISE_LIMITS    . . . x
    LIFT_STOP       . . . x
    GO_LIVE         . . . x
    ADMIT           . . . x
"""
CELLS = [
    (role, Act(line.split()[0]), mark)
    for line in TABLE.strip().splitlines()
    for role, mark in zip(Role, line.split()[1:], strict=True)
]
# What a mark means on the desk, on the own account, on somebody else's.
MEANS = {"x": (True, True, True), "o": (False, True, False), ".": (False, False, False)}


def person(*roles: Role, tg_user_id: int | None = OWN) -> Person:
    return Person(name="ada", roles=frozenset(roles), tg_user_id=tg_user_id)


def test_the_table_has_every_act_of_every_role_once() -> None:
    assert [(role, act) for role, act, _ in CELLS] == [(role, act) for act in sorted(Act, key=_place) for role in Role]
    assert {Role(role) for role in MAY} == set(MAY_WITH_OWN) == set(Role)


def _place(act: Act) -> int:
    return [line.split()[0] for line in TABLE.strip().splitlines()].index(act)


@pytest.mark.parametrize(("role", "act", "mark"), CELLS)
def test_a_role_may_exactly_what_its_cell_says(role: Role, act: Act, mark: str) -> None:
    who = person(role)

    assert (may(who, act), may(who, act, account=OWN), may(who, act, account=FOREIGN)) == MEANS[mark]


@pytest.mark.parametrize("act", Act)
def test_who_has_no_role_may_nothing(act: Act) -> None:
    assert not may(person(), act)
    assert not may(person(), act, account=OWN)


@pytest.mark.parametrize("act", Act)
def test_several_roles_may_what_any_of_them_may(act: Act) -> None:
    for pair in combinations(Role, 2):
        assert may(person(*pair), act, account=OWN) is any(may(person(role), act, account=OWN) for role in pair)


def test_a_trader_without_an_account_owns_none() -> None:
    assert not may(person(Role.TRADER, tg_user_id=None), Act.TRADE, account=OWN)
    assert not may(person(Role.TRADER, tg_user_id=None), Act.TRADE)


@pytest.mark.parametrize("act", Act)
def test_each_role_may_at_least_what_the_one_before_it_may(act: Act) -> None:
    for lower, higher in zip(list(Role), list(Role)[1:], strict=False):
        assert may(person(higher), act, account=OWN) or not may(person(lower), act, account=OWN)


def test_a_refusal_says_whose_act_it_is() -> None:
    people.check(person(Role.SUPER_ADMIN), Act.GO_LIVE)

    with pytest.raises(NotAllowed) as refused:
        people.check(person(Role.RISK, Role.TRADER), Act.GO_LIVE)

    assert refused.value.message == "GO_LIVE needs the role super-admin; ada has risk, trader"
    with pytest.raises(NotAllowed, match="HALT needs the role risk or super-admin; ada has none"):
        people.check(person(), Act.HALT)


def test_every_act_that_only_a_super_admin_may_is_grave() -> None:
    assert {act for act in Act if people.holders(act) == (Role.SUPER_ADMIN,)} <= GRAVE


def test_more_caution_is_never_grave() -> None:
    assert {Act.SEE, Act.STOP, Act.GO_DRY, Act.HALT, Act.PAUSE, Act.LOCK, Act.LOWER_LIMITS} & GRAVE == set()


def test_words_that_are_no_roles_give_nothing() -> None:
    assert people.roles_of(["risk", "admin", "RISK", ""]) == {Role.RISK}
