"""The console's pages over `bots`."""

from bots.admin import channels, deliveries

__all__ = ["channels", "deliveries"]
