"""The page of the invariants is complete, and what it names exists."""

import ast
import re

import pytest

from tests.architecture.tree import ROOT, FunctionNode
from tests.machine import invariants

PAGE = ROOT / "docs" / "invariants.md"
NUMBERS = [*(f"I{number}" for number in range(1, 27)), *(f"L{number}" for number in range(1, 8))]
_TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")


def rows(page: str) -> list[tuple[str, ...]]:
    """Each line of the tables: number, promise, modules, tests, mark."""
    lines = [line for line in page.splitlines() if re.match(r"\| [IL]\d", line)]
    return [tuple(cell.strip() for cell in line.removeprefix("|").removesuffix("|").split("|")) for line in lines]


def missing_tests(page: str) -> list[str]:
    """The tests that a page names and that aren't there."""
    return [f"{path}::{name}" for path, name in _TEST.findall(page) if name not in functions_of(path)]


def functions_of(path: str) -> set[str]:
    """The names of the functions of a test file; none if there is no such file."""
    file = ROOT / "tests" / path
    tree = ast.parse(file.read_text()) if file.exists() else ast.Module(body=[], type_ignores=[])
    return {node.name for node in tree.body if isinstance(node, FunctionNode)}


def missing_modules(page: str) -> list[str]:
    """The modules that a page's tables name and that aren't there."""
    named = {path for row in rows(page) for path in re.findall(r"`([\w/]+\.py)`", row[2])}
    return sorted(path for path in named if not (ROOT / path).exists())


def test_every_number_stands_there_once_and_in_order() -> None:
    assert [row[0] for row in rows(PAGE.read_text())] == NUMBERS


def test_every_promise_names_its_keeper_and_its_test() -> None:
    assert [row[0] for row in rows(PAGE.read_text()) if not (row[2] and _TEST.search(row[3]))] == []


def test_every_test_and_module_that_is_named_exists() -> None:
    page = PAGE.read_text()

    assert (missing_tests(page), missing_modules(page)) == ([], [])


def test_the_marks_are_those_that_the_machine_asks() -> None:
    marked = [row[0] for row in rows(PAGE.read_text()) if row[4] == "✓"]
    asked = {number for names in invariants.ALWAYS | invariants.AT_REST for number in names.split(", ")}

    assert marked == [number for number in NUMBERS if number in asked]


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("`integration/execution/test_submission.py::test_that_nobody_wrote`", ["test_that_nobody_wrote"]),
        ("`integration/test_nowhere.py::test_nothing`", ["test_nothing"]),
        ("`architecture/test_invariants_table.py::test_a_test_that_is_gone_is_seen`", []),
    ],
)
def test_a_test_that_is_gone_is_seen(named: str, expected: list[str]) -> None:
    assert [missing.partition("::")[2] for missing in missing_tests(named)] == expected
