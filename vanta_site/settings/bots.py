"""Settings of `bots`: Telegram and its roles."""

from vanta_site.settings.env import read

TELEGRAM_BOT_TOKEN = read.text("TELEGRAM_BOT_TOKEN", "", example="123456:letters")
ADMIN_USER_IDS = read.items("ADMIN_USER_IDS", example="123,456")
SUPER_ADMIN_IDS = read.items("SUPER_ADMIN_IDS", example="123")
FLOWER_BASIC_AUTH = read.text("FLOWER_BASIC_AUTH", "", example="operator:password")
