"""The rows of `risk`."""

from risk.models.account import AccountFacts
from risk.models.decision import Decision, Leg
from risk.models.equity import Equity, EquitySample, LossDay
from risk.models.flatten import Flatten
from risk.models.following import Copy, CopySignal, Following
from risk.models.halt import Halt
from risk.models.lock import Lock
from risk.models.policy import Policy
from risk.models.tracking import Tracking

__all__ = [
    "AccountFacts",
    "Copy",
    "CopySignal",
    "Decision",
    "Equity",
    "EquitySample",
    "Flatten",
    "Following",
    "Halt",
    "Leg",
    "Lock",
    "LossDay",
    "Policy",
    "Tracking",
]
