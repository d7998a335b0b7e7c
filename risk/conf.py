"""Builds the adapters that settings name; only entry points ask."""

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from risk.ports import Accounts


@cache
def accounts() -> Accounts:
    """The chain's word on our traders' accounts."""
    found: Accounts = import_string(settings.ACCOUNTS)()
    return found
