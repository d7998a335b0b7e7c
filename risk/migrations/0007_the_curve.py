"""The curve of an account's equity: a row each quarter of an hour while something is open."""

import django.db.models.deletion
import trading.models.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('risk', '0006_why_a_leg_was_left_out'),
        ('trading', '0015_fills_of_an_account'),
    ]

    operations = [
        migrations.AddField(
            model_name='equity',
            name='sampled_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name='EquitySample',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('book', models.CharField(choices=[('PAPER', 'PAPER'), ('LIVE', 'LIVE')], max_length=8)),
                ('at', models.DateTimeField()),
                ('earned_usdc', trading.models.fields.UsdcField()),
                ('equity_usdc', trading.models.fields.UsdcField(null=True)),
                ('trader', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='equity_samples', to='trading.trader')),
            ],
            options={
                'db_table': 'equity_samples',
                'constraints': [models.UniqueConstraint(fields=('trader', 'book', 'at'), name='one_equity_sample_for_each_instant'), models.CheckConstraint(condition=models.Q(('book__in', ['PAPER', 'LIVE'])), name='equity_sample_book_is_known')],
            },
        ),
    ]
