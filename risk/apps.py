"""Django's name for the app."""

from django.apps import AppConfig


class RiskConfig(AppConfig):
    """Decisions, their checks, and policies."""

    name = "risk"
