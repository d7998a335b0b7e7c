"""Sources and their secrets: made, changed and taken away by people who may, each time with a reason.

A secret's text is shown once, to whoever made it, and stands in no row, log or audit entry.
"""

import secrets as random
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from trading.domain import people, proof
from trading.domain.errors import Conflict, Invalid
from trading.domain.people import Act, Person
from trading.domain.source import Auth, Terms, is_free_name
from trading.kinds import piece, write
from trading.models import Source, SourceSecret
from trading.services import audit, vault

_KEY_BYTES = 32


class BadSourceName(Invalid):
    """The name is no sender's own: empty, too long, not plain, or one that the desk keeps for itself."""

    code = "SOURCE_NAME_INVALID"


class UnknownSource(Invalid):
    """There is no such source."""

    code = "SOURCE_UNKNOWN"


class NotPeoples(Invalid):
    """A source of the desk's own has no secrets to change here, and no door to close."""

    code = "SOURCE_BUILT_IN"


class UnknownSecret(Invalid):
    """There is no such active secret."""

    code = "SECRET_UNKNOWN"


class SourceTaken(Conflict):
    """Another source has this name."""

    code = "SOURCE_EXISTS"


class TwoSecrets(Conflict):
    """The source has two active secrets; one must be revoked before there can be another."""

    code = "SECRETS_FULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A secret just made, and its text: this is the only place where it stands."""

    secret: SourceSecret
    text: str

    def __repr__(self) -> str:
        return f"Issued({self.secret.key_id})"


@write
def create(*, name: str, auth: Auth, terms: Terms, by: Person, reason: str, at: datetime) -> Issued:
    """Admit a source, and make its first secret.

    Raises:
        NotAllowed: if the person may not.
        BadSourceName: if no source can have the name.
        SourceTaken: if one has it already.
    """
    people.check(by, Act.MANAGE_SOURCES)
    if not is_free_name(name):
        raise BadSourceName("must be 1 to 64 plain characters, and none of the desk's own names", field="name")
    source, is_new = Source.objects.get_or_create(name=name, defaults={"auth": auth} | _columns(terms))
    if not is_new:
        raise SourceTaken("there is a source of this name", name=name)
    after = {"auth": auth} | _columns(terms)
    _note(source, "source.create", before={}, after=after, by=by, reason=reason, at=at)
    return _issue(source, by=by, reason=reason, at=at)


@write
def rotate(*, name: str, by: Person, reason: str, at: datetime, expires_at: datetime | None = None) -> Issued:
    """Make a second secret; the first goes on until it is revoked.

    Raises:
        NotAllowed: if the person may not.
        UnknownSource: if there is no such source.
        NotPeoples: if it is the desk's own: the default one's secret is WEBHOOK_HMAC_SECRET.
        TwoSecrets: if there are two already.
    """
    source = _locked(name, by=by)
    _refuse_built_in(source)
    for expired in source.secrets.filter(revoked_at=None, expires_at__lte=at):
        _revoke(expired, by=by, reason="it had expired", at=at)
    return _issue(source, by=by, reason=reason, at=at, expires_at=expires_at)


@write
def revoke(*, key_id: str, by: Person, reason: str, at: datetime) -> SourceSecret:
    """Take a secret away at once, and forget it. A source without one is refused.

    Raises:
        NotAllowed: if the person may not.
        UnknownSecret: if there is no such active secret.
    """
    people.check(by, Act.MANAGE_SOURCES)
    secret = SourceSecret.objects.select_for_update(no_key=True).filter(key_id=key_id, revoked_at=None).first()
    if secret is None:
        raise UnknownSecret("there is no such active secret", key_id=key_id)
    _revoke(secret, by=by, reason=reason, at=at)
    return secret


@write
def edit(*, name: str, terms: Terms, by: Person, reason: str, at: datetime) -> Source:
    """Change what a source may send and what becomes of it: all of it is said anew.

    Raises:
        NotAllowed: if the person may not.
        UnknownSource: if there is no such source.
    """
    source = _locked(name, by=by)
    before = _said(source)
    for column, value in _columns(terms).items():
        setattr(source, column, value)
    # One that nobody listens for isn't silent.
    source.silent_at = source.silent_at if source.heartbeat_seconds else None
    source.save(update_fields=[*_columns(terms), "silent_at"])
    _note(source, "source.edit", before=before, after=_said(source), by=by, reason=reason, at=at)
    return source


