"""Imports the examples and tells every story, several at once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import cli.demo.goods
import cli.demo.receivables
import cli.demo.selling  # noqa: F401  # the stories register themselves
from cli.demo.collection import Trouble, troubles
from cli.demo.fates import FATES
from cli.demo.shortages import Shortfall, order_events, shortfalls, unsolved
from cli.demo.story import Cast, Story
from cli.exits import CommandFailed, ExitCode
from cli.hands import Hands
from cli.imports.driving import deals_by_source
from cli.imports.examples import EXAMPLES
from cli.imports.opportunities import Opportunity
from cli.imports.pipeline import read_dataset
from cli.imports.report import Report
from cli.imports.users import all_people
from cli.screen import Screen
from infra.desk.errors import DeskError
from infra.settings import Settings
from infra.stores.pages import Row
from infra.test_clock import TestClockError
from models import codec
from models.deal_state import Deal
from models.instants import DAY, between

AT_ONCE = 8
ARCHIVE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Told:
    """One story and where its deal stands. `problem` is empty when that is where it should be."""

    row: Opportunity
    words: str
    deal_id: str
    state: str
    days: int
    problem: str = ""
    shortages: tuple[Shortfall, ...] = ()
    events: tuple[str, ...] = ()
    troubles: tuple[Trouble, ...] = ()


async def tell_stories(hands: Hands, settings: Settings, screen: Screen) -> tuple[Report, list[Told]]:
    """Tell the story of every row of the examples; deals of an earlier demo are left as they are."""
    books = hands.desk.books
    dataset = await read_dataset(EXAMPLES / "opportunities.csv", books.database, settings)
    cast = Cast(await all_people(books.people))
    standing = await deals_by_source(hands)
    places, done = asyncio.Semaphore(AT_ONCE), 0
    with screen.progress("stories", len(dataset.opportunities)) as progress:

        async def one(row: Opportunity) -> Told:
            nonlocal done
            async with places:
                told = await _tell(hands, row, cast, standing.get(row.ref))
            done += 1
            progress(done)
            return told

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(row)) for row in dataset.opportunities]
    return dataset.reports[0], [task.result() for task in tasks]


async def _tell(hands: Hands, row: Opportunity, cast: Cast, there: Row | None) -> Told:
    fate = FATES.get(row.fate)
    if fate is None:
        raise CommandFailed(ExitCode.BAD_DATA, f"{row.ref} has no known fate, but {row.fate!r}")
    problem = ""
    story = Story(hands, row, cast)
    story.deal_id = there["id"] if there else ""
    try:
        if there is None:
            await story.begin()
            await fate.tell(story)
    except (DeskError, TestClockError, CommandFailed) as refused:
        problem = str(refused)
    found = await hands.desk.books.deals.get(story.deal_id) if story.deal_id else None
    if found is None:
        return Told(row, fate.words, story.deal_id, "", 0, problem or "the deal was not opened")
    if not problem and found["state"] != fate.ends:
        problem = f"should be {fate.ends}"
    deal = codec.decode(Deal, found["snapshot"])
    if not problem and fate.solved:
        problem = unsolved(deal, fate.solved)
    last = found["closed_at"] or found["updated_at"]
    days = between(found["opened_at"], last) // DAY
    return Told(
        row,
        fate.words,
        found["id"],
        found["state"],
        days,
        problem,
        shortfalls(deal),
        order_events(deal),
        troubles(deal),
    )


async def until_archived(hands: Hands) -> None:
    """Wait until the histories of all closed deals are in the archive, which is done beside the deals' own work."""
    waiting = {row["id"] for row in (await deals_by_source(hands)).values() if row["closed_at"]}
    async with asyncio.timeout(ARCHIVE_SECONDS):
        while waiting:
            for deal_id in sorted(waiting):
                if await hands.desk.books.archive.of_deal(deal_id):
                    waiting.discard(deal_id)
            await asyncio.sleep(0.2 if waiting else 0)
