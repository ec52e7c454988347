"""Deals for the tests of process mining: told by people, driven by chance, and written into a database."""

from functools import cache
from random import Random

from infra.db import Database
from infra.desk.books import Books
from infra.settings import Settings
from infra.stores.recorder import DatabaseRecorder
from models.messages.records import RecordInput
from models.projection import CHILDREN, project
from tests.api.desks import another, complained, short
from tests.journeys import BEGINNING
from tests.models.random_acts import JUMPS
from tests.models.random_deal import play
from tests.models.test_properties import driven
from tests.models.world import World, delivered, offered, paid

SEEDS = tuple(range(24))


@cache
def by_chance(seed: int) -> World:
    """A deal to which random people did random things, with time passing in between; not to be driven on."""
    rng = Random(seed)
    driver = driven(rng)
    for _ in range(40):
        play(driver, rng)
        if rng.random() < 0.3:
            driver.advance(rng.choice(JUMPS))
    return driver.world


def told() -> list[World]:
    """Deals of two customers' kind of days: paid, unpaid, on offer, short of goods, complained about, a test deal."""
    return [
        paid(another("D-paid")),
        delivered(another("D-owing")),
        offered(another("D-offered")),
        short("D-short"),
        complained("D-damaged", ("damage", "carrier", 2, "better boxes")),
        paid(another("D-test", test=True)),
    ]


async def store(database: Database, settings: Settings, *worlds: World) -> list[World]:
    """Write deals that were driven through the pure core into the database."""
    await Books(database, settings).policies.active(BEGINNING)
    recorder = DatabaseRecorder(database)
    for world in worlds:
        shown = project(world.deal, world.policy)
        await recorder.record(RecordInput(world.deal.id, tuple(world.entries), shown, CHILDREN))
    return list(worlds)
