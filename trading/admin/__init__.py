"""The console's pages over `trading`."""

from trading.admin import audit, desk, flow, people, sources, tokens

__all__ = ["audit", "desk", "flow", "people", "sources", "tokens"]
