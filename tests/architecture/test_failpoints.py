"""No transaction, no write and no ask without its kind: each has a failpoint on both sides, so none can be forgotten."""

import ast
import importlib
import inspect
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from bots import ports as bots_ports
from execution import ports
from tests.architecture.tree import PRODUCT, ROOT, FunctionNode, decorated, modules
from trading import kinds
from trading import ports as trading_ports
from trading.kinds import ask

# The one module that may open a transaction.
OPENING = ROOT / "trading" / "kinds.py"
SERVICES = [path for path in modules(*PRODUCT) if "services" in path.parts]
ADAPTERS = [path for path in modules(*PRODUCT) if "adapters" in path.parts]
# What changes rows, as Django's managers, querysets and models call it.
CHANGING = frozenset({"save", "create", "get_or_create", "update_or_create", "delete", "bulk_create", "bulk_update"})
WRITING_KINDS = frozenset({"write", "statement", "piece"})
# The methods of ports that talk to nobody, or only through another port, which is asked.
SILENT = {
    "Chain": {"states"},
    "Signer": {"address", "check"},
    "PriceSource": {"covers"},
    "Postman": {"check"},
    "Venue": {
        "open_call",
        "close_call",
        "decode",
        "reason",
        "funds",
        "permission",
        "account_views",
        "account",
        "accounts_at",
        "transferred",
        "refunded",
    },
}
# Adapters' methods that only say what somebody else must do.
ONLY_SAYING = {"OutsideWallet.grant"}
PORTS = (
    *(ports.Chain, ports.Signer, ports.Venue, ports.Wallet),
    *(trading_ports.ModeSwitch, trading_ports.PriceSource, trading_ports.SequencerFeed),
    bots_ports.Postman,
)


def transactions(source: str) -> list[int]:
    """The lines that open a transaction or lock it by hand."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute | ast.Name | ast.alias)]
    return sorted({node.lineno for node in nodes if _name(node) in ("atomic", "set_autocommit")})


def _name(node: ast.Attribute | ast.Name | ast.alias) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else node.name


def stray_writes(source: str) -> list[str]:
    """The functions that change rows and are no write, no piece, and not only called from such."""
    functions = {node.name: node for node in ast.walk(ast.parse(source)) if isinstance(node, FunctionNode)}
    marked = {name for kind in WRITING_KINDS for name in decorated(source, by=kind)}
    writing = {name for name, node in functions.items() if _changes_rows(node)} - marked
    return sorted(name for name in writing if not _is_covered(name, functions, marked, seen=frozenset()))


def _is_covered(name: str, functions: dict[str, FunctionNode], marked: set[str], *, seen: frozenset[str]) -> bool:
    """Whether a private function is used, and only from functions that are covered themselves."""
    users = {other for other, node in functions.items() if other != name and name in _mentioned(node)} - marked
    is_used = any(name in _mentioned(node) for other, node in functions.items() if other != name)
    covered = (user not in seen and _is_covered(user, functions, marked, seen=seen | {name}) for user in users)
    return name.startswith("_") and is_used and all(covered)


def _changes_rows(node: FunctionNode) -> bool:
    return any(_is_change(call) for call in ast.walk(node) if isinstance(call, ast.Call))


def _is_change(call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute):
        return False
    # `update` is a dict's and a hash's word too; a queryset's takes its columns by name.
    is_update = call.func.attr == "update" and not call.args and bool(call.keywords)
    return call.func.attr in CHANGING or is_update


def _mentioned(node: FunctionNode) -> set[str]:
    names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    return names | {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}


def is_asked(method: object) -> bool:
    """Whether a method is wrapped by `kinds.ask`."""
    code = getattr(method, "__code__", None)
    return code is not None and code.co_filename == kinds.__file__ and code.co_name == "outside_of_transactions"


def talking(port: type) -> set[str]:
    """The methods of a port that talk to the outside."""
    methods = {name for name, found in vars(port).items() if inspect.isfunction(found) and not name.startswith("_")}
    return methods - SILENT.get(port.__name__, set())


def adapters(port: type) -> Iterator[type]:
    """Every class of an adapter's module that has all of a port's methods."""
    wanted = talking(port) | SILENT.get(port.__name__, set())
    for path in ADAPTERS:
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        own = (found for found in vars(module).values() if inspect.isclass(found) and found.__module__ == module.__name__)
        yield from (found for found in own if wanted <= set(dir(found)))


def unasked(port: type, classes: Iterable[type]) -> list[str]:
    """The methods of a port's adapters that talk and are no asks."""
    found = {f"{each.__name__}.{name}" for each in classes for name in talking(port) if not is_asked(getattr(each, name))}
    return sorted(found - ONLY_SAYING)


@pytest.mark.parametrize(
    "path", [path for path in modules(*PRODUCT) if path != OPENING], ids=lambda path: str(path.relative_to(ROOT))
)
def test_only_kinds_opens_a_transaction(path: Path) -> None:
    assert transactions(path.read_text()) == []


@pytest.mark.parametrize(
    "breach",
    [
        "with transaction.atomic():\n    pass",
        "from django.db.transaction import atomic",
        "@transaction.atomic\ndef f(): ...",
        "connection.set_autocommit(False)",
    ],
)
def test_a_transaction_of_ones_own_is_seen(breach: str) -> None:
    assert transactions(breach) == [1]


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_service_changes_rows_only_in_writes_and_pieces(path: Path) -> None:
    assert stray_writes(path.read_text()) == []


@pytest.mark.parametrize(
    "breach",
    [
        "def f():\n    Order.objects.create(x=1)",
        "def f():\n    Order.objects.filter(pk=1).update(x=1)",
        "@step\ndef f(order):\n    order.save(update_fields=['x'])",
        "@step\ndef g():\n    f()\n\ndef f():\n    rows.update(x=1)",
        "@write\ndef g():\n    _f()\n\n@step\ndef h():\n    _f()\n\ndef _f():\n    Order.objects.bulk_create([])",
        "def _f():\n    Order.objects.bulk_create([])",
    ],
)
def test_a_write_without_its_kind_is_seen(breach: str) -> None:
    assert stray_writes(breach) in (["f"], ["_f"])


def test_a_part_of_a_write_is_no_breach() -> None:
    assert stray_writes("@write\ndef g():\n    _f()\n\ndef _f():\n    _h()\n\ndef _h():\n    Order.objects.create()") == []


@pytest.mark.parametrize("port", PORTS, ids=lambda port: port.__name__)
def test_a_method_that_talks_to_the_outside_is_an_ask(port: type) -> None:
    found = list(adapters(port))

    assert found
    assert unasked(port, found) == []


def test_a_method_that_talks_unasked_is_seen() -> None:
    class Honest:
        @ask
        def quotes(self) -> None: ...

    class Sly:
        def quotes(self) -> None: ...

    assert unasked(trading_ports.PriceSource, [Honest, Sly]) == ["Sly.quotes"]
