"""Django gives each indexed text a second index, for LIKE. Nobody looks for a trace or a subject by its beginning, and
each of these was written with every signal."""

import django.db.models.deletion
from django.db import migrations, models

UNUSED = (
    ("signals", "trace_id", "signals_trace_id_af281f19_like"),
    ("journal", "trace_id", "journal_trace_id_16011577_like"),
    ("journal", "subject", "journal_subject_3d10c0f9_like"),
)


class Migration(migrations.Migration):
    """Four indexes less."""

    dependencies = [("trading", "0013_api_tokens")]

    operations = [
        *(
            migrations.RunSQL(
                f"DROP INDEX IF EXISTS {name}",
                f"CREATE INDEX {name} ON {table} ({column} varchar_pattern_ops)",
            )
            for table, column, name in UNUSED
        ),
        migrations.AlterField(
            model_name="signal",
            name="source",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="signals", to="trading.source"
            ),
        ),
    ]
