import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


def note_the_end(apps, schema_editor):
    """The log's end as it stands."""
    rows = apps.get_model("trading", "AuditRow").objects
    newest = rows.order_by("-pk").first()
    apps.get_model("trading", "AuditHead").objects.get_or_create(
        pk=1, defaults={"number": rows.count(), "hash": newest.hash if newest else "0" * 64}
    )


class Migration(migrations.Migration):

    dependencies = [
        ('trading', '0008_a_signal_may_name_its_position'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('round_began_at', models.DateTimeField()),
                ('number', models.BigIntegerField()),
                ('last_id', models.BigIntegerField()),
                ('last_hash', models.CharField(max_length=64)),
                ('is_at_end', models.BooleanField()),
                ('findings', models.JSONField(default=list)),
            ],
            options={
                'db_table': 'audit_checks',
            },
        ),
        migrations.CreateModel(
            name='AuditHead',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.BigIntegerField()),
                ('hash', models.CharField(max_length=64)),
            ],
            options={
                'db_table': 'audit_heads',
            },
        ),
        migrations.AddIndex(
            model_name='auditrow',
            index=models.Index(fields=['actor', '-id'], name='audit_of_an_actor'),
        ),
        migrations.AddIndex(
            model_name='auditrow',
            index=models.Index(fields=['action', '-id'], name='audit_of_an_action'),
        ),
        migrations.AddIndex(
            model_name='auditrow',
            index=models.Index(fields=['subject', '-id'], name='audit_of_a_subject'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='auditrow',
            trigger=pgtrigger.compiler.Trigger(name='audit_log_moves_its_head', sql=pgtrigger.compiler.UpsertTriggerSql(func='UPDATE audit_heads SET number = number + 1, hash = NEW.hash; RETURN NULL;', hash='e1307469b5716b574c38a935dbeb08ef9dbccf8c', operation='INSERT', pgid='pgtrigger_audit_log_moves_its_head_273e2', table='audit_log', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='auditcheck',
            trigger=pgtrigger.compiler.Trigger(name='audit_checks_are_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='595c2cad1fa1775756e475616fc87ca472d239c2', operation='UPDATE OR DELETE', pgid='pgtrigger_audit_checks_are_append_only_96183', table='audit_checks', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='audithead',
            constraint=models.CheckConstraint(condition=models.Q(('pk', 1)), name='there_is_one_audit_head'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='audithead',
            trigger=pgtrigger.compiler.Trigger(name='is_never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='dc45372c9c714e6594d39d6fa911be1683b0203d', operation='DELETE', pgid='pgtrigger_is_never_deleted_934c5', table='audit_heads', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='audithead',
            trigger=pgtrigger.compiler.Trigger(name='audit_head_moves_by_one', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF NEW.number <> OLD.number + 1 THEN\n                        RAISE EXCEPTION 'the audit log grows by one row at a time' USING ERRCODE = 'check_violation';\n                    END IF;\n                    RETURN NEW;\n                ", hash='bdf20867154a58f34eaa7e2edcbd967d429a88e6', operation='UPDATE', pgid='pgtrigger_audit_head_moves_by_one_7db1a', table='audit_heads', when='BEFORE')),
        ),
        migrations.RunPython(note_the_end, migrations.RunPython.noop),
    ]
