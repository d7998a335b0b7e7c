"""What every path of the API is made of: who calls, which rows he sees, and one act with one service behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import structlog
from django.db.models import Q, QuerySet
from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSetMixin

from trading import clock
from trading.api import forms
from trading.api.authentication import Caller, caller_of
from trading.api.forms import Form, PageQuery, Query, Said, Why
from trading.api.throttling import TokenThrottle
from trading.domain import people as roles
from trading.domain.people import Act, Person
from trading.models import Trader
from trading.services import people

log = structlog.get_logger(__name__)

# Which rows somebody sees who sees only some accounts.
NONE, ALL = Q(pk__in=[]), Q()


def of_accounts(way: str, accounts: frozenset[int]) -> Q:
    """The rows whose `way` (a column with a trader's key) leads to one of the accounts.

    Their keys are looked up first: with a constant PostgreSQL knows from its statistics how rare somebody's rows are,
    and takes his index; with a join it may walk through everybody's.
    """
    return Q(**{f"{way}__in": list(Trader.objects.filter(tg_user_id__in=accounts).values_list("pk", flat=True))})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A person's word for one act: what he said, of which row if the path names one, and why."""

    person: Person
    said: Said
    row: Any
    at: datetime

    @property
    def reason(self) -> str:
        """Why; empty where nobody is asked."""
        reason: str = self.said.get("reason", "")
        return reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """What a person must be allowed, and whose account it touches; None: the desk."""

    act: Act
    account: int | None = None


class Resource(ViewSetMixin, APIView):
    """Rows of one kind, and what is done with them."""

    http_method_names = ["get", "head", "post"]
    # Reading: the documents that rows become, what lists are narrowed by, and what it takes to look.
    shape: ClassVar[type[serializers.Serializer[Any]]]
    query: ClassVar[type[Query]] = PageQuery
    look: ClassVar[Act] = Act.SEE
    # Whether its query says which account it is about.
    names_an_account: ClassVar[bool] = False
    # Doing: what is asked, what is answered (as read, if nothing else is said), and by which status.
    form: ClassVar[type[Form]] = Why
    answer: ClassVar[type[serializers.Serializer[Any]] | None] = None
    status: ClassVar[int] = 200
    # What gets somebody out is never counted.
    is_exit: ClassVar[bool] = False
    # Whether the caller names his request (`Idempotency-Key`), so that sending it again does nothing more.
    is_keyed: ClassVar[bool] = False

    @property
    def caller(self) -> Caller:
        """Who calls."""
        return caller_of(self.request)

    def get_throttles(self) -> Sequence[BaseThrottle]:  # type: ignore[override]  # the stubs want a list
        """Who leaves isn't counted."""
        is_leaving = self.is_exit and self.request.method == "POST"
        return [] if is_leaving else [TokenThrottle()]

    def count(self, request: Request) -> None:
        """Count a call that wasn't counted when it came.

        Raises:
            Throttled: if there were too many.
        """
        throttle = TokenThrottle()
        if not throttle.allow_request(request, self):
            self.throttled(request, throttle.wait())

    # --- reading

    def rows(self) -> QuerySet[Any]:
        """Every row, with the neighbors that its document shows."""
        raise NotImplementedError

    def within(self, accounts: frozenset[int]) -> Q:
        """Which of them somebody sees who sees only these accounts."""
        raise NotImplementedError

    def visible(self) -> QuerySet[Any]:
        """The rows that the caller sees: the one place that says so."""
        accounts = roles.sight(self.caller.person)
        return self.rows() if accounts is None else self.rows().filter(self.within(accounts))

    def list(self, request: Request) -> Response:
        """The newest first, a page at a time: by key, so that what comes meanwhile moves nothing, and nothing is counted."""
        asked = self.asked(request)
        limit, cursor = asked.pop("limit"), asked.pop("cursor", None)
        if cursor is not None:
            asked["pk__lt"] = int(cursor)
        found = list(self.visible().filter(**asked).order_by("-pk")[: limit + 1])
        page = found[:limit]
        more = str(page[-1].pk) if len(found) > limit else None
        return Response({"results": self.documents(page), "next": more})

    def retrieve(self, request: Request, pk: int) -> Response:
        """One row."""
        roles.check(self.caller.person, self.look)
        forms.read(Query, request.query_params)
        return Response(self.documents([self.row(pk)])[0])

    def asked(self, request: Request) -> dict[str, Any]:
        """What a list is narrowed by.

        Raises:
            NotAllowed: if the caller may not look here at all.
        """
        roles.check(self.caller.person, self.look)
        return dict(forms.read(self.query, request.query_params))

    def row(self, pk: int) -> Any:
        """One row, if the caller sees it; whether there is another nobody learns."""
        found = self.visible().filter(pk=pk).first()
        if found is None:
            raise Http404
        return found

    def documents(self, page: Sequence[Any]) -> Any:
        """Rows as documents."""
        return self.shape(page, many=True).data

    # --- doing

    def perform(self, request: Request, pk: int | None = None) -> Response:
        """One act: who may, then what, then the one service."""
        forms.read(Query, request.query_params)
        row = None if pk is None else self.row(pk)
        wish = Wish(person=self.caller.person, said=forms.read(self.form, request.data), row=row, at=clock.now())
        self.demand(self.needs(wish), at=wish.at)
        return self.answered(self.do(wish))

    def demand(self, needed: Needed, *, at: datetime) -> None:
        """Pass if the caller may do it; a grave attempt is kept in the audit log."""
        subject = f"api:{self.request.method} {self.request.path}"[:200]
        people.demand(self.caller.person, needed.act, subject=subject, at=at, account=needed.account)
        log.info("api.act", act=needed.act, account=needed.account, person=self.caller.person.name, source=self.caller.source)

    def answered(self, done: Any) -> Response:
        """What is said when it is done."""
        return Response((self.answer or self.shape)(done).data, status=self.status)

    def needs(self, wish: Wish) -> Needed:
        """What the caller must be allowed."""
        raise NotImplementedError

    def do(self, wish: Wish) -> Any:
        """The one call of a service."""
        raise NotImplementedError
