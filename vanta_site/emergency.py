"""`POST` and `DELETE /admin/emergency-stop`: the stop for programs, behind one token."""

import hmac
import json
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from trading import clock, conf
from trading.services import mode
from vanta_site import standing

ACTOR = "api"


@csrf_exempt
@require_http_methods(["POST", "DELETE"])
def endpoint(request: HttpRequest) -> JsonResponse:
    """Stop everything (POST), or lift the stop with a reason (DELETE); the answer is the new state."""
    if not settings.ADMIN_TOKEN:
        return _refused(HTTPStatus.NOT_FOUND, "NOT_FOUND", "there is no such page")
    if not _has_token(request):
        return _refused(HTTPStatus.UNAUTHORIZED, "TOKEN_INVALID", "the token doesn't match")
    return _stop() if request.method == "POST" else _lift(request)


def _has_token(request: HttpRequest) -> bool:
    expected = f"Bearer {settings.ADMIN_TOKEN}".encode()
    # Bytes, since compare_digest refuses text outside ASCII.
    return hmac.compare_digest(expected, request.headers.get("Authorization", "").encode("utf-8", errors="replace"))


def _stop() -> JsonResponse:
    mode.stop_everything(
        switch=conf.mode_switch(), actor=ACTOR, origin="api", reason="POST /admin/emergency-stop", at=clock.now()
    )
    return _state()


def _lift(request: HttpRequest) -> JsonResponse:
    reason = _reason(request)
    if not reason:
        return _refused(HTTPStatus.UNPROCESSABLE_ENTITY, "REASON_MISSING", 'send {"reason": "..."}')
    mode.lift_stop(switch=conf.mode_switch(), actor=ACTOR, reason=reason, at=clock.now())
    return _state()


def _reason(request: HttpRequest) -> str:
    try:
        said = json.loads(request.body)
    except ValueError:
        return ""
    reason = said.get("reason") if isinstance(said, dict) else None
    return reason.strip()[:500] if isinstance(reason, str) else ""


def _state() -> JsonResponse:
    holds = standing.read().holds
    return JsonResponse({"mode": holds.mode, "emergency_stop": holds.emergency_stop, "reasons": holds.reasons})


def _refused(status: HTTPStatus, code: str, message: str) -> JsonResponse:
    return JsonResponse({"code": code, "message": message}, status=status)
