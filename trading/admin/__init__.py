"""The console's pages over `trading`."""

from trading.admin import audit, desk, flow

__all__ = ["audit", "desk", "flow"]
