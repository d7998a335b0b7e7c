"""What the integration tests start from."""

import pytest


@pytest.fixture
def committed(transactional_db: None) -> None:
    """A database in which commits are real, with the rows of the migrations."""
