"""ruff and mypy, with the project's own settings, each shown to catch a deliberate breach."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, input=text, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("breach", "rule"),
    [
        ("def run() -> None:\n    try:\n        print()\n    except Exception:\n        pass\n", "BLE001"),
        ("from datetime import datetime\n\nNOW = datetime.now()\n", "DTZ005"),
        ("def paid(amount, is_final=False):\n    return amount\n", "FBT002"),
        ('def show() -> None:\n    """Print."""\n    print(1)\n', "T201"),
    ],
)
def test_ruff_catches_a_breach(breach: str, rule: str) -> None:
    found = run("ruff", "check", "--stdin-filename", "trading/services/breach.py", "--output-format", "concise", "-", text=breach)

    assert found.returncode == 1
    assert rule in found.stdout


@pytest.mark.parametrize(
    "breach",
    [
        "def paid(amount):\n    return amount\n",
        "from trading.domain.units import Price, Usdc\n\nTOTAL = Usdc(1) + Price(1)\n",
    ],
    ids=["no annotation", "two units added"],
)
def test_mypy_catches_a_breach(breach: str, tmp_path: Path) -> None:
    file = tmp_path / "breach.py"
    file.write_text(breach)

    found = run("mypy", "--config-file", "pyproject.toml", str(file))

    assert found.returncode == 1, found.stdout
    assert "error:" in found.stdout
