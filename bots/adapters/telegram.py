"""Telegram through python-telegram-bot: private chats only, long polling."""

from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from telegram import Update
from telegram.ext import AIORateLimiter, Application, CommandHandler, ContextTypes, filters
from telegram.request import BaseRequest

from bots.domain.messages import COMMANDS

# word, user id → the text to answer, or None for silence. Runs on a thread: it reads the database.
Answer = Callable[[str, int], str | None]


def application(*, token: str, answer: Answer, request: BaseRequest | None = None) -> Application[Any, Any, Any, Any, Any, Any]:
    """The bot, with one handler for each command; `request` is another way to the Bot API than HTTP."""
    builder = Application.builder().token(token).rate_limiter(AIORateLimiter(max_retries=3))
    if request is not None:
        builder = builder.request(request).get_updates_request(request).updater(None)
    built = builder.build()
    for command in COMMANDS:
        built.add_handler(CommandHandler(command.word, _handler(command.word, answer), filters=filters.ChatType.PRIVATE))
    return built


def _handler(word: str, answer: Answer) -> Callable[[Update, ContextTypes.DEFAULT_TYPE], Any]:
    async def handle(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        if update.effective_user is None or update.effective_message is None:
            return
        text = await sync_to_async(answer)(word, update.effective_user.id)
        if text is not None:
            await update.effective_message.reply_text(text)

    return handle
