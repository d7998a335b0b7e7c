"""Settings of `bots`: Telegram."""

from vanta_site.settings.env import read

TELEGRAM_BOT_TOKEN = read.text("TELEGRAM_BOT_TOKEN", "", example="123456:letters")
FLOWER_BASIC_AUTH = read.text("FLOWER_BASIC_AUTH", "", example="operator:password")
