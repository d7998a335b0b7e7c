"""`/healthz`, `/readyz` and `/health`: what lives, what is missing, how everything is. Open to anyone: nothing secret."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from trading.domain.mode import Mode
from vanta_site.components import look
from vanta_site.probes import Component, Status
from vanta_site.standing import Standing

Seen = Mapping[str, Component]

# Without one of these the desk can't do its work.
READY = ("database", "migrations", "redis", "broker", "rpc", "price_feeds", "celery")
# Without this it can't even take a signal.
VITAL = "database"
FINE = (Status.HEALTHY, Status.DISABLED)


@never_cache
@require_safe
def alive(_: HttpRequest) -> JsonResponse:
    """200 while the process lives; touches nothing."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(_: HttpRequest) -> JsonResponse:
    """200, or 503 with the components that are missing."""
    seen, _mode = look()
    missing = {name: _shown(seen[name]) for name in READY if seen[name].status is Status.UNHEALTHY}
    status = HTTPStatus.SERVICE_UNAVAILABLE if missing else HTTPStatus.OK
    return JsonResponse({"status": "unready" if missing else "ready", "components": missing}, status=status)


@never_cache
@require_safe
def report(_: HttpRequest) -> JsonResponse:
    """Everything, in one document: 200 for ok and degraded, 503 for down."""
    seen, stands = look()
    overall = _overall(seen)
    document = {
        "status": overall,
        "execution_mode": _execution_mode(stands),
        "components": {name: _shown(component) for name, component in seen.items()},
        "environment": settings.DEPLOY_ENV,
        "version": settings.DEPLOY_VERSION,
    }
    return JsonResponse(document, status=HTTPStatus.SERVICE_UNAVAILABLE if overall == "down" else HTTPStatus.OK)


def _overall(seen: Seen) -> str:
    if seen[VITAL].status is Status.UNHEALTHY:
        return "down"
    return "ok" if all(component.status in FINE for component in seen.values()) else "degraded"


def _execution_mode(stands: Standing | None) -> dict[str, Any]:
    if stands is None:
        # Nothing is signed without the database: the latch lies there. Whether it is up isn't known.
        return {
            "mode": Mode.DRY,
            "emergency_stop": None,
            "redis_health_streak": 0,
            "consecutive_ok_required": settings.ALLOW_LIVE_AFTER_STREAK,
            "ceiling": None,
            "ceiling_by": None,
            "copy_ceiling": None,
            "configured": None,
            "waits_for_second_person": None,
            "reasons": ["the database doesn't answer"],
        }
    return {
        "mode": stands.holds.mode,
        "emergency_stop": stands.holds.emergency_stop,
        "redis_health_streak": stands.streak,
        "consecutive_ok_required": stands.streak_needed,
        "ceiling": stands.ceiling.mode,
        "ceiling_by": stands.ceiling.by,
        "copy_ceiling": stands.copy_ceiling.mode,
        "configured": stands.state.configured,
        "waits_for_second_person": stands.waits_for_second_person,
        "reasons": stands.holds.reasons,
    }


def _shown(component: Component) -> dict[str, Any]:
    return {
        "status": component.status,
        "latency_ms": component.latency_ms,
        "last_success": component.last_success.isoformat() if component.last_success else None,
        "detail": component.detail,
        **component.facts,
    }
