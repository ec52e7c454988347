"""Deals that were played once on the real engine, for all tests of the replays."""

import asyncio
from pathlib import Path

import pytest
import pytest_asyncio

from infra.db import open_database
from infra.migrate import upgrade
from infra.temporal_server import EmbeddedServer
from tests import journeys
from tests.engine import running_engine
from tests.journeys import furnish
from tests.replay.kept import Played
from tests.replay.played import played

JOURNEYS = {
    "REP-won": journeys.won_and_paid,
    "REP-dunned": journeys.paid_after_two_dunning_letters,
    "REP-discount": journeys.discount_approved,
    "REP-long": journeys.long_prospect,
}
"""Closed with and without interest, open with an approval, and open after three continued runs."""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def deals(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Played]:
    """Each journey's deal, with timeline and histories."""
    folder = tmp_path_factory.mktemp("played")
    url = f"sqlite+aiosqlite:///{folder / 'dealwright.db'}"
    await asyncio.to_thread(upgrade, url)
    database = open_database(url, synchronous="NORMAL")
    await furnish(database)
    async with running_engine(server, database, folder) as engine:
        await asyncio.gather(*(journey(engine, deal_id) for deal_id, journey in JOURNEYS.items()))
        found = {deal_id: await played(engine, deal_id) for deal_id in JOURNEYS}
    await database.close()
    return found


@pytest.fixture(scope="session")
def cases(deals: dict[str, Played], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The deals as files, for programs on other code."""
    folder = tmp_path_factory.mktemp("cases")
    for deal_id, deal in deals.items():
        deal.write(folder / deal_id)
    return folder
