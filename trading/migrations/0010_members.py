import django.contrib.postgres.fields
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models
from django.utils import timezone


def admit_traders(apps, schema_editor):
    """What traders could do so far, as rows."""
    now = timezone.now()
    for trader in apps.get_model("trading", "Trader").objects.filter(is_enabled=True):
        apps.get_model("trading", "Member").objects.get_or_create(
            tg_user_id=trader.tg_user_id,
            defaults={"name": trader.name, "roles": ["trader"], "admitted_at": now, "updated_at": now},
        )


class Migration(migrations.Migration):

    dependencies = [
        ('trading', '0009_audit_heads'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Member',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('tg_user_id', models.BigIntegerField(unique=True)),
                ('name', models.CharField(blank=True, max_length=64)),
                ('roles', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('viewer', 'viewer'), ('trader', 'trader'), ('risk', 'risk'), ('super-admin', 'super-admin')], max_length=16), blank=True, default=list, size=None)),
                ('admitted_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'members',
            },
        ),
        migrations.AddField(
            model_name='member',
            name='user',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='member', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='member',
            constraint=models.CheckConstraint(condition=models.Q(('roles__contained_by', ['viewer', 'trader', 'risk', 'super-admin'])), name='member_roles_are_known'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='member',
            trigger=pgtrigger.compiler.Trigger(name='is_never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='6dbec8bd31d1c0d2b276d1f08aa60b5e75a9cbb4', operation='DELETE', pgid='pgtrigger_is_never_deleted_00466', table='members', when='BEFORE')),
        ),
        migrations.RunPython(admit_traders, migrations.RunPython.noop),
    ]
