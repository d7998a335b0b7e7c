"""Copied entries have a ceiling of their own: it is asked, as the mode is, right before anything is signed."""

from execution.models import TxIntent
from trading.domain.mode import Mode
from trading.domain.signal import source_of
from trading.services import mode
from trading.services.mode import COPY_SOURCE


def must_wait(intent: TxIntent) -> bool:
    """Whether an intent is a copied entry that was accepted before the environment put copying on paper. Exits never wait."""
    is_entry = intent.priority == TxIntent.ENTRY_PRIORITY
    return is_entry and _is_copied(intent) and mode.copy_ceiling().mode is Mode.DRY


def _is_copied(intent: TxIntent) -> bool:
    # Beyond a `#` stands the number of a further leg.
    return source_of(intent.intent_key.partition("#")[0]).startswith(f"{COPY_SOURCE}:")
