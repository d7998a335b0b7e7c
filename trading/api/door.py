"""What every door for signals has in common: the body's size and kind, and the answers.

Nothing of the input is reflected in any of them.
"""

import re
import time
from collections.abc import Callable
from typing import Any

import structlog
from django.http import HttpRequest, JsonResponse, UnreadablePostError
from prometheus_client import Counter, Histogram

from trading.domain import strict_json
from trading.domain.errors import Invalid
from trading.domain.form import FormError
from trading.domain.signal import SignalRequest
from trading.services import hearing, rates, signals
from trading.services.proofs import Proven

MAX_BODY_BYTES = 16 * 1024
# Between two pieces of a body; the server asks a silent socket twice.
PATIENCE_SECONDS = 2.0
RATE_LIMITED = Counter("vanta_rate_limited", "Refused since too much came at once.", ["limit"])
RATE_LIMITED.labels("source")
ANSWER_SECONDS = Histogram("vanta_door_seconds", "From the head of a signal to its answer.", ["status"])
log = structlog.get_logger(__name__)


class Refused(Exception):
    """An answer given before the form was read: too large, not proven, not a kind that is taken."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def unproven() -> Refused:
    """The one answer to everybody who proves nothing, whoever he says he is."""
    return Refused(401, "SIGNATURE_INVALID", "the signature doesn't match")


def body(request: HttpRequest, *, types: re.Pattern[str], advice: str) -> bytes:
    """The body as it came.

    Raises:
        Refused: if it is too large, of another kind, packed, or stops in the middle.
    """
    if not types.fullmatch(request.headers.get("Content-Type", "")):
        raise Refused(415, "CONTENT_TYPE_UNSUPPORTED", advice)
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Refused(415, "CONTENT_ENCODING_UNSUPPORTED", "send the body as it is")
    raw = _read(request)
    if len(raw) > MAX_BODY_BYTES:
        raise Refused(413, "BODY_TOO_LARGE", f"at most {MAX_BODY_BYTES} bytes")
    return raw


def _read(request: HttpRequest) -> bytes:
    """The body, or as much of it as shows that it is too large. A sender that stops in the middle of it keeps no thread."""
    connection = request.META.get("gunicorn.socket")
    if connection is not None:
        connection.settimeout(PATIENCE_SECONDS)
    try:
        return request.read(MAX_BODY_BYTES + 1)
    except UnreadablePostError:
        raise Refused(400, "BODY_INCOMPLETE", "the body didn't come to its end") from None


def answered(work: Callable[[], signals.Acceptance | None]) -> JsonResponse:
    """The answer to what a door made of a body."""
    begun = time.perf_counter()
    answer = _answered(work)
    ANSWER_SECONDS.labels(answer.status_code).observe(time.perf_counter() - begun)
    return answer


def _answered(work: Callable[[], signals.Acceptance | None]) -> JsonResponse:
    try:
        taken = work()
        return _answer(taken) if taken else JsonResponse({"status": "heard"})
    except Refused as refused:
        return JsonResponse({"code": refused.code, "message": refused.message}, status=refused.status)
    except Invalid as error:
        return _invalid(error)
    except rates.TooMany as error:
        return _limited(error)


def accepted(
    raw: bytes, proven: Proven, *, read: Callable[[], tuple[SignalRequest | None, str | None]]
) -> signals.Acceptance | None:
    """Store what an authentic body asks; one that is refused leaves its trace in the audit log.

    `read` says what it asks (None: nothing, its sender is only there), and what is kept of it (None: all of it).
    """
    source, at = proven.source, proven.at
    hearing.note(proven, at=at)
    try:
        wanted, kept = read()
        if wanted is None:
            return None
        if wanted.is_entry:
            rates.meter.pass_entry(source, at=at)
        return signals.accept(request=wanted, raw=raw, kept=kept, source=source, at=at)
    except (Refused, Invalid) as refusal:
        signals.note_refusal(code=_code(refusal), raw=raw, source=source, at=at)
        raise
    except rates.TooMany as flood:
        if flood.is_news:
            signals.note_refusal(code=flood.code, raw=raw, source=source, at=at)
        raise


def _code(refusal: Refused | Invalid) -> str:
    return refusal.form_code if isinstance(refusal, FormError) else refusal.code


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
