"""Sources on the console: who may send, what came of it, and the acts on their secrets, each with a reason."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Concat
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from trading import clock
from trading.admin.base import NOTHING, ReadOnlyAdmin, onward
from trading.admin.source_forms import CreateForm, RehearsalForm, RevokeForm, TermsForm, WhyForm, said
from trading.domain.errors import VantaError
from trading.domain.people import Act, may
from trading.domain.sending import template
from trading.domain.signal import SignalStatus
from trading.domain.source import Auth, Terms
from trading.models import AuditRow, Signal, Source
from trading.services import people, rehearsals, sources
from trading.services.sources import Issued

SHOWN = 20
# On whose word, why, and when: what every service of sources takes.
By = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceAct:
    """One form of a source's page, and the one service that it calls; a secret that it makes is shown on the answer's page."""

    title: str
    says: str
    do: Callable[[Source, dict[str, Any], By], Issued | object]
    form: type[forms.Form] = WhyForm
    is_dangerous: bool = False


ACTS: dict[str, SourceAct] = {
    "rotate": SourceAct(
        title="Make another secret",
        says="The old one stays good until it is revoked. The new one is shown once, on the next page.",
        do=lambda source, _, by: sources.rotate(name=source.name, **by),
    ),
    "revoke": SourceAct(
        title="Revoke a secret",
        says="What it signs is refused from now on, and it is forgotten. A source without a secret is refused.",
        do=lambda _, form, by: sources.revoke(key_id=form["key_id"], **by),
        form=RevokeForm,
        is_dangerous=True,
    ),
    "edit": SourceAct(
        title="Change what it may send",
        says="All of it is said anew.",
        do=lambda source, form, by: sources.edit(name=source.name, terms=_terms(form), **by),
        form=TermsForm,
    ),
    "rehearse": SourceAct(
        title="Send a test",
        says="A small long in its name goes all the way, on paper: follow it under the last payloads.",
        do=lambda source, form, by: rehearsals.send(source=source, tg_user_id=form["account"], symbol=form["market"], **by),
        form=RehearsalForm,
    ),
    "disable": SourceAct(
        title="Switch it off",
        says="New signals are refused at the door; those that wait are denied, exits too.",
        do=lambda source, _, by: sources.disable(name=source.name, **by),
        is_dangerous=True,
    ),
    "enable": SourceAct(
        title="Switch it on",
        says="Its signals are taken again.",
        do=lambda source, _, by: sources.enable(name=source.name, **by),
    ),
}


def _terms(form: dict[str, Any]) -> Terms:
    return Terms(**{name: value for name, value in form.items() if name != "reason"})


@admin.display(description="operate")
def operate(source: Source) -> SafeString:
    """A column that leads to a source's acts."""
    return format_html('<a href="{}">operate</a>', reverse("admin:trading_source_operate", args=[source.pk]))


def _counted(description: str, name: str) -> Callable[[Any], Any]:
    @admin.display(description=description, empty_value=NOTHING)
    def column(source: Source) -> object:
        return getattr(source, name)

    column.__name__ = name
    return column


