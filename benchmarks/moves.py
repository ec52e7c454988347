"""Moves of real deals against their floors on the same server: latency one by one, and rate sixteen at a time."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from functools import partial

from benchmarks.desk import Desk, Handle
from benchmarks.figures import Figure, Target, of_spread
from benchmarks.floors import LOCAL, NOTHING
from benchmarks.measure import Act, latency, ratios, spread

AT_ONCE = 16
_AFTER_SIGNAL = 0.015
"""Seconds for the worker to handle a signal that was acknowledged, so that it does not slow the next one down."""

Timings = dict[str, list[float]]


async def single_moves(desk: Desk, batches: int, count: int) -> list[Figure]:
    """Median latency of real acts, of the floors beside them, and their ratios batch by batch."""
    seen: Timings = {name: [] for name in ("note", "log_contact", "signal", NOTHING, LOCAL)}
    for batch in range(batches):
        acts = await _acts(desk, batch)
        turn = batch % len(acts)
        for name in (*list(acts)[turn:], *list(acts)[:turn]):
            taken = await latency(acts[name], count, _AFTER_SIGNAL if name == "signal" else 0.0)
            seen[name].append(statistics.median(taken))
    figures = [of_spread(f"{name} p50", spread([s * 1000 for s in taken]), "ms") for name, taken in seen.items()]
    for act in ("note", "log_contact"):
        figures += _against_floors(act, seen)
    return figures


async def _acts(desk: Desk, batch: int) -> dict[str, Act]:
    """Fresh workflows for a batch, each warmed up by one act."""
    deal = await desk.open(f"L-{batch}")
    floors = [await desk.floor(f"{kind}-{batch}") for kind in ("signal", NOTHING, LOCAL)]
    acts: dict[str, Act] = {
        "log_contact": partial(desk.log_contact, deal),
        "note": partial(desk.note, deal),
        "signal": partial(desk.poke, floors[0]),
        NOTHING: partial(desk.ask, floors[1], NOTHING),
        LOCAL: partial(desk.ask, floors[2], LOCAL),
    }
    for act in acts.values():
        await act()
    return acts


def _against_floors(act: str, seen: Timings) -> list[Figure]:
    limits = {"signal": Target("at most", 2.6), LOCAL: Target("at most", 1.5)}
    titles = {"signal": "(a) signal", NOTHING: "(b) empty update", LOCAL: "(c) no-op local act."}
    return [
        of_spread(f"{act} / {title}", ratios(seen[act], seen[floor]), "x", limits.get(floor), why=_WHY.get(floor, ""))
        for floor, title in titles.items()
    ]


_WHY = {
    "signal": "floor (c) alone is 1.9 to 2.6 signals on this server, so the limit leaves our part next to nothing",
    LOCAL: "deciding, hashing, encoding and one SQLite transaction in the worker come on top of the engine's own work",
}


async def many_moves(desk: Desk, batches: int, count: int) -> list[Figure]:
    """Moves per second of sixteen deals at once, against sixteen no-op local activities at once."""
    deals = [await desk.open(f"M-{n}") for n in range(AT_ONCE)]
    floors = [await desk.floor(f"many-{n}") for n in range(AT_ONCE)]
    await asyncio.gather(*map(desk.log_contact, deals), *(desk.ask(floor, LOCAL) for floor in floors))
    ours, theirs = list[float](), list[float]()
    for batch in range(batches):
        for ask_deals in (True, False) if batch % 2 else (False, True):
            if ask_deals:
                ours.append(await _rate(deals, desk.note, count))
            else:
                theirs.append(await _rate(floors, partial(desk.ask, update=LOCAL), count))
    return [
        of_spread(f"notes per second, {AT_ONCE} deals at once", spread(ours), "/s"),
        of_spread(f"(c) per second, {AT_ONCE} floors at once", spread(theirs), "/s"),
        of_spread(
            f"{AT_ONCE}-way moves / (c)", ratios(ours, theirs), "x", Target("at least", 0.75), why=_WHY_MANY
        ),
    ]  # fmt: skip


_WHY_MANY = "with all deals at once the worker's one interpreter is the bottleneck: our share of a move is Python"


async def _rate(handles: list[Handle], act: Callable[[Handle], Awaitable[object]], count: int) -> float:
    async def one(handle: Handle) -> None:
        for _ in range(count):
            await act(handle)

    began = time.perf_counter()
    await asyncio.gather(*map(one, handles))
    return len(handles) * count / (time.perf_counter() - began)


async def events_per_move(desk: Desk, count: int) -> list[Figure]:
    """Events that acts add to a history, one after the other, no timer among them."""
    deal = await desk.open("E-1")
    await desk.log_contact(deal)
    before = await _length(deal)
    for _ in range(count):
        await desk.note(deal)
        await desk.log_contact(deal)
    added = (await _length(deal) - before) / (2 * count)
    return [Figure("events per move without a timer", added, "", target=Target("at most", 6))]


async def _length(deal: Handle) -> int:
    return (await deal.describe()).history_length
