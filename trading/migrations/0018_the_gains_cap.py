import trading.models.fields
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('trading', '0017_results_of_days'),
    ]

    operations = [
        migrations.AddField(
            model_name='market',
            name='max_gain_pct',
            field=trading.models.fields.PercentField(db_default=500, default='500'),
        ),
    ]
