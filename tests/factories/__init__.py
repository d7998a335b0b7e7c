"""Rows for tests, legal ones: each factory makes what the database's own rules let live."""

from datetime import UTC, datetime

# In the past of every clock, so that a row due at NOW is due.
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
