"""The console's pages over `risk`."""

from risk.admin.ledgers import DecisionAdmin, LegAdmin
from risk.admin.policies import PolicyAdmin

__all__ = ["DecisionAdmin", "LegAdmin", "PolicyAdmin"]
