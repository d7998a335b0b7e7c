"""The doors that a body can come in by, each with a sender that knows how to prove itself there.

A new kind of door is one more line of DOORS.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from tests.factories import NOW
from tests.factories.people import SUPER_ADMIN
from tests.integration.trading.bad_bodies import ENTRY
from trading.domain.source import Auth, Terms
from trading.services import sources

Headers = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Somebody who may send through a door."""

    # The row's name, as the audit log has it.
    source: str
    prove: Callable[[bytes], Headers]
    path: str = "/signals"
    # Whether a body must name the source in the plain, or nobody's secrets are tried.
    is_found_by_name: bool = True

    def post(self, body: Mapping[str, Any] | bytes, *, path: str = "", **changes: str) -> HttpResponse:
        """Send a body with its proof, some headers changed."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        # The client itself leaves the type of an empty body out.
        said = {"Content-Type": "application/json"} | self.prove(raw)
        said |= {name.replace("_", "-"): value for name, value in changes.items()}
        client = Client(raise_request_exception=True)
        return client.post(path or self.path, data=raw, content_type=said["Content-Type"], headers=said)

    def get(self, path: str) -> HttpResponse:
        """Ask for a path, as gunicorn hands it on."""
        return Client().get(path, headers=self.prove(path.encode()), RAW_URI=path)

    def is_recognized_in(self, raw: bytes) -> bool:
        """Whether a body says in the plain whose it is."""
        return not self.is_found_by_name or f'"source": "{ENTRY["source"]}"'.encode() in raw


def hex_signed(secret: str) -> Callable[[bytes], Headers]:
    """X-Signature, made without any code of ours."""
    return lambda raw: {"X-Signature": hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()}


def standard_signed(
    secret: str, *, message_id: str = "msg_1", clock: Callable[[], float] = time.time
) -> Callable[[bytes], Headers]:
    """The headers of Standard Webhooks, made without any code of ours."""

    def prove(raw: bytes) -> Headers:
        epoch = str(int(clock()))
        key = base64.b64decode(secret.removeprefix("whsec_"))
        mac = hmac.new(key, f"{message_id}.{epoch}.".encode() + raw, hashlib.sha256).digest()
        signature = f"v1,{base64.b64encode(mac).decode()}"
        return {"webhook-id": message_id, "webhook-timestamp": epoch, "webhook-signature": signature}

    return prove


def secret_of(name: str, auth: Auth) -> str:
    """A new source's secret."""
    return sources.create(name=name, auth=auth, terms=Terms(), by=SUPER_ADMIN, reason="a test", at=NOW).text


def _default() -> Sender:
    return Sender(source="default", prove=hex_signed(settings.WEBHOOK_HMAC_SECRET), is_found_by_name=False)


def _own(name: str = ENTRY["source"]) -> Sender:
    return Sender(source=name, prove=hex_signed(secret_of(name, Auth.SIGNATURE)))


def _standard(name: str = ENTRY["source"]) -> Sender:
    return Sender(source=name, prove=standard_signed(secret_of(name, Auth.STANDARD)))


DOORS: dict[str, Callable[[], Sender]] = {
    "the default source": _default,
    "a source of its own": _own,
    "standard webhooks": _standard,
}