def enable(*, name: str, by: Person, reason: str, at: datetime) -> Source:
    """Take a source's signals again; raises as `disable` does."""
    return _set_enabled(name=name, wanted=True, by=by, reason=reason, at=at)


def disable(*, name: str, by: Person, reason: str, at: datetime) -> Source:
    """Take nothing from a source: new signals are refused at the door, waiting ones are denied.

    Raises:
        NotAllowed: if the person may not.
        UnknownSource: if there is no such source.
        NotPeoples: if it is internal: what protects positions isn't switched off here.
    """
    return _set_enabled(name=name, wanted=False, by=by, reason=reason, at=at)


@write
def _set_enabled(*, name: str, wanted: bool, by: Person, reason: str, at: datetime) -> Source:
    source = _locked(name, by=by)
    if source.is_internal:
        raise NotPeoples("an internal source is always on", name=name)
    before = {"is_enabled": source.is_enabled}
    source.is_enabled = wanted
    source.save(update_fields=["is_enabled"])
    action = "source.enable" if wanted else "source.disable"
    _note(source, action, before=before, after={"is_enabled": wanted}, by=by, reason=reason, at=at)
    return source


@piece
def _locked(name: str, *, by: Person) -> Source:
    people.check(by, Act.MANAGE_SOURCES)
    source = Source.objects.select_for_update(no_key=True).filter(name=name).first()
    if source is None:
        raise UnknownSource("there is no such source", name=name)
    return source


def _refuse_built_in(source: Source) -> None:
    if source.is_internal or source.name == Source.DEFAULT:
        raise NotPeoples("its secret isn't made here; the default source's is WEBHOOK_HMAC_SECRET", name=source.name)


@piece
def _issue(source: Source, *, by: Person, reason: str, at: datetime, expires_at: datetime | None = None) -> Issued:
    taken = set(source.secrets.filter(revoked_at=None).values_list("slot", flat=True))
    free = [slot for slot in SourceSecret.SLOTS if slot not in taken]
    if not free:
        raise TwoSecrets("revoke one of the two secrets first", name=source.name)
    auth = Auth(source.auth)
    secret = SourceSecret(
        source=source,
        key_id=random.token_hex(8),
        kind=auth,
        slot=free[0],
        created_at=at,
        created_by=by.name,
        expires_at=expires_at,
    )
    text = _filled(secret, auth)
    secret.save(force_insert=True)
    _note(source, "source.secret_made", before={}, after={"key_id": secret.key_id}, by=by, reason=reason, at=at)
    return Issued(secret=secret, text=text)


def _filled(secret: SourceSecret, auth: Auth) -> str:
    """Put a new secret into the row, as its kind is kept; its text."""
    is_standard = auth is Auth.STANDARD
    text = proof.standard_secret(random.token_bytes(_KEY_BYTES)) if is_standard else random.token_urlsafe(_KEY_BYTES)
    if auth is Auth.TOKEN:
        secret.digest = proof.token_digest(text)
    else:
        vault.seal(secret, "sealed", text)
    return text


@piece
def _revoke(secret: SourceSecret, *, by: Person, reason: str, at: datetime) -> None:
    secret.revoked_at, secret.slot, secret.sealed = at, None, ""
    secret.save(update_fields=["revoked_at", "slot", "sealed"])
    before = {"key_id": secret.key_id}
    _note(secret.source, "source.secret_revoked", before=before, after={}, by=by, reason=reason, at=at)


def _columns(terms: Terms) -> dict[str, Any]:
    said = {field.name: getattr(terms, field.name) for field in fields(terms)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in said.items()}


def _said(source: Source) -> dict[str, Any]:
    return {name: getattr(source, name) for name in _columns(Terms())}


@piece
def _note(
    source: Source, action: str, *, before: dict[str, Any], after: dict[str, Any], by: Person, reason: str, at: datetime
) -> None:
    audit.record(
        actor=by.name,
        action=action,
        subject=f"source:{source.name}",
        before=_plain(before),
        after=_plain(after),
        reason=reason,
        at=at,
    )


def _plain(said: dict[str, Any]) -> dict[str, Any]:
    return {name: value if value is None or isinstance(value, bool | int | list) else str(value) for name, value in said.items()}
