"""Whose a request is, by what it was signed with."""

from collections.abc import Collection

from django.http import HttpRequest

from trading.domain import proof
from trading.services import proofs
from trading.services.proofs import Proven

_HEADERS = {
    "x-signature": "HTTP_X_SIGNATURE",
    "webhook-id": "HTTP_WEBHOOK_ID",
    "webhook-timestamp": "HTTP_WEBHOOK_TIMESTAMP",
    "webhook-signature": "HTTP_WEBHOOK_SIGNATURE",
}


def prove(request: HttpRequest, *, message: bytes, names: Collection[str]) -> Proven | None:
    """The source that signed the message by now, among those named and the default one; None if none did."""
    said = {name: request.META[key] for name, key in _HEADERS.items() if key in request.META}
    return proofs.prove(proof.read(said), message=message, names=names, at=None)
