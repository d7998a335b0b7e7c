"""The console's pages over `risk`."""

from risk.admin.brakes import EquityAdmin, FlattenAdmin, HaltAdmin, LockAdmin, LossDayAdmin
from risk.admin.ledgers import DecisionAdmin, LegAdmin
from risk.admin.policies import PolicyAdmin

__all__ = [
    "DecisionAdmin",
    "EquityAdmin",
    "FlattenAdmin",
    "HaltAdmin",
    "LegAdmin",
    "LockAdmin",
    "LossDayAdmin",
    "PolicyAdmin",
]
