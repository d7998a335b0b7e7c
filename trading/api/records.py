"""What happened: the journal in commit order, and the audit log."""

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, F, Func, Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from trading.api.fields import Line, Whole
from trading.api.forms import PageQuery, Query
from trading.api.shapes import Shape
from trading.api.views import NONE, Resource, of_accounts
from trading.domain.people import Act
from trading.models import AuditRow, Event, Signal
from trading.services import journal
from trading.services.journal import Place

LONGEST_TAIL = 1000
LATEST = "latest"


class EventShape(Shape):
    """Something that happened, oldest first and in the order of the commits: nothing that commits late is skipped.

    `next` is always there: ask again with it as `after`, whether or not anything came.
    """

    place = serializers.SerializerMethodField()

    class Meta:
        model = Event
        fields = ("id", "place", "kind", "subject", "trace_id", "facts", "at")

    def get_place(self, event: Event) -> str:
        """Its place in commit order."""
        return str(Place.of(event))


class EventQuery(Query):
    """Where a reader stands, and of what he reads."""

    limit = Whole(min_value=1, max_value=LONGEST_TAIL, default=200, help_text="How many events.")
    after = Line(
        max_length=40,
        pattern=f"^({LATEST}|[0-9]{{1,18}}-[0-9]{{1,18}})$",
        required=False,
        help_text="The `next` of the page before; `latest`: from now on; without it, from the beginning.",
    )
    trace_id = Line(max_length=32, required=False)


class _AnyOf(Func):
    """Whether a value is in an array. As a join, PostgreSQL would walk through everybody's events to find a few."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = BooleanField()


class Events(Resource):
    """The journal, in the order of the commits."""

    shape = EventShape
    query = EventQuery

    def rows(self) -> QuerySet[Event]:
        """Every event."""
        return Event.objects.all()

    def within(self, accounts: frozenset[int]) -> Q:
        """What the accounts' signals caused; the rest is the desk's."""
        own = Signal.objects.filter(of_accounts("trader", accounts)).values("trace_id")
        return Q(_AnyOf(F("trace_id"), ArraySubquery(own)))

    def list(self, request: Request) -> Response:
        """What comes after a place."""
        asked = self.asked(request)
        limit, after = asked.pop("limit"), asked.pop("after", str(Place()))
        if after == LATEST:
            return Response({"results": [], "next": str(journal.latest())})
        place = Place.parsed(after)
        found = journal.read_after(
            transaction_number=place.transaction_number,
            event_id=place.event_id,
            limit=limit,
            among=self.visible().filter(**asked),
        )
        return Response({"results": self.documents(found), "next": str(Place.of(found[-1]) if found else place)})


class AuditShape(Shape):
    """One change by a person or a rule."""

    class Meta:
        model = AuditRow
        fields = (
            *("id", "at", "actor", "action", "subject", "before", "after", "reason", "trace_id"),
            *("previous_hash", "hash"),
        )


class AuditQuery(PageQuery):
    """Which rows."""

    actor = Line(max_length=150, required=False)
    action = Line(max_length=64, required=False)
    subject = Line(max_length=200, required=False)


class Audit(Resource):
    """Who changed what, why and when."""

    shape = AuditShape
    query = AuditQuery
    look = Act.REVIEW

    def rows(self) -> QuerySet[AuditRow]:
        """Every row."""
        return AuditRow.objects.all()

    def within(self, _: frozenset[int]) -> Q:
        """None: the log is the desk's."""
        return NONE
