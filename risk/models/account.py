"""What the chain last said of an account's money and permissions."""

from django.db import models

from trading.models import Trader
from trading.models.fields import UsdcField, WeiField


class AccountFacts(models.Model):
    """One account, as its last reading has it; decisions ask again, others read it here."""

    trader = models.OneToOneField(Trader, on_delete=models.PROTECT, related_name="facts")
    # In the trader's own wallet.
    balance_usdc = UsdcField()
    # What of it the venue may take.
    allowance_usdc = UsdcField()
    # Null: no sender of ours may trade for it.
    delegated_until = models.DateTimeField(null=True)
    # What the richest of those senders has for gas; zero without one.
    gas_wei = WeiField()
    block_number = models.BigIntegerField()
    seen_at = models.DateTimeField()

    class Meta:
        db_table = "account_facts"
        verbose_name_plural = "account facts"

    def __str__(self) -> str:
        return f"{self.balance_usdc} USDC at block {self.block_number}"
