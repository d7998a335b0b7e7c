"""`POST /signals`: size, authentication, strict parse, closed form, then one write.

No chain, no RPC and no price source is asked here, and nothing of the input is reflected.
"""

import hashlib
import hmac
import re
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from trading import clock
from trading.domain import signal_form, strict_json
from trading.domain.errors import Invalid
from trading.domain.signal import INTERNAL_SOURCES, SignalRequest
from trading.models import Source
from trading.services import signals

MAX_BODY_BYTES = 16 * 1024
_JSON = re.compile(r'application/json\s*(;\s*charset="?utf-8"?\s*)?', re.IGNORECASE | re.ASCII)


class Refused(Exception):
    """An answer given before the form was read: too large, not signed, not JSON."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@csrf_exempt
@require_POST
def receive(request: HttpRequest) -> JsonResponse:
    """Take one signal and answer what became of it."""
    try:
        raw = _body(request)
        _check_signature(request, message=raw)
        return _answer(_accepted(raw))
    except Refused as refused:
        return JsonResponse({"code": refused.code, "message": refused.message}, status=refused.status)
    except Invalid as error:
        return _invalid(error)


def signature_of(message: bytes, *, secret: str) -> str:
    """Hex HMAC-SHA256, as senders put it into `X-Signature`."""
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def is_signed(message: bytes, *, signature: str) -> bool:
    """Whether the default source's secret made this signature; without a secret nothing is signed."""
    expected = signature_of(message, secret=settings.WEBHOOK_HMAC_SECRET)
    # Bytes, since compare_digest refuses text outside ASCII.
    matches = hmac.compare_digest(expected.encode(), signature.encode("utf-8", errors="replace"))
    return matches and bool(settings.WEBHOOK_HMAC_SECRET)


def _accepted(raw: bytes) -> signals.Acceptance:
    """Store what an authentic body asks; one that is refused leaves its trace in the audit log."""
    try:
        wanted = signal_form.read(strict_json.parse(raw))
        source = _source(wanted)
        return signals.accept(request=wanted, raw=raw, source=source, at=clock.now())
    except (Refused, Invalid) as refusal:
        signals.note_refusal(code=_code(refusal), raw=raw, at=clock.now())
        raise


def _code(refusal: Refused | Invalid) -> str:
    return refusal.form_code if isinstance(refusal, signal_form.FormError) else refusal.code


def _body(request: HttpRequest) -> bytes:
    if not _JSON.fullmatch(request.headers.get("Content-Type", "")):
        raise Refused(415, "CONTENT_TYPE_UNSUPPORTED", "send application/json")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Refused(415, "CONTENT_ENCODING_UNSUPPORTED", "send the body as it is")
    raw = request.read(MAX_BODY_BYTES + 1)
    if len(raw) > MAX_BODY_BYTES:
        raise Refused(413, "BODY_TOO_LARGE", f"at most {MAX_BODY_BYTES} bytes")
    return raw


def _check_signature(request: HttpRequest, *, message: bytes) -> None:
    if not is_signed(message, signature=request.headers.get("X-Signature", "")):
        raise Refused(401, "SIGNATURE_INVALID", "the signature doesn't match")


def _source(wanted: SignalRequest) -> Source:
    # A name that belongs to somebody else is answered like a bad signature: it says nothing about who exists.
    is_taken = Source.objects.filter(name=wanted.source).exclude(name=Source.DEFAULT).exists()
    if is_taken or wanted.source.split(":")[0] in INTERNAL_SOURCES:
        raise Refused(401, "SIGNATURE_INVALID", "the signature doesn't match")
    source = Source.objects.get(name=Source.DEFAULT)
    if not source.is_enabled:
        raise Refused(401, "SIGNATURE_INVALID", "the signature doesn't match")
    return source


def _invalid(error: Invalid) -> JsonResponse:
    if isinstance(error, strict_json.Malformed):
        facts = {"position": error.facts["position"]}
        return JsonResponse({"code": error.code, "message": error.message, **facts}, status=400)
    return JsonResponse({"code": _code(error), "field": error.facts.get("field", ""), "message": error.message}, status=422)


_STATUS = {signals.Outcome.ACCEPTED: 202, signals.Outcome.DUPLICATE: 200, signals.Outcome.CONFLICT: 409}


def _answer(accepted: signals.Acceptance) -> JsonResponse:
    signal = accepted.signal
    if accepted.outcome is signals.Outcome.CONFLICT:
        body: dict[str, Any] = {"code": "SIGNAL_CONFLICT", "message": "this id came before with another body"}
    else:
        body = {"status": accepted.outcome, "intent_key": signal.intent_key, "trace_id": signal.trace_id}
    if accepted.outcome is signals.Outcome.DUPLICATE:
        body["state"] = signal.status.lower()
    return JsonResponse(body, status=_STATUS[accepted.outcome])
