"""Django's name for the site, and for its admin."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class VantaSiteConfig(AppConfig):
    """The composition root."""

    name = "vanta_site"
    default = True

    def ready(self) -> None:
        """Register the checks that refuse an unsafe start."""
        from vanta_site import checks  # noqa: F401 - importing registers them


class VantaAdminConfig(admin_apps.AdminConfig):
    """The operators' console."""

    default = False
    default_site = "vanta_site.console.Console"
