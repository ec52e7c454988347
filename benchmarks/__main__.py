"""`make bench`: every figure of one run, in turn with its floor. It is a report: a missed target does not fail it."""

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvloop

from benchmarks.audit_log import MILLION, Lengths, audit_log
from benchmarks.bank import bank_entries
from benchmarks.core import core
from benchmarks.desk import Desk
from benchmarks.dunning import dunning_ladders
from benchmarks.figures import Figure, table, write_json
from benchmarks.ladder import shortage_ladders
from benchmarks.machine import describe, load, warning
from benchmarks.memory import memory
from benchmarks.moves import events_per_move, many_moves, single_moves
from benchmarks.replays import replays
from benchmarks.rig import PLAIN_WORKER, running_rig
from benchmarks.stock import reservations
from benchmarks.trigger import triggers
from benchmarks.whole import whole_deals
from infra.settings import load_settings

RESULTS = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured: batches of acts, whole deals, open deals, pure parts, reservations, ladders, invoices
    (each paid by two bank entries), and the audit log."""

    batches: int = 24
    acts: int = 10
    many_batches: int = 10
    many_acts: int = 8
    whole: int = 40
    replayed: int = 12
    open_deals: int = 1_000
    trigger_batches: int = 30
    trigger_rounds: int = 2_000
    core_batches: int = 9
    core_deals: int = 10
    stock_batches: int = 16
    stock_acts: int = 20
    ladders: int = 3
    bank_batches: int = 3
    bank_invoices: int = 5_000
    log: Lengths = MILLION


QUICK = Sizes(6, 6, 3, 3, 8, 4, 100, 10, 500, 3, 3, 6, 10, 1, 1, 1_000, Lengths((0, 100_000), 6, 10, 100))
TINY = Sizes(1, 1, 1, 1, 1, 1, 3, 2, 20, 1, 1, 1, 1, 1, 1, 10, Lengths((0, 600), 1, 1, 3))
"""Shows that everything works; says nothing about speed."""

Report = Callable[[str, list[Figure]], None]


async def measure(sizes: Sizes, folder: Path, report: Report) -> None:
    """Run all sections on fresh data folders below `folder`."""
    report("State machine", triggers(sizes.trigger_batches, sizes.trigger_rounds))
    report("Pure core", core(sizes.core_batches, sizes.core_deals))
    report("Stock book", await reservations(folder, sizes.stock_batches, sizes.stock_acts))
    report("Audit log", await audit_log(folder, sizes.log))
    report("Bank entries", await bank_entries(folder, sizes.bank_batches, sizes.bank_invoices))
    async with running_rig(folder / "moves") as rig:
        desk = Desk(rig)
        report("One move at a time", await single_moves(desk, sizes.batches, sizes.acts))
        report("Events", await events_per_move(desk, sizes.acts))
        report("Sixteen at a time", await many_moves(desk, sizes.many_batches, sizes.many_acts))
        report("Whole deals", await whole_deals(desk, sizes.whole, sizes.replayed))
        report("Replays", await replays(desk, sizes.replayed, 1_000 if sizes.replayed > 1 else 10))
    async with running_rig(folder / "ladder", PLAIN_WORKER, test_clock=True) as rig:
        report("Shortage ladder", await shortage_ladders(Desk(rig), sizes.ladders))
        report("Collection ladder", await dunning_ladders(Desk(rig), sizes.ladders))
    async with running_rig(folder / "memory", PLAIN_WORKER) as rig:
        report("Memory", await memory(rig, sizes.open_deals))


def main(arguments: list[str] | None = None) -> None:
    """Measure, print as it goes, write the JSON file."""
    asked = _arguments(arguments)
    sizes = QUICK if asked.quick else Sizes()
    folder = Path(tempfile.mkdtemp(prefix="dealwright-bench-", dir=asked.folder))
    began, figures = time.monotonic(), list[Figure]()

    def report(title: str, found: list[Figure]) -> None:
        figures.extend(found)
        print("\n" + table(f"{title} (load {load()[0]:.1f})", found), flush=True)

    try:
        machine = describe(folder, load_settings().sqlite_synchronous)
        print("\n".join(f"{name:<20}{value}" for name, value in machine.items()), warning(), sep="\n", flush=True)
        uvloop.run(measure(sizes, folder, report))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    machine |= {"load at the end": load(), "seconds": round(time.monotonic() - began)}
    write_json(asked.json, machine, figures)
    _conclude(figures, machine, asked.json)


def _conclude(figures: list[Figure], machine: dict[str, object], written: Path) -> None:
    print("\n" + table("Targets", [one for one in figures if one.target is not None], notes=False))
    missed = sum(one.verdict.startswith("MISSED") for one in figures)
    print(
        f"\n{missed} missed; load at the end {machine['load at the end']}; {machine['seconds']} s; figures in {written}"
    )


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and smaller batches: under a minute, less exact")
    parser.add_argument("--json", type=Path, default=RESULTS / "bench.json", help="where to write the figures")
    parser.add_argument("--folder", type=Path, default=None, help="the disk to measure on (default: temporary folder)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
