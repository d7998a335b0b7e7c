"""The rows of `execution`."""

from execution.models.chain import ChainBlock, Cursor
from execution.models.identity import DatabaseIdentity
from execution.models.intent import TxIntent
from execution.models.level_update import LevelUpdate
from execution.models.order import Order
from execution.models.reconciliation import AccountLook, Difference, WalletFlow
from execution.models.send import TxReceipt, TxSend
from execution.models.sender import Delegation, Sender
from execution.models.venue_order import VenueOrder

__all__ = [
    "AccountLook",
    "ChainBlock",
    "Cursor",
    "DatabaseIdentity",
    "Delegation",
    "Difference",
    "LevelUpdate",
    "Order",
    "Sender",
    "TxIntent",
    "TxReceipt",
    "TxSend",
    "VenueOrder",
    "WalletFlow",
]
