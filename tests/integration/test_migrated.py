"""After a test whose commits are real, the database is what the migrations made."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from tests import migrated
from tests.factories.trading import MarketFactory
from trading.domain.people import Role
from trading.models import AuditHead, Market, ModeState, Source

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = (Source, ModeState, AuditHead, Group, Permission)


def _said() -> list[list[tuple[object, ...]]]:
    return [sorted(model.objects.values_list()) for model in ROWS]


def test_what_was_written_goes_and_what_was_changed_comes_back() -> None:
    before = _said()
    MarketFactory()
    ModeState.objects.update(configured="LIVE")
    Group.objects.create(name="another")

    migrated.put_back()

    assert (_said(), Market.objects.count()) == (before, 0)


def test_what_was_emptied_comes_back() -> None:
    before = _said()
    call_command("flush", verbosity=0, interactive=False, reset_sequences=False)
    emptied = (Source.objects.count(), Group.objects.count())

    migrated.put_back()

    assert (emptied, _said()) == ((0, 0), before)


@pytest.mark.parametrize("number", range(2))
def test_whoever_commits_begins_with_the_rows_of_the_migrations(number: int) -> None:
    assert sorted(Group.objects.values_list("name", flat=True)) == sorted(Role)
    assert Source.objects.filter(name=Source.DEFAULT).exists()

    Source.objects.create(name=f"of a test {number}")
    assert Source.objects.filter(name__startswith="of a test").count() == 1
