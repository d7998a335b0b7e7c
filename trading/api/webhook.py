"""`POST /signals`: size, authentication, strict parse, closed form, then one write.

No chain, no RPC and no price source is asked here, and nothing of the input is reflected.
"""

import re
from datetime import datetime
from typing import Any

import structlog
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from prometheus_client import Counter

from trading import clock
from trading.api import proving
from trading.domain import form, proof, signal_form, strict_json
from trading.domain.errors import Invalid
from trading.domain.signal import SignalRequest
from trading.services import hearing, rates, signals
from trading.services.proofs import Proven

MAX_BODY_BYTES = 16 * 1024
_JSON = re.compile(r'application/json[ \t]*(;[ \t]*charset="?utf-8"?[ \t]*)?', re.IGNORECASE | re.ASCII)

RATE_LIMITED = Counter("vanta_rate_limited", "Refused since too much came at once.", ["limit"])
RATE_LIMITED.labels("source")
log = structlog.get_logger(__name__)


class Refused(Exception):
    """An answer given before the form was read: too large, not signed, not JSON."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@csrf_exempt
@require_POST
def receive(request: HttpRequest) -> JsonResponse:
    """Take one signal and answer what became of it."""
    at = clock.now()
    try:
        raw = _body(request)
        return _answer(_accepted(raw, _proven(request, raw, at=at), at=at))
    except Refused as refused:
        return JsonResponse({"code": refused.code, "message": refused.message}, status=refused.status)
    except Invalid as error:
        return _invalid(error)
    except rates.TooMany as error:
        return _limited(error)


def _proven(request: HttpRequest, raw: bytes, *, at: datetime) -> Proven:
    """Who sent a body. Nothing in it is believed yet: a name only says whose secrets are tried."""
    proven = proving.prove(request, message=raw, names=proof.named(raw), at=at)
    if proven is None:
        raise Refused(401, "SIGNATURE_INVALID", "the signature doesn't match")
    hearing.note(proven, at=at)
    return proven


def _accepted(raw: bytes, proven: Proven, *, at: datetime) -> signals.Acceptance:
    """Store what an authentic body asks; one that is refused leaves its trace in the audit log."""
    try:
        wanted = signal_form.read(strict_json.parse(raw))
        _check_source(wanted, proven)
        if wanted.is_entry:
            rates.meter.pass_entry(proven.source, at=at)
        return signals.accept(request=wanted, raw=raw, source=proven.source, at=at)
    except (Refused, Invalid) as refusal:
        signals.note_refusal(code=_code(refusal), raw=raw, source=proven.source, at=at)
        raise
    except rates.TooMany as flood:
        if flood.is_news:
            signals.note_refusal(code=flood.code, raw=raw, source=proven.source, at=at)
        raise


def _check_source(wanted: SignalRequest, proven: Proven) -> None:
    # A name that belongs to somebody else is answered like a bad signature: it says nothing about who exists.
    if not proven.speaks_for(wanted.source):
        raise Refused(401, "SIGNATURE_INVALID", "the signature doesn't match")


def _code(refusal: Refused | Invalid) -> str:
    return refusal.form_code if isinstance(refusal, form.FormError) else refusal.code


def _body(request: HttpRequest) -> bytes:
    if not _JSON.fullmatch(request.headers.get("Content-Type", "")):
        raise Refused(415, "CONTENT_TYPE_UNSUPPORTED", "send application/json")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Refused(415, "CONTENT_ENCODING_UNSUPPORTED", "send the body as it is")
    raw = request.read(MAX_BODY_BYTES + 1)
    if len(raw) > MAX_BODY_BYTES:
        raise Refused(413, "BODY_TOO_LARGE", f"at most {MAX_BODY_BYTES} bytes")
    return raw


def _limited(error: rates.TooMany) -> JsonResponse:
    RATE_LIMITED.labels("source").inc()
    log.warning("signal.refused", why="rate limit", retry_after=error.retry_after)
    headers = {"Retry-After": str(error.retry_after)}
    return JsonResponse({"code": error.code, "message": error.message}, status=429, headers=headers)


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
