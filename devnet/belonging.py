"""Whether chain and database belong together.

The database carries the hash of the chain's first mined block as its comment. A chain that was replaced
has another: every nonce, block and position of the database would then be about a chain that is gone.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from devnet.rpc import Rpc


class Mismatch(Exception):
    """Chain and database are of two worlds; the message says which, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A chain's identity and its height."""

    # The hash of block 1. Not of block 0: anvil makes a new one at each start, keeps the old ones
    # in its state too, and answers with any of them.
    first_block: str
    height: int


def judge(*, chain: str, database: str | None) -> None:
    """Pass if the database is new, or knows this chain.

    Raises:
        Mismatch: if it was filled from another one.
    """
    if database is not None and database != chain:
        raise Mismatch(
            f"the database belongs to the chain {database[:14]}…, but the chain is {chain[:14]}…: "
            "`make reset` empties both (nothing was changed)"
        )


def lost_blocks(*, recorded: Head | None, found: Head) -> int:
    """How many blocks a chain has forgotten since it was last seen; a killed chain loses its last seconds."""
    if recorded is None or recorded.first_block != found.first_block:
        return 0
    return max(0, recorded.height - found.height)


def head_of(rpc: Rpc) -> Head:
    """A running chain's identity and height; an empty one mines its first block for that."""
    first = _block_one(rpc)
    if first is None:
        rpc.call("evm_mine")
        first = _block_one(rpc)
    return Head(first_block=str(first["hash"]), height=int(rpc.call("eth_blockNumber"), 16))


def _block_one(rpc: Rpc) -> Any:
    is_with_transactions = False
    return rpc.call("eth_getBlockByNumber", "0x1", is_with_transactions)


def recorded(path: Path) -> Head | None:
    """The chain as it was when last written down."""
    return Head(**json.loads(path.read_text())["head"]) if path.exists() else None


def addresses(path: Path) -> dict[str, str]:
    """Where the contracts lie, as last written down."""
    found: dict[str, str] = json.loads(path.read_text())["addresses"]
    return found


def record(path: Path, *, head: Head, contracts: dict[str, str]) -> None:
    """Write down the chain and where its contracts lie."""
    path.write_text(json.dumps({"head": asdict(head), "addresses": contracts}, indent=2) + "\n")


def chain_of_database(url: str) -> str | None:
    """The chain that a database says it belongs to; None for a new one."""
    with psycopg.connect(url, connect_timeout=5) as connection:
        row = connection.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    return row[0] if row else None


def mark_database(url: str, *, chain: str) -> None:
    """Let a database say which chain it belongs to."""
    with psycopg.connect(url, connect_timeout=5) as connection:
        name = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(name, sql.Literal(chain)))
