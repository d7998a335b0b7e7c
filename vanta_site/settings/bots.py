"""Settings of `bots`: Telegram, webhooks."""

from vanta_site.settings.env import read

TELEGRAM_BOT_TOKEN = read.text("TELEGRAM_BOT_TOKEN", "", example="123456:letters")
FLOWER_BASIC_AUTH = read.text("FLOWER_BASIC_AUTH", "", example="operator:password")

# The hosts that webhooks may go to; none: no webhooks.
WEBHOOK_TARGET_HOSTS = read.items("WEBHOOK_TARGET_HOSTS", example="hooks.example.org,desk.example.org")
# This machine itself, unencrypted: for development.
WEBHOOK_ALLOW_LOOPBACK = read.flag("WEBHOOK_ALLOW_LOOPBACK", False)
# Who carries them (`bots.conf` builds it).
POSTMAN = "bots.adapters.postman.HttpPostman"
