"""Every path of the site."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from execution.api import journey
from trading.api import tradingview, webhook
from vanta_site import emergency, health, metrics

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("signals", webhook.receive, name="signals"),
    path("signals/<path:intent_key>", journey.show, name="journey"),
    path("hooks/tv/<str:token>", tradingview.receive, name="tradingview"),
    path("api/", include("vanta_site.api.urls")),
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("health", health.report, name="health"),
    path("metrics", metrics.scrape, name="metrics"),
    # Before the admin, which would take its path for a page of its own.
    path("admin/emergency-stop", emergency.endpoint, name="emergency-stop"),
    path("admin/", admin.site.urls),
]
