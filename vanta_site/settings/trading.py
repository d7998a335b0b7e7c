"""Settings of `trading`: the door, people, the execution mode, prices."""

from vanta_site.settings.env import read

WEBHOOK_HMAC_SECRET = read.text("WEBHOOK_HMAC_SECRET", "", example="a random text of 40 characters")
# Of each source that has no limit of its own; exits are never counted.
SOURCE_ENTRIES_PER_MINUTE = read.whole("SOURCE_ENTRIES_PER_MINUTE", 6000)
SIGNALS_ENABLED = read.flag("SIGNALS_ENABLED", True)
MAINTENANCE_MODE = read.flag("MAINTENANCE_MODE", False)
AUTOMATION_PAUSED = read.flag("AUTOMATION_PAUSED", False)

# How long a signal of a source in mode APPROVE waits for a person's yes.
APPROVAL_SECONDS = read.whole("APPROVAL_SECONDS", 300)

# Telegram ids; others are admitted by a super-admin (`manage.py member`).
ADMIN_USER_IDS = read.wholes("ADMIN_USER_IDS", example="123,456")
SUPER_ADMIN_IDS = read.wholes("SUPER_ADMIN_IDS", example="123")

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
# The web, which has the pool, rings off the path of its answers.
DOORBELL = "vanta_site.ringing.ring" if read.flag("DB_POOL", False) else "vanta_site.pipeline.ring"
PRICE_ADAPTERS = {
    "venue": "trading.adapters.venue_feed.VenueFeed",
    "pyth": "trading.adapters.pyth.PythHermes",
    "chainlink": "trading.adapters.chainlink.ChainlinkFeeds",
    "coingecko": "trading.adapters.coingecko.CoinGecko",
}
EXITS = "execution.selectors.Exits"
SEQUENCER_FEED = "trading.adapters.chainlink.ChainlinkSequencer"

# Where the venue holds a level that is reached, its keeper has this long before our own close goes out.
VENUE_LEVEL_PATIENCE_SECONDS = read.whole("VENUE_LEVEL_PATIENCE_SECONDS", 5)

# Who is asked for prices; CoinGecko is a cross-check that never counts.
PRICE_SOURCES = read.choices("PRICE_SOURCES", tuple(PRICE_ADAPTERS), ("venue", "pyth", "chainlink"))
PYTH_HERMES_URL = read.text("PYTH_HERMES_URL", "https://pyth.dourolabs.app/hermes")
PYTH_API_KEY = read.text("PYTH_API_KEY", "", example="a key of Pyth's")
# Pyth's own ids, the same everywhere.
PYTH_FEEDS = read.pairs(
    "PYTH_FEEDS",
    (
        "BTC-USD=0xe62df6c8b4a85fe1a67db44dc12de5db330f7ac66b72dc658afedf0f4a415b43",
        "ETH-USD=0xff61491a931112ddf1bd8147cd1b641375f79f5825126d665480874634fd0ace",
        "SOL-USD=0xef0d8b6fda2ceba41da15d4095d1da392a0d2f8ed0c6c7bc0f4cfac8c280b56d",
    ),
    example="BTC-USD=0xe62d...5b43",
)
CHAINLINK_FEEDS = read.pairs("CHAINLINK_FEEDS", example="BTC-USD=0x64c9...848F")
CHAINLINK_SEQUENCER_FEED = read.text("CHAINLINK_SEQUENCER_FEED", "", example="0xBCF8...6433")
COINGECKO_URL = read.text("COINGECKO_URL", "https://api.coingecko.com/api/v3")
COINGECKO_API_KEY = read.text("COINGECKO_API_KEY", "", example="a key of CoinGecko's demo plan")
COINGECKO_IDS = read.pairs("COINGECKO_IDS", ("BTC-USD=bitcoin", "ETH-USD=ethereum", "SOL-USD=solana"), example="BTC-USD=bitcoin")
