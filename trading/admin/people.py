"""Whom the bot and the API know: admitted and changed by a super-admin, each change one service call with a reason."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from trading import clock
from trading.admin.base import Swift
from trading.domain.people import Act, Role
from trading.models import Member
from trading.services import members, people

# Django's forms take no parameters at run time.
if TYPE_CHECKING:
    Form = forms.ModelForm[Member]
else:
    Form = forms.ModelForm


class MemberForm(Form):
    """A Telegram id and its roles, and why."""

    roles = forms.MultipleChoiceField(
        choices=[(str(role), str(role)) for role in Role],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None: nobody.",
    )
    reason = forms.CharField(max_length=500, help_text="Kept in the audit log, with your name.")

    class Meta:
        model = Member
        fields = ("tg_user_id", "name", "roles", "user")


@admin.register(Member)
class MemberAdmin(Swift):
    """Telegram ids and their roles. Nobody is deleted: without a role he is nobody."""

    form = MemberForm
    fields = ("tg_user_id", "name", "roles", "user", "reason")
    list_display = ("tg_user_id", "name", "named_roles", "user", "updated_at")
    list_select_related = ("user",)
    search_fields = ("tg_user_id__exact",)
    search_help_text = "a whole Telegram id"

    @admin.display(description="roles")
    def named_roles(self, member: Member) -> str:
        """The roles of the row; those of the environment's lists come besides."""
        return ", ".join(member.roles) or "none"

    def get_readonly_fields(self, _: HttpRequest, obj: Member | None = None) -> tuple[str, ...]:
        """Whom a row is about is settled when it is made."""
        return () if obj is None else ("tg_user_id",)

    def has_delete_permission(self, *_: object) -> bool:
        """No."""
        return False

    # Django would open a transaction around the whole page; our writes open their own.
    @method_decorator(csrf_protect)
    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The page of one member, without Django's own transaction."""
        page: HttpResponse = self._changeform_view(request, object_id, form_url, extra_context)  # type: ignore[attr-defined]  # not in the stubs
        return page

    def save_model(self, request: HttpRequest, obj: Member, form: MemberForm, _: object) -> None:
        """Save through the service."""
        by, at, said = people.of_user(request.user), clock.now(), form.cleaned_data
        people.demand(by, Act.ADMIT, subject=f"member:{obj.tg_user_id}", at=at)
        saved = members.admit(
            tg_user_id=obj.tg_user_id,
            roles=[Role(role) for role in said["roles"]],
            name=said["name"],
            login=said["user"].get_username() if said["user"] else "",
            by=by,
            reason=said["reason"],
            at=at,
        )
        obj.pk = saved.pk
