"""Measuring on a machine that is never quite still: batches of a thing and its floor in turn, and their ratios."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

Act = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over batches: its median, the middle half, and the whole range."""

    median: float
    low: float
    high: float
    least: float
    most: float
    count: int


def spread(values: Sequence[float]) -> Spread:
    """The spread of some batches. Raises ValueError when there are none."""
    if not values:
        raise ValueError("nothing was measured")
    ordered = sorted(values)
    low, _, high = statistics.quantiles(ordered, n=4, method="inclusive") if len(ordered) > 1 else ordered * 3
    return Spread(statistics.median(ordered), low, high, ordered[0], ordered[-1], len(ordered))


def ratios(measured: Sequence[float], floor: Sequence[float]) -> Spread:
    """The spread of one batch's figure over that of the floor's batch beside it."""
    return spread([a / b for a, b in zip(measured, floor, strict=True)])


async def latency(act: Act, count: int, pause: float = 0.0) -> list[float]:
    """Seconds that each of `count` acts in a row takes; `pause` lets what an act left behind end unmeasured."""
    return [await _timed(act, pause) for _ in range(count)]


async def _timed(act: Act, pause: float) -> float:
    began = time.perf_counter()
    await act()
    taken = time.perf_counter() - began
    if pause:
        await asyncio.sleep(pause)
    return taken


def best_of(work: Callable[[], object], rounds: int, repeats: int = 5) -> float:
    """Seconds of one call: the fastest of some repeats, each a loop of `rounds` calls."""
    taken = []
    for _ in range(repeats):
        began = time.perf_counter()
        for _ in range(rounds):
            work()
        taken.append((time.perf_counter() - began) / rounds)
    return min(taken)
