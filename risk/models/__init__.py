"""The rows of `risk`."""

from risk.models.decision import Decision, Leg
from risk.models.policy import Policy

__all__ = ["Decision", "Leg", "Policy"]
