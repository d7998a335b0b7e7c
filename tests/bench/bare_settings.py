"""The site's own settings with the least possible door in place of its pages: the same middleware, the same server."""

from vanta_site.settings.all import *  # noqa: F403 - settings are gathered

ROOT_URLCONF = "tests.bench.bare"
