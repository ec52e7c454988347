"""`python -m benchmarks.core`: what the pure core does in a second, without engine or database; a timeline's fold."""

import os
import time
from collections.abc import Callable

from benchmarks.figures import Figure, Target, of_spread, table
from benchmarks.measure import spread
from models.deal import fold
from models.instants import DAY
from models.policy import DEFAULT
from models.projection import project
from models.timeline import Entry, verify_chain
from tests.models.world import World, paid

BATCHES, DEALS = 15, 20


def whole_deal() -> list[Entry]:
    """A deal of three lines from the first contact to paid and completed: each entry is an act that was decided."""
    world = paid(World())
    world.advance(20 * DAY)
    assert world.deal.state == "completed"
    return world.entries


def refusals() -> int:
    """Acts that are refused; their number."""
    world, asked = World(), 50
    for _ in range(asked):
        world.refusal("legal", "qualify")
    return asked


def core(batches: int = BATCHES, deals: int = DEALS) -> list[Figure]:
    """Acts and refusals per second of processor time, and what reading a timeline costs."""
    entries = whole_deal()
    deal = fold(entries)
    rates = [_rate(lambda: sum(len(whole_deal()) for _ in range(deals))) for _ in range(batches)]
    refused = [_rate(refusals) for _ in range(batches)]
    return [
        of_spread("acts decided and applied, whole deals", spread(rates), "acts/s", Target("at least", 2_000)),
        of_spread("acts refused", spread(refused), "acts/s"),
        _each("fold of a timeline", lambda: fold(entries), batches, f"{len(entries)} entries"),
        _each("chain of a timeline verified", lambda: verify_chain(entries), batches, f"{len(entries)} entries"),
        _each("rows of a deal projected", lambda: project(deal, DEFAULT), batches, "all tables"),
    ]


def _rate(work: Callable[[], int]) -> float:
    began = time.process_time()  # pure computation: what else runs on the machine does not count
    done = work()
    return done / (time.process_time() - began)


def _each(name: str, work: Callable[[], object], batches: int, note: str) -> Figure:
    taken = [1_000 / _rate(lambda: _many(work)) for _ in range(batches)]
    return of_spread(name, spread(taken), "ms", note=note)


def _many(work: Callable[[], object], times: int = 50) -> int:
    for _ in range(times):
        work()
    return times


if __name__ == "__main__":
    print(table(f"The pure core, one process; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", core()))
