"""The console's pages over `execution`."""

from execution.admin import ledgers, paper, reconciliation

__all__ = ["ledgers", "paper", "reconciliation"]
