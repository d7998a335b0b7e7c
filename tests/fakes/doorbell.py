"""A doorbell that only remembers who rang."""

_rings: list[tuple[str, int]] = []


def record(event: str, key: int) -> None:
    """Stand at the other end of `settings.DOORBELL`."""
    _rings.append((event, key))


def heard() -> list[tuple[str, int]]:
    """Every ring since the last `clear`, in order."""
    return list(_rings)


def clear() -> None:
    """Forget every ring."""
    _rings.clear()
