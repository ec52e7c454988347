"""A hundred deals move while server, worker and API are killed with kill -9 again and again: nothing is lost, nothing
happens twice.

CRASH_SEED and CRASH_DEALS choose another run, CRASH_KILLS and CRASH_PEACE (seconds) a longer one.
"""

import asyncio
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select

from infra.db import Database, open_database, table_of
from infra.stores.archive import HistoryArchive
from models.tables.projection import DealRow
from models.tables.records import RefusalRow
from tests.crash.api_caller import ApiCaller
from tests.crash.callers import USUAL_RUN, Certainly, EngineCaller
from tests.crash.histories import replayed, until_archived
from tests.crash.players import Player, fates
from tests.crash.processes import System
from tests.crash.world import HURRIED, furnish_scarcely, receive_goods, used_by_others
from tests.invariants import findings

SEED = int(os.environ.get("CRASH_SEED", "2026"))
DEALS = int(os.environ.get("CRASH_DEALS", "100"))
KILLS = int(os.environ.get("CRASH_KILLS", "12"))
EVERYTHING = ("server", "worker", "api")
ROUNDS = (("worker",), ("server",), ("api",), ("server", "worker"), EVERYTHING)
PEACE_SECONDS = float(os.environ.get("CRASH_PEACE", "25"))


@dataclass
class Run:
    """One run: the system, its clients, and what is measured."""

    system: System
    database: Database
    rng: random.Random
    client: Certainly
    api: ApiCaller
    players: list[Player] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    log: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    peace_since: float = float("inf")

    def is_over(self) -> bool:
        """Some time after the last kill, or as soon as enough has happened since then."""
        peace = time.monotonic() - self.peace_since
        closed = sum(player.deal is not None and player.deal.is_closed for player in self.players)
        return peace > PEACE_SECONDS or (peace > 5 and closed > 0.6 * DEALS)

    def say(self, text: str) -> None:
        """What happened when, for whoever looks at a failure."""
        self.log.append(f"{time.monotonic() - self.began:6.1f} s  {text}")


@pytest.mark.usefixtures("on_the_wall_clock")  # real deals, on a server without a test clock
@pytest.mark.systems
@pytest.mark.uncounted
@pytest.mark.timeout(200 + PEACE_SECONDS + 8 * KILLS)
async def test_a_hundred_deals_survive_kill_9_of_everything(tmp_path: Path, sqlite_url: str) -> None:
    database = open_database(sqlite_url)
    await furnish_scarcely(database, DEALS)
    system = System(tmp_path)
    run = await _set_up(system, database)
    async with system:
        try:
            until = asyncio.create_task(_kill_again_and_again(run))
            await _play(run, until)
            await _settle(run)
            await system.kill(*EVERYTHING)  # what is checked now stands still, and has survived this one, too
            await _assert_sound(run)
        finally:
            _show(run)
    await run.api.http.aclose()
    await database.close()


async def _set_up(system: System, database: Database) -> Run:
    system.with_api = True
    await system.start()
    engine = EngineCaller(await system.client(), database, system.settings.task_queue)
    api = await ApiCaller.hire(f"http://127.0.0.1:{system.settings.api_port}", database, engine)
    run = Run(system, database, random.Random(SEED), Certainly(api), api)
    for number, fate in enumerate(fates(run.rng, DEALS)):
        customer = "c-2" if number % 40 == 7 else "c-3" if number % 25 == 3 else "c-1"
        own = random.Random(SEED * 1_000 + number)
        length = own.choice([8, 20, USUAL_RUN, USUAL_RUN])
        player = Player(run.client, database, f"D-{number:03}", fate, own, HURRIED, customer, length)
        run.players.append(player)
    return run


async def _play(run: Run, killing: "asyncio.Task[None]") -> None:
    """All deals at once; they get some time in peace after the last kill."""

    async def one(player: Player) -> None:
        await asyncio.sleep(max(0.0, player.rng.uniform(-15, 25)))
        await player.play(run.is_over)

    await asyncio.gather(killing, *(one(player) for player in run.players))