@admin.register(Source)
class SourceAdmin(ReadOnlyAdmin):
    """Who may send signals."""

    list_display = (
        "name",
        "auth",
        "mode",
        "is_enabled",
        _counted("today", "today"),
        _counted("approved", "approved"),
        _counted("denied", "denied"),
        "last_heard_at",
        _counted("last refusal", "last_refusal"),
        operate,
        onward(("signals", "trading_signal", "source__id__exact", "pk")),
    )
    change_list_template = "vanta/sources.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Source]:
        """Each source with what came of its signals today."""
        return with_statistics(super().get_queryset(request))

    def get_urls(self) -> list[URLPattern]:
        """The list, and ours."""
        view = self.admin_site.admin_view
        ours = [
            path("new/", view(self.create_view), name="trading_source_new"),
            path("<int:pk>/operate/", view(self.operate_view), name="trading_source_operate"),
        ]
        return [*ours, *super().get_urls()]

    @method_decorator([never_cache, require_http_methods(["GET", "POST"])])
    def create_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for a new source, or make it and show its secret."""
        form = CreateForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            made = _try(request, "source:new", lambda by: _created(form.cleaned_data, by))
            if isinstance(made, Issued):
                return self._shown(request, with_statistics(Source.objects.all()).get(pk=made.secret.source_id), issued=made)
        return self._page(request, "vanta/source_new.html", {"title": "A new source", "form": form})

    @method_decorator([never_cache, require_http_methods(["GET", "POST"])])
    def operate_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show how a source stands, or perform one act; a new secret is on the answer itself, and never again."""
        source = get_object_or_404(with_statistics(Source.objects.all()), pk=pk)
        if not self.has_view_permission(request, source):
            raise PermissionDenied
        if request.method == "GET":
            return self._shown(request, source)
        done = _perform(request, source)
        return self._shown(request, source, issued=done) if isinstance(done, Issued) else HttpResponseRedirect(request.path)

    def _shown(self, request: HttpRequest, source: Source, *, issued: Issued | None = None) -> HttpResponse:
        allowed = may(people.of_user(request.user), Act.MANAGE_SOURCES)
        own = {
            "title": source.name,
            "source": source,
            "issued": issued,
            "secrets": source.secrets.order_by("-pk")[:SHOWN],
            "signals": Signal.objects.filter(source=source).order_by("-received_at")[:SHOWN],
            "refusals": _refusals(source.name).order_by("-pk")[:SHOWN],
            "acts": [_offered(name, act, source) for name, act in ACTS.items()] if allowed and issued is None else [],
            "template": _to_copy(source, site=request.build_absolute_uri("/").rstrip("/")),
        }
        return self._page(request, "vanta/source.html", own)

    def _page(self, request: HttpRequest, file: str, own: dict[str, Any]) -> HttpResponse:
        return TemplateResponse(request, file, self.admin_site.each_context(request) | {"opts": self.opts} | own)


def _to_copy(source: Source, *, site: str) -> str:
    # Where it can be only one account's, an alert needn't say whose it is.
    account = None if len(source.allowed_accounts) == 1 else 123
    return template(name=source.name, auth=Auth(source.auth), site=site, account=account)


def with_statistics(rows: QuerySet[Source]) -> QuerySet[Source]:
    """Sources with today's signals (UTC), how many were approved and denied, and the newest refusal's code."""
    today = Signal.objects.filter(source=OuterRef("pk"), received_at__gte=_midnight()).order_by()
    refused = _refusals(OuterRef("name")).order_by("-pk").values("after__code")[:1]
    return rows.annotate(
        today=_number(today),
        approved=_number(today.filter(status=SignalStatus.APPROVED)),
        denied=_number(today.filter(status=SignalStatus.DENIED)),
        last_refusal=Subquery(refused),
    )


def _midnight() -> datetime:
    return clock.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _number(signals: QuerySet[Signal]) -> Coalesce:
    return Coalesce(Subquery(signals.values("source").annotate(number=Count("pk")).values("number")), 0)


def _refusals(name: Any) -> QuerySet[AuditRow]:
    """What the door refused though it was authentic."""
    actor = f"source:{name}" if isinstance(name, str) else Concat(Value("source:"), name)
    return AuditRow.objects.filter(actor=actor, action="signal.refused")


def _offered(name: str, act: SourceAct, source: Source) -> dict[str, Any]:
    initial = said(source) if act.form is TermsForm else None
    return {"name": name, "act": act, "form": act.form(auto_id=f"{name}_%s", initial=initial)}


def _created(form: dict[str, Any], by: By) -> Issued:
    return sources.create(name=form["name"], auth=form["auth"], terms=Terms(), **by)


def _perform(request: HttpRequest, source: Source) -> object:
    act = ACTS.get(request.POST.get("act", ""))
    if act is None:
        raise PermissionDenied
    form = act.form(request.POST)
    if form.is_valid():
        return _try(request, f"source:{source.name}", lambda by: _done(act, source, form, by, request))
    messages.error(request, "; ".join(f"{name}: {' '.join(map(str, texts))}" for name, texts in form.errors.items()))
    return None


def _done(act: SourceAct, source: Source, form: forms.Form, by: By, request: HttpRequest) -> object:
    done = act.do(source, form.cleaned_data, by)
    messages.success(request, f"{act.title}: done.")
    return done


def _try(request: HttpRequest, subject: str, act: Callable[[By], object]) -> object:
    """Do it on the person's word; what is refused is said on the page."""
    person, at = people.of_user(request.user), clock.now()
    people.demand(person, Act.MANAGE_SOURCES, subject=subject, at=at)
    try:
        return act({"by": person, "reason": request.POST["reason"], "at": at})
    except VantaError as error:
        messages.error(request, f"{error.message} ({error.code})")
        return None
