"""Builds the adapters that settings name; only entry points ask."""

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from trading.ports import ModeSwitch, PriceSource


@cache
def mode_switch() -> ModeSwitch:
    """This process's view of the runtime switch; it remembers its streak of healthy reads."""
    switch: ModeSwitch = import_string(settings.MODE_SWITCH)()
    return switch


@cache
def price_sources() -> tuple[PriceSource, ...]:
    """The price sources in use."""
    return tuple(import_string(path)() for path in settings.PRICE_SOURCES)
