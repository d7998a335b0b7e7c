"""Every table and column is placed by a person, and the grants say no less than the tables' own triggers."""

from dataclasses import replace

import pgtrigger
import pytest
from django.apps import apps
from django.db import models

from vanta_site import roles
from vanta_site.grants import EVERY, TABLES

MODELS = {model._meta.db_table: model for model in apps.get_models(include_auto_created=True) if not model._meta.proxy}
GRANTS = {table.name: table for table in TABLES}
# Not models: a view, and what Django's migrations keep.
OTHERS = {"trades", "django_migrations"}


def columns(name: str) -> set[str]:
    fields = MODELS[name]._meta.local_concrete_fields
    return {str(field.column) for field in fields if not field.primary_key}


def triggers(model: type[models.Model], kind: type[pgtrigger.Trigger]) -> list[pgtrigger.Trigger]:
    return [trigger for trigger in getattr(model._meta, "triggers", ()) if type(trigger) is kind]


def test_every_table_stands_in_the_grants_once() -> None:
    assert sorted(table.name for table in TABLES) == sorted({*MODELS, *OTHERS})


def test_every_column_is_placed_as_changing_or_as_frozen() -> None:
    assert roles.unplaced() == []


@pytest.mark.parametrize("name", MODELS)
def test_no_column_is_placed_twice_or_named_without_being_there(name: str) -> None:
    grant = GRANTS[name]

    assert not grant.changes & grant.frozen
    assert (grant.changes | grant.frozen) - EVERY <= columns(name)


@pytest.mark.parametrize("column", ["body", "status"])
def test_a_column_that_nobody_placed_is_named_and_nothing_is_granted(column: str, monkeypatch: pytest.MonkeyPatch) -> None:
    signals = GRANTS["signals"]
    forgetful = replace(signals, changes=signals.changes - {column}, frozen=signals.frozen - {column})
    monkeypatch.setitem(roles._BY_NAME, "signals", forgetful)

    assert roles.unplaced() == [f"signals.{column}"]
    with pytest.raises(roles.Unplaced, match=rf"vanta_site/grants.py whether it changes: signals.{column}"):
        roles.settle(application={"USER": "another"})


@pytest.mark.parametrize("name", [name for name, model in MODELS.items() if triggers(model, pgtrigger.ReadOnly)])
def test_what_a_trigger_keeps_is_not_granted_either(name: str) -> None:
    model = MODELS[name]
    for trigger in triggers(model, pgtrigger.ReadOnly):
        named = trigger.fields or [field.name for field in model._meta.fields if field.name not in trigger.exclude]
        kept = {str(model._meta.get_field(each).column) for each in named}
        assert kept & GRANTS[name].changes == set()


@pytest.mark.parametrize("name", [name for name, model in MODELS.items() if triggers(model, pgtrigger.Protect)])
def test_what_a_trigger_protects_is_not_granted_either(name: str) -> None:
    # One that is about some rows' column only can't be said by grants.
    operations = {str(each.operation) for each in triggers(MODELS[name], pgtrigger.Protect) if not each.condition}

    assert not GRANTS[name].may_delete
    assert operations <= {"DELETE", "UPDATE OR DELETE"}
    assert GRANTS[name].frozen == EVERY or "UPDATE OR DELETE" not in operations


def test_only_these_may_vanish() -> None:
    assert {table.name for table in TABLES if table.may_delete} == {
        "user_risk_policies",
        "day_results",
        "auth_user_groups",
        "django_session",
    }


@pytest.mark.parametrize(
    ("table", "privilege", "column", "is_allowed"),
    [
        ("signals", "SELECT", None, True),
        ("signals", "INSERT", None, True),
        ("signals", "UPDATE", "status", True),
        ("signals", "UPDATE", "body", False),
        ("signals", "UPDATE", "id", False),
        ("signals", "DELETE", None, False),
        ("quotes", "UPDATE", "price", True),
        ("journal", "UPDATE", "facts", False),
        ("django_session", "DELETE", None, True),
        ("django_session", "TRUNCATE", None, False),
        ("trades", "INSERT", None, False),
    ],
)
def test_a_row_says_what_is_allowed(table: str, privilege: str, column: str | None, is_allowed: bool) -> None:
    assert GRANTS[table].allows(privilege, column) is is_allowed
