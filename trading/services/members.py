"""Members: whom the bot and the API know, admitted and dismissed by a super-admin, each time with a reason."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from trading.domain import people
from trading.domain.errors import Invalid
from trading.domain.people import Act, Person, Role
from trading.kinds import piece, write
from trading.models import Member
from trading.services import audit


class UnknownMember(Invalid):
    """Nobody with this Telegram id was ever admitted."""

    code = "MEMBER_UNKNOWN"


class UnknownLogin(Invalid):
    """The console has no such person, or he is another member's already."""

    code = "LOGIN_UNKNOWN"


@write
def admit(
    *,
    tg_user_id: int,
    roles: Iterable[Role],
    by: Person,
    reason: str,
    at: datetime,
    name: str | None = None,
    login: str | None = None,
) -> Member:
    """Give a Telegram id exactly these roles. A name or login that isn't said stays; an empty one is taken.

    Raises:
        NotAllowed: if the person may not admit.
        UnknownLogin: if the console doesn't know the login, or it belongs to another member.
    """
    people.check(by, Act.ADMIT)
    member = _locked(tg_user_id, at=at)
    before = _said(member)
    member.roles = sorted(roles)
    member.name = member.name if name is None else name
    member.user = member.user if login is None else _user(login, of=member)
    return _save(member, before=before, by=by.name, reason=reason, at=at)


@write
def dismiss(*, tg_user_id: int, by: Person, reason: str, at: datetime) -> Member:
    """Take every role that the row gives; those of the environment's lists are the environment's to take.

    Raises:
        NotAllowed: if the person may not.
        UnknownMember: if there is no such member.
    """
    people.check(by, Act.ADMIT)
    member = Member.objects.select_for_update(no_key=True).filter(tg_user_id=tg_user_id).first()
    if member is None:
        raise UnknownMember("nobody with this Telegram id was ever admitted", tg_user_id=tg_user_id)
    before = _said(member)
    member.roles = []
    return _save(member, before=before, by=by.name, reason=reason, at=at)


@piece
def welcome_trader(*, tg_user_id: int, name: str, by: str, at: datetime) -> None:
    """Let a trader who was just enrolled see and trade his own account; who is a member already stays what he is."""
    if Member.objects.filter(tg_user_id=tg_user_id).exists():
        return
    member = _locked(tg_user_id, at=at)
    before = _said(member)
    member.roles, member.name = [Role.TRADER], name
    _save(member, before=before, by=by, reason="enrolled as a trader", at=at)


def _locked(tg_user_id: int, *, at: datetime) -> Member:
    first = {"admitted_at": at, "updated_at": at}
    return Member.objects.select_for_update(no_key=True).get_or_create(tg_user_id=tg_user_id, defaults=first)[0]


def _user(login: str, *, of: Member) -> User | None:
    if not login:
        return None
    user = User.objects.filter(username=login).first()
    if user is None or Member.objects.filter(user=user).exclude(pk=of.pk).exists():
        raise UnknownLogin("the console has no such person, or he is another member's", login=login)
    return user


def _save(member: Member, *, before: dict[str, Any], by: str, reason: str, at: datetime) -> Member:
    member.updated_at = at
    member.save(update_fields=["roles", "name", "user", "updated_at"])
    after = _said(member)
    if after != before:
        audit.record(
            actor=by,
            action="member.change",
            subject=f"member:{member.tg_user_id}",
            before=before,
            after=after,
            reason=reason,
            at=at,
        )
    return member


def _said(member: Member) -> dict[str, Any]:
    login = member.user.get_username() if member.user is not None else ""
    return {"roles": sorted(member.roles), "name": member.name, "login": login}
