"""How the transactions of the last minutes ended is asked every few seconds."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    # Workers go on writing while the index is made.
    atomic = False
    dependencies = [("execution", "0004_receipts_by_outcome")]
    operations = [
        AddIndexConcurrently(
            model_name="txintent",
            index=models.Index(name="tx_intents_ended", fields=["closed_at"], condition=Q(closed_at__isnull=False)),
        ),
    ]
