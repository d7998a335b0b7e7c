"""How tests work the control page."""

from django.contrib.auth.models import User
from django.test import Client

from risk.domain.lock import LockKind
from risk.models import Lock
from tests.factories.trading import TraderFactory
from trading import clock
from trading.domain.mode import Book

PAGE = "/admin/control/"
EVERYTHING = {"scope": "GLOBAL", "book": "LIVE"}
PAUSE = {"scope": "SYMBOL", "key": "btc/usd", "state": "REDUCING"}


def browser(user: User) -> Client:
    """A browser that this person is logged in with."""
    client = Client()
    client.force_login(user)
    return client


def acted(client: Client, act: str, **said: str) -> list[str]:
    """Do one act of the page; what it says then."""
    answer = client.post(f"{PAGE}{act}/", said, follow=True)
    assert answer.status_code == 200
    return [str(message) for message in answer.context.get("messages", ())]


def locked(kind: LockKind = LockKind.COOLDOWN) -> Lock:
    """A lock on every market of account 123."""
    at = clock.now()
    said = {"value": "1 min", "limit": "5 min", "reason": "closed a moment ago", "placed_by": "rule"}
    return Lock.objects.create(trader=TraderFactory(tg_user_id=123), book=Book.LIVE, kind=kind, since=at, caused_at=at, **said)
