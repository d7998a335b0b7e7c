"""The rows of `risk`."""

from risk.models.account import AccountFacts
from risk.models.decision import Decision, Leg
from risk.models.policy import Policy

__all__ = ["AccountFacts", "Decision", "Leg", "Policy"]
