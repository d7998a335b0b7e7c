"""`trades`: what operators' queries read, over fills and positions."""

from django.db import migrations

CREATE = """
CREATE VIEW trades AS
SELECT fills.id, traders.tg_user_id, markets.symbol, positions.book, positions.direction, fills.kind, fills.price,
       fills.collateral_usdc, fills.leverage_x, fills.fee_usdc, fills.payout_usdc, fills.realised_pnl_usdc,
       fills.tx_hash, fills.filled_at, fills.created_at
FROM fills
JOIN positions ON positions.id = fills.position_id
JOIN traders ON traders.id = positions.trader_id
JOIN markets ON markets.id = positions.market_id
WHERE fills.is_canonical
"""


class Migration(migrations.Migration):
    dependencies = [("trading", "0002_first_rows")]
    operations = [migrations.RunSQL(CREATE, "DROP VIEW trades")]
