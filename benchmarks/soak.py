"""`make soak`: 20,000 moves on deals that come and go, and whether memory stays flat and stores grow evenly."""

import argparse
import asyncio
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import uvloop

from benchmarks.desk import REMARK, Desk
from benchmarks.figures import Figure, Target, table, write_json
from benchmarks.front import Front, running_api
from benchmarks.growth import growth, stores
from benchmarks.machine import describe, load
from benchmarks.memory import held, processes
from benchmarks.rig import PLAIN_WORKER, Rig, running_rig
from infra.settings import load_settings

RESULTS = Path(__file__).resolve().parent / "results"
AT_ONCE = 16
MOVES_OF_A_DEAL = 50
MOVES_OF_A_RUN = 30
"""Every deal continues as new once, so that what it carries over is part of the soak."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen after so many moves: megabytes resident per process, and moves per second since the last look."""

    moves: int
    megabytes: Mapping[str, float]
    rate: float


async def soak(rig: Rig, moves: int, opened: int, times: int = 20) -> list[Figure]:
    """Let deals come and go above `opened` deals that stay open; look at the processes `times` times."""
    desk = Desk(rig, moves_per_run=MOVES_OF_A_RUN)
    for number in range(opened):
        await desk.open(f"O-{number}")
    before, done, looks = stores(rig), 0, list[Look]()
    deals = max(moves // times // MOVES_OF_A_DEAL, 1)
    async with running_api(rig) as front:
        for number in range(times):
            began = time.perf_counter()
            await _round(desk, front, [f"S-{number}-{n}" for n in range(deals)])
            rate = deals * MOVES_OF_A_DEAL / (time.perf_counter() - began)
            done += deals * MOVES_OF_A_DEAL
            sizes = {name: held(pid).resident for name, pid in processes(rig, front).items()}
            looks.append(Look(done, sizes, rate))
            print(_line(looks[-1]), flush=True)
    return [*_flatness(looks), *growth(before, stores(rig), done, "soak", aim=4.0)]


async def _round(desk: Desk, front: Front, names: list[str]) -> None:
    waiting = iter(names)

    async def work() -> None:
        for name in waiting:
            await _life(desk, front, name)

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))


async def _life(desk: Desk, front: Front, name: str) -> None:
    """As many moves as are counted, through the API: contacts and remarks in turn, and giving up."""
    await desk.open(name)
    for turn in range(MOVES_OF_A_DEAL - 2):
        if turn % 4 == 0:
            await front.act(name, "log_contact", channel="call", outcome="wants an offer")
        else:
            await front.act(name, "note", text=REMARK)
    await front.look_around(name)
    await front.act(name, "lose", reason="price", note="too dear")


def _line(look: Look) -> str:
    sizes = "  ".join(f"{name} {size:.0f} MB" for name, size in look.megabytes.items())
    return f"  {look.moves:>7,} moves  {look.rate:>6.1f}/s  {sizes}  load {load()[0]:.1f}"


def _flatness(looks: list[Look]) -> Iterator[Figure]:
    """Growth from the second quarter to the last: caches fill in the first one."""
    quarter = max(len(looks) // 4, 1)
    early, late = looks[quarter : 2 * quarter] or looks, looks[-quarter:]
    span = max(late[-1].moves - early[-1].moves, 1)
    for name in looks[0].megabytes:
        grown = _mean(late, name) - _mean(early, name)
        share = grown / _mean(early, name) * 100
        note = f"{grown:+.1f} MB in {span:,} moves; {_mean(late, name):.0f} MB in the last quarter"
        yield Figure(f"{name}: growth after the first quarters", share, "%", None, Target("at most", 5), _WHY, note)
    rates = sum(one.rate for one in late) / sum(one.rate for one in early) * len(early) / len(late)
    yield Figure("rate of the last quarter / the second", rates, "x")


_WHY = "if the server: caches of closed runs and Go's garbage; GOMEMLIMIT bounds them (docs/benchmarks.md, Memory)"


def _mean(looks: list[Look], name: str) -> float:
    return sum(one.megabytes[name] for one in looks) / len(looks)


def main(arguments: list[str] | None = None) -> None:
    """Run the soak on a fresh folder, print and write what was seen."""
    asked = _arguments(arguments)
    moves, opened = (2_000, 20) if asked.quick else (asked.moves, 200)
    folder = Path(tempfile.mkdtemp(prefix="dealwright-soak-", dir=asked.folder))
    began = time.monotonic()
    try:
        machine = describe(folder, load_settings().sqlite_synchronous)
        print("\n".join(f"{name:<20}{value}" for name, value in machine.items()) + "\n", flush=True)
        figures = uvloop.run(_on_fresh_rig(folder / "data", moves, opened))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("\n" + table(f"Soak of {moves:,} moves", figures))
    write_json(asked.json, machine | {"seconds": round(time.monotonic() - began)}, figures)


async def _on_fresh_rig(folder: Path, moves: int, opened: int) -> list[Figure]:
    async with running_rig(folder, PLAIN_WORKER) as rig:
        return await soak(rig, moves, opened)


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--moves", type=int, default=20_000, help="moves altogether (default: 20000)")
    parser.add_argument("--quick", action="store_true", help="2000 moves: shows that it works")
    parser.add_argument("--json", type=Path, default=RESULTS / "soak.json", help="where to write the figures")
    parser.add_argument("--folder", type=Path, default=None, help="the disk to measure on (default: temporary folder)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
