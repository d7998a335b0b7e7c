"""The roles as groups of the console's people; what each may see is settled after every migration (`vanta_site/groups.py`)."""

from django.db import migrations

ROLES = ("viewer", "trader", "risk", "super-admin")


def create(apps, schema_editor):
    for role in ROLES:
        apps.get_model("auth", "Group").objects.get_or_create(name=role)


class Migration(migrations.Migration):
    dependencies = [("vanta_site", "0002_violations"), ("auth", "0012_alter_user_first_name_max_length")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
