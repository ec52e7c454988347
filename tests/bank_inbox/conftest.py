"""The bank's inbox in front of deals on the pure core, on either database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from infra.db import Database
from tests.bank_inbox.paid_deals import NOW, Bank, Deals, bank_of, furnish_customers


@pytest_asyncio.fixture
async def bank(database: Database, tmp_path: Path) -> AsyncIterator[Bank]:
    """A bank with two customers and no deals yet."""
    await furnish_customers(database)
    built = bank_of(database, Deals(database), tmp_path)
    await built.books.policies.active(NOW)
    yield built
