"""What the source tree looks like, read with `ast`: for tests that hold it to the house."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("vanta_site", "bots", "execution", "risk", "trading", "vanta")
PACKAGES = (*PRODUCT, "devnet")
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Function:
    """One function and its length in lines, without its decorators and docstring."""

    place: str
    lines: int


def modules(*packages: str, root: Path = ROOT) -> list[Path]:
    """Every module of some packages, migrations aside: those are written by Django."""
    found = (path for package in packages for path in (root / package).rglob("*.py"))
    return sorted(path for path in found if "migrations" not in path.parts)


def functions(source: str, *, name: str) -> Iterator[Function]:
    """Every function of a module, the inner ones too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, FunctionNode):
            first = node.body[1] if _has_docstring(node) and len(node.body) > 1 else node.body[0]
            end = node.end_lineno or node.lineno
            signature = node.body[0].lineno - node.lineno
            yield Function(place=f"{name}:{node.name}", lines=signature + end - first.lineno + 1)


def _has_docstring(node: FunctionNode) -> bool:
    return ast.get_docstring(node, clean=False) is not None


def imports(source: str) -> set[str]:
    """The first names of everything that a module imports, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module}
    return {name.partition(".")[0] for name in found}


def rings(source: str) -> list[str]:
    """The events that a module rings: the first argument of each `doorbell.ring(...)`; `?` for one that isn't a plain text."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    ringing = [call for call in calls if isinstance(call.func, ast.Attribute) and ast.unparse(call.func) == "doorbell.ring"]
    return [word.value if isinstance(word := call.args[0], ast.Constant) else "?" for call in ringing]


def decorated(source: str, *, by: str) -> list[str]:
    """The functions of a module that carry a decorator, by the decorator's own name."""
    found = (node for node in ast.walk(ast.parse(source)) if isinstance(node, FunctionNode))
    return [node.name for node in found if any(ast.unparse(each) == by for each in node.decorator_list)]
