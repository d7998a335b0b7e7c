"""Settings of `trading`: the door, the execution mode, prices."""

from vanta_site.settings.env import read

WEBHOOK_HMAC_SECRET = read.text("WEBHOOK_HMAC_SECRET", "", example="a random text of 40 characters")
SIGNALS_ENABLED = read.flag("SIGNALS_ENABLED", True)
MAINTENANCE_MODE = read.flag("MAINTENANCE_MODE", False)
AUTOMATION_PAUSED = read.flag("AUTOMATION_PAUSED", False)

# The ceiling of the execution mode: the more cautious of the two wins; with EXEC_MODE unset,
# COPY_EXECUTION_MODE is the global ceiling (`trading.domain.mode.ceiling`).
COPY_EXECUTION_MODE = read.choice("COPY_EXECUTION_MODE", ("DRY", "LIVE"), "DRY")
EXEC_MODE = read.choice("EXEC_MODE", ("DRY", "LIVE"), COPY_EXECUTION_MODE)
EXEC_IS_SET = read.is_set("EXEC_MODE")
COPY_IS_SET = read.is_set("COPY_EXECUTION_MODE")
DEFAULT_EXECUTION_MODE = read.choice("DEFAULT_EXECUTION_MODE", ("DRY", "LIVE"), EXEC_MODE)
EMERGENCY_STOP = read.flag("EMERGENCY_STOP", False)
ALLOW_LIVE_AFTER_STREAK = read.whole("ALLOW_LIVE_AFTER_STREAK", 3)
LIVE_REQUIRES_TWO = read.flag("LIVE_REQUIRES_TWO", False)
AUTO_DRY_ON_VIOLATION = read.flag("AUTO_DRY_ON_VIOLATION", True)

# Who answers a port (`trading.conf` builds them), and who carries a ring to the workers.
MODE_SWITCH = "trading.adapters.redis_switch.RedisSwitch"
PRICE_SOURCES = ("trading.adapters.chainlink.ChainlinkFeeds",)
DOORBELL = "vanta_site.pipeline.ring"

CHAINLINK_FEEDS = dict(pair.split("=", 1) for pair in read.items("CHAINLINK_FEEDS", example="BTC-USD=0x64c9...848F"))
CHAINLINK_SEQUENCER_FEED = read.text("CHAINLINK_SEQUENCER_FEED", "", example="0xBCF8...6433")
