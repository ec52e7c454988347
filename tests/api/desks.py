"""Deals for the tests of worklists and reports: under any id and owner, with goods that are short or went wrong."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from infra.db import Database
from infra.desk.service import DealDesk
from infra.settings import load_settings
from models.deal import open_deal
from models.stages.opening import OpenDeal
from tests.api.conftest import Office, app_of, client_of, staffed
from tests.journeys import furnish
from tests.models.world import PEOPLE, World, delivered, entered

LINES = [{"article": "A-1", "quantity": 10}, {"article": "A-2", "quantity": 5}]


@asynccontextmanager
async def office_at(database: Database, folder: Path, now: str) -> AsyncIterator[Office]:
    """The API without an engine, whose clock stands still."""
    await furnish(database)
    desk = DealDesk(database, None, load_settings(data_dir=folder), clock=lambda: now)
    app = app_of(desk)
    async with client_of(app) as http:
        yield Office(app, desk, http, await staffed(desk, app))


def another(
    deal_id: str = "D-1", owner: str = "u-account_manager", department: str = "north", test: bool = False, **known: Any
) -> World:
    """A deal that has just begun."""
    world = World(**known)
    world.entries.clear()
    opened = OpenDeal("Pumps", "c-1", "g-1", owner, department, "berlin", "EUR", is_test=test)
    world._keep(open_deal(deal_id, opened, PEOPLE["account_manager"], "open", world.policy, world.now))
    return world


def short(deal_id: str = "D-1", have: int = 4, **known: Any) -> World:
    """A deal whose first line lacks units of A-1."""
    known.setdefault("expected", {"A-1": "2026-01-20"})
    return entered(another(deal_id, stock={"A-1": have, "A-2": 5, "B-1": 100}, **known), LINES)


def complained(deal_id: str, *acts: tuple[str, str, int, str], **known: Any) -> World:
    """A delivered deal with acts about its first line, each with kind, cause, units and a measure against repetition
    (empty: it is not decided yet)."""
    world = delivered(another(deal_id, **known), LINES)
    for number, (kind, cause, quantity, prevention) in enumerate(acts, start=1):
        lines = [{"line": 1, "quantity": quantity}]
        world.do("logistics_manager", "report_discrepancy", kind=kind, cause=cause, lines=lines)
        if prevention:
            world.do("account_manager", "settle_discrepancy", act=number, measure="acceptance", prevention=prevention)
    return world
