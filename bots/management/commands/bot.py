"""`manage.py bot`: the Telegram bot, by long polling."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from bots.adapters import telegram
from bots.services import answers
from trading import conf


class Command(BaseCommand):
    """The `bot` process."""

    help = "Runs the Telegram bot until it is told to stop; needs TELEGRAM_BOT_TOKEN."

    def handle(self, *_: Any, **__: Any) -> None:
        if not settings.TELEGRAM_BOT_TOKEN:
            raise CommandError("TELEGRAM_BOT_TOKEN is not set: get a token from @BotFather")
        switch = conf.mode_switch()
        bot = telegram.application(
            token=settings.TELEGRAM_BOT_TOKEN,
            answer=lambda word, user_id: answers.answer(word, user_id=user_id, switch=switch),
        )
        bot.run_polling()
