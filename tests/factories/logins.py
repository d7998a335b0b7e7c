"""People who log in to the console."""

from django.contrib.auth.models import Group, User

from trading.domain.people import Role
from vanta_site import groups


def operator(username: str, *roles: Role) -> User:
    """Somebody who logs in, with the groups of his roles."""
    # Tests whose commits are real empty these tables.
    groups.settle()
    user = User.objects.create_user(username, password="not used", is_staff=True)
    user.groups.set(Group.objects.filter(name__in=roles))
    return user
