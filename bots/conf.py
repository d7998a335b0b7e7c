"""Builds the adapters that settings name; only entry points ask."""

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from bots.domain.target import Rules
from bots.ports import Postman


@cache
def postman() -> Postman:
    """Who carries webhooks, to the hosts that settings allow."""
    hosts = frozenset(host.lower() for host in settings.WEBHOOK_TARGET_HOSTS)
    made: Postman = import_string(settings.POSTMAN)(rules=Rules(hosts=hosts, may_be_local=settings.WEBHOOK_ALLOW_LOOPBACK))
    return made
