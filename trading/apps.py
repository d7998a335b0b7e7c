"""Django's name for the app."""

from django.apps import AppConfig


class TradingConfig(AppConfig):
    """Signals, prices, positions, the execution mode."""

    name = "trading"
