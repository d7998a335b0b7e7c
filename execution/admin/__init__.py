"""The console's pages over `execution`."""

from execution.admin import ledgers, paper

__all__ = ["ledgers", "paper"]
