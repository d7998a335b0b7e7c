"""Who somebody is, wherever he comes in, and what he is refused."""

from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User

from trading.domain import people
from trading.domain.people import GRAVE, Act, NotAllowed, Person, Role
from trading.kinds import step, write
from trading.models import Member
from trading.services import audit


def of_user(user: AbstractBaseUser | AnonymousUser) -> Person:
    """The person behind a login of the console: his groups are his roles; a Django superuser is a super-admin. One query."""
    if user.pk is None:
        return Person(name="nobody", roles=frozenset())
    rows = User.objects.filter(pk=user.pk, is_active=True).values_list("is_superuser", "groups__name", "member__tg_user_id")
    found = list(rows)
    supreme = {str(Role.SUPER_ADMIN)} if any(is_superuser for is_superuser, _, _ in found) else set()
    roles = people.roles_of(supreme | {group for _, group, _ in found if group})
    return Person(name=user.get_username(), roles=roles, tg_user_id=found[0][2] if found else None)


def of_member(tg_user_id: int) -> Person:
    """The person behind a Telegram id: what the environment's lists and his row give him; without either, nobody. One query.

    Who has a login to the console too goes by its name, and isn't a second person: he can't confirm himself.
    """
    member = Member.objects.select_related("user").filter(tg_user_id=tg_user_id).first()
    roles = _of_environment(tg_user_id) | (_of_row(member) if member is not None else frozenset())
    login = member.user.get_username() if member is not None and member.user is not None else ""
    return Person(name=login or f"tg:{tg_user_id}", roles=roles, tg_user_id=tg_user_id)


def of_command_line(user: str) -> Person:
    """Whoever has a shell on the desk's machine: it has the keys and the database, so nothing is kept from him here."""
    return Person(name=f"command line: {user}", roles=frozenset({Role.SUPER_ADMIN}))


@step
def demand(person: Person, act: Act, *, subject: str, at: datetime, account: int | None = None) -> None:
    """Pass if a person may do it; a grave attempt by somebody who may not is kept in the audit log.

    Raises:
        NotAllowed: if he may not.
    """
    try:
        people.check(person, act, account=account)
    except NotAllowed as refusal:
        if act in GRAVE:
            _note(person, act, subject=subject, refusal=refusal, at=at)
        raise


@write
def _note(person: Person, act: Act, *, subject: str, refusal: NotAllowed, at: datetime) -> None:
    after = {"act": str(act), "roles": sorted(person.roles)}
    audit.record(actor=person.name, action="act.refused", subject=subject, before={}, after=after, reason=refusal.message, at=at)


def _of_environment(tg_user_id: int) -> frozenset[Role]:
    lists = ((Role.RISK, settings.ADMIN_USER_IDS), (Role.SUPER_ADMIN, settings.SUPER_ADMIN_IDS))
    return frozenset(role for role, ids in lists if tg_user_id in ids)


def _of_row(member: Member) -> frozenset[Role]:
    """None while his login is switched off: who was sent away from the console doesn't come back through the bot."""
    is_away = member.user is not None and not member.user.is_active
    return frozenset() if is_away else people.roles_of(member.roles)
