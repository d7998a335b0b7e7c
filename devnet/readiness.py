"""Whether the system says that it is ready, and what it still misses."""

from collections.abc import Callable
from typing import Any

import httpx


class Readiness:
    """Asks `/readyz`, and tells whoever listens whenever what is missing changes."""

    def __init__(self, url: str, *, on_change: Callable[[str], None]) -> None:
        self._url = url
        self._on_change = on_change
        self.missing = "the web server"

    def is_ready(self) -> bool:
        """Whether it answers 200 now."""
        missing = self._ask()
        if missing != self.missing:
            self.missing = missing
            if missing:
                self._on_change(missing)
        return not missing

    def _ask(self) -> str:
        try:
            answer = httpx.get(self._url, timeout=3.0, trust_env=False)
        except httpx.HTTPError:
            return "the web server"
        if answer.status_code == httpx.codes.OK:
            return ""
        try:
            return missing_components(answer.json())
        except ValueError:
            return f"the web server (it answers {answer.status_code})"


def answers(url: str) -> bool:
    """Whether a service answers there."""
    try:
        return httpx.get(url, timeout=1.0, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def missing_components(document: Any) -> str:
    """The names of the components that are not healthy, in words."""
    components = document.get("components", {}) if isinstance(document, dict) else {}
    names = [name for name, state in components.items() if not _is_healthy(state)]
    return ", ".join(sorted(names)) or "a component that it doesn't name"


def _is_healthy(state: Any) -> bool:
    return bool((state.get("status") if isinstance(state, dict) else state) in ("healthy", "ok", True))
