"""Settings of `risk`: first values of the global policy, and the canary's caps."""

from vanta_site.settings.env import read

CANARY_ENABLED = read.flag("CANARY_ENABLED", False)
MAX_NOTIONAL_USDC = read.decimal("MAX_NOTIONAL_USDC", "10")
ALLOWED_SYMBOLS = read.items("ALLOWED_SYMBOLS", ("BTC-USD", "ETH-USD"), example="BTC-USD,ETH-USD")
CANARY_USER_IDS = read.items("CANARY_USER_IDS", example="123,456")
MAX_LEVERAGE = read.decimal("MAX_LEVERAGE", "2" if CANARY_ENABLED else "500")
MAX_POSITION_SIZE_USD = read.decimal("MAX_POSITION_SIZE_USD", "100000")
MAX_ACCOUNT_RISK_PCT = read.decimal("MAX_ACCOUNT_RISK_PCT", "0.10")
LIQUIDATION_BUFFER_PCT = read.decimal("LIQUIDATION_BUFFER_PCT", "0.05")
MAX_DAILY_LOSS_PCT = read.decimal("MAX_DAILY_LOSS_PCT", "0.20")
