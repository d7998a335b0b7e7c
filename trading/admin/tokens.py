"""Keys of programs to the API: issued and shown once, revoked for good, each with a reason."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from trading import clock
from trading.admin.base import Swift
from trading.domain.people import Act
from trading.domain.token import Scope
from trading.models import ApiToken
from trading.services import people, tokens

# Django's forms take no parameters at run time.
if TYPE_CHECKING:
    Form = forms.ModelForm[ApiToken]
else:
    Form = forms.ModelForm

_ASKED = ("name", "user", "member", "scopes", "accounts", "expires_at")
_KNOWN = ("public_id", *_ASKED, "created_at", "created_by", "last_used_at", "revoked_at", "revoked_by")


class TokenForm(Form):
    """Whose it is, what for, and why; of one that is there, why it is revoked."""

    scopes = forms.MultipleChoiceField(
        choices=[(str(scope), str(scope)) for scope in Scope], required=False, widget=forms.CheckboxSelectMultiple
    )
    reason = forms.CharField(max_length=500, help_text="Kept in the audit log, with your name.")

    class Meta:
        model = ApiToken
        fields = _ASKED

    def clean(self) -> dict[str, Any]:
        """One person, and something that it is for."""
        said: dict[str, Any] = super().clean() or self.cleaned_data
        if self.instance.pk is None and bool(said.get("user")) is bool(said.get("member")):
            raise forms.ValidationError("It is one person's: a login's or a member's.")
        if self.instance.pk is None and not said.get("scopes"):
            raise forms.ValidationError("Say what it is for.")
        return said


@admin.register(ApiToken)
class ApiTokenAdmin(Swift):
    """Tokens. Nothing of one ever changes but its end: saving its page revokes it."""

    form = TokenForm
    list_display = ("name", "public_id", "user", "member", "named_scopes", "expires_at", "last_used_at", "revoked_at")
    list_select_related = ("user", "member")
    search_fields = ("public_id__exact", "name__exact")
    search_help_text = "a whole public id or name"

    @admin.display(description="scopes")
    def named_scopes(self, token: ApiToken) -> str:
        """What it is for."""
        return ", ".join(token.scopes)

    def get_fields(self, _: HttpRequest, obj: ApiToken | None = None) -> tuple[str, ...]:
        """What is asked of a new one, and everything but the secret of one that is there."""
        return (*(_ASKED if obj is None else _KNOWN), "reason")

    def get_readonly_fields(self, _: HttpRequest, obj: ApiToken | None = None) -> tuple[str, ...]:
        """Everything that is settled."""
        return () if obj is None else _KNOWN

    def has_delete_permission(self, *_: object) -> bool:
        """No."""
        return False

    # Django would open a transaction around the whole page; our writes open their own.
    @method_decorator(csrf_protect)
    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The page of one token, without Django's own transaction."""
        words = {"title": "Revoke this token"} if object_id else {}
        page: HttpResponse = self._changeform_view(request, object_id, form_url, words | (extra_context or {}))  # type: ignore[attr-defined]  # not in the stubs
        return page

    def save_model(self, request: HttpRequest, obj: ApiToken, form: TokenForm, change: bool) -> None:  # noqa: FBT001 - Django's own
        """Issue or revoke through the service."""
        by, at, said = people.of_user(request.user), clock.now(), form.cleaned_data
        people.demand(by, Act.ADMIT, subject=f"token:{obj.public_id or obj.name}", at=at)
        if change:
            tokens.revoke(public_id=obj.public_id, by=by, reason=said["reason"], at=at)
            return
        issued = tokens.issue(
            name=said["name"],
            owner=said["user"] or said["member"],
            scopes=[Scope(scope) for scope in said["scopes"]],
            accounts=said["accounts"] or (),
            expires_at=said["expires_at"],
            by=by,
            reason=said["reason"],
            at=at,
        )
        obj.pk, obj.text = issued.token.pk, issued.text  # type: ignore[attr-defined]  # for the page that shows it

    def response_add(self, request: HttpRequest, obj: ApiToken, _: str | None = None) -> HttpResponse:
        """The one page that shows it: rendered at once, so that it is kept in no message and no cookie."""
        shown = admin.site.each_context(request) | {"title": obj.name, "text": obj.text}  # type: ignore[attr-defined]  # as saved
        return TemplateResponse(request, "vanta/token.html", shown)
