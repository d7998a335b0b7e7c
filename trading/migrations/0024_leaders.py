"""Addresses that are only watched; `trades` stays what accounts did."""

from django.db import migrations, models

TRADES = """
CREATE OR REPLACE VIEW trades AS
SELECT fills.id, traders.tg_user_id, markets.symbol, positions.book, positions.direction, fills.kind, fills.price,
       fills.collateral_usdc, fills.leverage_x, fills.fee_usdc, fills.payout_usdc, fills.realised_pnl_usdc,
       fills.tx_hash, fills.filled_at, fills.created_at
FROM fills
JOIN positions ON positions.id = fills.position_id
JOIN traders ON traders.id = positions.trader_id
JOIN markets ON markets.id = positions.market_id
WHERE fills.is_canonical
"""
OURS = TRADES.rstrip() + " AND NOT traders.is_leader\n"


class Migration(migrations.Migration):

    dependencies = [
        ('trading', '0023_the_venues_levels_lag'),
    ]

    operations = [
        migrations.CreateModel(
            name='Leader',
            fields=[
            ],
            options={
                'proxy': True,
                'indexes': [],
                'constraints': [],
            },
            bases=('trading.trader',),
        ),
        migrations.AddField(
            model_name='trader',
            name='is_leader',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AlterField(
            model_name='trader',
            name='tg_user_id',
            field=models.BigIntegerField(null=True, unique=True),
        ),
        migrations.AddConstraint(
            model_name='trader',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('is_leader', True), ('tg_user_id', None)), models.Q(('is_leader', False), ('tg_user_id__isnull', False)), _connector='OR'), name='trader_has_a_telegram_id_unless_it_leads'),
        ),
        migrations.RunSQL(OURS, TRADES),
    ]
