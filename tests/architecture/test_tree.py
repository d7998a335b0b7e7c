"""The tree shows the flow, and the house keeps its sizes."""

import statistics
from pathlib import Path

import pytest

from tests.architecture.tree import PACKAGES, PRODUCT, ROOT, functions, imports, modules

FOLDERS = {*PACKAGES, "ops", "docs", "tests"}
FILES = {
    "README.md",
    "manage.py",
    "Makefile",
    "Procfile",
    "docker-compose.yml",
    "requirements.txt",
    "pyproject.toml",
}
# Made by running, and ignored by git.
MADE = {"__pycache__", "static", "backups", "node_modules"}
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "shared", "stuff", "tools", "manager", "base_utils"}
# What a domain is built from: nothing that reads a clock, the network, the environment or chance.
PLAIN = {
    *(
        "base64",
        "collections",
        "dataclasses",
        "datetime",
        "decimal",
        "enum",
        "fractions",
        "functools",
        "fnmatch",
        "hashlib",
        "hmac",
        "http",
        "ipaddress",
        "itertools",
        "json",
        "math",
    ),
    *("re", "typing", "urllib", "trading", "risk", "execution", "bots"),
}


def strangers(names: set[str]) -> set[str]:
    return {name for name in names if not name.startswith(".")} - FOLDERS - FILES - MADE


def vague(paths: list[Path]) -> list[Path]:
    return [path for path in paths if VAGUE & {path.stem, *path.parent.parts} or path.stem.endswith(("_v2", "_new", "_old"))]


def test_the_root_holds_what_the_architecture_names() -> None:
    assert strangers({path.name for path in ROOT.iterdir()}) == set()


@pytest.mark.parametrize("name", ["STATUS_REPORT.md", "setup.cfg", "scripts", "app.py"])
def test_a_stranger_in_the_root_is_seen(name: str) -> None:
    assert strangers({"README.md", ".env.example", name}) == {name}


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert vague([path.relative_to(ROOT) for path in modules(*PACKAGES, "tests")]) == []


@pytest.mark.parametrize(
    "name", ["trading/utils.py", "risk/common/money.py", "execution/services/helpers.py", "bots/charts_v2.py"]
)
def test_a_vague_name_is_seen(name: str) -> None:
    assert vague([Path(name), Path("trading/locks.py")]) == [Path(name)]


DOMAIN = [path for path in modules(*PRODUCT) if "domain" in path.parts]


@pytest.mark.parametrize("path", DOMAIN, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_domain_module_is_plain_python(path: Path) -> None:
    assert imports(path.read_text()) <= PLAIN


def test_every_app_of_the_flow_has_a_domain() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in DOMAIN} >= {"trading", "risk", "execution"}


@pytest.mark.parametrize(
    "breach",
    [
        "import django",
        "from django.db import models",
        "import time",
        "def now():\n    import random",
        "from os import environ",
        "import web3.eth",
    ],
)
def test_an_import_that_is_not_plain_is_seen(breach: str) -> None:
    assert not imports(f"import re\n{breach}\n") <= PLAIN


@pytest.mark.parametrize("path", modules(*PACKAGES, "tests"), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_read_in_one_go(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


ALL = [function for path in modules(*PACKAGES) for function in functions(path.read_text(), name=str(path.relative_to(ROOT)))]


def test_no_function_is_longer_than_50_lines() -> None:
    assert [function for function in ALL if function.lines > 50] == []


def test_the_usual_function_has_8_lines_and_a_long_one_25() -> None:
    lengths = sorted(function.lines for function in ALL)
    assert statistics.median(lengths) <= 8
    assert lengths[len(lengths) * 95 // 100] <= 25


def test_a_long_function_is_measured_without_its_docstring() -> None:
    body = "\n".join(f"    step_{number} = {number}" for number in range(51))
    source = (
        f'@write\ndef long(one: int) -> None:\n    """Say.\n\n    More.\n    """\n{body}\n\n\ndef short() -> None:\n    pass\n'
    )
    assert [(each.place, each.lines) for each in functions(source, name="m")] == [("m:long", 52), ("m:short", 2)]
