"""The checked-in artifacts are what the compiler makes of the sources today."""

import shutil
import subprocess
from pathlib import Path

import pytest

from devnet import paths

COMPILER = "solc@0.8.37"
CLIENT_ABI = Path("execution/adapters/veranta/abi.json")
ARTIFACTS = Path("devnet/contracts/artifacts")


@pytest.fixture(scope="module")
def compiler() -> Path:
    """The compiler's directory; the tests are skipped where npm or its registry is out of reach."""
    folder = paths.TOOLS / "solc"
    if (folder / "node_modules" / "solc").exists():
        return folder
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    options = ("--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder))
    done = subprocess.run((npm, "install", *options, COMPILER), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"npm can't install {COMPILER}")
    return folder


def files(root: Path) -> dict[str, bytes]:
    found = [CLIENT_ABI, *sorted(path.relative_to(root) for path in (root / ARTIFACTS).glob("*.json"))]
    return {str(path): (root / path).read_bytes() for path in found}


@pytest.mark.slow
def test_a_recompilation_gives_the_same_bytes(compiler: Path, tmp_path: Path) -> None:
    script = paths.ROOT / "devnet" / "contracts" / "build.mjs"
    command = ("node", str(script), str(compiler), str(tmp_path))
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    assert files(tmp_path) == files(paths.ROOT)
