"""A fill names its account and market itself, so that an account's fills are found without the positions between."""

import django.db.models.deletion
from django.db import migrations, models

_NAMED = """
    UPDATE fills SET trader_id = positions.trader_id, market_id = positions.market_id
    FROM positions WHERE positions.id = fills.position_id;
    -- Else PostgreSQL refuses to change a table whose references it still has to look at.
    SET CONSTRAINTS ALL IMMEDIATE;
"""


def _account(*, null: bool) -> models.ForeignKey:
    return models.ForeignKey(
        db_index=False, null=null, on_delete=django.db.models.deletion.PROTECT, related_name="fills", to="trading.trader"
    )


def _market(*, null: bool) -> models.ForeignKey:
    return models.ForeignKey(
        db_index=False, null=null, on_delete=django.db.models.deletion.PROTECT, related_name="fills", to="trading.market"
    )


class Migration(migrations.Migration):
    """Two columns, filled from the positions, and the indexes that reports need."""

    dependencies = [("trading", "0014_nobody_looks_for_a_beginning")]

    operations = [
        migrations.AddField(model_name="fill", name="trader", field=_account(null=True)),
        migrations.AddField(model_name="fill", name="market", field=_market(null=True)),
        migrations.RunSQL(_NAMED, migrations.RunSQL.noop),
        migrations.AlterField(model_name="fill", name="trader", field=_account(null=False)),
        migrations.AlterField(model_name="fill", name="market", field=_market(null=False)),
        migrations.AddIndex(
            model_name="fill",
            index=models.Index(fields=["trader", "id"], name="fills_of_an_account"),
        ),
        migrations.AddIndex(
            model_name="fill",
            index=models.Index(fields=["trader", "book", "filled_at"], name="fills_of_a_day"),
        ),
        migrations.AddIndex(
            model_name="position",
            index=models.Index(
                condition=models.Q(("status", "CLOSED")), fields=["trader", "book", "closed_at"], name="positions_closed"
            ),
        ),
    ]
