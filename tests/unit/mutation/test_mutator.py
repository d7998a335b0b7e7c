"""What becomes of a piece of source: every change once, and no change of what only says something."""

import ast

import pytest

from tests.mutation.mutator import mutations


def changes(source: str) -> list[str]:
    return [f"{each.before} -> {each.after}" for each in mutations(ast.parse(source))]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a < b", ["a <= b", "a >= b"]),
        ("a <= b", ["a < b", "a > b"]),
        ("a > b", ["a >= b", "a <= b"]),
        ("a >= b", ["a > b", "a < b"]),
        ("a == b", ["a != b"]),
        ("a != b", ["a == b"]),
        ("a is b", ["a is not b"]),
        ("a is not b", ["a is b"]),
        ("a in b", ["a not in b"]),
        ("a not in b", ["a in b"]),
        ("a <= b < c", ["a < b < c", "a > b < c", "a <= b <= c", "a <= b >= c"]),
        ("a and b", ["a or b"]),
        ("a or b", ["a and b"]),
        ("not a", ["a"]),
        ("-a", ["a"]),
        ("a + b", ["a - b"]),
        ("a // b", ["a * b"]),
        ("7", ["8", "6"]),
        ("True", ["False"]),
        ("min", ["max"]),
        ("a.times_down", ["a.times_up"]),
        ("all", ["any"]),
    ],
)
def test_an_expression_becomes_each_of_its_neighbors(source: str, expected: list[str]) -> None:
    assert changes(f"x = {source}") == [f"{source} -> {after}" for after in expected]


def test_a_guard_is_taken_away_and_made_to_refuse_everything() -> None:
    assert changes("if a:\n    pass") == ["if a: -> if False:", "if a: -> if True:"]
    assert changes("x = b if a else c") == ["b if a else c -> b if False else c", "b if a else c -> b if True else c"]


def test_a_sum_that_grows_shrinks() -> None:
    assert changes("x -= y") == ["x -= y -> x += y"]


def test_a_filter_lets_everything_pass() -> None:
    assert changes("x = [a for a in b if c]") == ["for a in b if c -> for a in b"]


def test_only_a_function_that_answers_yes_or_no_is_contradicted() -> None:
    assert changes("def f() -> bool:\n    return a(b)") == ["return a(b) -> return not a(b)"]
    assert changes("def f() -> int:\n    return a(b)") == []
    # This one is another change already.
    assert changes("def f() -> bool:\n    return a is b") == ["a is b -> a is not b"]


@pytest.mark.parametrize(
    "words",
    [
        '"""Says 1 < 2."""',
        'x = f"{1 + 2} of {a or b}"',
        "x: Literal[1]",
        "def f(x: Literal[1]) -> Literal[2]: pass",
        "@dataclass(frozen=True)\nclass A: pass",
        "class Level(StrEnum):\n    ONE = 1",
    ],
)
def test_what_only_says_something_is_left_alone(words: str) -> None:
    assert changes(words) == []


def test_a_change_names_its_line_and_its_function() -> None:
    (first, _) = mutations(ast.parse("class A:\n    def b(self) -> None:\n        return 1"))

    assert (first.function, first.line) == ("A.b", 3)


def test_a_filter_stands_where_its_loop_does() -> None:
    assert [each.line for each in mutations(ast.parse("x = [\n    a\n    for a in b\n    if c\n]"))] == [3]


def test_a_change_happens_in_its_tree() -> None:
    tree = ast.parse("x = a < b")
    first, *_ = mutations(tree)

    first.apply()

    assert ast.unparse(tree) == "x = a <= b"
