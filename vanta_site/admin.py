"""The console's pages over its own people: who logs in, and with which roles."""

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse

from trading import clock
from trading.admin.base import NOTHING, ReadOnlyAdmin
from trading.domain import people as roles
from trading.domain.people import MAY, MAY_WITH_OWN, Act
from trading.kinds import write
from trading.services import people
from vanta_site import operators

# Django's admin classes take no parameters at run time.
if TYPE_CHECKING:
    Admin = UserAdmin[User]
    ChangeForm = UserChangeForm[User]
    CreationForm = AdminUserCreationForm[User]
else:
    Admin = UserAdmin
    ChangeForm = UserChangeForm
    CreationForm = AdminUserCreationForm

admin.site.unregister(User)
admin.site.unregister(Group)

_ROLES = ("is_active", "is_staff", "groups", "is_superuser", "reason")


def _reason() -> forms.CharField:
    return forms.CharField(max_length=500, help_text="Kept in the audit log, with your name.")


class OperatorForm(ChangeForm):
    """A person of the console, and why he changes."""

    reason = _reason()


class NewOperatorForm(CreationForm):
    """A new person of the console, and why."""

    reason = _reason()


@admin.register(User)
class OperatorAdmin(Admin):
    """Who logs in. Nobody is deleted, since the log of what people did names them: they are made inactive.

    Each change is in the audit log, in Django's own transaction.
    """

    form = OperatorForm
    add_form = NewOperatorForm
    # Permissions of one's own would be a second table of who may do what.
    fieldsets = (
        (None, {"fields": ("username", "password", "first_name", "last_name", "email")}),
        ("Roles", {"fields": _ROLES}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "usable_password", "password1", "password2", *_ROLES)}),)
    readonly_fields = ("last_login", "date_joined")
    list_display = ("username", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_active", "groups")
    filter_horizontal = ("groups",)

    def has_delete_permission(self, *_: object) -> bool:
        """No."""
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's own
        """Save the person, remembering what he was allowed before."""
        roles.check(people.of_user(request.user), Act.ADMIT)
        form.said_before = operators.said(User.objects.get(pk=obj.pk)) if change else {}
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001 - Django's own
        """Save the roles, and write down who gave them and why."""
        super().save_related(request, form, formsets, change)
        operators.note(
            "operator.change" if change else "operator.add",
            form.instance.username,
            by=request.user.get_username(),
            before=form.said_before,
            after=operators.said(form.instance),
            reason=form.cleaned_data["reason"],
            at=clock.now(),
        )

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002 - Django's own
        """Give a person another password, and write down who did."""
        return _with_its_row(super().user_change_password, request, id, form_url)


@write
def _with_its_row(change: Callable[..., HttpResponse], request: HttpRequest, pk: str, form_url: str) -> HttpResponse:
    """A new password and the row that says so, or neither."""
    roles.check(people.of_user(request.user), Act.ADMIT)
    answer = change(request, pk, form_url)
    if answer.status_code == HTTPStatus.FOUND:
        by, name = request.user.get_username(), User.objects.get(pk=pk).username
        operators.note("operator.reset", name, by=by, before={}, after={}, reason="on the console", at=clock.now())
    return answer


@admin.display(description="may")
def acts(group: Group) -> Any:
    """What the role may, anywhere and on its own account."""
    (role,) = roles.roles_of([group.name]) or (None,)
    if role is None:
        return NOTHING
    own = [f"{act} (own account)" for act in Act if act in MAY_WITH_OWN[role] - MAY[role]]
    return ", ".join([str(act) for act in Act if act in MAY[role]] + own)


@admin.register(Group)
class RoleAdmin(ReadOnlyAdmin):
    """The roles as groups: what they may is a table in the code, settled with each migration."""

    list_display = ("name", acts)
    more = (acts,)
