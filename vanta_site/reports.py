"""The Reports page: what an account's trading made, with its curve and its CSV files."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from risk.models import Equity, EquitySample
from trading import clock
from trading.domain import people as roles
from trading.domain.mode import Book
from trading.domain.result import Grain, Performance, Result
from trading.models import Trader
from trading.services import people, reports
from trading.services.reports import Scope
from vanta_site.curve import Curve

NOTHING = "–"
# As many days as are shown if nobody says otherwise.
DAYS = 30
# More of a curve's points than a picture can tell apart.
POINTS = 2_000


class ScopeForm(forms.Form):
    """Whose, in which book, which days, and by what."""

    account = forms.ModelChoiceField(queryset=Trader.objects.none(), empty_label=None)
    book = forms.ChoiceField(choices=[(str(book), str(book)) for book in Book])
    since = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))
    by = forms.ChoiceField(choices=[(str(grain), grain.lower()) for grain in Grain])

    def __init__(self, *args: Any, accounts: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].queryset = accounts  # type: ignore[attr-defined]  # the stubs know a field by its base


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One thing that is said of a performance."""

    name: str
    value: str


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show one account's results: the figures, the curve, and a row for each day, week, month or market."""
    form = _form(request)
    said = form.cleaned_data if form.is_valid() else None
    context = {
        **admin.site.each_context(request),
        "title": "Reports",
        "form": form,
        "asked": request.GET.urlencode(),
        **(_report(_scope(said), by=Grain(said["by"])) if said else {}),
    }
    return TemplateResponse(request, "vanta/reports.html", context)


@require_safe
def download(request: HttpRequest, name: str) -> StreamingHttpResponse:
    """The same span as a CSV file: every fill, or what each day brought."""
    form = _form(request)
    if not form.is_valid():
        raise Http404
    scope, by = _scope(form.cleaned_data), Grain(form.cleaned_data["by"])
    lines = reports.fills_csv(scope) if name == "fills" else reports.results_csv(scope, by=by)
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="vanta-{name}-{scope.trader.account}-{scope.book}.csv"'
    return answer


def _form(request: HttpRequest) -> ScopeForm:
    accounts = _accounts(request)
    today = clock.now().date()
    first = accounts.first()
    usual = {"account": first and first.pk, "book": Book.LIVE, "by": Grain.DAY, "since": today - timedelta(days=DAYS)}
    return ScopeForm(request.GET if "account" in request.GET else usual, accounts=accounts)


def _accounts(request: HttpRequest) -> Any:
    """The accounts that the person may look at."""
    sight = roles.sight(people.of_user(request.user))
    found = Trader.objects.order_by("name")
    return found if sight is None else found.filter(tg_user_id__in=sight)


def _scope(said: dict[str, Any]) -> Scope:
    since, until = said["since"], said["until"]
    backwards = since is not None and until is not None and until < since
    return Scope(trader=said["account"], book=Book(said["book"]), since=since, until=since if backwards else until)


def _report(scope: Scope, *, by: Grain) -> dict[str, Any]:
    performance = reports.performance(scope)
    return {
        "scope": scope,
        "by": by.lower(),
        "figures": _figures(performance),
        "worth": Equity.objects.filter(trader=scope.trader, book=scope.book).first(),
        "curve": Curve.of(_points(scope)),
        "rows": [(key, each) for key, each in reversed(reports.results(scope, by=by))],
        "total": performance.total,
    }


def _points(scope: Scope) -> list[tuple[Any, Any]]:
    """What had been earned, realised and unrealised, as it was measured; by the ends of days where it never was."""
    samples = EquitySample.objects.filter(trader=scope.trader, book=scope.book)
    samples = samples if scope.since is None else samples.filter(at__date__gte=scope.since)
    samples = samples if scope.until is None else samples.filter(at__date__lte=scope.until)
    return list(samples.order_by("-at").values_list("at", "earned_usdc")[:POINTS])[::-1]


def _figures(found: Performance) -> list[Figure]:
    total, fall = found.total, found.drawdown
    return [
        Figure(name="net PnL", value=f"{total.net} USDC"),
        Figure(name="price moves", value=f"{total.price_pnl} USDC"),
        Figure(name="costs", value=_costs(total)),
        Figure(name="trades closed", value=f"{total.trades}, {total.won} won"),
        Figure(name="win rate", value=NOTHING if total.win_rate is None else f"{total.win_rate.decimal:.1f} %"),
        Figure(name="profit factor", value=NOTHING if total.profit_factor is None else f"{total.profit_factor.decimal:.2f}"),
        Figure(name="expectancy", value=NOTHING if total.expectancy is None else f"{total.expectancy} USDC a trade"),
        Figure(name="drawdown", value=NOTHING if fall is None else f"{fall.depth} USDC, {fall.peak} to {fall.trough}"),
        Figure(name="best and worst day", value=f"{_day(found.best)}; {_day(found.worst)}"),
        Figure(name="volume", value=f"{total.volume} USDC"),
    ]


def _costs(total: Result) -> str:
    return f"fees {total.fees}, rollover {total.rollover}, funding {total.funding} USDC"


def _day(found: tuple[date, Any] | None) -> str:
    return NOTHING if found is None else f"{found[1]} USDC on {found[0]}"
