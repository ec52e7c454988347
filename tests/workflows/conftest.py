"""A real engine for workflow tests: one worker and one database per test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from infra.db import Database
from infra.temporal_server import EmbeddedServer
from tests.engine import Engine, running_engine
from tests.journeys import furnish


@pytest_asyncio.fixture
async def engine(server: EmbeddedServer, database: Database, tmp_path: Path) -> AsyncIterator[Engine]:
    """A worker with the strict sandbox on a furnished database."""
    await furnish(database)
    async with running_engine(server, database, tmp_path) as running:
        yield running
