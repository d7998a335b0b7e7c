"""Who calls: a program with a token, or a person who is logged in to the console."""

from dataclasses import dataclass
from typing import Any, cast

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from trading import clock
from trading.domain.people import Person
from trading.services import people, tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A person, and the source under whose name his signals are kept.

    A token's is `api:<public id>`: a program's. A login's is `console:<number>`: a hand's, which no trading state refuses.
    """

    person: Person
    source: str
    is_program: bool


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer vanta_…`. Whatever is wrong with a token, the answer is the same."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Caller] | None:
        """The caller; None if he shows no token.

        Raises:
            AuthenticationFailed: if what he shows isn't a good token of somebody with a role.
        """
        header = request.headers.get("Authorization")
        if header is None:
            return None
        keyword, _, text = header.partition(" ")
        at = clock.now()
        found = tokens.recognize(text if keyword.lower() == "bearer" else "", at=at)
        if found is None:
            raise AuthenticationFailed
        token, person = found
        tokens.note_use(token, at=at)
        return AnonymousUser(), Caller(person=person, source=f"api:{token.public_id}", is_program=True)

    def authenticate_header(self, _: Request) -> str:
        """What a stranger is asked for."""
        return 'Bearer realm="vanta"'


class LoginAuthentication(SessionAuthentication):
    """The console's login, for browsing; Django's protection against forged requests stays on."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """The caller; None if nobody with a role is logged in."""
        found = super().authenticate(request)
        if found is None:
            return None
        user, _ = found
        person = people.of_user(user)
        caller = Caller(person=person, source=f"console:{user.pk}", is_program=False)
        return (user, caller) if person.roles else None


class IsSomebody(BasePermission):
    """Whether somebody calls; what he may do is asked act by act."""

    def has_permission(self, request: Request, _: Any) -> bool:
        """Whether he is known."""
        return isinstance(request.auth, Caller)


def caller_of(request: Request) -> Caller:
    """Who calls; only behind `IsSomebody`."""
    return cast(Caller, request.auth)
