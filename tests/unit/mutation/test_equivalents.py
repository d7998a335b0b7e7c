"""The list of changes that no test can tell: each with a reason, none that doesn't exist."""

import ast

import pytest

from tests.mutation.areas import ROOT, targets
from tests.mutation.equivalents import FILE, Equivalents, key
from tests.mutation.mutator import Mutation, mutations


def test_a_line_gives_its_reason_after_the_change() -> None:
    listed = Equivalents.read("# A remark.\n\na.py f  x < 1 -> x <= 1  # there is nothing between\n")
    (change, *_) = mutations(ast.parse("def f():\n    return x < 1"))

    assert listed.reasons == {"a.py f  x < 1 -> x <= 1": "there is nothing between"}
    assert listed.has("a.py", change)
    assert not listed.has("b.py", change)


def test_a_line_without_a_reason_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^no reason is given: a\.py f  x < 1 -> x <= 1$"):
        Equivalents.read("a.py f  x < 1 -> x <= 1\n")


def test_every_change_that_is_listed_exists() -> None:
    found = {key(each.path, change) for each in targets("", against="") for change in _changes(each.path)}

    assert set(Equivalents.read(FILE.read_text()).reasons) <= found


def _changes(path: str) -> list[Mutation]:
    return list(mutations(ast.parse((ROOT / path).read_text())))
