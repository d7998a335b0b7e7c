"""The console's pages over `trading`."""

from trading.admin import desk, flow

__all__ = ["desk", "flow"]
