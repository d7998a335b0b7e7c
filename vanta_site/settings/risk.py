"""Settings of `risk`: the ceiling of leverage, and the first value of the global policy."""

from vanta_site.settings.env import read

MAX_LEVERAGE = read.decimal("MAX_LEVERAGE", "500")
MAX_POSITION_SIZE_USD = read.decimal("MAX_POSITION_SIZE_USD", "100000")
