"""API tokens: issued by a super-admin and shown once, recognized at each call, revoked for good."""

import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q

from trading.domain import people as roles
from trading.domain import token as domain
from trading.domain.errors import Conflict, Invalid
from trading.domain.people import Act, Person
from trading.domain.token import Halves, Scope
from trading.kinds import write
from trading.models import ApiToken, Member
from trading.services import audit, people

# How much older than now `last_used_at` may be: a busy token's row is written no more often.
FRESHNESS = timedelta(minutes=1)
# Compared with when no row is found, so that an unknown id takes as long as a wrong secret.
_NOBODYS = "0" * 64


class NameTaken(Conflict):
    """Another token has this name, or had it: the audit log knows tokens by it."""

    code = "TOKEN_NAME_TAKEN"


class TokenRefused(Invalid):
    """No token can be made of this."""

    code = "TOKEN_REFUSED"


class UnknownToken(Invalid):
    """There is no such token."""

    code = "TOKEN_UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A new token; `text` is shown this once."""

    token: ApiToken
    text: str


@write
def issue(
    *,
    name: str,
    owner: User | Member,
    scopes: Iterable[Scope],
    by: Person,
    reason: str,
    at: datetime,
    accounts: Iterable[int] = (),
    expires_at: datetime | None = None,
) -> Issued:
    """Make a token for one person.

    Raises:
        NotAllowed: if `by` may not admit people.
        TokenRefused: without a name, a scope or a reason, or if it would end before it begins.
        NameTaken: if there is one of that name.
    """
    roles.check(by, Act.ADMIT)
    wanted, secret = sorted(set(scopes)), Halves(public_id=secrets.token_hex(6), secret=secrets.token_hex(32))
    _refuse(name=name, scopes=wanted, reason=reason, expires_at=expires_at, at=at)
    token = ApiToken.objects.create(
        name=name,
        public_id=secret.public_id,
        secret_sha256=secret.digest,
        user=owner if isinstance(owner, User) else None,
        member=owner if isinstance(owner, Member) else None,
        scopes=wanted,
        accounts=sorted(set(accounts)),
        created_at=at,
        created_by=by.name,
        expires_at=expires_at,
    )
    _note("token.issue", token, by=by, before={}, after=_said(token), reason=reason, at=at)
    return Issued(token=token, text=str(secret))


@write
def revoke(*, public_id: str, by: Person, reason: str, at: datetime) -> ApiToken:
    """End a token for good; one that has ended stays as it is.

    Raises:
        NotAllowed: if the person may not.
        UnknownToken: if there is none.
    """
    roles.check(by, Act.ADMIT)
    token = ApiToken.objects.select_for_update(no_key=True).filter(public_id=public_id).first()
    if token is None:
        raise UnknownToken("there is no such token", field="public_id")
    if token.revoked_at is None:
        token.revoked_at, token.revoked_by = at, by.name
        token.save(update_fields=["revoked_at", "revoked_by"])
        _note("token.revoke", token, by=by, before={"revoked": False}, after={"revoked": True}, reason=reason, at=at)
    return token


def recognize(text: str, *, at: datetime) -> tuple[ApiToken, Person] | None:
    """The token that a caller showed, and the person whom it makes him; None for every other text, and nobody learns why.

    Two queries for a token that is good.
    """
    said = domain.halves(text) or Halves(public_id="", secret="")
    token = _good(at=at).filter(public_id=said.public_id).first()
    is_proven = hmac.compare_digest(token.secret_sha256 if token else _NOBODYS, said.digest)
    if token is None or not is_proven:
        return None
    person = person_of(token)
    return (token, person) if person.roles else None


def person_of(token: ApiToken) -> Person:
    """Whom a token makes its caller: its person, narrowed to its scopes and accounts."""
    whole = people.of_member(token.member.tg_user_id) if token.member else people.of_user(_user(token))
    return replace(whole, acts=domain.covered(token.scopes), accounts=frozenset(token.accounts) or None)


def note_use(token: ApiToken, *, at: datetime) -> None:
    """Remember that a token is in use, at most once a minute."""
    if token.last_used_at is None or token.last_used_at <= at - FRESHNESS:
        _note_use(token.pk, at=at)


@write
def _note_use(pk: int, *, at: datetime) -> None:
    stale = Q(last_used_at=None) | Q(last_used_at__lte=at - FRESHNESS)
    ApiToken.objects.filter(stale, pk=pk).update(last_used_at=at)


def _good(*, at: datetime) -> Any:
    lasting = Q(expires_at=None) | Q(expires_at__gt=at)
    return ApiToken.objects.filter(lasting, revoked_at=None).select_related("user", "member")


def _user(token: ApiToken) -> User:
    if token.user is None:
        raise UnknownToken("the token is nobody's")
    return token.user


def _refuse(*, name: str, scopes: list[Scope], reason: str, expires_at: datetime | None, at: datetime) -> None:
    if not name.strip() or not reason.strip():
        raise TokenRefused("say what it is called, and why: both are kept in the audit log", field="name")
    if not scopes:
        raise TokenRefused("say what it is for", field="scopes")
    if expires_at is not None and expires_at <= at:
        raise TokenRefused("it would end before it begins", field="expires_at")
    if ApiToken.objects.filter(name=name).exists():
        raise NameTaken("another token has this name, or had it", field="name")


def _said(token: ApiToken) -> dict[str, Any]:
    until = token.expires_at.isoformat() if token.expires_at else None
    owner = token.user.get_username() if token.user else f"tg:{token.member.tg_user_id}" if token.member else ""
    return {"person": owner, "scopes": list(token.scopes), "accounts": list(token.accounts), "expires_at": until}


def _note(
    action: str, token: ApiToken, *, by: Person, before: dict[str, Any], after: dict[str, Any], reason: str, at: datetime
) -> None:
    subject = f"token:{token.public_id} {token.name}"
    audit.record(actor=by.name, action=action, subject=subject, before=before, after=after, reason=reason, at=at)
