"""What the venue itself watches: each level that it was told, from one event on."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import trading.models.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('trading', '0021_protections_and_their_firings'),
    ]

    operations = [
        migrations.CreateModel(
            name='PositionLevel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('level', models.CharField(choices=[('TAKE_PROFIT', 'TAKE_PROFIT'), ('STOP_LOSS', 'STOP_LOSS')], max_length=12)),
                ('price', trading.models.fields.PriceField(null=True)),
                ('chain_id', models.BigIntegerField()),
                ('tx_hash', models.CharField(max_length=66)),
                ('log_index', models.PositiveIntegerField()),
                ('block_number', models.BigIntegerField()),
                ('block_hash', models.CharField(max_length=66)),
                ('is_canonical', models.BooleanField(default=True)),
                ('changed_at', models.DateTimeField()),
                ('position', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='levels', to='trading.position')),
            ],
            options={
                'db_table': 'position_levels',
                'indexes': [models.Index(fields=['block_hash'], name='position_levels_by_block')],
                'constraints': [models.UniqueConstraint(fields=('chain_id', 'block_hash', 'log_index', 'level'), name='one_word_on_a_level_for_each_log'), models.CheckConstraint(condition=models.Q(('level__in', ['TAKE_PROFIT', 'STOP_LOSS'])), name='position_level_is_known')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='positionlevel',
            trigger=pgtrigger.compiler.Trigger(name='is_never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='f1a4af7cd5650469d44d766c5c22ee926104ba50', operation='DELETE', pgid='pgtrigger_is_never_deleted_787bf', table='position_levels', when='BEFORE')),
        ),
    ]