async def _kill_again_and_again(run: Run) -> None:
    """Each component alone, pairs, and everything at once; the restart may come late."""
    for number, names in enumerate(_victims(run.rng)):
        if number == 0 or run.rng.random() < 0.8:  # else the next kill may hit programs that are just starting
            await run.system.until_answering()
        await asyncio.sleep(run.rng.uniform(1.5, 4.0))
        await run.system.kill(*names)
        run.kills.update(names)
        run.say(f"killed {', '.join(names)}")
        await asyncio.sleep(run.rng.uniform(0.0, 0.8))
        await run.system.start()
        await receive_goods(run.database, number, DEALS // 10)
    run.peace_since = time.monotonic()


def _victims(rng: random.Random) -> Iterator[tuple[str, ...]]:
    left = KILLS
    while left > 0:
        for names in rng.sample(ROUNDS, k=len(ROUNDS)):
            if left > 0:
                yield names
                left -= len(names)


async def _settle(run: Run) -> None:
    """Until every effect is done and every run that ended is archived."""
    waiting: list[str] = []
    query = select(table_of(DealRow).c.id).where(table_of(DealRow).c.pending_effects > 0)
    for _ in range(300):
        async with run.database.read() as connection:
            waiting = list((await connection.execute(query)).scalars())
        if not waiting:
            break
        await asyncio.sleep(0.2)
    else:
        raise AssertionError(f"effects are still to be done: {waiting}")
    run.say("all effects are done")
    await until_archived(await run.system.client(), run.system.settings.task_queue)
    run.say("all runs that ended are archived")


async def _assert_sound(run: Run) -> None:
    answered = [(a.deal_id, a.key, a.answer or None) for a in run.client.acknowledged]
    found = await findings(run.database, answered, policy=HURRIED, allowed_extra_keys=used_by_others)
    found += [problem for player in run.players for problem in player.problems]
    found += run.api.odd
    found += await _refusals_missing(run)
    assert found == []
    run.say("invariants 1 to 6 and 8 hold")
    await run.system.server.start()
    archive = HistoryArchive(run.database, run.system.settings.archive_dir)
    histories = await replayed(await run.system.client(), archive, [player.deal_id for player in run.players])
    assert histories.problems == []
    run.say(f"{histories.replayed} histories with {histories.events} events replay")
    assert sum(run.kills.values()) >= KILLS
    assert len(run.client.acknowledged) > 5 * DEALS, "hardly anything happened"


async def _refusals_missing(run: Run) -> list[str]:
    """Invariant 6: an act that was refused with a no stands once among the refusals."""
    async with run.database.read() as connection:
        rows = (await connection.execute(select(table_of(RefusalRow)))).mappings().all()
    standing = Counter((row["deal_id"], row["actor"], row["key"], row["code"]) for row in rows)
    return [f"the refusal {told} stands {standing[told]} times" for told in run.api.refusals if standing[told] != 1]


def _show(run: Run) -> None:
    """Printed by pytest when the test fails, or with -s."""
    states = Counter(player.deal.state if player.deal else "unopened" for player in run.players)
    seconds = range(min(run.client.pace, default=0), max(run.client.pace, default=0) + 1)
    told = (
        f"CRASH_SEED={SEED} CRASH_DEALS={DEALS} CRASH_KILLS={KILLS} CRASH_PEACE={PEACE_SECONDS:.0f}",
        f"kills: {dict(run.kills)}; acknowledged acts: {len(run.client.acknowledged)}",
        f"deals: {dict(states)}",
        f"refused: {dict(run.client.refused)}; asked again: {dict(run.client.why_again)}",
        f"acts a second: {[run.client.pace[second] for second in seconds]}",
        *run.log,
    )
    sys.stdout.write("\n".join(("", *told, "")))
