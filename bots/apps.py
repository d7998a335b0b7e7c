"""Django's name for the app."""

from django.apps import AppConfig


class BotsConfig(AppConfig):
    """Telegram."""

    name = "bots"
