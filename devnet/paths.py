"""Where the local stack keeps its things. Everything it writes lies under `.run/`."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUN = ROOT / ".run"
TOOLS = RUN / "tools"
LOGS = RUN / "logs"
BIN = RUN / "bin"
VENV_BIN = ROOT / ".venv" / "bin"
ENV_FILE = RUN / "env"
SECRETS_FILE = RUN / "secrets.json"
DEPLOYMENT_FILE = RUN / "deployment.json"
LOCK_FILE = RUN / "stack.pid"
READY_FILE = RUN / "ready"
CHAIN_STATE = RUN / "chain" / "state.json"
PROCFILE = ROOT / "Procfile"


def write_private(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Write a file that only its owner can read, from its first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    draft.touch(mode=mode)
    draft.write_text(text)
    draft.replace(path)
