"""The whole system in a thread of its own: engine, worker and the API on a loopback port, for clients that block."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.app import create_app
from api.main import server_of
from infra.db import open_database
from infra.desk.callers import Caller
from infra.desk.opening import NewDeal
from infra.desk.service import DealDesk
from infra.ports import address_of, listen
from infra.stores.people import Person
from models.lifecycle.roles import PERSONS
from tests.counting import pause_in_greenlets
from tests.engine import running_engine, running_server
from tests.journeys import BEGINNING, furnish

EVERYBODY = Person("u-everybody", "Everybody", tuple(sorted(map(str, PERSONS))), "north")


@dataclass
class Served:
    """Where the API answers, the key of somebody who holds every role, and two of their deals."""

    address: str
    key: str
    deals: tuple[str, ...]


@contextmanager
def served(folder: Path, database_url: str) -> Iterator[Served]:
    """Run everything until the end of the block."""
    ready: list[Served] = []
    told, stop = threading.Event(), threading.Event()
    failed: list[BaseException] = []

    def work() -> None:
        pause_in_greenlets()
        try:
            asyncio.run(_serve(folder, database_url, ready, told, stop))
        except BaseException as problem:
            failed.append(problem)
        finally:
            told.set()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    told.wait(60)
    if failed:
        raise failed[0]
    try:
        yield ready[0]
    finally:
        stop.set()
        thread.join(30)
    if failed:
        raise failed[0]


async def _serve(
    folder: Path, database_url: str, ready: list[Served], told: threading.Event, stop: threading.Event
) -> None:
    database = open_database(database_url, synchronous="NORMAL")
    try:
        await furnish(database)
        async with running_server(folder) as server, running_engine(server, database, folder) as engine:
            desk = DealDesk(database, engine.client, engine.settings)
            key = await desk.books.people.create(EVERYBODY, BEGINNING)
            deals = await _deals(desk)
            listening = listen(engine.settings)
            answering = asyncio.Event()
            http = server_of(create_app(desk), engine.settings, answering.set)
            running = asyncio.create_task(http._serve([listening]))  # serve() would take over the signals
            await answering.wait()
            ready.append(Served(address_of(listening), key, deals))
            told.set()
            await asyncio.to_thread(stop.wait)
            http.should_exit = True
            await running
    finally:
        await database.close()


async def _deals(desk: DealDesk) -> tuple[str, ...]:
    """Two deals, one of them with an offer that waits for its customer."""
    caller = Caller(EVERYBODY.id, EVERYBODY.roles, EVERYBODY.department)
    made = []
    for name in ("young", "old"):
        asked = NewDeal(f"A {name} deal", "c-1", is_test=True)
        made.append((await desk.open_deal(caller, asked, f"open-{name}")).deal_id)
    steps: tuple[tuple[str, dict[str, Any]], ...] = (
        ("log_contact", {"channel": "call", "outcome": "interested"}),
        ("record_needs", {"what": "pumps", "quantity": 3}),
        ("qualify", {}),
        ("request_check", {}),
        ("draft_offer", {"lines": [{"article": "A-1", "quantity": 3}]}),
        ("send_offer", {}),
    )
    for action, payload in steps:
        await desk.act(caller, made[1], action, payload, f"step-{action}", settle=True)
    return tuple(made)
