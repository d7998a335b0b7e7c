"""Django's name for the app."""

from django.apps import AppConfig


class ExecutionConfig(AppConfig):
    """Orders, intents, sends, receipts."""

    name = "execution"
