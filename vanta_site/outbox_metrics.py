"""What is owed to channels, in Prometheus's text. One label: the channel, of which people open a handful."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from django.db.models import Count, Min
from prometheus_client.core import GaugeMetricFamily, Metric

from bots.domain.delivery import DeliveryStatus
from bots.models import Channel, Delivery


def families() -> Iterator[Metric]:
    """Three queries. To a disabled channel nothing is owed."""
    since = dict(Channel.objects.kept_for().order_by("name").values_list("name", "failing_since"))
    rows = Delivery.objects.filter(channel__name__in=since).order_by()
    pending = rows.pending().values_list("channel__name").annotate(Count("pk"), Min("created_at"))
    owed = {name: (number, oldest) for name, number, oldest in pending}
    failed = dict(rows.filter(status=DeliveryStatus.FAILED).values_list("channel__name").annotate(Count("pk")))
    none = (0, None)
    yield _gauge(
        "vanta_deliveries_pending",
        "Events that a channel is still to be told.",
        {name: owed.get(name, none)[0] for name in since},
    )
    yield _gauge(
        "vanta_oldest_pending_delivery_timestamp_seconds",
        "Since when the oldest of them is owed; 0 for none.",
        {name: _seconds(owed.get(name, none)[1]) for name in since},
    )
    yield _gauge(
        "vanta_deliveries_failed",
        "Events of which telling a channel was given up.",
        {name: failed.get(name, 0) for name in since},
    )
    yield _gauge(
        "vanta_channel_failing_since_timestamp_seconds",
        "Since when nothing comes through to a channel; 0 while it does.",
        {name: _seconds(instant) for name, instant in since.items()},
    )


def _seconds(instant: datetime | None) -> float:
    return instant.timestamp() if instant else 0.0


def _gauge(name: str, text: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=["channel"])
    for channel, value in values.items():
        family.add_metric([channel], value)
    return family
