"""The rows of `bots`: who is told of events, and what is owed to each."""

from bots.models.channel import Channel
from bots.models.delivery import Delivery, JournalPlace

__all__ = ["Channel", "Delivery", "JournalPlace"]
