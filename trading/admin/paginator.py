"""Pages of a list too long to count."""

from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.db import connection
from django.db.models import QuerySet
from django.utils.functional import cached_property

# Counted exactly up to here; beyond, PostgreSQL's own estimate of the table is shown.
COUNTED = 1_000
# Nobody leafs further: every page before it must be read and thrown away. Search instead.
DEEPEST_PAGE = 200


# Django's class takes no parameters at run time.
if TYPE_CHECKING:
    Pages = Paginator[Any]
else:
    Pages = Paginator


class EstimatingPaginator(Pages):
    """Counts a long list only until it is known to be long."""

    object_list: QuerySet[Any]

    @cached_property
    def count(self) -> int:
        """Exact for a short list, for a long one an estimate."""
        counted = self.object_list.order_by()[:COUNTED].count()
        return counted if counted < COUNTED else max(counted, _estimate(self.object_list))

    @cached_property
    def num_pages(self) -> int:
        """As many as anybody leafs through."""
        return min(-(-max(1, self.count) // self.per_page), DEEPEST_PAGE)


def _estimate(rows: QuerySet[Any]) -> int:
    """How many rows the whole table has, as of its last analysis; a filtered list may have fewer."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [rows.model._meta.db_table])
        return int(cursor.fetchone()[0])
