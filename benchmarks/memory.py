"""Memory of server, worker and API together with a thousand open deals, and of one cached deal."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

from benchmarks.desk import Desk
from benchmarks.figures import Figure, Target
from benchmarks.front import Front, running_api
from benchmarks.rig import Rig

MEGABYTE = 1_000_000
_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Held:
    """Megabytes of one process: resident, and its fair share of what it shares with others."""

    resident: float
    proportional: float


def held(pid: int) -> Held:
    """The memory of a process. The proportional share is Linux only; elsewhere it is the resident size."""
    seen = psutil.Process(pid).memory_full_info()
    return Held(seen.rss / MEGABYTE, getattr(seen, "pss", seen.rss) / MEGABYTE)


async def open_deals(desk: Desk, first: int, count: int) -> None:
    """Open deals and talk to each customer once, sixteen at a time."""
    numbers = iter(range(first, first + count))

    async def work() -> None:
        for number in numbers:
            deal = await desk.open(f"D-{number}")
            await desk.log_contact(deal)

    await asyncio.gather(*(work() for _ in range(_AT_ONCE)))


async def memory(rig: Rig, deals: int) -> list[Figure]:
    """Fill the worker's cache with open deals, use the API, and look at every process."""
    desk = Desk(rig)
    few = max(deals // 10, 1)
    async with running_api(rig) as front:
        await open_deals(desk, 0, few)
        with_few = _look(rig, front)
        await open_deals(desk, few, deals - few)
        await use(front, min(deals, 100))
        seen = _look(rig, front)
    more = max(deals - few, 1)
    each = {name: (seen[name].resident - with_few[name].resident) / more for name in ("worker", "server")}
    return [*_totals(seen, deals), *_per_deal(each)]


async def use(front: Front, deals: int) -> None:
    """Act on some deals through the API and look at them, so that it is as large as it gets in use."""
    for number in range(deals):
        await front.act(f"D-{number}", "note", text="Asked again")
        await front.look_around(f"D-{number}")


def _look(rig: Rig, front: Front) -> dict[str, Held]:
    return {name: held(pid) for name, pid in processes(rig, front).items()}


def processes(rig: Rig, front: Front) -> Mapping[str, int]:
    """The processes of an installation."""
    return {"server": rig.server.pid or 0, "worker": rig.worker.pid, "API": front.pid}


def _totals(seen: Mapping[str, Held], deals: int) -> list[Figure]:
    resident = sum(one.resident for one in seen.values())
    proportional = sum(one.proportional for one in seen.values())
    name = f"together resident, {deals:,} open deals"
    return [
        *(Figure(f"{name} resident", one.resident, "MB") for name, one in seen.items()),
        Figure(name, resident, "MB", target=Target("at most", 900)),
        Figure("together, shared pages counted once", proportional, "MB"),
    ]


def _per_deal(each: Mapping[str, float]) -> list[Figure]:
    return [
        Figure("worker per cached deal", each["worker"], "MB", target=Target("at most", 0.3)),
        Figure("server per open deal", each["server"], "MB"),
    ]
