"""The chain as far as we have read it."""

from typing import Self

from django.db import models

from trading.models.lane import Lane


class Cursor(Lane):
    """How far one stream of events was read. Its block and its rows commit together."""

    stream = models.CharField(max_length=32, unique=True)
    chain_id = models.BigIntegerField()
    number = models.BigIntegerField()
    hash = models.CharField(max_length=66)

    class Meta:
        db_table = "cursors"

    def __str__(self) -> str:
        return f"{self.stream} at {self.number}"


class ChainBlockQuerySet(models.QuerySet["ChainBlock"]):
    """Blocks, asked for in our words."""

    def canonical(self) -> Self:
        """Those that the chain still has, as far as we read it."""
        return self.filter(is_canonical=True)


class ChainBlock(models.Model):
    """A block that we read, with its parent, so that a reorganization is seen for what it is."""

    chain_id = models.BigIntegerField()
    number = models.BigIntegerField()
    hash = models.CharField(max_length=66)
    parent_hash = models.CharField(max_length=66)
    mined_at = models.DateTimeField()
    is_canonical = models.BooleanField(default=True)

    objects = ChainBlockQuerySet.as_manager()

    class Meta:
        db_table = "chain_blocks"
        constraints = [
            models.UniqueConstraint(name="one_block_for_each_hash", fields=["chain_id", "hash"]),
            models.UniqueConstraint(
                name="one_canonical_block_for_each_number",
                fields=["chain_id", "number"],
                condition=models.Q(is_canonical=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.hash}"
