"""The three replays in one run: a thousand timelines folded and judged again, and histories in the engine."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any

from temporalio.client import WorkflowHistory

from benchmarks.desk import Desk, whole_deal
from benchmarks.figures import Figure, Target, of_spread
from benchmarks.measure import ratios, spread
from benchmarks.whole import entries_of
from cli.replaying_engine import EngineReplay, compare
from infra.payloads import converter_of
from models import codec
from models.deal import fold
from models.policy import DEFAULT
from models.rejudging import rejudge
from models.replaying import fold_problems
from models.timeline import Entry

DEALS = 1_000
_POLICIES = {DEFAULT.version: DEFAULT}
_FOLDS = 20

Timeline = tuple[str, list[Entry], dict[str, Any]]
"""A deal's id, its entries, and the deal that stands in plain form."""


async def replays(desk: Desk, histories: int, deals: int = DEALS) -> list[Figure]:
    """Play whole deals, then replay each of them in all three ways, in turn; and many timelines over the cores."""
    names = [f"R-{number}" for number in range(histories)]
    await asyncio.gather(*(whole_deal(desk, name) for name in names))
    told: list[Timeline] = []
    for name in names:
        await desk.handle(name).result()
        entries = entries_of(desk.rig, name)
        told.append((name, entries, codec.encode(fold(entries))))
    runs = [await desk.handle(name).fetch_history() for name in names]
    folds, rules, engine = await _in_turn(desk, told, runs)
    return [
        of_spread("fold of a deal, compared (processor time)", spread([s * 1000 for s in folds]), "ms"),
        of_spread("rules: its acts judged again (processor time)", spread([s * 1000 for s in rules]), "ms"),
        of_spread("engine: its history replayed (processor time)", spread([s * 1000 for s in engine]), "ms"),
        of_spread("engine replay / fold, deal by deal", ratios(engine, folds), "x", Target("at least", 200)),
        of_spread("engine replay / rules, deal by deal", ratios(engine, rules), "x"),
        *_over_the_cores(told, deals),
    ]


async def _in_turn(
    desk: Desk, told: Sequence[Timeline], runs: Sequence[WorkflowHistory]
) -> tuple[list[float], list[float], list[float]]:
    """Seconds of processor time of each replay of each deal, all threads counted, so that what else runs on the machine
    does not. The first history warms the SDK's worker up, unmeasured."""
    folds, rules, engine = list[float](), list[float](), list[float]()
    replay = EngineReplay(converter_of(desk.rig.settings)).replay(_source([*runs[:1], *runs]))
    await anext(replay)
    for deal_id, entries, standing in told:
        began = time.process_time()
        testimony = await anext(replay)
        found = compare(deal_id, [testimony], entries, _POLICIES).differences
        engine.append(time.process_time() - began)
        began = time.process_time()
        for _ in range(_FOLDS):
            found += fold_problems(deal_id, entries, standing)
        folds.append((time.process_time() - began) / _FOLDS)
        began = time.process_time()
        found += rejudge(deal_id, entries, _POLICIES).differences
        rules.append(time.process_time() - began)
        if found:
            raise RuntimeError(f"{found[0].deal_id} does not replay: {found[0].why}")
    async for _ in replay:
        raise RuntimeError("more histories were replayed than there are")
    return folds, rules, engine


async def _source(runs: Sequence[WorkflowHistory]) -> AsyncIterator[WorkflowHistory]:
    for run in runs:
        yield run


def _over_the_cores(told: Sequence[Timeline], deals: int) -> list[Figure]:
    """Many timelines, those of the deals over and over, in as many processes as there are cores, loaded before."""
    cores = os.cpu_count() or 1
    share = -(-deals // cores)
    entries = sum(len(told[number % len(told)][1]) for number in range(share)) * cores
    note = f"{share * cores} deals, {entries} entries, {cores} processes"
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn"), initializer=partial(_load, told)) as pool:
        warm = [pool.submit(_folded, 1) for _ in range(4 * cores)]
        for done in warm:
            done.result()
        return [
            Figure(f"fold of {deals} deals over the cores", _timed(pool, _folded, share, cores), "s",
                   target=Target("at most", 2.0 * deals / DEALS), note=note),
            Figure(f"rules of {deals} deals over the cores", _timed(pool, _judged, share, cores), "s", note=note),
        ]  # fmt: skip


def _timed(pool: ProcessPoolExecutor, work: Any, share: int, cores: int) -> float:
    began = time.perf_counter()
    for done in [pool.submit(work, share) for _ in range(cores)]:
        done.result()
    return time.perf_counter() - began


_told: list[Timeline] = []


def _load(told: Sequence[Timeline]) -> None:
    _told.extend(told)


def _folded(deals: int) -> None:
    for number in range(deals):
        deal_id, entries, standing = _told[number % len(_told)]
        if fold_problems(deal_id, entries, standing):
            raise RuntimeError(f"{deal_id} does not fold")


def _judged(deals: int) -> None:
    for number in range(deals):
        deal_id, entries, _ = _told[number % len(_told)]
        if rejudge(deal_id, entries, _POLICIES).differences:
            raise RuntimeError(f"{deal_id} is judged otherwise")
