"""The console's pages over `trading`."""

from trading.admin import audit, desk, flow, leaders, people, sources, tokens

__all__ = ["audit", "desk", "flow", "leaders", "people", "sources", "tokens"]
