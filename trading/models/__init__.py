"""The rows of `trading`."""

from trading.models.audit import AuditCheck, AuditHead, AuditRow
from trading.models.day_result import DayResult
from trading.models.event import Event
from trading.models.feed import LastPrice, PriceFeed
from trading.models.level import PositionLevel
from trading.models.market import Market
from trading.models.member import Member
from trading.models.mode import ModeState
from trading.models.position import Fill, Position
from trading.models.protection import Firing, Protection
from trading.models.quote import Quote
from trading.models.signal import Signal
from trading.models.source import Source
from trading.models.source_secret import SourceSecret
from trading.models.token import ApiToken
from trading.models.trader import Leader, Trader
from trading.models.wallet import PaperFlow, PaperWallet

__all__ = [
    "ApiToken",
    "AuditCheck",
    "AuditHead",
    "AuditRow",
    "DayResult",
    "Event",
    "Fill",
    "Firing",
    "LastPrice",
    "Leader",
    "Market",
    "Member",
    "ModeState",
    "PaperFlow",
    "PaperWallet",
    "Position",
    "PositionLevel",
    "PriceFeed",
    "Protection",
    "Quote",
    "Signal",
    "Source",
    "SourceSecret",
    "Trader",
]
