"""Every path of the API, in one place."""

from django.urls import URLPattern, path, re_path, register_converter
from django.urls.converters import IntConverter
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from execution.api.intents import Bumping, Canceling, Intents
from execution.api.journeys import Journeys
from execution.api.reconciliation import AccountLooks, Differences, WalletFlows
from execution.api.senders import Draining, Pausing, Rebroadcasting, Resuming, Senders
from risk.api.decisions import Decisions
from risk.api.equities import Equities, Samples
from risk.api.flattens import Flattens
from risk.api.followings import Amending, Copies, Followings, FollowingTurn, Trackings
from risk.api.halts import Halts
from risk.api.locks import Lifting, Locks
from risk.api.policies import Policies
from risk.api.protections import Breakeven, Guarding
from trading.api.approvals import Declining, Granting
from trading.api.desk import Markets, Sources, Traders
from trading.api.leaders import Leaders
from trading.api.positions import Closing, Fills, Positions
from trading.api.records import Audit, Events
from trading.api.results import Performances, Results
from trading.api.signals import Signals
from trading.api.views import Resource
from trading.api.wallets import PaperFlows, PaperWallets
from vanta_site.api.mode import Confirming, LiftingTheStop, ModeNow, Stopping, Switching, Turning
from vanta_site.api.nothing import nothing


class RowNumber(IntConverter):
    """A row's number, as PostgreSQL can have it."""

    regex = "[1-9][0-9]{0,17}"


register_converter(RowNumber, "row")


def _ledger(name: str, view: type[Resource], **also: str) -> tuple[URLPattern, URLPattern]:
    """A list and its rows; what else is done at the list's path."""
    return (
        path(name, view.as_view({"get": "list", **also}), name=f"api-{name}"),
        path(f"{name}/<row:pk>", view.as_view({"get": "retrieve"}), name=f"api-{name}-row"),
    )


def _act(place: str, view: type[Resource]) -> URLPattern:
    """One act."""
    name = place.replace("/<row:pk>", "").replace("/", "-")
    return path(place, view.as_view({"post": "perform"}), name=f"api-{name}")


urlpatterns = [
    *_ledger("signals", Signals, post="perform"),
    path("signals/<row:pk>/journey", Journeys.as_view({"get": "follow"}), name="api-signals-journey"),
    _act("signals/<row:pk>/grant", Granting),
    _act("signals/<row:pk>/decline", Declining),
    *_ledger("decisions", Decisions),
    *_ledger("intents", Intents),
    _act("intents/<row:pk>/bump", Bumping),
    _act("intents/<row:pk>/cancel", Canceling),
    *_ledger("positions", Positions),
    _act("positions/<row:pk>/close", Closing),
    path(
        "positions/<row:pk>/protection",
        Guarding.as_view({"get": "look_now", "put": "perform", "delete": "remove"}),
        name="api-positions-protection",
    ),
    _act("positions/<row:pk>/breakeven", Breakeven),
    *_ledger("fills", Fills),
    *_ledger("equities", Equities),
    *_ledger("equity-samples", Samples),
    *_ledger("account-looks", AccountLooks),
    *_ledger("differences", Differences),
    *_ledger("wallet-flows", WalletFlows),
    *_ledger("paper-wallets", PaperWallets),
    *_ledger("paper-flows", PaperFlows),
    path("results", Results.as_view({"get": "sums"}), name="api-results"),
    path("performance", Performances.as_view({"get": "whole"}), name="api-performance"),
    *_ledger("policies", Policies, post="perform"),
    *_ledger("halts", Halts, post="perform"),
    *_ledger("flattens", Flattens, post="perform"),
    *_ledger("locks", Locks, post="perform"),
    _act("locks/<row:pk>/lift", Lifting),
    *_ledger("senders", Senders),
    _act("senders/<row:pk>/pause", Pausing),
    _act("senders/<row:pk>/drain", Draining),
    _act("senders/<row:pk>/resume", Resuming),
    _act("senders/<row:pk>/rebroadcast", Rebroadcasting),
    *_ledger("sources", Sources),
    *_ledger("traders", Traders),
    *_ledger("markets", Markets),
    *_ledger("leaders", Leaders),
    *_ledger("following", Followings, post="perform"),
    _act("following/<row:pk>/change", Amending),
    _act("following/<row:pk>/turn", FollowingTurn),
    *_ledger("copies", Copies),
    *_ledger("trackings", Trackings),
    *_ledger("events", Events),
    *_ledger("audit", Audit),
    path("mode", ModeNow.as_view({"get": "look_now"}), name="api-mode"),
    _act("mode/switch", Switching),
    _act("mode/confirm", Confirming),
    _act("emergency-stop", Stopping),
    _act("emergency-stop/lift", LiftingTheStop),
    _act("switches", Turning),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="api-schema"), name="api-docs"),
    re_path("", nothing),
]
