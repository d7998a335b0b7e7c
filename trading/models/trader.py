"""Whose positions these are."""

from typing import Self

from django.db import models

from trading.models.lane import Lane


class TraderQuerySet(models.QuerySet["Trader"]):
    """Traders, asked for in our words."""

    def accounts(self) -> Self:
        """Those for whom the desk trades."""
        return self.filter(is_leader=False)

    def leaders(self) -> Self:
        """Those that it only watches."""
        return self.filter(is_leader=True)


class NoAccount(RuntimeError):
    """Somebody asked for the account of an address that the desk only watches."""


class Trader(Lane):
    """An address that owns positions: an account, whose signals are a lane, or a leader, who is only watched."""

    # Null exactly for a leader.
    tg_user_id = models.BigIntegerField(unique=True, null=True)
    name = models.CharField(max_length=64)
    address = models.CharField(max_length=42, unique=True)
    is_leader = models.BooleanField(default=False, db_default=False)
    # Of an account: whether it may enter. Of a leader: whether it is watched.
    is_enabled = models.BooleanField(default=True)
    # Whose midnight begins the trading day, by its IANA name.
    zone = models.CharField(max_length=64, default="UTC", db_default="UTC")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TraderQuerySet.as_manager()

    class Meta:
        db_table = "traders"
        constraints = [
            models.CheckConstraint(
                name="trader_address_is_an_address", condition=models.Q(address__regex=r"^0x[0-9a-fA-F]{40}$")
            ),
            models.CheckConstraint(
                name="trader_has_a_telegram_id_unless_it_leads",
                condition=models.Q(is_leader=True, tg_user_id=None) | models.Q(is_leader=False, tg_user_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.address if self.is_leader else self.tg_user_id})"

    @property
    def account(self) -> int:
        """The Telegram id of whose account it is.

        Raises:
            NoAccount: for a leader, who has none.
        """
        if self.tg_user_id is None:
            raise NoAccount(f"{self} has no account here")
        return self.tg_user_id


class LeaderManager(models.Manager["Leader"]):
    """Leaders, and no account among them."""

    def get_queryset(self) -> models.QuerySet["Leader"]:
        """Every leader, watched or not."""
        return super().get_queryset().filter(is_leader=True)


class Leader(Trader):
    """An address that the desk watches, so that others can follow it."""

    leaders = LeaderManager()

    class Meta:
        proxy = True
