"""Every small change of a module that should make some test fail.

Enumerations, annotations, decorators, docstrings and composed messages are left alone: they hold words, not decisions.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from tests.mutation.changes import alternatives

_ENUMERATIONS = {"StrEnum", "Enum", "IntEnum"}
_LEFT_ALONE = {"annotation", "returns", "decorator_list", "type_params", "bases"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node hangs in its tree."""

    parent: ast.AST
    field: str
    index: int | None

    def put(self, node: ast.AST) -> None:
        """Hang another node there."""
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """One change: `function` is the name of where it lies, empty for the module itself."""

    function: str
    line: int
    before: str
    after: str
    place: Place
    replacement: ast.AST

    def apply(self) -> None:
        """Change the tree that it was found in."""
        self.place.put(ast.fix_missing_locations(self.replacement))


def mutations(tree: ast.Module) -> Iterator[Mutation]:
    """The changes of one module, from its first line to its last."""
    found = (each for node, place, function, is_claim in _places(tree) for each in _of(node, place, function, is_claim))
    yield from sorted(found, key=lambda mutation: mutation.line)


def _of(node: ast.AST, place: Place, function: str, is_claim: bool) -> Iterator[Mutation]:
    for replacement in alternatives(node, is_claim=is_claim):
        if isinstance(replacement, ast.expr | ast.stmt) and isinstance(node, ast.expr | ast.stmt):
            ast.copy_location(replacement, node)
        yield Mutation(
            function=function,
            line=_line(node),
            before=_shown(node),
            after=_shown(replacement),
            place=place,
            replacement=replacement,
        )


def _line(node: ast.AST) -> int:
    """Where it stands; a filter has no place of its own."""
    placed = node.target if isinstance(node, ast.comprehension) else node
    return getattr(placed, "lineno", 0)


def _shown(node: ast.AST) -> str:
    """One line of source; of a statement with a body its head only."""
    return ast.unparse(node).strip().splitlines()[0]


def _places(node: ast.AST, function: str = "", is_claim: bool = False) -> Iterator[tuple[ast.AST, Place, str, bool]]:
    for child, place in _children(node):
        inner, claims = _named(child, function, is_claim)
        if not isinstance(child, ast.JoinedStr):
            yield child, place, inner, claims
            yield from _places(child, inner, claims)


def _named(node: ast.AST, function: str, is_claim: bool) -> tuple[str, bool]:
    """The name of what a node lies in, and whether that promises yes or no."""
    if isinstance(node, ast.FunctionDef):
        return f"{function}.{node.name}".lstrip("."), ast.unparse(node.returns or ast.Constant(None)) == "bool"
    return (f"{function}.{node.name}".lstrip("."), False) if isinstance(node, ast.ClassDef) else (function, is_claim)


def _children(node: ast.AST) -> Iterator[tuple[ast.AST, Place]]:
    for field, value in ast.iter_fields(node):
        if field in _LEFT_ALONE:
            continue
        for index, child in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(child, ast.AST) and not _is_member(node, child):
                yield child, Place(node, field, index if isinstance(value, list) else None)


def _is_member(node: ast.AST, child: ast.AST) -> bool:
    """Whether it is a line of an enumeration."""
    is_enumeration = isinstance(node, ast.ClassDef) and any(ast.unparse(base) in _ENUMERATIONS for base in node.bases)
    return is_enumeration and not isinstance(child, ast.FunctionDef)
