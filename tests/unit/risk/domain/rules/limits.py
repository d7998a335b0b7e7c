"""What policies and the canary allow one position, on both sides."""

from risk.domain.decision import Denial
from risk.domain.rules import limits
from risk.domain.situation import Canary
from tests.unit.risk.domain.rules.table import Pass, Refusal, refusal
from tests.unit.risk.domain.situations import entry, limited
from trading.domain.units import Leverage, Usdc

CAP = Usdc.of(100_000)
FIFTY = limited(max_leverage=Leverage.of(50))
USER = limited(scope="account", max_position=CAP)
SYMBOL = limited(scope="symbol", max_position=CAP)
FLYING = Canary(max_notional=Usdc.of(10), symbols=frozenset({"BTC-USD"}), accounts=frozenset({123}))
ELSEWHERE = Canary(max_notional=Usdc.of(10), symbols=frozenset({"SOL-USD", "ETH-USD"}), accounts=frozenset({7, 124}))

PASSES: list[Pass] = [
    (limits.max_leverage, entry(leverage=50, policy=FIFTY)),
    (limits.leverage_above_one, entry(leverage=1)),
    (limits.circuit_breaker, entry()),
    (limits.user_position, entry(collateral=100, leverage=1000, policy=USER)),
    (limits.symbol_position, entry(collateral=100, leverage=1000, policy=SYMBOL)),
    (limits.canary_account, entry(canary=FLYING)),
    (limits.canary_symbol, entry(canary=FLYING)),
    (limits.canary_notional, entry(collateral=5, leverage=2, canary=FLYING)),
]

REFUSALS: list[Refusal] = [
    refusal(
        limits.max_leverage,
        entry(leverage=51, policy=FIFTY),
        Denial.LEVERAGE_ABOVE_MAX,
        value="51x",
        limit="50x",
        message="Leverage 51x exceeds max 50x",
    ),
    refusal(
        limits.max_leverage,
        entry(leverage="50.0000000001", policy=FIFTY),
        Denial.LEVERAGE_ABOVE_MAX,
        value="50.0000000001x",
        limit="50x",
        message="Leverage 50.0000000001x exceeds max 50x",
    ),
    refusal(
        limits.leverage_above_one,
        entry(leverage="0.5"),
        Denial.LEVERAGE_BELOW_ONE,
        value="0.5x",
        limit="1x",
        message="Leverage must be >= 1x",
    ),
    refusal(
        limits.leverage_above_one,
        entry(leverage="0.9999999999"),
        Denial.LEVERAGE_BELOW_ONE,
        value="0.9999999999x",
        limit="1x",
        message="Leverage must be >= 1x",
    ),
    refusal(
        limits.circuit_breaker,
        entry(policy=limited(circuit_breaker=True)),
        Denial.CIRCUIT_BREAKER,
        value="exits only",
        limit="allowed",
        message="circuit breaker: exits only",
    ),
    refusal(
        limits.user_position,
        entry(collateral=100, leverage=1001, policy=USER),
        Denial.POSITION_ABOVE_USER_LIMIT,
        value="$100100",
        limit="$100000",
        message="Position $100100 exceeds user limit $100000",
    ),
    refusal(
        limits.user_position,
        entry(collateral="100000.000001", leverage=1, policy=USER),
        Denial.POSITION_ABOVE_USER_LIMIT,
        value="$100000.000001",
        limit="$100000",
        message="Position $100000.000001 exceeds user limit $100000",
    ),
    refusal(
        limits.symbol_position,
        entry(collateral="100000.000001", leverage=1, policy=SYMBOL),
        Denial.POSITION_ABOVE_SYMBOL_LIMIT,
        value="$100000.000001",
        limit="$100000",
        message="Position $100000.000001 exceeds symbol limit $100000",
    ),
    refusal(
        limits.canary_account,
        entry(canary=ELSEWHERE),
        Denial.CANARY_USER_NOT_ALLOWED,
        value="123",
        limit="7, 124",
        message="Account 123 is not one of the canary's",
    ),
    refusal(
        limits.canary_symbol,
        entry(canary=ELSEWHERE),
        Denial.CANARY_SYMBOL_NOT_ALLOWED,
        value="BTC-USD",
        limit="ETH-USD, SOL-USD",
        message="BTC-USD is not one of the canary's markets",
    ),
    refusal(
        limits.canary_notional,
        entry(collateral="10.000001", leverage=1, canary=FLYING),
        Denial.CANARY_NOTIONAL_ABOVE_MAX,
        value="$10.000001",
        limit="$10",
        message="Position $10.000001 exceeds the canary's $10",
    ),
]
