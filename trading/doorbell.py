"""Wakes the worker that is next, once the rows are committed. A lost ring costs one sweep, never a row."""

from functools import partial

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string


def ring(event: str, *, key: int) -> None:
    """Announce an event of one lane after commit; `vanta_site.pipeline` knows who follows it."""
    # robust: whatever happens to the broker, the caller's work is committed and stands.
    transaction.on_commit(partial(_ring_now, event, key), robust=True)


def _ring_now(event: str, key: int) -> None:
    import_string(settings.DOORBELL)(event, key)
