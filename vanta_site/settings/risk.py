"""Settings of `risk`: the ceilings, and the first values of the global policy, which operators change at runtime."""

from vanta_site.settings.env import read

# The most leverage while the canary flies.
CANARY_LEVERAGE = 2

CANARY_ENABLED = read.flag("CANARY_ENABLED", False)
MAX_NOTIONAL_USDC = read.decimal("MAX_NOTIONAL_USDC", "10")
ALLOWED_SYMBOLS = read.items("ALLOWED_SYMBOLS", example="BTC-USD,ETH-USD") or ("BTC-USD", "ETH-USD")
CANARY_USER_IDS = tuple(int(each) for each in read.items("CANARY_USER_IDS", example="123,456"))

# No policy passes it; with the canary on, the canary's own caps it too.
MAX_LEVERAGE = read.decimal("MAX_LEVERAGE", "500")

MAX_POSITION_SIZE_USD = read.decimal("MAX_POSITION_SIZE_USD", "100000")
# Shares of one.
MAX_ACCOUNT_RISK_PCT = read.decimal("MAX_ACCOUNT_RISK_PCT", "0.10")
LIQUIDATION_BUFFER_PCT = read.decimal("LIQUIDATION_BUFFER_PCT", "0.05")
MAX_DAILY_LOSS_PCT = read.decimal("MAX_DAILY_LOSS_PCT", "0.20")
MAX_PRICE_DEVIATION_PCT = read.decimal("MAX_PRICE_DEVIATION_PCT", "0.01")
# Sliding windows of an account; 0: no limit.
MAX_OPENS_PER_MINUTE = read.whole("MAX_OPENS_PER_MINUTE", 5)
MAX_TRADES_PER_DAY = read.whole("MAX_TRADES_PER_DAY", 50)
MAX_COLLATERAL_PER_HOUR_USD = read.decimal("MAX_COLLATERAL_PER_HOUR_USD", "10000")
MAX_VOLUME_PER_DAY_USD = read.decimal("MAX_VOLUME_PER_DAY_USD", "0")

# What every account begins with on paper.
PAPER_BALANCE_USDC = read.decimal("PAPER_BALANCE_USDC", "10000")

# Who answers a port (`risk.conf` builds it).
ACCOUNTS = "execution.conf.accounts"
