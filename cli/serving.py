"""The commands that run the system: up, demo, doctor, and its single programs api and worker."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cli.exits import CommandFailed, ExitCode
from cli.session import Session, run, session_of

if TYPE_CHECKING:
    from infra.system import EmbeddedSystem

SYSTEM = "This system"


def add_to(app: typer.Typer) -> None:
    """Put these commands into the tree."""
    app.command(rich_help_panel=SYSTEM)(up)
    app.command(rich_help_panel=SYSTEM)(demo)
    app.command(rich_help_panel=SYSTEM)(doctor)
    app.command(rich_help_panel=SYSTEM)(api)
    app.command(rich_help_panel=SYSTEM)(worker)


def api_command(session: Session) -> list[str]:
    """How the supervisor starts the API, on a socket that it opened."""
    return [sys.executable, "-m", "cli.main", "--data", str(session.settings.data_dir), "api"]


def up(
    context: typer.Context,
    ui: Annotated[bool, typer.Option("--ui", help="Also Temporal's own web pages.")] = False,
) -> None:
    """Start server, worker and API in this terminal, until Ctrl-C."""
    session = session_of(context)
    settings = session.settings
    if settings.temporal_address:
        advice = "unset it, or start the single programs: `dealwright worker` and `dealwright api`"
        message = f"DEALWRIGHT_TEMPORAL_ADDRESS names a cluster ({settings.temporal_address})"
        raise CommandFailed(ExitCode.USAGE, message, advice)
    from infra.system import EmbeddedSystem

    run(_serve(session, EmbeddedSystem(settings, api_command(session), with_ui=ui)))


async def _serve(session: Session, system: EmbeddedSystem) -> None:
    import asyncio
    import time

    from infra.system import until_signal

    started, stopped = time.monotonic(), asyncio.Event()
    session.screen.note(f"starting Dealwright in {session.settings.data_dir} ...")
    starting = asyncio.create_task(system.start())
    await until_signal(stopped)
    waiting = asyncio.create_task(stopped.wait())
    await asyncio.wait((starting, waiting), return_when=asyncio.FIRST_COMPLETED)
    if starting.done() and starting.exception() is not None:
        waiting.cancel()
        return await starting  # which has stopped what it had begun
    try:
        if starting.done():
            show_addresses(session, system, time.monotonic() - started)
            await system.watch(stopped, session.screen.note)
        else:
            starting.cancel()
            await asyncio.wait((starting,))
    finally:
        waiting.cancel()
        session.screen.note("\nstopping: the API first, then the worker, the server last ...")
        await system.stop()
        session.screen.note("stopped; everything is kept for the next start")


def show_addresses(session: Session, system: EmbeddedSystem, seconds: float = 0.0) -> None:
    """Where the system can be reached."""
    from dataclasses import asdict

    running, screen = system.running, session.screen

    def render() -> None:
        screen.line("Dealwright is up" + (f" after {seconds:.1f} s" if seconds else ""), "bold green")
        screen.line(f"  API       {running.api}/v1    (keys: dealwright user add ..., contract: /v1/openapi.json)")
        screen.line(f"  Temporal  {running.temporal}" + (f"    pages: {running.ui}" if running.ui else ""))
        screen.line(f"  data      {session.settings.data_dir}")
        screen.line("Ctrl-C stops it.")

    screen.result({**asdict(running), "ready_seconds": round(seconds, 2)}, render)
    sys.stdout.flush()


def demo(
    context: typer.Context,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the system running and print its addresses.")] = False,
) -> None:
    """Drive sample deals through 200 virtual days and show what came of them."""
    from cli.demo.show import run_demo

    run(run_demo(session_of(context), keep=keep))


def doctor(context: typer.Context) -> None:
    """Check everything that Dealwright needs, with advice for what is missing."""
    from cli.doctor import examine, show

    session = session_of(context)
    findings = run(examine(session))
    show(session, findings)
    if any(finding.verdict == "wrong" for finding in findings):
        raise typer.Exit(ExitCode.REFUSED)


def api(context: typer.Context, fd: Annotated[int | None, typer.Option(hidden=True)] = None) -> None:
    """Run the API alone, beside a running engine."""
    _point_at_engine(session_of(context))
    from api.main import main

    main(fd)


def worker(context: typer.Context) -> None:
    """Run a worker alone, beside a running engine."""
    _point_at_engine(session_of(context))
    from worker import main

    main()


def _point_at_engine(session: Session) -> None:
    """Let the program's own settings name this data folder and its engine. Raises CommandFailed when none runs."""
    import os

    from infra.settings import PREFIX
    from infra.system_state import running_system

    settings = session.settings
    os.environ[f"{PREFIX}DATA_DIR"] = str(settings.data_dir)
    if settings.temporal_address is None:
        running = running_system(settings.data_dir)
        if running is None:
            advice = "`dealwright up` starts one, DEALWRIGHT_TEMPORAL_ADDRESS names another"
            raise CommandFailed(ExitCode.ENGINE, f"no engine runs for {settings.data_dir}", advice)
        os.environ[f"{PREFIX}TEMPORAL_ADDRESS"] = running.temporal
        os.environ[f"{PREFIX}TEST_CLOCK"] = str(settings.test_clock).lower()
