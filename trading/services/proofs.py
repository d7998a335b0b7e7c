"""Whose a message is: the secrets of those it may be from, every one of them tried."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.conf import settings
from django.db.models import F, FilteredRelation, Q

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


def prove(claim: Proof | None, *, message: bytes, names: Collection[str], at: datetime) -> Proven | None:
    """The source that made the proof, among those named and the default one; None if none did. One query.

    Work and time are the same whoever is named: only the answer differs.
    """
    rows = _candidates(names, at=at)
    taken = frozenset(source.name for source, _ in rows) - {Source.DEFAULT}
    wanted = claim if claim is not None and claim.is_timely(at) else _NOBODYS
    tried = [(source, secret) for source, secret in rows if _may_prove(source, wanted.kind)]
    found = proof.matches(wanted, message=message, keys=[_key(source, secret) for source, secret in tried])
    proven = [pair for pair, is_proven in zip(tried, found, strict=True) if is_proven]
    if not proven or wanted is _NOBODYS:
        return None
    source, secret = proven[0]
    return Proven(source=source, secret=secret, looked_at=frozenset(names), taken=taken)


def prove_token(token: str, *, at: datetime) -> Proven | None:
    """The source whose token this is; None if nobody's. One query."""
    found = SourceSecret.objects.active(at=at).filter(kind=Auth.TOKEN, digest=proof.token_digest(token))
    secret = found.filter(source__is_enabled=True, source__is_internal=False).select_related("source").first()
    return None if secret is None else Proven(source=secret.source, secret=secret)


def is_token_of(source: Source, token: str, *, at: datetime) -> bool:
    """Whether a token is one of a source's own. One query."""
    return source.secrets.active(at=at).filter(kind=Auth.TOKEN, digest=proof.token_digest(token)).exists()


_NOBODYS = Proof(kind=Auth.SIGNATURE, macs=(b"",))


def _candidates(names: Collection[str], *, at: datetime) -> list[tuple[Source, SourceSecret | None]]:
    """The named sources and the default one, each once for each of its active secrets."""
    is_active = Q(secrets__revoked_at=None) & (Q(secrets__expires_at=None) | Q(secrets__expires_at__gt=at))
    rows = (
        Source.objects.filter(name__in={*names, Source.DEFAULT})
        .annotate(active=FilteredRelation("secrets", condition=is_active))
        .annotate(
            secret_id=F("active__pk"),
            secret_key_id=F("active__key_id"),
            secret_sealed=F("active__sealed"),
            secret_used_at=F("active__last_used_at"),
        )
    )
    return [(row, _secret(row, row.secret_id, row.secret_key_id, row.secret_sealed, row.secret_used_at)) for row in rows]


def _secret(source: Source, pk: int | None, key_id: str, sealed: str, used_at: datetime | None) -> SourceSecret | None:
    if pk is None:
        return None
    return SourceSecret(pk=pk, source_id=source.pk, kind=source.auth, key_id=key_id, sealed=sealed, last_used_at=used_at)


def _may_prove(source: Source, kind: Auth) -> bool:
    return source.is_enabled and not source.is_internal and source.auth == kind


def _key(source: Source, secret: SourceSecret | None) -> bytes:
    """The key of a source's secret; empty where there is none, or it can't be opened."""
    if source.name == Source.DEFAULT:
        return str(settings.WEBHOOK_HMAC_SECRET).encode()
    if secret is None:
        return b""
    try:
        return proof.key_of(vault.unseal(secret, "sealed"), kind=Auth(secret.kind))
    except vault.Unreadable as error:
        # Only this source is refused; the others are none of its business.
        facts = {"source": source.name, "key_id": secret.key_id, "reason": error.message}
        log.error("source.secret_unreadable", **facts)  # noqa: TRY400 - where it was raised says nothing more
        return b""
