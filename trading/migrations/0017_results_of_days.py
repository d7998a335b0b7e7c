"""What each day brought, in rows of its own; and what each position made after all costs."""

import django.db.models.deletion
import trading.domain.units
import trading.models.fields
from django.db import migrations, models


_NET = """
    UPDATE positions SET net_pnl_usdc = sums.net FROM (
        SELECT position_id, sum(price_pnl_usdc - fee_usdc - rollover_usdc - funding_usdc) AS net
        FROM fills WHERE is_canonical GROUP BY position_id
    ) AS sums
    WHERE positions.id = sums.position_id;
    SET CONSTRAINTS ALL IMMEDIATE;
"""
# What was there before: each fill and each closed position on its trader's date.
_DAYS = """
    INSERT INTO day_results (
        trader_id, book, market_id, day, fills, trades, won, gains_usdc, losses_usdc,
        price_pnl_usdc, fees_usdc, rollover_usdc, funding_usdc, volume_usdc
    )
    SELECT trader_id, book, market_id, day, sum(fills), sum(trades), sum(won), sum(gains), sum(losses),
        sum(price_pnl), sum(fees), sum(rollover), sum(funding), sum(volume)
    FROM (
        SELECT trader_id, book, market_id, (filled_at AT TIME ZONE zone)::date AS day, 1 AS fills, 0 AS trades, 0 AS won,
            0 AS gains, 0 AS losses, price_pnl_usdc AS price_pnl, fee_usdc AS fees, rollover_usdc AS rollover,
            funding_usdc AS funding, CASE
                WHEN kind IN ('MARGIN', 'ADOPTED') THEN 0
                ELSE ceil(collateral_usdc * leverage_x * 1000000) / 1000000
            END AS volume
        FROM fills JOIN traders ON traders.id = fills.trader_id WHERE is_canonical
        UNION ALL
        SELECT trader_id, book, market_id, (closed_at AT TIME ZONE zone)::date, 0, 1, (net_pnl_usdc > 0)::int,
            greatest(net_pnl_usdc, 0), greatest(-net_pnl_usdc, 0), 0, 0, 0, 0, 0
        FROM positions JOIN traders ON traders.id = positions.trader_id WHERE status = 'CLOSED'
    ) AS parts
    GROUP BY trader_id, book, market_id, day;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('trading', '0016_what_a_fill_is_made_of'),
    ]

    operations = [
        migrations.AddField(
            model_name='position',
            name='net_pnl_usdc',
            field=trading.models.fields.UsdcField(db_default=0, default=trading.domain.units.Usdc.zero),
        ),
        migrations.CreateModel(
            name='DayResult',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('book', models.CharField(choices=[('PAPER', 'PAPER'), ('LIVE', 'LIVE')], max_length=8)),
                ('day', models.DateField()),
                ('fills', models.PositiveIntegerField(default=0)),
                ('trades', models.PositiveIntegerField(default=0)),
                ('won', models.PositiveIntegerField(default=0)),
                ('gains_usdc', trading.models.fields.UsdcField()),
                ('losses_usdc', trading.models.fields.UsdcField()),
                ('price_pnl_usdc', trading.models.fields.UsdcField()),
                ('fees_usdc', trading.models.fields.UsdcField()),
                ('rollover_usdc', trading.models.fields.UsdcField()),
                ('funding_usdc', trading.models.fields.UsdcField()),
                ('volume_usdc', trading.models.fields.UsdcField()),
                ('market', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='day_results', to='trading.market')),
                ('trader', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='day_results', to='trading.trader')),
            ],
            options={
                'db_table': 'day_results',
                'indexes': [models.Index(fields=['day'], name='day_results_by_day')],
                'constraints': [models.UniqueConstraint(fields=('trader', 'book', 'day', 'market'), name='one_result_for_each_day_and_market'), models.CheckConstraint(condition=models.Q(('book__in', ['PAPER', 'LIVE'])), name='day_result_book_is_known')],
            },
        ),
        migrations.AddIndex(
            model_name="fill",
            index=models.Index(fields=["trader", "book", "block_number"], name="fills_after_a_block"),
        ),
        migrations.RunSQL(_NET, migrations.RunSQL.noop),
        migrations.RunSQL(_DAYS, migrations.RunSQL.noop),
    ]
