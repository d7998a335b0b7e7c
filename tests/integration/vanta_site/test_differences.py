"""What the desk does about differences by itself: DRY for what can't be, and a count for whoever watches."""

from datetime import timedelta

import pytest

from tests.factories import NOW
from tests.factories.reconciliation import AccountLookFactory, DifferenceFactory
from tests.fakes.switch import Switch
from trading import clock
from trading.models import ModeState
from vanta_site import auto_dry, reconciliation_metrics
from vanta_site.models import Violation


def test_what_cannot_be_sets_dry_once(desk: ModeState) -> None:
    kinds = ("POSITION_GONE", "POSITION_UNKNOWN", "ALLOWANCE_LOW", "LEVELS", "BALANCE")
    for kind in kinds:
        DifferenceFactory(kind=kind, state="CONFIRMED", confirmed_at=NOW)
    DifferenceFactory()
    switch = Switch()

    assert auto_dry.act(switch=switch, at=NOW) == 2
    assert auto_dry.act(switch=switch, at=NOW) == 0
    assert set(Violation.objects.values_list("kind", flat=True)) == {"reconciliation difference"}
    assert ModeState.objects.get().configured == "DRY"


@pytest.mark.django_db
def test_differences_are_counted_by_kind_once_they_are_sure() -> None:
    DifferenceFactory(state="CONFIRMED", confirmed_at=NOW)
    DifferenceFactory(kind="LEVELS")

    differences, age = reconciliation_metrics.families()

    values = {sample.labels["kind"]: sample.value for sample in differences.samples}
    assert (values["POSITION_GONE"], values["LEVELS"], len(values)) == (1, 0, 9)
    assert [sample.value for sample in age.samples] == [0.0]


@pytest.mark.django_db
def test_the_age_is_that_of_the_account_seen_longest_ago() -> None:
    now = clock.now()
    for age in (timedelta(seconds=40), timedelta(seconds=90)):
        AccountLookFactory(looked_at=now - age)

    _, age_family = reconciliation_metrics.families()

    assert [round(sample.value) for sample in age_family.samples] == [90]
