"""Whole deals from first contact to completed: how many per second, what they leave behind, and their two replays."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import fields
from functools import partial

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory
from temporalio.converter import DataConverter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from benchmarks.desk import Desk, whole_deal
from benchmarks.figures import Figure, Target, of_spread
from benchmarks.growth import growth, stores
from benchmarks.measure import best_of, ratios, spread
from benchmarks.rig import Rig
from models.deal import fold
from models.timeline import Entry
from workflows.registry import WORKFLOWS

AT_ONCE = 8
_ROUNDS = 3
_FOLDS = 30
_TIMERS = (
    EventType.EVENT_TYPE_TIMER_STARTED,
    EventType.EVENT_TYPE_TIMER_FIRED,
    EventType.EVENT_TYPE_TIMER_CANCELED,
)
_JSON = ("payload", "facts", "verdicts", "events", "receipt")
_ACCEPTED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED


async def whole_deals(desk: Desk, count: int, replayed: int) -> list[Figure]:
    """Drive `count` deals, eight at a time; look at what they left, and replay some of them both ways."""
    await whole_deal(desk, "W-warm")
    names = [f"W-{number}" for number in range(count)]
    before, entries_before = stores(desk.rig), _entries(desk.rig)
    taken = await _drive(desk, names)
    for name in names:
        await desk.handle(name).result()
    after, moves = stores(desk.rig), _entries(desk.rig) - entries_before
    histories = [await desk.handle(name).fetch_history() for name in names]
    return [
        Figure(f"whole deals per second, {AT_ONCE} at once", count / taken, "/s"),
        Figure("moves per second meanwhile (entries)", moves / taken, "/s"),
        *_left_behind(histories, moves),
        *growth(before, after, moves, "whole deals", aim=4.0),
        Figure("archived histories per move, compressed files", await _archived(desk.rig, count) / moves / 1000, "kB"),
        *await _replays(desk.rig, names[:replayed], histories[:replayed]),
    ]


async def _drive(desk: Desk, names: list[str]) -> float:
    waiting = iter(names)

    async def drive() -> None:
        for name in waiting:
            await whole_deal(desk, name)

    began = time.perf_counter()
    await asyncio.gather(*(drive() for _ in range(AT_ONCE)))
    return time.perf_counter() - began


async def _archived(rig: Rig, deals: int) -> int:
    """Bytes of the archived histories, once those of all deals (and of the one that warmed up) are there."""
    for _ in range(300):
        if rig.books.execute("SELECT count(*) FROM archived_histories").fetchone()[0] > deals:
            break
        await asyncio.sleep(0.1)
    sizes = sorted(path.stat().st_size for path in rig.settings.archive_dir.rglob("*.gz"))
    return sum(sizes) * deals // max(len(sizes), 1)


def _entries(rig: Rig) -> int:
    return int(rig.books.execute("SELECT count(*) FROM timeline").fetchone()[0])


def _left_behind(histories: list[WorkflowHistory], moves: int) -> Iterator[Figure]:
    deals = len(histories)
    events = sum(len(h.events) for h in histories)
    timers = sum(1 for h in histories for e in h.events if e.event_type in _TIMERS)
    asked = sum(1 for h in histories for e in h.events if e.event_type == _ACCEPTED)
    yield Figure("events per whole deal", events / deals)
    yield Figure("  of them about timers", timers / deals)
    yield Figure("moves per whole deal (timeline entries)", moves / deals)
    yield Figure("  of them asked by people", asked / deals, note="the rest is the engine's: effects, automatic moves")
    yield Figure("events per move of a whole deal, timers left out", (events - timers) / moves)


async def _replays(rig: Rig, names: list[str], histories: list[WorkflowHistory]) -> list[Figure]:
    """The fold of a deal's timeline against the SDK's Replayer on its history, in turn, in this process."""
    timelines = [entries_of(rig, name) for name in names]
    replays, folds = await _both_replays(rig.client.data_converter, histories * _ROUNDS, timelines * _ROUNDS)
    return [
        of_spread("fold of a whole deal's timeline", spread([s * 1000 for s in folds]), "ms"),
        of_spread("Replayer on the same deal's history", spread([s * 1000 for s in replays]), "ms"),
        of_spread("Replayer / fold", ratios(replays, folds), "x", Target("at least", 200)),
    ]


async def _both_replays(
    converter: DataConverter, histories: list[WorkflowHistory], timelines: list[list[Entry]]
) -> tuple[list[float], list[float]]:
    """Seconds of each. One worker serves all histories, which is the Replayer at its best; the first warms it up."""
    replayer = Replayer(
        workflows=list(WORKFLOWS),
        workflow_runner=UnsandboxedWorkflowRunner(),
        data_converter=converter,
    )
    replays, folds = list[float](), list[float]()
    async with replayer.workflow_replay_iterator(_source([*histories[:1], *histories])) as results:
        following = aiter(results)
        await anext(following)
        for entries in timelines:
            began = time.perf_counter()
            result = await anext(following)
            replays.append(time.perf_counter() - began)
            if result.replay_failure is not None:
                raise result.replay_failure
            folds.append(best_of(partial(fold, entries), _FOLDS, repeats=1))
    return replays, folds


async def _source(histories: list[WorkflowHistory]) -> AsyncIterator[WorkflowHistory]:
    for history in histories:
        yield history


def entries_of(rig: Rig, deal_id: str) -> list[Entry]:
    """A deal's timeline."""
    names = [f.name for f in fields(Entry)]
    rows = rig.books.execute(
        f"SELECT {', '.join(names)} FROM timeline WHERE deal_id = ? ORDER BY sequence", (deal_id,)
    ).fetchall()
    return [
        Entry(**{n: json.loads(v) if n in _JSON and v is not None else v for n, v in zip(names, row, strict=True)})
        for row in rows
    ]
