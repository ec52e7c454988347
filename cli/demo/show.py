"""`dealwright demo`: starts the system, imports the examples, tells every story, shows what came of it, stops."""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import typer

from cli.demo.outcome import prove, show_outcome
from cli.demo.telling import tell_stories, until_archived
from cli.exits import CommandFailed, ExitCode
from cli.hands import Hands
from cli.imports.examples import import_examples
from cli.serving import api_command, show_addresses
from cli.session import Session
from infra.desk.service import DealDesk
from infra.settings import load_settings
from infra.system import EmbeddedSystem, until_signal
from infra.temporal_client import connect_as


async def run_demo(session: Session, *, keep: bool) -> None:
    """The whole demo. Raises typer.Exit with 1 when a story ends otherwise than told, or a check fails."""
    stays = keep or session.options.data is not None
    async with AsyncExitStack() as stack:
        session = _in_a_folder(session, stack, keep)
        settings = load_settings(data_dir=session.settings.data_dir, test_clock=True)
        started = time.monotonic()
        session.screen.note(f"starting Dealwright in {settings.data_dir} ...")
        system = EmbeddedSystem(settings, api_command(session) if keep else ())
        await stack.enter_async_context(system)
        database = await stack.enter_async_context(session.database(create=True))
        client = await connect_as(settings, system.server.address)
        hands = Hands(DealDesk(database, client, settings), client)
        good = await _tell_all(session, hands, started)
        if stays:
            folder = settings.data_dir
            session.screen.note(
                f"the data stays: dealwright --data {folder} deal list | deal timeline DEAL | audit verify"
            )
        if keep:
            await _stay(session, system)
    if not good:
        raise typer.Exit(ExitCode.REFUSED)


def _in_a_folder(session: Session, stack: AsyncExitStack, keep: bool) -> Session:
    """The session in the given folder, or in one that goes with the demo unless the system stays."""
    if session.settings.temporal_address:
        message = "the demo brings its own engine, but DEALWRIGHT_TEMPORAL_ADDRESS names a cluster"
        raise CommandFailed(ExitCode.USAGE, message, "unset it for the demo")
    if session.options.data is not None:
        return session
    prefix = "dealwright-demo-"
    folder = (
        tempfile.mkdtemp(prefix=prefix) if keep else stack.enter_context(tempfile.TemporaryDirectory(prefix=prefix))
    )
    return Session(replace(session.options, data=Path(folder)))


async def _tell_all(session: Session, hands: Hands, started: float) -> bool:
    screen, database = session.screen, hands.desk.books.database
    reports = await import_examples(database, hands.desk.clock(), hands.desk.books.vault)
    screen.note(f"{sum(report.rows for report in reports)} rows of users, customers, products and stock imported")
    screen.note("driving the deals through their virtual months ...")
    report, told = await tell_stories(hands, session.settings, screen)
    reports.append(report)
    await until_archived(hands)
    screen.note("verifying the evidence, replaying every deal ...")
    proof = await prove(session, hands.desk)
    await show_outcome(session, hands.desk, reports, told, proof, time.monotonic() - started)
    return proof.is_sound and not any(one.problem for one in told) and not any(report.refused for report in reports)


async def _stay(session: Session, system: EmbeddedSystem) -> None:
    stopped = asyncio.Event()
    await until_signal(stopped)
    show_addresses(session, system)
    await system.watch(stopped, session.screen.note)
    session.screen.note("\nstopping ...")
