"""The benchmarks work: every section once with tiny counts. What they say about speed is not for a test to judge."""

import json
import math
import sqlite3
from contextlib import closing

import pytest

from benchmarks.__main__ import TINY, measure
from benchmarks.figures import Figure, Target, of_spread, table, write_json
from benchmarks.measure import best_of, ratios, spread
from benchmarks.rig import PLAIN_WORKER, running_rig
from benchmarks.soak import soak
from benchmarks.stock import of_store

pytestmark = pytest.mark.usefixtures(
    "on_the_wall_clock"
)  # their servers have no test clock, but the one that asks for it


@pytest.mark.systems
@pytest.mark.uncounted
async def test_every_section_of_the_benchmark_runs(tmp_path):
    reported: dict[str, list[Figure]] = {}
    await measure(TINY, tmp_path, reported.__setitem__)
    figures = [one for found in reported.values() for one in found]
    assert all(math.isfinite(one.value) for one in figures)
    by_name = {one.name: one.value for one in figures}
    assert 5 <= by_name["events per move without a timer"] <= 6
    assert by_name["moves per whole deal (timeline entries)"] > 20
    assert by_name["together resident, 3 open deals"] > by_name["worker resident"]
    assert by_name["SQLite: reservation / bare, one by one"] > 0
    assert by_name["SQLite: reservations, 16 at a time"] > 0
    assert by_name["bank entries per second"] > 0
    assert 55 <= by_name["its calendar days on the test clock"] <= 70
    assert by_name["its events in the engine's history"] > by_name["its moves (timeline entries)"] > 10
    assert sum(one.target is not None for one in figures) >= 13


async def test_reservations_and_their_floor_leave_what_they_say(tmp_path):
    figures = await of_store("here", f"sqlite+aiosqlite:///{tmp_path / 'stock.db'}", batches=2, count=3)
    assert [one.name.split(",")[0] for one in figures] == 3 * [
        "here: reservations", "here: bare transactions", "here: reservation / bare",
    ]  # fmt: skip
    assert all(one.value > 0 for one in figures)
    with closing(sqlite3.connect(tmp_path / "stock.db")) as books:
        (held,) = books.execute("SELECT sum(quantity) FROM stock_holdings").fetchone()
        levels = dict(books.execute("SELECT substr(article, 1, 1), sum(reserved) FROM stock_levels GROUP BY 1"))
    acts = 3 + 2 * 3 + 2 * (2 * 16 * 3)
    assert (held, levels) == (acts, {"A": acts, "F": acts})


@pytest.mark.systems
@pytest.mark.uncounted
async def test_a_short_soak_lets_deals_come_and_go(tmp_path):
    async with running_rig(tmp_path / "soak", PLAIN_WORKER) as rig:
        figures = await soak(rig, moves=100, opened=1, times=2)
        closed = rig.books.execute("SELECT count(*) FROM deals WHERE state = 'lost'").fetchone()[0]
        moves = rig.books.execute("SELECT count(*) FROM timeline").fetchone()[0]
    assert (closed, moves) == (2, 101)
    assert {"worker: growth after the first quarters", "API: growth after the first quarters"} <= {
        one.name for one in figures
    }


def test_a_ratio_is_taken_batch_by_batch():
    found = ratios([2.0, 30.0, 4.0], [1.0, 10.0, 1.0])
    assert (found.median, found.least, found.most, found.count) == (3.0, 2.0, 4.0, 3)
    with pytest.raises(ValueError, match="nothing was measured"):
        spread([])


def test_a_single_batch_has_no_spread():
    found = spread([7.0])
    assert (found.low, found.median, found.high) == (7.0, 7.0, 7.0)


def test_the_verdict_says_by_how_much_a_target_is_missed():
    slow = Figure("a", 1.8, "x", target=Target("at most", 1.5), why="too much work")
    few = Figure("b", 0.6, "x", target=Target("at least", 0.75))
    assert (slow.verdict, few.verdict) == ("MISSED by 20%", "MISSED by 20%")
    assert Figure("c", 1.5, "x", target=Target("at most", 1.5)).verdict == "met"
    assert Figure("d", 1.5).verdict == ""
    assert "why: too much work" in table("t", [slow])


def test_reasons_are_told_for_missed_targets_only():
    met = of_spread("a", spread([1.0, 1.2]), "x", Target("at most", 1.5), why="too much work")
    assert "why" not in table("t", [met])


def test_figures_are_written_for_programs(tmp_path):
    path = tmp_path / "new" / "bench.json"
    write_json(path, {"cores": 2}, [of_spread("a", spread([1.0, 3.0]), "ms", Target("at most", 1.0))])
    written = json.loads(path.read_text())
    assert written["machine"] == {"cores": 2}
    assert written["figures"][0]["verdict"] == "MISSED by 100%"
    assert written["figures"][0]["spread"]["most"] == 3.0


def test_the_best_of_some_repeats_is_positive():
    assert best_of(lambda: sum(range(100)), rounds=10, repeats=2) > 0
