"""People with one role each."""

from trading.domain.people import Person, Role

VIEWER = Person(name="vera", roles=frozenset({Role.VIEWER}))
RISK = Person(name="rita", roles=frozenset({Role.RISK}))
SUPER_ADMIN = Person(name="ada", roles=frozenset({Role.SUPER_ADMIN}))


def trader(tg_user_id: int) -> Person:
    """Who trades the account of that Telegram id, and no other."""
    return Person(name="tom", roles=frozenset({Role.TRADER}), tg_user_id=tg_user_id)
