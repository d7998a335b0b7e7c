"""The console's pages over `risk`."""

from risk.admin.brakes import EquityAdmin, FlattenAdmin, HaltAdmin, LockAdmin, LossDayAdmin
from risk.admin.following import CopyAdmin, FollowingAdmin, TrackingAdmin
from risk.admin.ledgers import DecisionAdmin, LegAdmin
from risk.admin.policies import PolicyAdmin

__all__ = [
    "CopyAdmin",
    "DecisionAdmin",
    "EquityAdmin",
    "FlattenAdmin",
    "FollowingAdmin",
    "HaltAdmin",
    "LegAdmin",
    "LockAdmin",
    "LossDayAdmin",
    "PolicyAdmin",
    "TrackingAdmin",
]
