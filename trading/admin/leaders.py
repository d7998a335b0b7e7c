"""Leaders on the console: addresses that the desk watches, each change one service call with a reason."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from trading import clock
from trading.admin.base import Swift
from trading.domain.errors import VantaError
from trading.domain.people import Act
from trading.models import Leader
from trading.services import leaders, people

# Django's forms take no parameters at run time.
if TYPE_CHECKING:
    Form = forms.ModelForm[Leader]
else:
    Form = forms.ModelForm


class LeaderForm(Form):
    """An address and what people call it, whether it is watched, and why."""

    reason = forms.CharField(max_length=500, help_text="Kept in the audit log, with your name.")

    class Meta:
        model = Leader
        fields = ("address", "name", "is_enabled")
        labels = {"is_enabled": "watched"}

    def clean_address(self) -> str:
        """As it is kept."""
        try:
            return leaders.checked_address(self.cleaned_data["address"])
        except VantaError as error:
            raise ValidationError(error.message) from None


@admin.register(Leader)
class LeaderAdmin(Swift):
    """Whom accounts can follow. Nobody is deleted: one that isn't watched anymore stays with what it did."""

    form = LeaderForm
    fields = ("address", "name", "is_enabled", "reason")
    list_display = ("address", "name", "is_enabled", "created_at")
    search_fields = ("address__exact",)
    search_help_text = "a whole address"

    def get_readonly_fields(self, _: HttpRequest, obj: Leader | None = None) -> tuple[str, ...]:
        """Whom a row is about is settled when it is made."""
        return () if obj is None else ("address",)

    def has_delete_permission(self, *_: object) -> bool:
        """No."""
        return False

    # Django would open a transaction around the whole page; our writes open their own.
    @method_decorator(csrf_protect)
    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The page of one leader, without Django's own transaction."""
        page: HttpResponse = self._changeform_view(request, object_id, form_url, extra_context)  # type: ignore[attr-defined]  # not in the stubs
        return page

    def save_model(self, request: HttpRequest, obj: Leader, form: LeaderForm, _: object) -> None:
        """Save through the services."""
        by, at, said = people.of_user(request.user), clock.now(), form.cleaned_data
        people.demand(by, Act.MANAGE_SOURCES, subject=f"leader:{obj.address}", at=at)
        why: dict[str, Any] = {"by": by, "reason": said["reason"], "at": at}
        saved = leaders.add(address=obj.address, name=said["name"], **why)
        if not said["is_enabled"]:
            leaders.stop(leader_id=saved.pk, **why)
        obj.pk = saved.pk
