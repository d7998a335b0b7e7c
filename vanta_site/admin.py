"""The console's page over its own people."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User

# Django's admin classes take no parameters at run time.
if TYPE_CHECKING:
    Admin = UserAdmin[User]
else:
    Admin = UserAdmin

admin.site.unregister(User)


@admin.register(User)
class OperatorAdmin(Admin):
    """Django's own, but nobody is deleted: the log of what people did names them. They are made inactive."""

    def has_delete_permission(self, *_: object) -> bool:
        """No."""
        return False
