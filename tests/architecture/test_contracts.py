"""The layers hold, and each contract catches the breach that it is for."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import PACKAGES, ROOT

# For each contract a line that breaks it, and the module that the line is added to.
BREACHES = {
    "Between apps, imports point back along the flow": ("trading/services/prices.py", "from risk.domain import rules"),
    "Nothing of the product imports the local venue": ("execution/services/orders.py", "from devnet import ports"),
    "The client knows the API": ("vanta/desk.py", "import vanta_site.urls"),
    "The client knows nothing of the apps": ("vanta/desk.py", "from trading.domain import signal"),
    "Inside an app": ("trading/models/quote.py", "from trading.services import journal"),
    "The domain is plain Python": ("risk/domain/policy.py", "import django.utils.timezone"),
    "Adapters import ports and domain, never models": ("trading/adapters/chainlink.py", "from trading.models import Quote"),
    "web3 and the venue's SDK appear in execution's adapters only": ("trading/services/prices.py", "import web3"),
    "Only entry points import conf": ("trading/services/prices.py", "from trading import conf"),
}


def lint(folder: Path) -> tuple[int, str]:
    """What import-linter says of a tree."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    environment = os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "200"}
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    return result.returncode, result.stdout + result.stderr


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "migrations", "*.json"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def verdicts(said: str) -> dict[str, str]:
    """Each contract's name and whether it was kept."""
    lines = [line.rsplit(" ", 1) for line in said.splitlines() if line.endswith((" KEPT", " BROKEN"))]
    return {name.strip(): verdict for name, verdict in lines}


def test_every_contract_is_kept() -> None:
    status, said = lint(ROOT)
    assert (status, set(verdicts(said).values())) == (0, {"KEPT"}), said


@pytest.mark.parametrize("contract", BREACHES)
def test_a_breach_is_caught_by_its_contract(copy: Path, contract: str) -> None:
    module, line = BREACHES[contract]
    with (copy / module).open("a") as source:
        source.write(f"\n{line}\n")
    status, said = lint(copy)
    broken = [name for name, verdict in verdicts(said).items() if verdict == "BROKEN"]
    assert status == 1
    assert any(name.startswith(contract) for name in broken), said


def test_every_contract_has_its_breach() -> None:
    names = list(verdicts(lint(ROOT)[1]))
    assert [name for name in names if not any(name.startswith(contract) for contract in BREACHES)] == []
