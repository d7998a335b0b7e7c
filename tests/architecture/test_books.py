"""Paper and live are never added up together: each sum of money in the code says of which book it is."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import PRODUCT, ROOT, modules

SUMS = {"Sum", "Avg"}
# What sums over the rows of one row that has one book, or of no book at all: where, and why it needs no word of a book.
ELSEWHERE = {
    "trading/services/wallets.py:proven": "the flows of one wallet on paper",
    "trading/models/day_result.py:<module>": "sums of the columns: a query set says the book",
    "risk/services/equities.py:_sum": "of the fills that its caller took from one book",
    "execution/selectors.py:Exits": "the closes of one position, which has one book",
    "risk/services/exposures.py:<module>": "an expression: the function that uses it says the book",
}


def sums(source: str, *, name: str) -> Iterator[tuple[str, bool]]:
    """Each function, or the module, that sums, and whether it says a book."""
    tree = ast.parse(source)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    for node in functions:
        if _sums(node):
            yield f"{name}:{node.name}", "book" in (ast.get_source_segment(source, node) or "").lower()
    if any(_sums(node) for node in tree.body if node not in functions):
        yield f"{name}:<module>", False


def _sums(node: ast.AST) -> bool:
    calls = (each.func for each in ast.walk(node) if isinstance(each, ast.Call))
    return any(isinstance(each, ast.Name) and each.id in SUMS for each in calls)


def _all() -> list[tuple[str, bool]]:
    return [found for path in modules(*PRODUCT) for found in sums(path.read_text(), name=_name(path))]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_every_sum_says_of_which_book_it_is() -> None:
    assert {place for place, says in _all() if not says} == set(ELSEWHERE)


def test_a_sum_over_both_books_is_seen() -> None:
    source = "def total(rows):\n    return rows.aggregate(sum=Sum('payout_usdc'))\n"

    assert list(sums(source, name="m")) == [("m:total", False)]
    assert list(sums(source.replace("rows.agg", "rows.filter(book=book).agg"), name="m")) == [("m:total", True)]
