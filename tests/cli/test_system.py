"""The embedded system of a folder: one at a time, started again when a part dies, gone without a trace when stopped."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from infra.db import open_database
from infra.gateways.stock_book import SqlStockBook
from infra.settings import Settings, load_settings
from infra.system import EmbeddedSystem, engine_for
from infra.system_state import RunningSystem, SystemRuns, running_system
from models.messages.logistics import ReserveInput, StockLine
from tests.cli.command import ROOT, command, dealwright, environment

pytestmark = [pytest.mark.systems, pytest.mark.timeout(240)]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in list(os.environ):
        if name.startswith("DEALWRIGHT_"):
            monkeypatch.delenv(name)
    return load_settings(data_dir=tmp_path)


def all_gone(*pids: int, patience: float = 25) -> bool:
    give_up_at = time.monotonic() + patience
    while any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids):
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.1)
    return True


async def test_one_system_a_folder(settings: Settings) -> None:
    told: list[str] = []
    async with EmbeddedSystem(settings) as system:
        found = running_system(settings.data_dir)
        assert found is not None
        assert (found.temporal, found.supervisor, found.brief) == (system.server.address, os.getpid(), False)
        with pytest.raises(SystemRuns, match="already"):
            await EmbeddedSystem(settings).start()
        async with engine_for(settings, told.append) as address:
            assert address == system.server.address
        assert told == []
        assert running_system(settings.data_dir) == found
    assert running_system(settings.data_dir) is None
    assert not (settings.data_dir / "system.json").exists()
    assert all_gone(found.worker_pid, found.server_pid)


async def test_an_engine_for_a_moment_is_waited_for(settings: Settings) -> None:
    first_has_it, order = asyncio.Event(), []

    async def first() -> None:
        async with engine_for(settings, lambda told: None):
            first_has_it.set()
            await asyncio.sleep(1)
            order.append("first")

    async def second() -> None:
        await first_has_it.wait()
        async with engine_for(settings, told.append):
            order.append("second")

    told: list[str] = []
    await asyncio.gather(first(), second())
    assert order == ["first", "second"]
    assert told == ["waiting for another command that uses the engine of this folder",
                    "starting the engine for this command", "stopping the engine"]  # fmt: skip


async def test_parts_that_die_are_started_again(settings: Settings) -> None:
    told: list[str] = []
    stopped = asyncio.Event()
    async with EmbeddedSystem(settings) as system:
        before = system.running
        watching = asyncio.create_task(system.watch(stopped, told.append))
        after = before
        os.kill(before.worker_pid, signal.SIGKILL)
        os.kill(before.server_pid, signal.SIGKILL)
        for _ in range(300):
            after = running_system(settings.data_dir) or before
            if {after.worker_pid, after.server_pid}.isdisjoint({before.worker_pid, before.server_pid, 0}):
                break
            await asyncio.sleep(0.1)
        else:
            raise AssertionError(f"not started again: {after}")
        assert after.temporal == before.temporal
        stopped.set()
        await watching
    assert len(told) == 2


def test_a_cluster_needs_no_server(tmp_path: Path, settings: Settings) -> None:
    async def address() -> str:
        async with engine_for(load_settings(data_dir=tmp_path, temporal_address="cluster:7233"), print) as found:
            return found

    assert asyncio.run(address()) == "cluster:7233"
    assert not (tmp_path / "temporal.db").exists()


@pytest.fixture
def up(tmp_path: Path) -> Iterator[tuple["subprocess.Popen[str]", RunningSystem, float]]:
    """`dealwright up` on a folder, ready."""
    started = time.monotonic()
    process = subprocess.Popen(
        command("--data", tmp_path, "up"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment(), cwd=ROOT,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert "Dealwright is up" in process.stdout.readline()
        found = running_system(tmp_path)
        assert found is not None
        yield process, found, time.monotonic() - started
    finally:
        process.kill()
        process.communicate()


def test_up_serves_and_stops_clean(tmp_path: Path, up: tuple["subprocess.Popen[str]", RunningSystem, float]) -> None:
    process, found, _ = up
    second = dealwright("--data", tmp_path, "up")
    assert second.code == 1
    assert found.api in second.err
    assert dealwright("--data", tmp_path, "doctor").code == 0
    process.send_signal(signal.SIGINT)
    assert process.wait(40) == 0
    assert all_gone(found.api_pid, found.worker_pid, found.server_pid)
    assert running_system(tmp_path) is None


def test_imported_stock_is_told_to_the_deals_that_wait_for_it(
    tmp_path: Path, up: tuple["subprocess.Popen[str]", RunningSystem, float]
) -> None:
    async def wait_for_goods() -> None:
        database = open_database(load_settings(data_dir=tmp_path).database)
        asked = (StockLine(1, "P-1", 4),)
        at, until = "2026-03-02T08:00:00Z", "2026-04-01T08:00:00Z"
        await SqlStockBook(database).reserve(ReserveInput("k", "D-gone", "", asked, at, until, waits=True))
        await database.close()

    products, stock = tmp_path / "products.csv", tmp_path / "stock.csv"
    products.write_text("id,description,price_eur\nP-1,Pump,100\n", encoding="utf-8")
    stock.write_text("article,warehouse,quantity,reference\nP-1,central,3,DN-1\n", encoding="utf-8")
    assert dealwright("--data", tmp_path, "import", "products", products).code == 0
    asyncio.run(wait_for_goods())
    done = dealwright("--data", tmp_path, "-o", "json", "import", "stock", stock)
    assert (done.code, done.json["rows"], done.json["notes"]) == (0, 1, [])
    assert "deal_not_woken" in done.err, "the running system was asked, and knows no such deal"
    assert "workflow_gone" in done.err


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
def test_nothing_survives_its_supervisor(
    up: tuple["subprocess.Popen[str]", RunningSystem, float], tmp_path: Path
) -> None:
    process, found, _ = up
    process.kill()
    process.wait()
    assert running_system(tmp_path) is None  # whatever system.json says
    assert all_gone(found.api_pid, found.worker_pid, found.server_pid)
