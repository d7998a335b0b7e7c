"""The rules, in order. `RULES` is the policy: adding a rule is adding one line to it.

Each rule is a pure function from the situation to a check, or to None when it has nothing to say.
"""

from risk.domain.decision import Rule
from risk.domain.rules import desk, exits, exposure, halts, limits, market, money, pace, prices, sources

RULES: tuple[Rule, ...] = (
    desk.emergency_stop,
    halts.trading_state,
    desk.takes_entries,
    desk.maintenance,
    sources.is_enabled,
    sources.account_is_allowed,
    sources.symbol_is_allowed,
    desk.freshness,
    desk.order_in_time,
    market.is_open,
    market.takes_entries,
    market.leverage_is_offered,
    market.smallest_position,
    limits.max_leverage,
    limits.leverage_above_one,
    limits.circuit_breaker,
    limits.user_position,
    limits.symbol_position,
    money.size,
    money.free_collateral,
    exits.something_to_close,
    exits.close_size,
    limits.canary_account,
    limits.canary_symbol,
    limits.canary_notional,
    money.account_risk,
    prices.stop_side,
    prices.target_side,
    prices.stop_before_liquidation,
    prices.entry_price,
    prices.collar,
    *exposure.RULES,
    exposure.open_positions,
    *halts.RULES,
    *pace.RULES,
    money.gas,
    money.allowance,
    money.delegation,
)
