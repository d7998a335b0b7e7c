"""Channels on the console: who is told, how that goes, and what people do about it."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.postgres.forms import SimpleArrayField
from django.db.models import Count, Min, Q
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from bots import conf
from bots.domain.delivery import DeliveryStatus
from bots.models import Channel
from bots.services import channels
from bots.services.channels import Opened
from execution.admin.operated import Act, OperatedAdmin, ReasonForm, operate
from execution.services.warrants import Warrant
from trading import clock
from trading.admin.base import onward
from trading.domain import people as roles
from trading.domain.errors import VantaError
from trading.services import people

Said = dict[str, Any]


class ChannelForm(ReasonForm):
    """A new channel."""

    name = forms.SlugField(max_length=64, help_text="Small letters, digits, hyphens.")
    url = forms.CharField(max_length=500, label="URL", help_text="Its host stands in WEBHOOK_TARGET_HOSTS.")
    events = SimpleArrayField(
        forms.CharField(max_length=48), initial=["*"], help_text="Patterns, as order.*, with commas between."
    )
    accounts = SimpleArrayField(forms.IntegerField(), required=False, help_text="Telegram ids; empty: all.")
    field_order = ("name", "url", "events", "accounts", "reason")


class ReplayForm(ReasonForm):
    """What is told again."""

    since = forms.DateTimeField(help_text="In UTC: what happened from then on is told again, under the same ids.")


@admin.display(description="rotate")
def rotate(row: Channel) -> SafeString:
    """A column that leads to the page of a new secret."""
    return format_html('<a href="{}">rotate</a>', reverse("admin:bots_channel_rotate", args=[row.pk]))


def _replay(pk: int, said: Said, by: Warrant) -> None:
    channels.replay(channel_id=pk, since=said["since"], by=by)


@admin.register(Channel)
class ChannelAdmin(OperatedAdmin):
    """Who outside is told of events."""

    list_display = (
        *("name", "status", "host", "events", "accounts", "failing_since", "resting_until", "status_reason"),
        operate,
        rotate,
        onward(("deliveries", "bots_delivery", "channel__id__exact", "pk")),
    )
    list_filter = ("status",)
    # What the target or we must keep secret.
    hidden = ("url", "secret", "previous_secret")
    more = ("host", operate, rotate, list_display[-1])
    acts = {
        "pause": Act(
            title="Pause",
            says="It is told nothing for now. What happens meanwhile is kept for it.",
            do=lambda pk, _, by: channels.pause(channel_id=pk, by=by),
        ),
        "resume": Act(
            title="Resume",
            says="It is told at once what is owed to it. What happened while it was disabled stays untold.",
            do=lambda pk, _, by: channels.resume(channel_id=pk, by=by),
        ),
        "ping": Act(
            title="Ping",
            says="A test message takes the way of all others: its delivery shows what came of it.",
            do=lambda pk, _, by: channels.ping(channel_id=pk, by=by),
        ),
        "replay": Act(title="Replay", says="What happened since then is told again.", do=_replay, form=ReplayForm),
    }

    def has_add_permission(self, request: HttpRequest, *_: object) -> bool:  # type: ignore[override]  # as Django calls it
        """Whose role opens channels; the page asks our own table besides."""
        return bool(request.user.has_perm("bots.add_channel"))

    def standing(self, row: Channel) -> Sequence[Sequence[object]]:
        """What is owed, and how it goes."""
        owed, failed = Count("pk", filter=Q(ended_at=None)), Count("pk", filter=Q(status=DeliveryStatus.FAILED))
        sums = row.deliveries.aggregate(owed=owed, failed=failed, oldest=Min("created_at", filter=Q(ended_at=None)))
        heads = ("status", "because", "owed", "oldest", "given up", "failing since", "resting until")
        line = (row.status, row.status_reason, sums["owed"], sums["oldest"], sums["failed"], row.failing_since, row.resting_until)
        return [heads, line]

    def get_urls(self) -> list[URLPattern]:
        """The ledger's pages, and that of a new secret."""
        ours = path("<int:pk>/rotate/", self.admin_site.admin_view(self.rotate_view), name="bots_channel_rotate")
        return [ours, *super().get_urls()]

    @method_decorator([never_cache, require_http_methods(["GET", "POST"])])
    def add_view(self, request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
        """A new channel, and its secret once."""
        return _secret_page(self, request, form=ChannelForm, title="New channel", subject="channel:new", do=_create)

    @method_decorator([never_cache, require_http_methods(["GET", "POST"])])
    def rotate_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Another secret for a channel, shown once."""
        do: Callable[[Said, Warrant], Opened] = lambda _, by: channels.rotate(channel_id=pk, by=by)  # noqa: E731 - needs pk
        return _secret_page(self, request, form=ReasonForm, title="Rotate the secret", subject=f"channel:{pk}", do=do)


def _create(said: Said, by: Warrant) -> Opened:
    return channels.create(
        name=said["name"], url=said["url"], events=said["events"], accounts=said["accounts"] or (), by=by, postman=conf.postman()
    )


def _secret_page(
    page: ChannelAdmin,
    request: HttpRequest,
    *,
    form: type[forms.Form],
    title: str,
    subject: str,
    do: Callable[[Said, Warrant], Opened],
) -> HttpResponse:
    """A form whose answer shows a secret: in this response only, never through a redirect, a session or a cookie."""
    person = people.of_user(request.user)
    people.demand(person, roles.Act.MANAGE_CHANNELS, subject=subject, at=clock.now())
    filled = form(request.POST if request.method == "POST" else None)
    opened = None
    if filled.is_valid():
        by = Warrant(actor=person.name, reason=filled.cleaned_data["reason"], at=clock.now())
        try:
            opened = do(filled.cleaned_data, by)
        except VantaError as error:
            messages.error(request, f"{error.message} ({error.code})")
    own = {"title": title, "opts": page.opts, "form": filled, "opened": opened}
    return TemplateResponse(request, "vanta/channel_secret.html", page.admin_site.each_context(request) | own)
