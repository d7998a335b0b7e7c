"""The console's pages over `execution`."""

from execution.admin import ledgers

__all__ = ["ledgers"]
