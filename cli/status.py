"""Whether a system runs in the data folder, and at which addresses."""

from __future__ import annotations

import typer

from cli.exits import CommandFailed, ExitCode
from cli.session import session_of


def status(context: typer.Context) -> None:
    """Where the running system can be reached; exit code 4 when none runs."""
    from dataclasses import asdict

    from infra.system_state import running_system

    session = session_of(context)
    folder = session.settings.data_dir
    found = running_system(folder)
    if found is None or found.brief:
        raise CommandFailed(ExitCode.ENGINE, f"no system runs in {folder}", "`dealwright up` starts one")
    told = asdict(found) | {"data": str(folder)}
    screen = session.screen

    def render() -> None:
        screen.line(f"Dealwright is up since {found.started_at}", "bold green")
        screen.line(f"  API       {found.api}/v1")
        screen.line(f"  Temporal  {found.temporal}" + (f"    pages: {found.ui}" if found.ui else ""))
        screen.line(f"  data      {folder}")

    screen.result(told, render)
