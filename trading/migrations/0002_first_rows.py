"""The rows that the code counts on: the sources that have no sender outside, and the one row of the mode."""

from django.db import migrations
from django.utils import timezone

INTERNAL = ("protection", "copy", "telegram", "console")


def create(apps, schema_editor):
    source = apps.get_model("trading", "Source")
    source.objects.get_or_create(name="default")
    for name in INTERNAL:
        source.objects.get_or_create(name=name, defaults={"is_internal": True})
    apps.get_model("trading", "ModeState").objects.get_or_create(
        pk=1, defaults={"configured": "DRY", "updated_at": timezone.now()}
    )


class Migration(migrations.Migration):
    dependencies = [("trading", "0001_initial")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
