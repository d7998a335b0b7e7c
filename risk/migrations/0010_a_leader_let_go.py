"""A reason more for which a leader's trade is not copied."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('risk', '0009_tracking'),
    ]

    operations = [
        migrations.AlterField(
            model_name='copy',
            name='reason',
            field=models.CharField(blank=True, choices=[('MODE_OFF', 'MODE_OFF'), ('AUTOMATION_PAUSED', 'AUTOMATION_PAUSED'), ('STALE', 'STALE'), ('SYMBOL', 'SYMBOL'), ('CAP_TRADE', 'CAP_TRADE'), ('CAP_DAY', 'CAP_DAY'), ('LEVERAGE', 'LEVERAGE'), ('TOO_SMALL', 'TOO_SMALL'), ('REORGED', 'REORGED'), ('NOTHING_HELD', 'NOTHING_HELD'), ('FOLLOWER', 'FOLLOWER'), ('LEADER', 'LEADER'), ('MARKET', 'MARKET')], default='', max_length=20),
        ),
    ]
