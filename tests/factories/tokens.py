"""Tokens of the API, as programs show them."""

from itertools import count

from django.contrib.auth.models import User

from tests.factories import NOW
from tests.factories.people import SUPER_ADMIN
from trading.domain.token import Scope
from trading.models import ApiToken, Member
from trading.services import tokens

_numbers = count(1)

Headers = dict[str, str]


def bearer(owner: User | Member, *scopes: Scope, accounts: tuple[int, ...] = ()) -> Headers:
    """The header of a new token: of every scope, unless some are given."""
    issued = tokens.issue(
        name=f"token {next(_numbers)}",
        owner=owner,
        scopes=scopes or tuple(Scope),
        accounts=accounts,
        by=SUPER_ADMIN,
        reason="a test",
        at=NOW,
    )
    return {"Authorization": f"Bearer {issued.text}"}


def token() -> ApiToken:
    """One in its table that nobody has the text of."""
    owner = User.objects.create_user("ada", password="not used")
    said = {"name": "a", "public_id": "p", "secret_sha256": "0" * 64, "scopes": [Scope.READ], "created_by": "ada"}
    return ApiToken.objects.create(user=owner, created_at=NOW, **said)
