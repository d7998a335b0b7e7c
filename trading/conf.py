"""Builds the adapters that settings name; only entry points ask."""

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from trading.ports import Exits, ModeSwitch, PriceSource, SequencerFeed


@cache
def mode_switch() -> ModeSwitch:
    """This process's view of the runtime switch; it remembers its streak of healthy reads."""
    switch: ModeSwitch = import_string(settings.MODE_SWITCH)()
    return switch


@cache
def price_sources() -> tuple[PriceSource, ...]:
    """The price sources in use."""
    return tuple(import_string(settings.PRICE_ADAPTERS[name])() for name in settings.PRICE_SOURCES)


@cache
def sequencer_feed() -> SequencerFeed | None:
    """Who tells whether the sequencer is up; None on a chain that has no such feed."""
    feed: SequencerFeed | None = import_string(settings.SEQUENCER_FEED)() if settings.CHAINLINK_SEQUENCER_FEED else None
    return feed


@cache
def exits() -> Exits:
    """Who knows what became of closes."""
    found: Exits = import_string(settings.EXITS)()
    return found
