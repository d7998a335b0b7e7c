"""The rules about the sender, on both sides."""

from risk.domain.decision import Denial
from risk.domain.rules import sources
from risk.domain.situation import SourceFacts
from tests.unit.risk.domain.rules.table import Pass, Refusal, refusal
from tests.unit.risk.domain.situations import close, entry

OURS = SourceFacts(name="tv", symbols=frozenset({"BTC-USD", "ETH-USD"}), accounts=frozenset({123, 7}))
STRANGE = SourceFacts(name="tv", is_enabled=False, symbols=frozenset({"ETH-USD"}), accounts=frozenset({7, 124}))

PASSES: list[Pass] = [
    (sources.is_enabled, entry()),
    (sources.is_enabled, close()),
    (sources.account_is_allowed, entry(source=OURS)),
    (sources.symbol_is_allowed, close(source=OURS)),
]

REFUSALS: list[Refusal] = [
    refusal(
        sources.is_enabled,
        close(source=STRANGE),
        Denial.SOURCE_DISABLED,
        value="disabled",
        limit="enabled",
        message="Source tv is disabled",
    ),
    refusal(
        sources.account_is_allowed,
        close(source=STRANGE),
        Denial.SOURCE_ACCOUNT_NOT_ALLOWED,
        value="123",
        limit="7, 124",
        message="Source tv can't trade for 123",
    ),
    refusal(
        sources.symbol_is_allowed,
        entry(source=STRANGE),
        Denial.SOURCE_SYMBOL_NOT_ALLOWED,
        value="BTC-USD",
        limit="ETH-USD",
        message="Source tv can't trade BTC-USD",
    ),
]
