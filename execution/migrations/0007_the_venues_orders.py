"""What the venue registered for our traders, whoever asked for it."""

import django.db.models.deletion
import execution.domain.venue_order
import pgtrigger.compiler
import pgtrigger.migrations
import trading.models.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('execution', '0006_what_is_given_up'),
        ('trading', '0016_what_a_fill_is_made_of'),
    ]

    operations = [
        migrations.CreateModel(
            name='VenueOrder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('chain_id', models.BigIntegerField()),
                ('tx_hash', models.CharField(max_length=66)),
                ('ordinal', models.PositiveIntegerField()),
                ('log_index', models.PositiveIntegerField()),
                ('block_number', models.BigIntegerField()),
                ('block_hash', models.CharField(max_length=66)),
                ('is_canonical', models.BooleanField(default=True)),
                ('kind', models.CharField(choices=[('OPEN', 'OPEN'), ('CLOSE', 'CLOSE'), ('INCREASE', 'INCREASE'), ('LIMIT', 'LIMIT')], max_length=8)),
                ('venue_order_id', models.BigIntegerField(null=True)),
                ('pair_index', models.PositiveIntegerField()),
                ('venue_index', models.BigIntegerField(null=True)),
                ('direction', models.CharField(choices=[('LONG', 'LONG'), ('SHORT', 'SHORT')], max_length=8)),
                ('collateral_usdc', trading.models.fields.UsdcField()),
                ('leverage_x', trading.models.fields.LeverageField(null=True)),
                ('wanted_price', trading.models.fields.PriceField(null=True)),
                ('registered_at', models.DateTimeField()),
                ('status', models.CharField(choices=[('PENDING', 'PENDING'), ('FILLED', 'FILLED'), ('CANCELED', 'CANCELED'), ('REPLACED', 'REPLACED')], default=execution.domain.venue_order.VenueOrderStatus['PENDING'], max_length=8)),
                ('ended_in_block', models.CharField(blank=True, max_length=66)),
                ('ended_at', models.DateTimeField(null=True)),
                ('trader', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='venue_orders', to='trading.trader')),
            ],
            options={
                'db_table': 'venue_orders',
                'indexes': [models.Index(condition=models.Q(('status', 'PENDING')), fields=['trader', 'pair_index'], name='venue_orders_pending'), models.Index(condition=models.Q(('kind', 'LIMIT')), fields=['trader', 'pair_index', 'venue_index'], name='venue_orders_limits'), models.Index(fields=['tx_hash'], name='venue_orders_by_transaction'), models.Index(fields=['block_hash'], name='venue_orders_by_block'), models.Index(condition=models.Q(('ended_in_block', ''), _negated=True), fields=['ended_in_block'], name='venue_orders_by_end')],
                'constraints': [models.UniqueConstraint(fields=('chain_id', 'block_hash', 'log_index'), name='one_venue_order_for_each_log_of_a_block'), models.UniqueConstraint(condition=models.Q(('is_canonical', True), ('venue_order_id__isnull', False)), fields=('chain_id', 'venue_order_id'), name='one_canonical_venue_order_for_each_number'), models.CheckConstraint(condition=models.Q(('status__in', ['PENDING', 'FILLED', 'CANCELED', 'REPLACED'])), name='venue_order_status_is_known'), models.CheckConstraint(condition=models.Q(('kind__in', ['OPEN', 'CLOSE', 'INCREASE', 'LIMIT'])), name='venue_order_kind_is_known'), models.CheckConstraint(condition=models.Q(('direction__in', ['LONG', 'SHORT'])), name='venue_order_direction_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'LIMIT'), ('venue_index__isnull', False), ('venue_order_id', None)), models.Q(models.Q(('kind', 'LIMIT'), _negated=True), ('venue_order_id__isnull', False)), _connector='OR'), name='only_a_limit_has_no_number'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at', None), ('ended_in_block', ''), ('status', 'PENDING')), models.Q(models.Q(('status', 'PENDING'), _negated=True), models.Q(('ended_in_block', ''), _negated=True), ('ended_at__isnull', False)), _connector='OR'), name='venue_order_has_ended_exactly_when_its_state_says_so')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='venueorder',
            trigger=pgtrigger.compiler.Trigger(name='venue_order_moves_by_its_table', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF TG_OP = 'INSERT' THEN\n                IF NEW.status NOT IN ('PENDING') THEN\n                    RAISE EXCEPTION 'a venue_order is not born %', NEW.status USING ERRCODE = 'check_violation';\n                END IF;\n            ELSIF NEW.status <> OLD.status AND OLD.status || '>' || NEW.status NOT IN ('PENDING>FILLED', 'PENDING>CANCELED', 'PENDING>REPLACED', 'FILLED>PENDING', 'CANCELED>PENDING', 'REPLACED>PENDING') THEN\n                RAISE EXCEPTION 'a venue_order can not go from % to %', OLD.status, NEW.status\n                    USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='cdea517829854a02667e86997a342da121a5bd88', operation='INSERT OR UPDATE OF "status"', pgid='pgtrigger_venue_order_moves_by_its_table_2a3b4', table='venue_orders', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='venueorder',
            trigger=pgtrigger.compiler.Trigger(name='is_never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='50d1a6bf9839a0c031c58c651b3deb5924d6e3df', operation='DELETE', pgid='pgtrigger_is_never_deleted_9db64', table='venue_orders', when='BEFORE')),
        ),
    ]
