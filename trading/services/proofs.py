"""Whose a message is: the secrets of those it may be from, every one of them tried."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.conf import settings

from trading.domain import proof
from trading.domain.proof import Proof
from trading.domain.signal import INTERNAL_SOURCES
from trading.domain.source import Auth
from trading.models import Source, SourceSecret
from trading.services import vault

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """The source that a message comes from, and the secret that proved it; None: the environment's."""

    source: Source
    secret: SourceSecret | None
    # When it was looked at.
    at: datetime
    # The names that were looked at, and those among them that are a row's own.
    looked_at: frozenset[str] = frozenset()
    taken: frozenset[str] = frozenset()

    def speaks_for(self, name: str) -> bool:
        """Whether a signal of this source name is its own to send. A query where the name wasn't looked at."""
        if self.source.name != Source.DEFAULT:
            return name == self.source.name
        return not self._is_taken(name) and name.split(":")[0] not in INTERNAL_SOURCES

    def _is_taken(self, name: str) -> bool:
        if name in self.looked_at:
            return name in self.taken
        return Source.objects.filter(name=name).exclude(name=Source.DEFAULT).exists()


def prove(claim: Proof | None, *, message: bytes, names: Collection[str], at: datetime | None) -> Proven | None:
    """The source that made the proof, among those named and the default one; None if none did. One query.

    Work and time are the same whoever is named: only the answer differs. No time: now, which costs no query of its own.
    """
    rows = SourceSecret.objects.of({*names, Source.DEFAULT}, at=at)
    taken = frozenset(row.source.name for row in rows) - {Source.DEFAULT}
    wanted = claim if claim is not None and rows and claim.is_timely(rows[0].at) else _NOBODYS
    tried = [row for row in rows if _may_prove(row.source, wanted.kind)]
    found = proof.matches(wanted, message=message, keys=[_key(row.source, row.secret) for row in tried])
    proven = [row for row, is_proven in zip(tried, found, strict=True) if is_proven]
    if not proven or wanted is _NOBODYS:
        return None
    first = proven[0]
    return Proven(source=first.source, secret=first.secret, at=first.at, looked_at=frozenset(names), taken=taken)


def prove_token(token: str, *, at: datetime) -> Proven | None:
    """The source whose token this is; None if nobody's. One query."""
    found = SourceSecret.objects.active(at=at).filter(kind=Auth.TOKEN, digest=proof.token_digest(token))
    secret = found.filter(source__is_enabled=True, source__is_internal=False).select_related("source").first()
    return None if secret is None else Proven(source=secret.source, secret=secret, at=at)


def is_token_of(source: Source, token: str, *, at: datetime) -> bool:
    """Whether a token is one of a source's own. One query."""
    return source.secrets.active(at=at).filter(kind=Auth.TOKEN, digest=proof.token_digest(token)).exists()


_NOBODYS = Proof(kind=Auth.SIGNATURE, macs=(b"",))


def _may_prove(source: Source, kind: Auth) -> bool:
    return source.is_enabled and not source.is_internal and source.auth == kind


def _key(source: Source, secret: SourceSecret | None) -> bytes:
    """The key of a source's secret; empty where there is none, or it can't be opened."""
    if source.name == Source.DEFAULT:
        return str(settings.WEBHOOK_HMAC_SECRET).encode()
    if secret is None:
        return b""
    try:
        return proof.key_of(vault.unseal_often(secret, "sealed"), kind=Auth(secret.kind))
    except vault.Unreadable as error:
        # Only this source is refused; the others are none of its business.
        facts = {"source": source.name, "key_id": secret.key_id, "reason": error.message}
        log.error("source.secret_unreadable", **facts)  # noqa: TRY400 - where it was raised says nothing more
        return b""
