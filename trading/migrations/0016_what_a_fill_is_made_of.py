"""What a fill is made of: price, fee, rollover and funding apart; and what an increase or a change of margin leaves."""

import django.db.models.expressions
import trading.domain.units
import trading.models.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('trading', '0015_fills_of_an_account'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='fill',
            name='fill_kind_is_known',
        ),
        migrations.AddField(
            model_name='fill',
            name='entry_price',
            field=trading.models.fields.PriceField(null=True),
        ),
        migrations.AddField(
            model_name='fill',
            name='funding_usdc',
            field=trading.models.fields.UsdcField(db_default=0, default=trading.domain.units.Usdc.zero),
        ),
        migrations.AddField(
            model_name='fill',
            name='held_usdc',
            field=trading.models.fields.UsdcField(null=True),
        ),
        migrations.AddField(
            model_name='fill',
            name='price_pnl_usdc',
            field=trading.models.fields.UsdcField(db_default=0, default=trading.domain.units.Usdc.zero),
        ),
        migrations.AddField(
            model_name='fill',
            name='rollover_usdc',
            field=trading.models.fields.UsdcField(db_default=0, default=trading.domain.units.Usdc.zero),
        ),
        migrations.AddField(
            model_name='market',
            name='funding_hourly_pct',
            field=trading.models.fields.PercentField(db_default=0, default=trading.domain.units.Percent.zero),
        ),
        migrations.AddField(
            model_name='market',
            name='rollover_hourly_pct',
            field=trading.models.fields.PercentField(db_default=0, default=trading.domain.units.Percent.zero),
        ),
        migrations.AlterField(
            model_name='fill',
            name='kind',
            field=models.CharField(choices=[('OPEN', 'OPEN'), ('CLOSE', 'CLOSE'), ('LIQUIDATION', 'LIQUIDATION'), ('TAKE_PROFIT', 'TAKE_PROFIT'), ('STOP_LOSS', 'STOP_LOSS'), ('INCREASE', 'INCREASE'), ('MARGIN', 'MARGIN'), ('ADOPTED', 'ADOPTED')], max_length=16),
        ),
        migrations.AddConstraint(
            model_name='fill',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['OPEN', 'CLOSE', 'LIQUIDATION', 'TAKE_PROFIT', 'STOP_LOSS', 'INCREASE', 'MARGIN', 'ADOPTED'])), name='fill_kind_is_known'),
        ),
        # Until now a profit was told as a whole: all of it is the price's, but for the fee that was known.
        migrations.RunSQL(
            "UPDATE fills SET price_pnl_usdc = realised_pnl_usdc + fee_usdc"
            " WHERE kind IN ('CLOSE', 'LIQUIDATION', 'STOP_LOSS', 'TAKE_PROFIT')",
            migrations.RunSQL.noop,
        ),
        migrations.AddConstraint(
            model_name='fill',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind__in', ['CLOSE', 'LIQUIDATION', 'STOP_LOSS', 'TAKE_PROFIT']), ('realised_pnl_usdc', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('price_pnl_usdc'), '-', models.F('fee_usdc')), '-', models.F('rollover_usdc')), '-', models.F('funding_usdc')))), models.Q(models.Q(('kind__in', ['CLOSE', 'LIQUIDATION', 'STOP_LOSS', 'TAKE_PROFIT']), _negated=True), ('price_pnl_usdc', 0), ('realised_pnl_usdc', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('rollover_usdc'), '*', models.Value(-1)), '-', models.F('funding_usdc')))), _connector='OR'), name='fill_is_the_sum_of_its_parts'),
        ),
        migrations.AddConstraint(
            model_name='fill',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('entry_price__isnull', False), ('held_usdc__isnull', False), ('kind__in', ['INCREASE', 'MARGIN'])), models.Q(models.Q(('kind__in', ['INCREASE', 'MARGIN']), _negated=True), ('entry_price', None), ('held_usdc', None)), _connector='OR'), name='fill_says_what_is_left_exactly_when_it_resizes'),
        ),
    ]
