"""Whose positions these are."""

from django.db import models

from trading.models.lane import Lane


class Trader(Lane):
    """An account: the address that owns positions. Its signals are a lane, decided one at a time."""

    tg_user_id = models.BigIntegerField(unique=True)
    name = models.CharField(max_length=64)
    address = models.CharField(max_length=42, unique=True)
    is_enabled = models.BooleanField(default=True)
    # Whose midnight begins the trading day, by its IANA name.
    zone = models.CharField(max_length=64, default="UTC", db_default="UTC")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "traders"
        constraints = [
            models.CheckConstraint(
                name="trader_address_is_an_address", condition=models.Q(address__regex=r"^0x[0-9a-fA-F]{40}$")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.tg_user_id})"
