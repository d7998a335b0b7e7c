"""The real library, fed with updates and heard at its requests; no socket."""

import asyncio
import json
from typing import Any

from telegram import Update
from telegram.request import BaseRequest, RequestData

from bots.adapters import telegram


class Recorder(BaseRequest):
    """A Bot API that only remembers what it was asked."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []

    @property
    def read_timeout(self) -> float:
        return 1.0

    async def initialize(self) -> None: ...

    async def shutdown(self) -> None: ...

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *_: Any, **__: Any
    ) -> tuple[int, bytes]:
        asked = url.rpartition("/")[2]
        parameters = request_data.parameters if request_data else {}
        self.sent.append((asked, parameters))
        chat = {"id": parameters.get("chat_id", 1), "type": "private"}
        message = {"message_id": 2, "date": 0, "chat": chat, "text": parameters.get("text", "")}
        me = {"id": 9, "is_bot": True, "first_name": "desk", "username": "desk_bot"}
        return 200, json.dumps({"ok": True, "result": me if asked == "getMe" else message}).encode()


def update(text: str, *, chat: str = "private", user_id: int = 123) -> dict[str, Any]:
    return {
        "update_id": 1,
        "message": {
            "message_id": 1,
            "date": 0,
            "chat": {"id": user_id, "type": chat},
            "from": {"id": user_id, "is_bot": False, "first_name": "x"},
            "text": text,
            "entities": [{"type": "bot_command", "offset": 0, "length": len(text)}],
        },
    }


def heard(*updates: dict[str, Any]) -> list[str]:
    """What the bot answered to some updates."""
    recorder = Recorder()

    async def run() -> None:
        bot = telegram.application(
            token="1:x", answer=lambda word, user_id: None if word == "help" else f"{word} {user_id}", request=recorder
        )
        async with bot:
            for each in updates:
                await bot.process_update(Update.de_json(each, bot.bot))

    asyncio.run(run())
    return [parameters["text"] for asked, parameters in recorder.sent if asked == "sendMessage"]


def test_a_command_in_a_private_chat_is_answered() -> None:
    assert heard(update("/mode")) == ["mode 123"]


def test_a_command_in_a_group_is_not() -> None:
    assert heard(update("/mode", chat="group")) == []


def test_silence_is_silence() -> None:
    assert heard(update("/help")) == []
