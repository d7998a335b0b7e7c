"""The development secrets: made at random once, kept in a file that only its owner can read."""

import base64
import json
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from devnet.paths import write_private

MAKERS: Mapping[str, Callable[[], str]] = {
    "POSTGRES_PASSWORD": lambda: secrets.token_hex(16),
    "POSTGRES_APP_PASSWORD": lambda: secrets.token_hex(16),
    "REDIS_PASSWORD": lambda: secrets.token_hex(16),
    "SECRET_KEY": lambda: secrets.token_urlsafe(50),
    "FIELD_ENCRYPTION_KEYS": lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    "WEBHOOK_HMAC_SECRET": lambda: secrets.token_hex(32),
    "ADMIN_TOKEN": lambda: secrets.token_urlsafe(32),
    "FLOWER_BASIC_AUTH": lambda: f"operator:{secrets.token_urlsafe(12)}",
    # The key of an account on the local chain: play money only, and never the same on two machines.
    "SIGNER_PRIVATE_KEY": lambda: f"0x{secrets.token_hex(32)}",
}


class SecretStore:
    """Names and values in one JSON file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}

    def fill(self) -> None:
        """Make what is missing; keep what is there."""
        missing = {name: make() for name, make in MAKERS.items() if name not in self._values}
        if missing:
            self._write({**self._values, **missing})

    def put(self, name: str, value: str) -> None:
        """Keep a secret that was made elsewhere."""
        self._write({**self._values, name: value})

    def get(self, name: str, default: str = "") -> str:
        """A secret by its name."""
        return self._values.get(name, default)

    def _write(self, values: dict[str, str]) -> None:
        self._values = values
        write_private(self._path, json.dumps(values, indent=2) + "\n")
