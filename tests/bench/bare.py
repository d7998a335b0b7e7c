"""The least that a door can do: verify a MAC and insert one row."""

import hashlib
import hmac

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

TABLE = "CREATE TABLE IF NOT EXISTS bench_bodies (id bigserial PRIMARY KEY, body text NOT NULL, at timestamptz NOT NULL)"


@csrf_exempt
def receive(request: HttpRequest) -> JsonResponse:
    """Take one body."""
    raw = request.read()
    expected = hmac.new(settings.WEBHOOK_HMAC_SECRET.encode(), raw, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, request.headers.get("X-Signature", "")):
        return JsonResponse({"status": "refused"}, status=401)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO bench_bodies (body, at) VALUES (%s, clock_timestamp())", [raw.decode()])
    return JsonResponse({"status": "accepted"}, status=202)


urlpatterns = [path("signals", receive)]
