"""Reconciliation for `/metrics`: what differs, by its kind, and how long ago the account that waits longest was seen."""

from collections.abc import Iterator

from django.db.models import Count, Min
from django.db.models.functions import Coalesce
from prometheus_client.core import GaugeMetricFamily, Metric

from execution.domain.reconciliation import DifferenceKind
from execution.models import AccountLook, Difference
from trading import clock


def families() -> Iterator[Metric]:
    """Every family."""
    found = GaugeMetricFamily(
        "vanta_reconciliation_differences", "Things that books and venue say differently, seen twice.", labels=["kind"]
    )
    counted = dict(Difference.objects.standing().order_by().values_list("kind").annotate(rows=Count("pk")))
    for kind in DifferenceKind:
        found.add_metric([str(kind)], counted.get(str(kind), 0))
    yield found
    # One that was never seen is as old as its account.
    seen = Coalesce("looked_at", "trader__created_at")
    oldest = AccountLook.objects.aggregate(oldest=Min(seen))["oldest"]
    age = 0.0 if oldest is None else max(0.0, (clock.now() - oldest).total_seconds())
    yield GaugeMetricFamily(
        "vanta_reconciliation_age_seconds", "Age of the last look at the account that was seen longest ago.", value=age
    )
