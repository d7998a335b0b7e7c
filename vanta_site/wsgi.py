"""The WSGI entry point of the `webhook` process."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vanta_site.settings.all")

application = get_wsgi_application()

from vanta_site import checks, standing  # noqa: E402 - they read settings and apps, which the line above sets up

checks.refuse_to_start()
standing.announce()
